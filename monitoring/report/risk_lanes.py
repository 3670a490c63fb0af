"""Risk events as stretches of time: when each breaker was not closed, and when a halt shut entries."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

import pyarrow as pa

NS_PER_SEC = 1_000_000_000
NS_PER_DAY = 86_400 * NS_PER_SEC
PROBING = frozenset({"slippage_bps", "rejects_in_a_row"})
"""Breakers that let entries pass while half open: only an order of ours can show that all is well again."""

type Figures = dict[str, str | int | float]


@dataclass(frozen=True, slots=True)
class Segment:
    """One stretch in which a breaker was not closed and nothing about it changed.

    Attributes
    ----------
    start_ns, end_ns
        From edge to edge, or to the end of the data.
    state, level
        ``open`` or ``half_open``; ``soft`` or ``hard``.
    reason, figures
        Of the newest opening.
    size_factor
        Share of the usual size that entries may have: 1 free, 0 shut.
    """

    start_ns: int
    end_ns: int
    state: str
    level: str
    reason: str
    figures: Figures
    size_factor: float


@dataclass(frozen=True, slots=True)
class Lane:
    """All stretches of one breaker, by time.

    Attributes
    ----------
    opened, hard
        Instants of its openings (soft to hard is none) and of its reaching the hard limit.
    """

    name: str
    instrument_id: str
    segments: tuple[Segment, ...]
    opened: tuple[int, ...]
    hard: tuple[int, ...]

    def where(self, shut: bool) -> list[tuple[int, int]]:
        """Stretches without entries, or (`shut` False) with smaller ones only."""
        return [
            (s.start_ns, s.end_ns)
            for s in self.segments
            if (s.size_factor == 0.0 if shut else 0.0 < s.size_factor < 1.0)
        ]


@dataclass(frozen=True, slots=True)
class Halt:
    """One halt: see `HaltSummary`; `until_ns` is the end of the data where nothing ended it."""

    name: str
    ts_ns: int
    until_ns: int
    ended: bool
    reason: str
    figures: Figures
    problems: tuple[str, ...] = field(default=())


def lanes(events: pa.Table, breakers: Mapping[str, Any], end_ns: int) -> list[Lane]:
    """Follow each breaker's edges, account-wide breakers first, then by name.

    Parameters
    ----------
    events
        The `risk_events` table.
    breakers
        The `risk.breakers` block of the run's config: where a soft limit only shrinks entries.
    end_ns
        End of the data; a breaker that is still not closed stays so until then.
    """
    rows: dict[tuple[str, str], list[dict[str, Any]]] = {}
    for row in events.to_pylist():
        if row["kind"] == "breaker":
            rows.setdefault((row["instrument_id"], row["name"]), []).append(row)
    return [_lane(name, iid, found, breakers.get(name) or {}, end_ns) for (iid, name), found in sorted(rows.items())]


def halts(events: pa.Table, end_ns: int) -> list[Halt]:
    """Return every halt. A daily loss that does not latch ends with its UTC day, the kill switch with the data.

    Rows of the same instant and name after the first say what could not be done about it.
    """
    rows = [row for row in events.to_pylist() if row["kind"] == "halt" and row["state"] != "closed"]
    found: dict[tuple[str, int], list[dict[str, Any]]] = {}
    for row in rows:
        found.setdefault((row["name"], row["ts_ns"]), []).append(row)
    return [_halt(name, ts_ns, same, end_ns) for (name, ts_ns), same in found.items()]


def clipped(spans: Iterable[tuple[int, int]], start_ns: int, end_ns: int) -> list[tuple[int, int]]:
    """Union of stretches inside a period: disjoint, by time; those that touch are one."""
    merged: list[tuple[int, int]] = []
    for first, last in sorted((max(a, start_ns), min(b, end_ns)) for a, b in spans):
        if last <= first:
            continue
        if merged and first <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(last, merged[-1][1]))
        else:
            merged.append((first, last))
    return merged


def secs(spans: Iterable[tuple[int, int]]) -> float:
    """Total length of disjoint stretches, seconds."""
    return sum(last - first for first, last in spans) / NS_PER_SEC


def _lane(name: str, iid: str, rows: Sequence[dict[str, Any]], config: Mapping[str, Any], end_ns: int) -> Lane:
    opened, hard, before = [], [], {"state": "closed", "level": "none"}
    for row in rows:
        if row["state"] == "open" and before["state"] != "open":
            opened.append(row["ts_ns"])
        if row["state"] == "open" and row["level"] == "hard":
            hard.append(row["ts_ns"])
        before = row
    segments = tuple(_segments(name, rows, float(config.get("size_factor") or 0.0), end_ns))
    return Lane(name, iid, segments, tuple(opened), tuple(hard))


def _segments(name: str, rows: Sequence[dict[str, Any]], soft_factor: float, end_ns: int) -> Iterator[Segment]:
    reason, figures = "", "{}"
    for row, after in pairwise([*rows, {"ts_ns": end_ns}]):
        if row["state"] == "open":
            reason, figures = row["detail"], row["figures"]
        if row["state"] != "closed" and after["ts_ns"] > row["ts_ns"]:
            probing = row["state"] == "half_open" and name in PROBING
            factor = 1.0 if probing else soft_factor if row["level"] == "soft" else 0.0
            yield Segment(row["ts_ns"], after["ts_ns"], row["state"], row["level"], reason, json.loads(figures), factor)


def _halt(name: str, ts_ns: int, rows: Sequence[dict[str, Any]], end_ns: int) -> Halt:
    problems = tuple(row["detail"] for row in rows[1:])
    figures = json.loads(rows[0]["figures"])
    until = _ends_ns(name, ts_ns, figures)
    ended = until is not None and until < end_ns
    end = until if until is not None and ended else end_ns
    return Halt(name, ts_ns, end, ended, rows[0]["detail"], figures, problems)


def _ends_ns(name: str, ts_ns: int, figures: Figures) -> int | None:
    """When a halt ends by itself: a daily loss with its UTC day, a loss streak after its pause; None for the kill switch."""
    if name == "daily_loss":
        return (ts_ns // NS_PER_DAY + 1) * NS_PER_DAY
    return ts_ns + round(float(figures.get("seconds_left", 0)) * 1e9) if name == "loss_streak" else None
