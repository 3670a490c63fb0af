"""What can happen, as data: the domain of each argument of each action, and how often each action is drawn."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from tests.engine import KEY
from tests.properties.profile import STRATEGIES
from tests.properties.world import ETH_KEY, IIDS

WHO = (*STRATEGIES, "a", "a", "a")
SIZES = (1, 40, 1000, 2000, 2000, 5000, 5000, 5000, 8000, 8000, 8900, 8900, 20_000, 20_000, 29_000, 31_000, 60_000)
"""In steps of 0.001: at a price of 100 worth 0.1 to 6,000."""
WAITS_MS = (1, 100, 100, 400, 400, 900, 900, 1000, 1000, 1500, 1500, 2500, 2500, 4000, 4000, 6000, 6000, 11_000, 11_000, 21_000,
            65_000, 400_000, 86_400_000)  # fmt: skip

DOMAINS: Mapping[str, Mapping[str, Sequence[Any]]] = {
    "enter": {
        "who": WHO, "iid": (KEY, KEY, ETH_KEY), "side": (1, -1), "kind": ("post_only", "post_only", "post_only", "limit", "market"),
        "behind": (0, 0, 1, 2, 6, 60), "size": SIZES, "edge": (100.0, 100.0, 100.0, 3.0, None),
    },
    "insist": {"iid": IIDS, "side": (1, -1), "size": (1000, 2000), "times": (2, 3, 4)},
    "odd": {
        "what": ("tick", "step", "reuse", "form", "stranger", "instrument", "far", "zero"), "side": (1, -1), "iid": IIDS,
        "reduce_only": (False, False, True),
    },
    "leave": {
        "who": WHO, "iid": (KEY, KEY, ETH_KEY), "halves": (1, 2, 2, 2, 4), "kind": ("market", "limit"), "dust": (0, 0, 0, 1, -1),
    },
    "close": {"who": WHO, "market_exit": (False, False, True)},
    "enlist": {"who": WHO, "iid": IIDS, "side": (1, -1), "size": SIZES, "second": SIZES, "bracket": (False, True)},
    "settle": {
        "which": range(6), "what": ("accept", "accept", *("fill",) * 7, "reject", "post_only", "expire", "clip"),
        "tenths": (1, 3, 10, 10), "slip": (0, 0, 0, 1, 4),
    },
    "cancel_of": {"which": range(6), "what": ("ask", "ask", "done", "done", "refused", "late")},
    "refuse_all": {},
    "repeat": {},
    "quote": {
        "iid": IIDS, "shift": (0, 0, 0, 1, -1, 3, -3), "spread": (1, 1, 1, 2, 6), "age_ms": (0, 0, 0, 0, 0, 0, 0, 499, 501, 3001),
        "kind": ("whole",),
    },
    "jump": {"iid": IIDS, "shift": (15, -15, 40, -40, 60, -60, 90, -90)},
    "spoil": {"iid": IIDS, "spread": (0, -3, 1), "kind": ("whole", "one-sided", "cleared")},
    "mark": {"iid": IIDS, "off": (0, 1, -2, 7, -12)},
    "wait": {"ms": WAITS_MS, "calm": (True, True, True, True, True, False)},
    "transfer": {"amount": (500, -500, 2000)},
    "budget": {"pct": (10, 80, 81, 96)},
    "clocks": {"offset_ms": (0, 0, 0, 250, -251, 1001)},
    "hide": {"hidden": (True, False, False, False)},
    "halt": {"meant": (False, False, False, False, True)},
    "reset": {},
    "restart": {"ms": (10, 5000, 90_000_000), "fills": (False, True)},
}  # fmt: skip
WEIGHTS: Mapping[str, int] = {
    "enter": 90, "insist": 6, "odd": 5, "leave": 22, "close": 5, "enlist": 8, "settle": 80, "cancel_of": 24,
    "refuse_all": 3, "repeat": 2, "quote": 22,
    "jump": 14, "spoil": 4, "mark": 6, "wait": 28, "transfer": 2, "budget": 2, "clocks": 6, "hide": 2, "halt": 4, "reset": 5,
    "restart": 2,
}  # fmt: skip
