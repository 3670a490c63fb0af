"""A strategy that always has something to do: it buys behind the best bid, waits, and leaves reduce-only."""

from __future__ import annotations

from pydantic import Field

from strategies.base import GuardedStrategy, StrategyParams
from strategies.intents import CancelAll, Enter, Exit, Intent, Side


class SeesawParams(StrategyParams):
    """What a test sets."""

    size: float = Field(default=0.3, gt=0, description="Base units of an entry")
    hold_secs: float = Field(default=1.5, gt=0, description="From the first fill to the exit")
    patience_secs: float = Field(default=4.0, gt=0, description="A resting entry is cancelled after this")
    offset_ticks: int = Field(default=0, ge=-100, description="Ticks behind the best bid; below 0 it crosses")
    beat_secs: float = Field(default=0.2, gt=0, description="Between two decisions")
    alternates: bool = Field(default=False, description="Sells after it has bought")
    fails_after_secs: float = Field(default=1e9, gt=0, description="Raises in a timer after so many seconds")
    fails_holding: bool = Field(default=False, description="Raises only while it holds a position")
    fails_resting: bool = Field(default=False, description="Raises only while the venue has an order of it")
    order_notional_quote: float = Field(
        default=1000, description="Not used; keeps the size check of the configuration happy"
    )


class Seesaw(GuardedStrategy[SeesawParams]):
    """Acts on a timer, so that a still market does not stop it."""

    def on_ready(self) -> None:
        """Subscribe and start the timer."""
        self.subscribe_book()
        self.began_ns, self.side = self.now_ns, Side.BUY
        self.every(self.params.beat_secs, self.beat)

    def beat(self) -> None:
        """Decide."""
        now = self.now_ns
        due = now - self.began_ns > self.params.fails_after_secs * 1e9
        if due and self.may_fail():
            raise ValueError("planted in a timer")
        if self.top() is not None:
            self.act(self.wishes(now))

    def may_fail(self) -> bool:
        """Whether what a test waits for has come."""
        rests = any(order.accepted for order in self.working.values())
        return bool(self.position or not self.params.fails_holding) and (rests or not self.params.fails_resting)

    def wishes(self, now: int) -> list[Intent]:
        """Leave what was held long enough, take back what rested long enough, enter otherwise."""
        resting = [order for order in self.working.values() if not order.reduce_only]
        leaving = any(order.reduce_only for order in self.working.values())
        if self.position and not leaving and now - self.entry_ts_ns > self.params.hold_secs * 1e9:
            self.side = Side(-self.side) if self.params.alternates else self.side
            return [Exit(why="held long enough")]
        if resting and now - resting[0].ts_ns > self.params.patience_secs * 1e9 and not resting[0].pending_cancel:
            return [CancelAll(why="rested long enough")]
        if resting or self.position or leaving:
            return []
        return [Enter(self.side, self.params.size, None, 60.0, "seesaw", self.params.offset_ticks)]
