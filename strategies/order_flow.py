"""Order flow: lean on the book when size, quote changes and trades agree, rest a post-only order, leave reduce-only.

The signal is the smoothed multi-level depth imbalance plus the order-flow imbalance; its worth in basis points is
IC · score · σ · √H with an information coefficient that starts as a belief and is corrected by what happened. The gate
compares that figure with the costs. Formulas, sources and when it loses: ``docs/strategies/order_flow.md``.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Self

from nautilus_trader.model import AggressorSide, OrderBook, OrderBookDeltas, TradeTick
from pydantic import Field, model_validator

from strategies.base import GuardedStrategy
from strategies.features.decay import TimeMean
from strategies.features.edge_model import OnlineIc, Standardiser, expected_return_bps
from strategies.features.imbalance import depth_imbalance, level_weights
from strategies.features.order_flow_imbalance import OrderFlowImbalance
from strategies.features.toxicity import SignedVolume, Vpin
from strategies.features.volatility import EwmaVolatility
from strategies.intents import CancelAll, Enter, Exit, Intent, Side
from strategies.params import SizedParams
from strategies.sizing import volatility_pct_per_year

_NS = 1_000_000_000
_EXIT_RETRY_NS = _NS
_SIGNS = {AggressorSide.BUY: 1, AggressorSide.SELL: -1}


class OrderFlowParams(SizedParams):
    """What a user may set; every default is explained on the strategy's page."""

    book_levels: int = Field(default=5, ge=1, le=20, description="Book levels in the imbalance")
    level_decay: float = Field(default=0.5, ge=0, le=5, description="Weight of level k is exp(-decay * k)")
    smoothing_secs: float = Field(default=1.0, gt=0, le=600, description="Half-life of the smoothed imbalance, seconds")
    ofi_halflife_secs: float = Field(
        default=1.0, gt=0, le=600, description="Half-life of the order-flow imbalance, seconds"
    )
    ofi_weight: float = Field(
        default=0.5, ge=0, le=10, description="Weight of order-flow imbalance beside depth imbalance"
    )
    flow_halflife_secs: float = Field(
        default=5.0, gt=0, le=600, description="Half-life of the signed trade volume, seconds"
    )
    toxicity_bucket_quote: float = Field(default=500_000, gt=0, description="Notional of one VPIN bucket, quote units")
    toxicity_buckets: int = Field(default=20, ge=1, le=1000, description="VPIN buckets in the mean")
    max_toxicity: float = Field(
        default=0.7, gt=0, le=1, description="No entry against the trade flow at or above this VPIN"
    )
    volatility_halflife_secs: float = Field(
        default=60, gt=0, le=86_400, description="Half-life of the volatility, seconds"
    )
    ic_prior: float = Field(default=0.1, ge=-1, le=1, description="Information coefficient believed before any data")
    ic_prior_horizons: float = Field(
        default=200, gt=0, le=1e6, description="Independent horizons of data the belief is worth"
    )
    ic_halflife_secs: float = Field(
        default=21_600, gt=0, description="Half-life of the evidence on the coefficient, seconds"
    )
    imbalance_entry: float = Field(default=0.35, gt=0, lt=1, description="Smoothed imbalance that opens, in (0, 1)")
    imbalance_exit: float = Field(
        default=0.35, gt=0, lt=1, description="Opposite smoothed imbalance that closes, in (0, 1)"
    )
    entry_offset_ticks: int = Field(
        default=1, ge=0, le=1000, description="Ticks behind the best price at which entries rest"
    )
    entry_timeout_secs: float = Field(default=5, gt=0, le=3600, description="Unfilled entries are cancelled after this")
    retry_secs: float = Field(default=2, gt=0, le=3600, description="Pause between two entry attempts, seconds")
    min_hold_secs: float = Field(default=5, ge=0, le=3600, description="No sign-flip exit before this, seconds")
    max_hold_secs: float = Field(default=60, gt=0, le=86_400, description="Time stop and horizon of the edge, seconds")
    stop_bps: float = Field(default=15, gt=0, le=1000, description="Protective stop: loss against the first fill, bps")
    decide_every_ms: int = Field(default=100, ge=0, le=60_000, description="Least event time between two decisions, ms")

    @model_validator(mode="after")
    def _hold_times_in_order(self) -> Self:
        if self.min_hold_secs >= self.max_hold_secs:
            raise ValueError(f"min_hold_secs ({self.min_hold_secs}) must be below max_hold_secs ({self.max_hold_secs})")
        return self


