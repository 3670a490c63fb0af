"""Mean reversion: fade a close far from its moving average while no trend is on, leave when it is back.

The distance is a z-score against an EMA, the trend is Wilder's ADX, and the edge is learned: what a fade of this size has
returned so far, started from a stated belief. Formulas, sources and when it loses: ``docs/strategies/mean_reversion.md``.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Annotated, Self

from nautilus_trader.model import Bar, TradeTick
from pydantic import AfterValidator, Field, model_validator

from strategies.bars import check_bar_secs, internal_bar_type
from strategies.base import GuardedStrategy
from strategies.features.edge_model import OnlineIc, expected_return_bps
from strategies.features.moving import EmaScore
from strategies.features.volatility import EwmaVolatility
from strategies.features.wilder import Adx
from strategies.intents import CancelAll, Enter, Exit, Intent, Side
from strategies.params import SizedParams
from strategies.sizing import volatility_pct_per_year

_NS = 1_000_000_000
_RETRY_NS = _NS
_MAX_SCORE = 3.0


class MeanReversionParams(SizedParams):
    """What a user may set; every default is explained on the strategy's page."""

    bar_secs: Annotated[int, AfterValidator(check_bar_secs)] = Field(default=15, description="Length of a bar, seconds")
    ema_bars: int = Field(default=40, ge=2, le=5000, description="Bars of the EMA that prices return to")
    z_entry: float = Field(default=2.0, gt=0, le=20, description="Distance from the EMA that is faded, deviations")
    z_exit: float = Field(default=0.25, ge=0, le=20, description="Distance at which the position is closed, deviations")
    adx_bars: int = Field(default=14, ge=2, le=5000, description="Bars of Wilder's ADX")
    max_adx: float = Field(default=30, gt=0, le=100, description="No entry at or above this ADX: a trend is on")
    ic_prior: float = Field(default=0.1, ge=-1, le=1, description="Information coefficient believed before any data")
    ic_prior_horizons: float = Field(default=100, gt=0, le=1e6, description="Independent horizons the belief is worth")
    ic_halflife_secs: float = Field(default=21_600, gt=0, description="Half-life of the evidence on it, seconds")
    volatility_halflife_secs: float = Field(default=300, gt=0, le=86_400, description="Half-life of σ, seconds")
    entry_offset_ticks: int = Field(default=0, ge=0, le=1000, description="Ticks behind the best price for entries")
    entry_timeout_secs: float = Field(
        default=15, gt=0, le=3600, description="Unfilled entries are cancelled after this"
    )
    max_hold_secs: float = Field(
        default=300, gt=0, le=604_800, description="Time stop and horizon of the edge, seconds"
    )
    stop_bps: float = Field(default=25, gt=0, le=1000, description="Protective stop: loss against the first fill, bps")

    @model_validator(mode="after")
    def _exit_is_nearer(self) -> Self:
        if self.z_exit >= self.z_entry:
            raise ValueError(f"z_exit ({self.z_exit}) must be below z_entry ({self.z_entry})")
        return self


@dataclass(frozen=True, slots=True)
class MeanReversionState:
    """Everything a decision looks at; prices in quote units, sizes in base units, times in ns."""

    ts_ns: int
    price: float
    bar_closed: bool
    """A bar has just closed; entries and returns to the mean are only decided then."""
    score: float
    """z-score of the close."""
    adx: float
    ready: bool
    """EMA and ADX have seen enough bars."""
    edge_bps: float
    """Expected return of fading the close now, bps."""
    position: float
    entry_ts_ns: int
    stopped: bool = False
    """The price has touched the stop of this very position."""
    size: float = 0.0
    """Size of the entry that is wanted now; 0 where none is, or where it may have no size."""
    resting_ts_ns: int = 0
    """When the resting entry was sent, 0 when there is none."""
    cancelling: bool = False
    """It is being cancelled."""
    leaving: bool = False
    """An exit is under way."""


def decide(state: MeanReversionState, params: MeanReversionParams) -> list[Intent]:
    """Return what to do now: leave, cancel an old entry, fade, or nothing."""
    if state.leaving:
        return []
    reason = exit_reason(state, params) if state.position != 0.0 else None
    if reason is not None:
        return [Exit(why=reason)]
    if state.resting_ts_ns:
        old = state.ts_ns - state.resting_ts_ns >= params.entry_timeout_secs * _NS and not state.cancelling
        return [CancelAll(why="entry timeout")] if old else []
    side = wanted_side(state, params)
    if side is None or state.size <= 0.0:
        return []
    return [
        Enter(
            side=side,
            size=state.size,
            edge_bps=state.edge_bps,
            horizon_secs=params.max_hold_secs,
            why=entry_reason(state),
            offset_ticks=params.entry_offset_ticks,
        )
    ]


