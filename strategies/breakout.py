"""Breakout: follow a close beyond the Donchian channel on strong volume, stop and trail by Wilder's ATR.

Bars are aggregated by the engine from trades; a bar decides only after it has closed, and the stop is watched on every print
inside the next one. Formulas, sources and when it loses: ``docs/strategies/breakout.md``.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Annotated, Literal

from nautilus_trader.model import Bar, TradeTick
from pydantic import AfterValidator, Field

from strategies.bars import check_bar_secs, internal_bar_type
from strategies.base import GuardedStrategy
from strategies.features.channel import Donchian, RelativeVolume
from strategies.features.wilder import Atr
from strategies.intents import CancelAll, Enter, Exit, Intent, Side
from strategies.params import RiskPerTrade, SizedParams, VolatilityTarget
from strategies.sizing import volatility_of_range, volatility_pct_per_year

_NS = 1_000_000_000
_RETRY_NS = _NS


class BreakoutParams(SizedParams):
    """What a user may set; every default is explained on the strategy's page."""

    sizing: Literal["fixed"] | RiskPerTrade | VolatilityTarget = Field(
        default=RiskPerTrade(risk_pct=0.05),
        description="fixed, {risk_pct: x} lost at the stop, or {volatility_pct_per_year: x}",
    )
    bar_secs: Annotated[int, AfterValidator(check_bar_secs)] = Field(default=60, description="Length of a bar, seconds")
    channel_bars: int = Field(default=20, ge=2, le=5000, description="Bars of the Donchian channel")
    volume_bars: int = Field(default=20, ge=1, le=5000, description="Bars that a breakout's volume is compared with")
    volume_ratio: float = Field(default=1.5, ge=0, le=100, description="Least volume of the breakout bar, multiple")
    atr_bars: int = Field(default=14, ge=2, le=5000, description="Bars of Wilder's ATR")
    stop_atr: float = Field(default=2.0, gt=0, le=50, description="Protective stop behind the entry, ATRs")
    trail_atr: float = Field(default=3.0, gt=0, le=50, description="Trailing stop behind the best price, ATRs")
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
    position: float
    stopped: bool = False
    """The price has touched the stop of this very position."""
    size: float = 0.0
    """Size of the entry that is wanted now; 0 where none is, or where it may have no size."""
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
    side = wanted_side(state, params)
    if side is None or state.size <= 0.0:
        return []
    return [Enter(side=side, size=state.size, edge_bps=None, horizon_secs=params.horizon_secs, why=entry_reason(state))]


def wanted_side(state: BreakoutState, params: BreakoutParams) -> Side | None:
    """Return the side that an entry is wanted on now, whatever its size, or None."""
    if state.leaving or state.position != 0.0 or state.resting_ts_ns:
        return None
    broken, confirmed = break_side(state), state.volume_ratio >= params.volume_ratio and state.atr > 0.0
    return broken if confirmed and (params.allow_short or broken is Side.BUY) else None


def entry_reason(state: BreakoutState) -> str:
    """Why an entry is wanted, for the record."""
    return f"break on {state.volume_ratio:.1f} x volume"


def break_side(state: BreakoutState) -> Side | None:
    """Return the side of the channel that the closed bar left, or None."""
    if not state.bar_closed:
        return None
    if state.price > state.upper:
        return Side.BUY
    return Side.SELL if state.price < state.lower else None


def _exit_reason(state: BreakoutState, broken: Side | None) -> str | None:
    if state.stopped:
        return "stop"
    return "opposite break" if broken is not None and broken * state.position < 0.0 else None


class BreakoutFeatures:
    """Channel, volume and ATR of one instrument, fed by closed bars."""

    __slots__ = ("atr", "channel", "lower", "upper", "volume", "volume_ratio")

    def __init__(self, params: BreakoutParams) -> None:
        self.channel = Donchian(params.channel_bars)
        self.volume = RelativeVolume(params.volume_bars)
        self.atr = Atr(params.atr_bars)
        self.upper, self.lower = self.channel.upper, self.channel.lower
        self.volume_ratio = 0.0

    def on_bar(self, high: float, low: float, close: float, volume: float) -> None:
        """Take one closed bar: the channel that it is compared with is the one before it."""
        self.upper, self.lower = self.channel.upper, self.channel.lower
        self.channel.add(high, low)
        self.volume_ratio = self.volume.update(volume)
        self.atr.update(high, low, close)

    @property
    def ready_atr(self) -> float:
        """ATR, quote units; 0 until it has seen enough bars."""
        return self.atr.value if self.atr.ready else 0.0


class Breakout(GuardedStrategy[BreakoutParams]):
    """Feeds features and stop, asks `decide`, acts."""

    def on_ready(self) -> None:
        """Subscribe to bars and to prints."""
        self.features = BreakoutFeatures(self.params)
        self._exit_ns = 0
        self.place_stops(lambda _entry: self.params.stop_atr * self.features.ready_atr)
        self.subscribe_prints()
        self.subscribe_bars(internal_bar_type(self.instrument_id, self.params.bar_secs))

    def on_bar(self, bar: Bar) -> None:
        """Update the features with a closed bar, then decide."""
        close = float(bar.close)
        self.features.on_bar(float(bar.high), float(bar.low), close, float(bar.volume))
        self._decide(bar.ts_init, close, bar_closed=True)

    def on_trade(self, trade: TradeTick) -> None:
        """Watch and trail the stop inside the bar."""
        if self.position != 0.0 or self.working:
            self._decide(trade.ts_init, float(trade.price), bar_closed=False)

    def _decide(self, ts_ns: int, price: float, *, bar_closed: bool) -> None:
        state = self._state(ts_ns, price, bar_closed)
        if not self.warm and not state.stopped:
            return
        side = wanted_side(state, self.params)
        if side is not None:
            state = replace(state, size=self._size(state, side))
        intents = decide(state, self.params)
        if any(isinstance(intent, Exit) for intent in intents):
            self._exit_ns = ts_ns
        self.act(intents)

    def _size(self, state: BreakoutState, side: Side) -> float:
        sigma = volatility_of_range(state.atr, self.params.bar_secs)
        return self.sized(
            self.params, side, state.price, stop_distance=self.params.stop_atr * state.atr,
            volatility_pct_per_year=volatility_pct_per_year(sigma, state.price), why=entry_reason(state),
        )  # fmt: skip

    def _state(self, ts_ns: int, price: float, bar_closed: bool) -> BreakoutState:
        features, working = self.features, self.working.values()
        resting = next((order for order in working if not order.reduce_only), None)
        return BreakoutState(
            ts_ns=ts_ns,
            price=price,
            bar_closed=bar_closed,
            upper=features.upper,
            lower=features.lower,
            volume_ratio=features.volume_ratio,
            atr=features.ready_atr,
            position=self.position,
            stopped=self.stop_hit(price, self.params.trail_atr * features.ready_atr),
            resting_ts_ns=resting.ts_ns if resting is not None else 0,
            cancelling=resting is not None and resting.pending_cancel,
            leaving=ts_ns - self._exit_ns < _RETRY_NS or any(order.reduce_only for order in working),
        )
