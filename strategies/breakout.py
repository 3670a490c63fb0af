"""Breakout: follow a close beyond the Donchian channel on strong volume, stop and trail by Wilder's ATR.

Bars are aggregated by the engine from trades; a bar decides only after it has closed, and the stop is watched on every print
inside the next one. Formulas, sources and when it loses: ``docs/strategies/breakout.md``.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Annotated

from nautilus_trader.model import Bar, TradeTick
from pydantic import AfterValidator, Field

from strategies.bars import check_bar_secs, internal_bar_type
from strategies.base import GuardedStrategy, StrategyParams
from strategies.features.channel import Donchian, RelativeVolume, trailing_stop
from strategies.features.sizing import AtrRank, ranked_fraction
from strategies.features.wilder import Atr
from strategies.intents import CancelAll, Enter, Exit, Intent, Side

_NS = 1_000_000_000
_RETRY_NS = _NS


class BreakoutParams(StrategyParams):
    """What a user may set; every default is explained on the strategy's page."""

    bar_secs: Annotated[int, AfterValidator(check_bar_secs)] = Field(default=60, description="Length of a bar, seconds")
    channel_bars: int = Field(default=20, ge=2, le=5000, description="Bars of the Donchian channel")
    volume_bars: int = Field(default=20, ge=1, le=5000, description="Bars that a breakout's volume is compared with")
    volume_ratio: float = Field(default=1.5, ge=0, le=100, description="Least volume of the breakout bar, multiple")
    atr_bars: int = Field(default=14, ge=2, le=5000, description="Bars of Wilder's ATR")
    stop_atr: float = Field(default=2.0, gt=0, le=50, description="Protective stop behind the entry, ATRs")
    trail_atr: float = Field(default=3.0, gt=0, le=50, description="Trailing stop behind each close, ATRs")
    rank_bars: int = Field(default=100, ge=1, le=10_000, description="Past ATRs that the present one is ranked among")
    least_size_fraction: float = Field(default=0.25, gt=0, le=1, description="Share of the size at the wildest ATR")
    order_notional_quote: float = Field(default=500, gt=0, description="Size at the calmest ATR, quote units")
    entry_timeout_secs: float = Field(
        default=15, gt=0, le=3600, description="Unfilled entries are cancelled after this"
    )
    horizon_secs: float = Field(default=1800, gt=0, le=604_800, description="Expected holding time, for funding, s")
    allow_short: bool = Field(default=True, description="Whether breaks of the lower channel are sold")


@dataclass(frozen=True, slots=True)
class BreakoutState:
    """Everything a decision looks at; prices in quote units, sizes in base units, times in ns."""

    ts_ns: int
    price: float
    """Last close or print."""
    bar_closed: bool
    """A bar has just closed; entries are only decided then."""
    upper: float
    lower: float
    """Channel of the bars before the closed one."""
    volume_ratio: float
    atr: float
    """0 until it is ready."""
    atr_rank: float
    """In [0, 1]."""
    position: float
    stop: float | None
    """Stop price of the open position."""
    resting_ts_ns: int = 0
    """When the working entry was sent, 0 when there is none."""
    cancelling: bool = False
    """It is being cancelled."""
    leaving: bool = False
    """An exit is under way."""


def decide(state: BreakoutState, params: BreakoutParams) -> list[Intent]:
    """Return what to do now: leave at the stop or on the opposite break, cancel an old entry, enter, or nothing."""
    if state.leaving:
        return []
    broken = break_side(state)
    reason = _exit_reason(state, broken) if state.position != 0.0 else None
    if reason is not None:
        return [Exit(why=reason)]
    if state.resting_ts_ns:
        old = state.ts_ns - state.resting_ts_ns >= params.entry_timeout_secs * _NS and not state.cancelling
        return [CancelAll(why="entry timeout")] if old else []
    return _enter(state, params, broken) if state.position == 0.0 else []


def _enter(state: BreakoutState, params: BreakoutParams, broken: Side | None) -> list[Intent]:
    confirmed = state.volume_ratio >= params.volume_ratio and state.atr > 0.0
    if broken is None or not confirmed or (broken is Side.SELL and not params.allow_short):
        return []
    return [
        Enter(
            side=broken,
            size=entry_size(state, params),
            edge_bps=None,
            horizon_secs=params.horizon_secs,
            why=f"break on {state.volume_ratio:.1f} x volume",
        )
    ]


