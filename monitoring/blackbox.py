"""X-8: a ring of the last minutes of market, order and risk events, kept so that a trip can be looked at and replayed.

Three rings, so that a flood of market data cannot push out the few order and risk events that explain it.
"""

from __future__ import annotations

import json
import math
import os
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

_NS = 1_000_000_000
KINDS = ("market", "order", "risk")


class BlackBoxConfig(BaseModel):
    """How much is kept; the smaller of time and count."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    window_secs: float = Field(default=300, gt=0, le=86_400, description="How far back events are kept, seconds")
    max_market_events: int = Field(default=50_000, ge=1, le=5_000_000, description="Market events kept at most")
    max_order_events: int = Field(default=10_000, ge=1, le=1_000_000, description="Order events kept at most")
    max_risk_events: int = Field(default=10_000, ge=1, le=1_000_000, description="Risk events kept at most")


@dataclass(frozen=True, slots=True)
class Entry:
    """One kept event.

    Attributes
    ----------
    ts_ns
        When it was received.
    source
        Instrument id of a market event, else what it is about.
    event
        The event itself; kept by reference, so it must not change any more.
    anchor
        A market event from which replay can start: a full book snapshot.
    """

    ts_ns: int
    source: str
    event: Any
    anchor: bool = False


@dataclass(frozen=True, slots=True)
class Incident:
    """What was in the box when something tripped.

    Attributes
    ----------
    ts_ns, reason, figures
        Of the trip.
    market, order, risk
        Events, oldest first. Market events of an instrument start at its first anchor, where it has one.
    dropped
        Per kind, how many events within the window had no room any more.
    """

    ts_ns: int
    reason: str
    figures: Mapping[str, Any]
    market: tuple[Entry, ...]
    order: tuple[Entry, ...]
    risk: tuple[Entry, ...]
    dropped: Mapping[str, int] = field(default_factory=dict)


class _Ring:
    __slots__ = ("_entries", "_lost_ns", "_max", "_window_ns")

    def __init__(self, window_secs: float, max_events: int) -> None:
        self._window_ns = round(window_secs * _NS)
        self._max = max_events
        self._entries: deque[Entry] = deque()
        self._lost_ns: deque[int] = deque(maxlen=max_events)

    def add(self, entry: Entry) -> None:
        self._entries.append(entry)
        oldest = entry.ts_ns - self._window_ns
        while self._entries[0].ts_ns < oldest:
            self._entries.popleft()
        if len(self._entries) > self._max:
            self._lost_ns.append(self._entries.popleft().ts_ns)

    def within(self, ts_ns: int) -> tuple[Entry, ...]:
        return tuple(entry for entry in self._entries if entry.ts_ns >= ts_ns - self._window_ns)

    def lost(self, ts_ns: int) -> int:
        return sum(1 for lost_ns in self._lost_ns if lost_ns >= ts_ns - self._window_ns)


class BlackBox:
    """Keeps the last events of each kind.

    Parameters
    ----------
    config
        How much.
    """

    def __init__(self, config: BlackBoxConfig) -> None:
        limits = {"market": config.max_market_events, "order": config.max_order_events, "risk": config.max_risk_events}
        self._rings = {kind: _Ring(config.window_secs, limits[kind]) for kind in KINDS}

    def market(self, ts_ns: int, instrument_id: str, event: Any, *, anchor: bool = False) -> None:
        """Keep a market event; `anchor` marks a full book snapshot."""
        self._rings["market"].add(Entry(ts_ns, instrument_id, event, anchor))

    def order(self, ts_ns: int, source: str, event: Any) -> None:
        """Keep an intent, refusal, order event or fill."""
        self._rings["order"].add(Entry(ts_ns, source, event))

    def risk(self, ts_ns: int, source: str, event: Any) -> None:
        """Keep a breaker edge, a trip or a loss reading."""
        self._rings["risk"].add(Entry(ts_ns, source, event))

    def incident(self, ts_ns: int, reason: str, figures: Mapping[str, Any] | None = None) -> Incident:
        """Return what is in the box now; the box goes on."""
        market = _from_anchors(self._rings["market"].within(ts_ns))
        order, risk = self._rings["order"].within(ts_ns), self._rings["risk"].within(ts_ns)
        dropped = {kind: ring.lost(ts_ns) for kind, ring in self._rings.items()}
        return Incident(ts_ns, reason, dict(figures or {}), market, order, risk, dropped)


def write_incident(directory: Path, incident: Incident) -> Path:
    """Write the JSON part of an incident: cause, order and risk events, and what market data there is.

    Market events themselves belong into a small catalog beside it.

    Returns
    -------
    Path
        ``<ts_ns>.json`` in `directory`; an incident of the same instant gets ``<ts_ns>-2.json`` and so on.

    Raises
    ------
    OSError
        When it cannot be written; nothing is left behind then.
    """
    directory.mkdir(parents=True, exist_ok=True)
    path = _free_name(directory, incident.ts_ns)
    staged = path.with_name(path.name + ".tmp")
    try:
        staged.write_text(json.dumps(to_json(incident), indent=1, sort_keys=True), encoding="utf-8")
        os.replace(staged, path)  # noqa: PTH105 - the atomic call by its name
    finally:
        staged.unlink(missing_ok=True)
    return path


def to_json(incident: Incident) -> dict[str, Any]:
    """Plain values; an event that is no plain value is written as its text."""
    spans: dict[str, list[int]] = {}
    for entry in incident.market:
        span = spans.setdefault(entry.source, [entry.ts_ns, entry.ts_ns, 0])
        span[1], span[2] = entry.ts_ns, span[2] + 1
    return {
        "ts_ns": incident.ts_ns,
        "reason": incident.reason,
        "figures": _plain(incident.figures),
        "dropped": dict(incident.dropped),
        "market": {iid: {"first_ns": s[0], "last_ns": s[1], "events": s[2]} for iid, s in spans.items()},
        "order": [_entry(entry) for entry in incident.order],
        "risk": [_entry(entry) for entry in incident.risk],
    }


def _from_anchors(entries: tuple[Entry, ...]) -> tuple[Entry, ...]:
    first: dict[str, int] = {}
    for number, entry in enumerate(entries):
        if entry.anchor:
            first.setdefault(entry.source, number)
    return tuple(entry for number, entry in enumerate(entries) if number >= first.get(entry.source, 0))


def _entry(entry: Entry) -> dict[str, Any]:
    return {"ts_ns": entry.ts_ns, "source": entry.source, "event": _plain(entry.event)}


def _plain(value: Any) -> Any:
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)  # JSON has no infinity
    if value is None or isinstance(value, (str, bool, int, float)):
        return value
    if hasattr(value, "_asdict"):
        value = value._asdict()
    elif hasattr(type(value), "__dataclass_fields__"):
        value = {name: getattr(value, name) for name in type(value).__dataclass_fields__}
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    return [_plain(item) for item in value] if isinstance(value, (list, tuple)) else str(value)


def _free_name(directory: Path, ts_ns: int) -> Path:
    path, number = directory / f"{ts_ns}.json", 1
    while path.exists():
        number += 1
        path = directory / f"{ts_ns}-{number}.json"
    return path
