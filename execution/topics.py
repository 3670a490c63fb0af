"""Message-bus topics of our own. Actors cannot see native order events, so the guard publishes each once."""

ORDER_EVENTS = "hyper.orders"
REFUSALS = "hyper.refusals"
HALT = "hyper.halt"
STOP = "hyper.stop"
