"""The drills of L-3: a live node against our simulated venue, broken on purpose, and judged by the venue's ledger.

``model`` and ``expect`` say what a drill file holds, ``files`` finds it, ``stage`` plays it with ``node``, ``freezing`` and
``tail``, ``judge`` reads ledger and journal and nothing else, ``telling`` puts it into words.
"""
