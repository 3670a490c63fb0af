"""What goes wrong during a soak, drawn from a seed."""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping
from typing import Any

from adapters.simulated_binance.faults.script import Fault


def faults(rng: random.Random) -> list[Fault]:
    """Draw a script: small faults all the time, each with a probability of its own.

    Not among them is what ends a session by design, since the engine's position is wrong then (docs/recovery.md): -1000 though
    executed, and one order event that overtakes another. Binance keeps them in order, so here they are late all together.
    """

    def p(low: float, high: float) -> float:
        return round(rng.uniform(low, high), 4)

    place, cancel = "POST /fapi/v1/order", "DELETE /fapi/v1/order"
    drawn: list[tuple[str, dict[str, Any], dict[str, Any]]] = [
        ("an order's answer is lost", {"request": place, "probability": p(0.01, 0.03)}, {"act": "drop_answer"}),
        ("an order is lost", {"request": place, "probability": p(0.01, 0.02)}, {"act": "drop"}),
        ("an order is executed but 503", {"request": place, "probability": p(0.01, 0.02)},
         {"act": "answer", "status": 503, "execute": True}),
        ("an order is answered late", {"request": place, "probability": p(0.02, 0.05)}, {"act": "delay_answer", "secs": 0.4}),
        ("a cancel's answer is lost", {"request": cancel, "probability": p(0.02, 0.05)}, {"act": "drop_answer"}),
        ("a question fails", {"request": "GET /fapi/*", "probability": p(0.001, 0.003)}, {"act": "answer", "status": 503}),
        ("an order event comes twice", {"event": "user/ORDER_TRADE_UPDATE/*", "probability": p(0.03, 0.08)}, {"act": "duplicate"}),
        ("a short fill comes twice", {"event": "user/TRADE_LITE", "probability": p(0.03, 0.08)}, {"act": "duplicate"}),
        ("order events come late", {"event": "user/ORDER_TRADE_UPDATE/*", "probability": p(0.01, 0.03)},
         {"act": "stall", "secs": 0.3}),
    ]  # fmt: skip
    return [
        Fault.model_validate({"name": name, "when": {"times": None, **when}, "do": [act]}) for name, when, act in drawn
    ]


def happenings(rng: random.Random) -> Iterator[tuple[float, Mapping[str, Any]]]:
    """What happens now and then: (seconds from the one before, action), endless."""
    acts: list[Mapping[str, Any]] = [
        {"act": "close_sockets", "which": "user"}, {"act": "close_sockets", "which": "market"},
        {"act": "lag_queries", "lag_secs": 1.5, "secs": 15}, {"act": "skip_depth", "symbol": "BTCUSDT", "count": 1},
        {"act": "settle_funding", "symbol": "BTCUSDT", "rate": "0.0001"},
    ]  # fmt: skip
    while True:
        yield rng.uniform(15, 40), rng.choice(acts)