@dataclass(frozen=True, slots=True)
class OrderFlowState:
    """Everything a decision looks at; prices in quote units, sizes in base units, times in ns."""

    ts_ns: int
    mid: float
    imbalance: float
    """Smoothed depth imbalance, in [−1, 1]."""
    score: float
    """Depth and order-flow imbalance together, standard deviations."""
    flow: float
    """Signed share of aggressive volume, in [−1, 1]."""
    toxicity: float
    """VPIN, in [0, 1]."""
    edge_bps: float
    """Expected return of a buy over the horizon, bps, signed."""
    position: float = 0.0
    entry_ts_ns: int = 0
    stopped: bool = False
    """The mid has touched the stop of this very position."""
    size: float = 0.0
    """Size of the entry that is wanted now; 0 where none is, or where it may have no size."""
    resting_side: int = 0
    """Side of the resting entry, 0 when there is none."""
    resting_ts_ns: int = 0
    cancelling: bool = False
    """The resting entry is being cancelled."""
    leaving: bool = False
    """An exit is under way."""
    attempt_ns: int = 0
    """When the last entry was asked for."""


def decide(state: OrderFlowState, params: OrderFlowParams) -> list[Intent]:
    """Return what to do now: leave, tidy a resting entry, enter, or nothing."""
    if state.position != 0.0:
        reason = exit_reason(state, params)
        if state.leaving:
            return []
        if reason is not None:
            return [Exit(why=reason)]  # its performer cancels a resting entry first
    if state.resting_side != 0:
        stale = None if state.leaving or state.cancelling else stale_reason(state, params)
        return [CancelAll(why=stale)] if stale is not None else []
    side = wanted_side(state, params)
    if side is None or state.size <= 0.0:
        return []
    return [
        Enter(
            side=side,
            size=state.size,
            edge_bps=side * state.edge_bps,
            horizon_secs=params.max_hold_secs,
            why=entry_reason(state),
            offset_ticks=params.entry_offset_ticks,
        )
    ]


def exit_reason(state: OrderFlowState, params: OrderFlowParams) -> str | None:
    """Return why the open position must go now, the protective stop first, or None."""
    if state.stopped:
        return "stop"
    side, held_ns = math.copysign(1.0, state.position), state.ts_ns - state.entry_ts_ns
    if held_ns >= params.max_hold_secs * _NS:
        return "time stop"
    if held_ns >= params.min_hold_secs * _NS and side * state.imbalance <= -params.imbalance_exit:
        return "sign flip"
    return None


def stale_reason(state: OrderFlowState, params: OrderFlowParams) -> str | None:
    """Return why the resting entry must be cancelled, or None."""
    if state.ts_ns - state.resting_ts_ns >= params.entry_timeout_secs * _NS:
        return "entry timeout"
    if state.resting_side * state.imbalance <= 0.0:
        return "signal gone"
    return None


def entry_side(state: OrderFlowState, params: OrderFlowParams) -> Side | None:
    """Return the side that imbalance and score agree on and that toxic flow does not oppose, or None."""
    if abs(state.imbalance) < params.imbalance_entry:
        return None
    side = Side.BUY if state.imbalance > 0.0 else Side.SELL
    opposed = state.toxicity >= params.max_toxicity and side * state.flow < 0.0
    return side if side * state.score > 0.0 and not opposed else None


def wanted_side(state: OrderFlowState, params: OrderFlowParams) -> Side | None:
    """Return the side that an entry is wanted on now, whatever its size, or None."""
    busy = state.position != 0.0 or state.resting_side != 0 or state.leaving
    if busy or state.ts_ns - state.attempt_ns < params.retry_secs * _NS:
        return None
    return entry_side(state, params)


def entry_reason(state: OrderFlowState) -> str:
    """Why an entry is wanted, for the record."""
    return f"imbalance {state.imbalance:+.2f}"