def break_side(state: BreakoutState) -> Side | None:
    """Return the side of the channel that the closed bar left, or None."""
    if not state.bar_closed:
        return None
    if state.price > state.upper:
        return Side.BUY
    return Side.SELL if state.price < state.lower else None


def entry_size(state: BreakoutState, params: BreakoutParams) -> float:
    """Return the size of an entry, base units: the wilder the market among its own past, the smaller."""
    return params.order_notional_quote / state.price * ranked_fraction(state.atr_rank, params.least_size_fraction)


def _exit_reason(state: BreakoutState, broken: Side | None) -> str | None:
    side = int(math.copysign(1.0, state.position))
    if state.stop is not None and side * (state.price - state.stop) <= 0.0:
        return "stop"
    return "opposite break" if broken is not None and broken == -side else None


class BreakoutFeatures:
    """Channel, volume and ATR of one instrument, fed by closed bars."""

    __slots__ = ("atr", "channel", "lower", "rank", "upper", "volume", "volume_ratio")

    def __init__(self, params: BreakoutParams) -> None:
        self.channel = Donchian(params.channel_bars)
        self.volume = RelativeVolume(params.volume_bars)
        self.atr = Atr(params.atr_bars)
        self.rank = AtrRank(params.rank_bars)
        self.upper, self.lower = self.channel.upper, self.channel.lower
        self.volume_ratio = 0.0

    def on_bar(self, high: float, low: float, close: float, volume: float) -> None:
        """Take one closed bar: the channel that it is compared with is the one before it."""
        self.upper, self.lower = self.channel.upper, self.channel.lower
        self.channel.add(high, low)
        self.volume_ratio = self.volume.update(volume)
        value = self.atr.update(high, low, close)
        if self.atr.ready:
            self.rank.update(value)


class Breakout(GuardedStrategy[BreakoutParams]):
    """Feeds the features, moves the stop, asks `decide`, acts."""

    def on_ready(self) -> None:
        """Subscribe to bars and to prints."""
        self.features = BreakoutFeatures(self.params)
        self._stop: float | None = None
        self._stop_of_ns = 0
        self._exit_ns = 0
        self.subscribe_prints()
        self.subscribe_bars(internal_bar_type(self.instrument_id, self.params.bar_secs))

    def on_bar(self, bar: Bar) -> None:
        """Update features and stop with a closed bar, then decide."""
        close = float(bar.close)
        self.features.on_bar(float(bar.high), float(bar.low), close, float(bar.volume))
        self._place_stop()
        if self._stop is not None:
            self._stop = trailing_stop(self._side(), self._stop, close, self.features.atr.value, self.params.trail_atr)
        self._decide(bar.ts_init, close, bar_closed=True)

    def on_trade(self, trade: TradeTick) -> None:
        """Watch the stop inside the bar."""
        self._place_stop()
        if self._stop is not None or self.working:
            self._decide(trade.ts_init, float(trade.price), bar_closed=False)

    def _side(self) -> int:
        return 1 if self.position > 0.0 else -1

    def _place_stop(self) -> None:
        if self.position == 0.0:
            self._stop = None
        elif self._stop is None or self.entry_ts_ns != self._stop_of_ns:  # a new position never inherits a stop
            self._stop_of_ns = self.entry_ts_ns
            atr = self.features.atr.value
            self._stop = trailing_stop(self._side(), None, self.entry_price, atr, self.params.stop_atr)

    def _decide(self, ts_ns: int, price: float, *, bar_closed: bool) -> None:
        if not self.warm:
            return
        features, working = self.features, self.working.values()
        resting = next((order for order in working if not order.reduce_only), None)
        state = BreakoutState(
            ts_ns=ts_ns,
            price=price,
            bar_closed=bar_closed,
            upper=features.upper,
            lower=features.lower,
            volume_ratio=features.volume_ratio,
            atr=features.atr.value if features.atr.ready else 0.0,
            atr_rank=features.rank.value,
            position=self.position,
            stop=self._stop,
            resting_ts_ns=resting.ts_ns if resting is not None else 0,
            cancelling=resting is not None and resting.pending_cancel,
            leaving=ts_ns - self._exit_ns < _RETRY_NS or any(order.reduce_only for order in working),
        )
        intents = decide(state, self.params)
        if any(isinstance(intent, Exit) for intent in intents):
            self._exit_ns = ts_ns
        self.act(intents)
