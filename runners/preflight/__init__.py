"""The connectivity check before a session (L-6): it looks at everything and changes nothing at the venue.

``__main__`` the command · ``run`` the checks in order · ``report`` what came out · ``looks`` the requests that it can make ·
``place`` keys, folders, disk · ``switches`` stop files, kill switch, journal, lock ·
``market`` clock, symbols, streams · ``account`` modes, fees, balance, orders, positions · ``file_system``, ``streams``, ``view``
their tools.
"""
