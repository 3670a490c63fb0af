"""The live runner: the wiring of the backtest on Nautilus' live node, started and stopped in order.

``__main__`` the command · ``secrets`` keys · ``places`` addresses · ``state`` folder, lock and stop files · ``node`` the engine and
its settings · ``starting`` and ``stopping`` what is done to the account · ``session`` one session from start to exit code ·
``output`` its directory.
"""