def wanted_side(state: MeanReversionState, params: MeanReversionParams) -> Side | None:
    """Return the side that an entry is wanted on now, whatever its size, or None."""
    if state.leaving or state.position != 0.0 or state.resting_ts_ns:
        return None
    if not state.bar_closed or not state.ready or state.adx >= params.max_adx or abs(state.score) < params.z_entry:
        return None
    return Side.SELL if state.score > 0.0 else Side.BUY


def entry_reason(state: MeanReversionState) -> str:
    """Why an entry is wanted, for the record."""
    return f"z {state.score:+.1f}"


def exit_reason(state: MeanReversionState, params: MeanReversionParams) -> str | None:
    """Return why the open position must go now, the protective stop first, or None."""
    if state.stopped:
        return "stop"
    if state.ts_ns - state.entry_ts_ns >= params.max_hold_secs * _NS:
        return "time stop"
    side = math.copysign(1.0, state.position)
    return "back at the mean" if state.bar_closed and side * state.score >= -params.z_exit else None


class MeanReversionFeatures:
    """Score, trend and edge of one instrument, fed by closed bars."""

    __slots__ = ("adx", "ema", "ic", "params", "sigma")

    def __init__(self, params: MeanReversionParams) -> None:
        self.params = params
        self.ema = EmaScore(params.ema_bars)
        self.adx = Adx(params.adx_bars)
        self.sigma = EwmaVolatility(params.volatility_halflife_secs, params.bar_secs)
        self.ic = OnlineIc(
            params.ic_prior, params.ic_prior_horizons, params.max_hold_secs, params.bar_secs, params.ic_halflife_secs
        )

    def on_bar(self, ts_ns: int, high: float, low: float, close: float) -> None:
        """Take one closed bar; nothing is learned before the EMA is ready."""
        self.adx.update(high, low, close)
        score = self.ema.update(close)
        sigma = self.sigma.update(ts_ns, close)
        if self.ema.ready:
            self.ic.update(ts_ns, close, -_bounded(score), sigma)

    def edge_bps(self, close: float) -> float:
        """Expected return of fading the newest close over the horizon, bps."""
        sigma_bps = self.sigma.value / close * 1e4
        return expected_return_bps(self.ic.value, abs(_bounded(self.ema.score)), sigma_bps, self.params.max_hold_secs)


def _bounded(score: float) -> float:
    return max(-_MAX_SCORE, min(_MAX_SCORE, score))


class MeanReversion(GuardedStrategy[MeanReversionParams]):
    """Feeds the features, asks `decide`, acts."""

    def on_ready(self) -> None:
        """Subscribe to bars and to prints."""
        self.features = MeanReversionFeatures(self.params)
        self._exit_ns = 0
        self.place_stops(lambda entry: entry * self.params.stop_bps * 1e-4)
        self.subscribe_prints()
        self.subscribe_bars(internal_bar_type(self.instrument_id, self.params.bar_secs))

    def on_bar(self, bar: Bar) -> None:
        """Update the features with a closed bar, then decide."""
        self.features.on_bar(bar.ts_init, float(bar.high), float(bar.low), float(bar.close))
        self._decide(bar.ts_init, float(bar.close), bar_closed=True)

    def on_trade(self, trade: TradeTick) -> None:
        """Watch stop and time-outs inside the bar."""
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

    def _size(self, state: MeanReversionState, side: Side) -> float:
        return self.sized(
            self.params, side, state.price, stop_distance=state.price * self.params.stop_bps * 1e-4,
            volatility_pct_per_year=volatility_pct_per_year(self.features.sigma.value, state.price),
            why=entry_reason(state),
        )  # fmt: skip

    def _state(self, ts_ns: int, price: float, bar_closed: bool) -> MeanReversionState:
        features, working = self.features, self.working.values()
        resting = next((order for order in working if not order.reduce_only), None)
        return MeanReversionState(
            ts_ns=ts_ns,
            price=price,
            bar_closed=bar_closed,
            score=features.ema.score,
            adx=features.adx.value,
            ready=features.ema.ready and features.adx.ready,
            edge_bps=features.edge_bps(price),
            position=self.position,
            entry_ts_ns=self.entry_ts_ns,
            stopped=self.stop_hit(price),
            resting_ts_ns=resting.ts_ns if resting is not None else 0,
            cancelling=resting is not None and resting.pending_cancel,
            leaving=ts_ns - self._exit_ns < _RETRY_NS or any(order.reduce_only for order in working),
        )
