"""What shuts entries: the kill switch, the rest of a UTC day after its loss, a pause after a loss streak.

Everything ends up here, whatever found it: readings of equity, a latching breaker, an ungated order, a journal that cannot be
written, an operator. Whoever wants to know of a trip is told once.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal

from risk.breach import Breach, Figure, Limit
from risk.kill_switch import KillSwitch
from risk.loss import NS_PER_DAY, LossLedger


@dataclass(frozen=True, slots=True)
class Halted:
    """Entries were shut.

    Attributes
    ----------
    ts_ns, reason, figures
        When and why.
    latched
        The kill switch has tripped; False: it ends by itself, with the UTC day or a pause.
    limit
        Which limit was broken.
    problems
        What could not be done about it; see `risk.kill_switch.Trip`.
    """

    ts_ns: int
    reason: str
    figures: Mapping[str, Figure] = field(default_factory=dict)
    latched: bool = True
    limit: Limit = Limit.HALTED
    problems: tuple[str, ...] = ()


def _nobody(_halted: Halted) -> None:
    """Nobody listens yet."""


class Halts:
    """One per run or account.

    Parameters
    ----------
    switch
        The kill switch.
    losses
        The loss ledger.
    """

    def __init__(self, switch: KillSwitch, losses: LossLedger) -> None:
        self.switch = switch
        self.losses = losses
        self.tell: Callable[[Halted], None] = _nobody
        self._shut = ""

    @property
    def reason(self) -> str | None:
        """Why entries are shut now, as far as memory knows; None while they are not."""
        if self.switch.tripped is not None:
            return self.switch.tripped.reason
        if self._shut:
            return self._shut
        return self.losses.state.halted_reason if self._is_day_shut else None

    @property
    def latched(self) -> bool:
        """True once the kill switch has tripped."""
        return self.switch.tripped is not None

    def trip(self, ts_ns: int, reason: str, figures: Mapping[str, Figure] | None = None) -> None:
        """Trip the kill switch; the first reason wins."""
        if self.switch.tripped is None:
            trip = self.switch.trip(ts_ns, reason, figures)
            self.tell(Halted(trip.ts_ns, trip.reason, trip.figures, problems=trip.problems))

    def shut(self, ts_ns: int, reason: str) -> None:
        """Shut entries for the life of this process, without a latch: what broke is in this process and not in the account."""
        if self.reason is None:
            self._shut = reason or "no reason given"
            self.tell(Halted(ts_ns, self._shut, latched=False))

    def read(self, ts_ns: int, equity: Decimal) -> None:
        """Take a reading of equity: roll the day, find broken limits."""
        if self._is_day_shut and ts_ns // NS_PER_DAY > self.losses.state.halted_day:
            self.losses.halt_day(-1, "")
        for breach in self.losses.update(ts_ns, equity):
            self._broken(ts_ns, breach)

    def round_trip(self, ts_ns: int, pnl: Decimal) -> None:
        """Count a closed round trip, costs included; a streak of losses pauses entries."""
        breach = self.losses.round_trip(ts_ns, pnl)
        if breach is not None:
            self.tell(Halted(ts_ns, breach.detail, breach.figures, latched=False, limit=breach.limit))

    def refusal(self, ts_ns: int) -> Breach | None:
        """Return why an entry may not go, or None; ask right before every entry, since the arm token may be gone."""
        if self.losses.state.halted_day >= ts_ns // NS_PER_DAY:
            return Breach(Limit.DAILY_LOSS, self.losses.state.halted_reason)
        why = self._shut or self.switch.refusal()
        if why:
            return Breach(Limit.HALTED, why, self.switch.tripped.figures if self.switch.tripped is not None else {})
        return self.losses.paused(ts_ns)

    def drawdown_pct(self, equity: Decimal) -> Decimal:
        """Fall from the highest equity, percent."""
        peak = self.losses.state.peak
        return (peak - equity) / peak * 100 if peak is not None and peak > 0 else Decimal(0)

    @property
    def _is_day_shut(self) -> bool:
        return self.losses.state.halted_day >= 0

    def _broken(self, ts_ns: int, breach: Breach) -> None:
        if breach.limit is not Limit.DAILY_LOSS or self.losses.config.daily_loss_latches:
            self.trip(ts_ns, breach.detail, breach.figures)
        elif not self._is_day_shut:
            self.losses.halt_day(ts_ns // NS_PER_DAY, breach.detail)
            self.tell(Halted(ts_ns, breach.detail, breach.figures, latched=False, limit=breach.limit))
