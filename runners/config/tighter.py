"""Limits of a live file may be tighter than those of its base, never looser."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

type Leaf = tuple[str, ...]

_LOWER = frozenset({
    "soft", "hard", "size_factor", "collar_mid_bps", "collar_mark_bps", "min_cancels", "start_pct", "stop_pct",
})  # fmt: skip
"""Tighter when lower, beside everything that begins with ``max_``; null is no limit."""
_HIGHER = frozenset({
    "min_free_margin_pct", "edge_margin_bps", "edge_slippage_bps", "cooldown_secs", "clear_events", "loss_pause_secs",
    "identical_window_secs", "reentry_cooldown_secs",
})  # fmt: skip
"""Tighter when higher."""
_RISING: Mapping[str, tuple[Any, ...]] = {
    "edge_exit_fee": ("excluded", "maker", "taker"), "hard_action": ("cancel", "flatten"),
    "latch": (False, True), "daily_loss_latches": (False, True),
}  # fmt: skip
"""Words from loosest to tightest."""


@dataclass(frozen=True, slots=True)
class Change:
    """One limit that is not as in the base.

    Attributes
    ----------
    path
        Keys below `risk`.
    before, after
        Values of the base and of the live file.
    tighter
        True when it is; None when the key has no tighter side, so that no change of it is allowed.
    """

    path: Leaf
    before: Any
    after: Any
    tighter: bool | None

    @property
    def name(self) -> str:
        """Key as it is written in the file."""
        return ".".join(("risk", *self.path))


def changes(base: Mapping[str, Any], live: Mapping[str, Any]) -> list[Change]:
    """Compare two dumped `risk` blocks, every default filled in."""
    return list(_changes(base, live, ()))


def _changes(base: Mapping[str, Any], live: Mapping[str, Any], path: Leaf) -> Iterator[Change]:
    for key in {**base, **live}:
        before, after = base.get(key), live.get(key)
        if isinstance(before, Mapping) and isinstance(after, Mapping):
            yield from _changes(before, after, (*path, key))
        elif before != after:
            yield Change((*path, key), before, after, _tighter(key, before, after))


def _tighter(key: str, before: Any, after: Any) -> bool | None:
    if isinstance(before, Mapping) or isinstance(after, Mapping):
        return before is None  # a whole breaker or throttle is switched on, or off
    if key in _RISING:
        return _RISING[key].index(after) > _RISING[key].index(before)
    if key.startswith("max_") or key in _LOWER:
        return before is None if after is None or before is None else Decimal(str(after)) < Decimal(str(before))
    if key in _HIGHER:
        return Decimal(str(after)) > Decimal(str(before))
    return None


def shown(value: Any) -> str:
    """A limit as a person reads it."""
    if value is None:
        return "null"
    return "on" if isinstance(value, Mapping) else f"{value:g}" if isinstance(value, float) else str(value)


def laid_over(base: Mapping[str, Any], given: Mapping[str, Any]) -> dict[str, Any]:
    """Put what a file gives over the base, key by key, at any depth."""
    merged = dict(base)
    for key, value in given.items():
        below = merged.get(key)
        merged[key] = laid_over(below, value) if isinstance(below, dict) and isinstance(value, dict) else value
    return merged
