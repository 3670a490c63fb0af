"""X-8: a ring of the last minutes of market, order and risk events, kept so that a trip can be looked at and replayed.

Three rings, so that a flood of market data cannot push out the few order and risk events that explain it.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

_NS = 1_000_000_000
KINDS = ("market", "order", "risk")


class BlackBoxConfig(BaseModel):
    """What is kept of the minutes before a trip, the smaller of time and count, and how many incidents are written."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    window_secs: float = Field(default=300, gt=0, le=86_400, description="How far back events are kept, seconds")
    max_market_events: int = Field(default=50_000, ge=1, le=5_000_000, description="Market events kept at most")
    max_order_events: int = Field(default=10_000, ge=1, le=1_000_000, description="Order events kept at most")
    max_risk_events: int = Field(default=10_000, ge=1, le=1_000_000, description="Risk events kept at most")
    lead_secs: float = Field(
        default=300,
        ge=0,
        le=86_400,
        description="Market data before that, from which a replay's breakers learn, seconds",
    )
    after_secs: float = Field(
        default=10, ge=0, le=600, description="How much is kept of what follows the trip, seconds"
    )
    max_incidents: int = Field(
        default=10,
        ge=3,
        le=1000,
        description="Incidents written at most per run; the last two places are kept for halts",
    )
    debounce_secs: float = Field(
        default=60,
        ge=0,
        le=86_400,
        description="The same cause makes no second incident within this, seconds of event time",
    )

    @property
    def window_ns(self) -> int:
        """`window_secs` in nanoseconds."""
        return round(self.window_secs * _NS)

    @property
    def lead_ns(self) -> int:
        """`lead_secs` in nanoseconds."""
        return round(self.lead_secs * _NS)

    @property
    def after_ns(self) -> int:
        """`after_secs` in nanoseconds."""
        return round(self.after_secs * _NS)

    @property
    def debounce_ns(self) -> int:
        """`debounce_secs` in nanoseconds."""
        return round(self.debounce_secs * _NS)


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


def _from_anchors(entries: tuple[Entry, ...]) -> tuple[Entry, ...]:
    first: dict[str, int] = {}
    for number, entry in enumerate(entries):
        if entry.anchor:
            first.setdefault(entry.source, number)
    return tuple(entry for number, entry in enumerate(entries) if number >= first.get(entry.source, 0))
