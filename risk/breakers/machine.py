"""The state machine that every breaker is: CLOSED → OPEN → HALF_OPEN → CLOSED.

A value beyond a limit opens. The cool-down runs from the last abnormal event; then the breaker is half open and closes after
a number of normal events in a row; one abnormal event opens it again. Every change is an `Edge`.
"""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import dataclass, field

from risk.breakers.config import BreakerConfig

type Figure = str | int | float
NS_PER_SEC = 1_000_000_000
NS_PER_MS = 1_000_000
FOREVER_NS = 1 << 63


class State(enum.StrEnum):
    """Where a breaker stands."""

    CLOSED = "closed"
    OPEN = "open"
    HALF_OPEN = "half_open"


class Level(enum.IntEnum):
    """How bad a value is."""

    NONE = 0
    SOFT = 1
    HARD = 2


@dataclass(frozen=True, slots=True)
class Edge:
    """One change of a breaker, recorded as a refusal is.

    Attributes
    ----------
    ts_ns
        When.
    breaker, instrument_id
        Its configuration key, and the instrument it watches ("" for all).
    from_state, to_state
        OPEN to OPEN is an escalation from soft to hard.
    level
        SOFT or HARD as long as it is not closed, NONE once it is.
    reason
        One readable sentence.
    figures
        The same figures by name.
    latched
        The edge trips the kill switch.
    """

    ts_ns: int
    breaker: str
    instrument_id: str
    from_state: State
    to_state: State
    level: Level
    reason: str
    figures: Mapping[str, Figure] = field(default_factory=dict)
    latched: bool = False


type Edges = tuple[Edge, ...]
NO_EDGES: Edges = ()


class Breaker:
    """State of one breaker; subclasses turn events into normal and abnormal.

    Parameters
    ----------
    name
        Configuration key, with the unit.
    config
        Limits and how to clear.
    instrument_id
        What it watches; "" for the whole account.
    probes
        Entries pass while half open, since only an order of ours can show that all is well again.
    """

    __slots__ = (
        "_bad_ns",
        "_cooldown_ns",
        "_hard",
        "_normals",
        "_soft",
        "calm",
        "config",
        "instrument_id",
        "latched",
        "level",
        "name",
        "probes",
        "quiet_upto",
        "reason",
        "since_ns",
        "state",
    )  # fmt: skip

    def __init__(self, name: str, config: BreakerConfig, instrument_id: str = "", *, probes: bool = False) -> None:
        self.name = name
        self.config = config
        self.instrument_id = instrument_id
        self.probes = probes
        self.state = State.CLOSED
        self.level = Level.NONE
        self.latched = False
        self.reason = ""
        self.since_ns = 0
        self._soft = config.soft if config.soft is not None else float("inf")
        self._hard = config.hard if config.hard is not None else float("inf")
        self._cooldown_ns = round(config.cooldown_secs * NS_PER_SEC)
        self._bad_ns = 0
        self._normals = 0
        self.calm = min(self._soft, self._hard)
        """Values up to this are normal, whatever the state."""
        self.quiet_upto = self.calm
        """Hot path: up to this value there is nothing to do. Minus infinity while it is not closed."""

    @property
    def learning(self) -> bool:
        """True while it has too few samples to open."""
        return False

    @property
    def idle_until_ns(self) -> int:
        """Before this instant normal events change nothing: for ever while closed or latched, open until it has cooled down."""
        if self.state is State.CLOSED or self.latched:
            return FOREVER_NS
        return self._bad_ns + self._cooldown_ns if self.state is State.OPEN else -FOREVER_NS

    def judge(self, value: float) -> Level:
        """Compare with the limits; equality passes. A value that is not a number is as bad as can be."""
        if value <= self._soft and value <= self._hard:
            return Level.NONE
        if value <= self._hard:
            return Level.SOFT
        return Level.HARD if self.config.hard is not None else Level.SOFT

    def normal(self, ts_ns: int) -> Edges:
        """Take a normal event."""
        if self.state is State.CLOSED or self.latched:
            return NO_EDGES
        edges = self.advance(ts_ns)
        if self.state is not State.HALF_OPEN:
            return edges
        self._normals += 1
        if self._normals < self.config.clear_events:
            return edges
        return (*edges, self._close(ts_ns, f"{self._normals} normal events"))

    def abnormal(self, ts_ns: int, level: Level, reason: str, figures: Mapping[str, Figure]) -> Edges:
        """Take an abnormal event: open, open again or escalate, and start the cool-down anew."""
        self._bad_ns = max(self._bad_ns, ts_ns)
        if self.latched or (self.state is State.OPEN and level <= self.level):
            return NO_EDGES
        self.latched = self.config.latch and (level is Level.HARD or self.config.hard is None)
        return (self._move(ts_ns, State.OPEN, level, reason, figures),)

    def advance(self, ts_ns: int) -> Edges:
        """Let time pass: open turns half open after the cool-down, and closes where no events are asked for."""
        if self.state is not State.OPEN or self.latched or ts_ns < self._bad_ns + self._cooldown_ns:
            return NO_EDGES
        self._normals = 0
        figures = {"cooldown_secs": self.config.cooldown_secs}
        half = self._move(ts_ns, State.HALF_OPEN, self.level, "cool-down is over", figures)
        if self.config.clear_events > 0:
            return (half,)
        return (half, self._close(ts_ns, "cleared by time"))

    def on_time(self, ts_ns: int) -> Edges:
        """Look at the clock without an event."""
        return self.advance(ts_ns)

    def reset(self, ts_ns: int, reason: str) -> Edges:
        """Close it whatever its state: a person's reset."""
        if self.state is State.CLOSED:
            return NO_EDGES
        self.latched = False
        return (self._close(ts_ns, f"reset: {reason}"),)

    def _close(self, ts_ns: int, reason: str) -> Edge:
        return self._move(ts_ns, State.CLOSED, Level.NONE, reason, {"open_secs": (ts_ns - self.since_ns) / NS_PER_SEC})

    def _move(self, ts_ns: int, to: State, level: Level, reason: str, figures: Mapping[str, Figure]) -> Edge:
        came_from = self.state
        if came_from is State.CLOSED:
            self.since_ns = ts_ns
        self.state, self.level = to, level
        self.quiet_upto = self.calm if to is State.CLOSED else float("-inf")
        if to is not State.HALF_OPEN:
            self.reason = reason if to is State.OPEN else ""
        return Edge(
            ts_ns, self.name, self.instrument_id, came_from, to, level, reason, dict(figures),
            latched=self.latched and to is State.OPEN,
        )  # fmt: skip
