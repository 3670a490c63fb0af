"""A USD-M Binance of our own on 127.0.0.1: what the live node is run and drilled against.

::

    settings ─► program ─► server ─► rest / streams / trading socket ─► exchange ─► book, account, algo orders
                                                                          ▲   └───► user events, ledger
                                            market (recording, synthetic) ┘         feed ─► market streams
    faults: a script looks at every request, stream event and order step, and at the clock

The package is an independent judge: it imports nothing of `risk`, `execution` or `strategies`, and writes down everything
that happened in a ledger file. Matching is synchronous and takes its time from a `clock`; sockets and waiting live in
`server` and `driver` only.
"""