class OrderFlowFeatures:
    """The streaming features of one instrument, fed by book tops, sampled levels and trades."""

    __slots__ = ("flow", "ic", "imbalance", "ofi", "params", "score", "scorer", "sigma", "vpin", "weights")

    def __init__(self, params: OrderFlowParams) -> None:
        self.params = params
        self.weights = level_weights(params.book_levels, params.level_decay)
        self.imbalance = TimeMean(params.smoothing_secs)
        self.ofi = OrderFlowImbalance(params.ofi_halflife_secs)
        self.flow = SignedVolume(params.flow_halflife_secs)
        self.vpin = Vpin(params.toxicity_bucket_quote, params.toxicity_buckets)
        self.sigma = EwmaVolatility(params.volatility_halflife_secs)
        self.scorer = Standardiser(params.volatility_halflife_secs * 10)
        self.ic = OnlineIc(
            params.ic_prior, params.ic_prior_horizons, params.max_hold_secs, 1.0, params.ic_halflife_secs
        )
        self.score = 0.0

    def on_trade(self, ts_ns: int, side: int, price: float, size: float) -> None:
        """Take one print; `side` is the aggressor's."""
        self.flow.add(ts_ns, side, size)
        self.vpin.add(side, price * size)

    def on_levels(self, ts_ns: int, mid: float, bid_sizes: list[float], ask_sizes: list[float]) -> None:
        """Take the displayed sizes at a decision."""
        raw = depth_imbalance(bid_sizes, ask_sizes, self.weights)
        smooth = self.imbalance.update(ts_ns, raw)
        self.score = self.scorer.update(ts_ns, smooth + self.params.ofi_weight * self.ofi.ratio)
        self.ic.update(ts_ns, mid, self.score, self.sigma.update(ts_ns, mid))

    def edge_bps(self, mid: float) -> float:
        """Expected return of a buy over the horizon, bps."""
        sigma_bps = self.sigma.value / mid * 1e4
        return expected_return_bps(self.ic.value, self.score, sigma_bps, self.params.max_hold_secs)


class OrderFlow(GuardedStrategy[OrderFlowParams]):
    """Feeds the features, asks `decide`, acts."""

    def on_ready(self) -> None:
        """Subscribe to the book and to prints."""
        self.features = OrderFlowFeatures(self.params)
        self._next_ns = 0
        self._attempt_ns = 0
        self._exit_ns = 0
        self.place_stops(lambda entry: entry * self.params.stop_bps * 1e-4)
        self.subscribe_book()
        self.subscribe_prints()

    def on_trade(self, trade: TradeTick) -> None:
        """Count the print by its aggressor."""
        side = _SIGNS.get(trade.aggressor_side)
        if side is not None:
            self.features.on_trade(trade.ts_init, side, float(trade.price), float(trade.size))

    def on_book_deltas(self, deltas: OrderBookDeltas) -> None:
        """Follow the best quotes on every batch; decide when it is time."""
        top = self.top()
        if top is None or top.bid >= top.ask:
            return
        ts_ns = deltas.ts_init
        self.features.ofi.update(ts_ns, top.bid, top.bid_size, top.ask, top.ask_size)
        book = self.book if ts_ns >= self._next_ns else None
        if book is not None:
            self._next_ns = ts_ns + self.params.decide_every_ms * 1_000_000
            self._decide(ts_ns, top.mid, book)

    def _decide(self, ts_ns: int, mid: float, book: OrderBook) -> None:
        levels = self.params.book_levels
        bids = [float(level.size()) for level in book.bids(levels)]
        asks = [float(level.size()) for level in book.asks(levels)]
        self.features.on_levels(ts_ns, mid, bids, asks)
        warm = self.warm
        if not warm and self.position == 0.0:
            return
        state = self._state(ts_ns, mid)
        if not warm and not state.stopped:
            return
        side = wanted_side(state, self.params)
        if side is not None:
            self._attempt_ns = ts_ns  # also where there is no size
            state = replace(state, size=self._size(state, side))
        intents = decide(state, self.params)
        if intents:
            if any(isinstance(intent, Exit) for intent in intents):
                self._exit_ns = ts_ns
            self.act(intents)

    def _size(self, state: OrderFlowState, side: Side) -> float:
        return self.sized(
            self.params, side, state.mid, stop_distance=state.mid * self.params.stop_bps * 1e-4,
            volatility_pct_per_year=volatility_pct_per_year(self.features.sigma.value, state.mid),
            why=entry_reason(state),
        )  # fmt: skip

    def _state(self, ts_ns: int, mid: float) -> OrderFlowState:
        features, held = self.features, self.holding
        working = self.working.values()
        resting = next((order for order in working if not order.reduce_only), None)
        return OrderFlowState(
            ts_ns=ts_ns,
            mid=mid,
            imbalance=features.imbalance.value,
            score=features.score,
            flow=features.flow.ratio,
            toxicity=features.vpin.value,
            edge_bps=features.edge_bps(mid),
            position=held.quantity,
            entry_ts_ns=held.entry_ts_ns,
            stopped=held.quantity != 0.0 and self.stop_hit(mid),
            resting_side=int(resting.side) if resting is not None else 0,
            resting_ts_ns=resting.ts_ns if resting is not None else 0,
            cancelling=resting is not None and resting.pending_cancel,
            leaving=ts_ns - self._exit_ns < _EXIT_RETRY_NS or any(o.reduce_only for o in working),
            attempt_ns=self._attempt_ns,
        )
