"""Avellaneda and Stoikov (2008): quote both sides around a price that leans against the inventory.

Reservation price r = m − q·γ·σ²·τ and spread γ·σ²·τ + (2/γ)·ln(1 + γ/κ), with q in lots, σ in price units per √s, κ fitted from
how deep trades reach, and the weighted mid as m. The spread is never below what fees cost and widens with toxic flow. When it
loses: ``docs/strategies/avellaneda_stoikov.md``.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from nautilus_trader.model import AggressorSide, OrderBookDeltas, TradeTick
from pydantic import Field

from risk.books import Top
from strategies.base import GuardedStrategy, StrategyParams
from strategies.features.intensity import TradeReach
from strategies.features.microprice import weighted_mid
from strategies.features.toxicity import Vpin
from strategies.features.volatility import EwmaVolatility
from strategies.intents import CancelAll, Intent, Level, Quote


class AvellanedaStoikovParams(StrategyParams):
    """What a user may set; every default is explained on the strategy's page."""

    order_notional_quote: float = Field(default=500, gt=0, description="Size of a quote, one lot, quote units")
    risk_aversion: float = Field(default=0.01, gt=0, le=100, description="γ, per price unit and lot")
    horizon_secs: float = Field(default=30, gt=0, le=86_400, description="τ, rolling horizon of the inventory, seconds")
    max_inventory_lots: float = Field(default=3, gt=0, le=1000, description="No quote that could exceed this inventory")
    min_edge_bps: float = Field(default=0.5, ge=0, le=100, description="Least half-spread beyond the maker fee, bps")
    max_half_spread_bps: float = Field(default=50, gt=0, le=1000, description="Most half-spread before widening, bps")
    widen_by_toxicity: float = Field(default=1.0, ge=0, le=20, description="Spread grows by this times VPIN")
    max_toxicity: float = Field(default=0.95, gt=0, le=1, description="No quotes at or above this VPIN")
    requote_ticks: int = Field(default=50, ge=1, le=100_000, description="Smallest price move worth losing the queue")
    decide_every_ms: int = Field(default=1000, ge=0, le=60_000, description="Least event time between decisions, ms")
    volatility_halflife_secs: float = Field(default=60, gt=0, le=86_400, description="Half-life of σ, seconds")
    kappa_halflife_secs: float = Field(default=300, gt=0, le=86_400, description="Half-life of κ's data, seconds")
    toxicity_bucket_quote: float = Field(default=500_000, gt=0, description="Notional of one VPIN bucket, quote units")
    toxicity_buckets: int = Field(default=20, ge=1, le=1000, description="VPIN buckets in the mean")


@dataclass(frozen=True, slots=True)
class QuotingState:
    """Everything a decision looks at; prices in quote units, sizes in base units."""

    bid: float
    ask: float
    fair: float
    """Weighted mid m."""
    sigma: float
    """Price units per √s."""
    kappa: float
    """Per price unit."""
    toxicity: float
    """VPIN, in [0, 1]."""
    position: float
    maker_bps: float


def reservation_price(fair: float, lots: float, gamma: float, sigma: float, tau: float) -> float:
    """Return r = m − q·γ·σ²·τ (Avellaneda and Stoikov 2008, section 2): where buying and selling are equally welcome.

    Parameters
    ----------
    fair
        m, quote units.
    lots
        q, signed inventory in lots.
    gamma
        γ, per price unit and lot.
    sigma
        σ, price units per √s.
    tau
        τ, seconds.
    """
    return fair - lots * gamma * sigma * sigma * tau


def optimal_spread(gamma: float, sigma: float, tau: float, kappa: float) -> float:
    """Return γ·σ²·τ + (2/γ)·ln(1 + γ/κ), quote units (Avellaneda and Stoikov 2008, section 3.2); κ per price unit."""
    return gamma * sigma * sigma * tau + (2.0 / gamma) * math.log1p(gamma / kappa)


def half_spread(state: QuotingState, params: AvellanedaStoikovParams) -> float:
    """Return half the spread to quote: the optimum, at least the fee and the least edge, widened by toxicity."""
    optimum = optimal_spread(params.risk_aversion, state.sigma, params.horizon_secs, state.kappa) / 2.0
    floor = (max(state.maker_bps, 0.0) + params.min_edge_bps) * 1e-4 * state.fair
    cap = params.max_half_spread_bps * 1e-4 * state.fair
    return max(min(optimum, cap), floor) * (1.0 + params.widen_by_toxicity * state.toxicity)


def decide(state: QuotingState, params: AvellanedaStoikovParams) -> list[Intent]:
    """Return the quotes that should rest now, or a cancel when there is nothing to believe."""
    if state.sigma <= 0.0 or state.bid >= state.ask:
        return [CancelAll(why="no volatility yet" if state.bid < state.ask else "crossed book")]
    if state.toxicity >= params.max_toxicity:
        return [CancelAll(why="toxic flow")]
    lot = params.order_notional_quote / state.fair
    lots = state.position / lot
    centre = reservation_price(state.fair, lots, params.risk_aversion, state.sigma, params.horizon_secs)
    half = half_spread(state, params)
    bid, ask = min(centre - half, state.bid), max(centre + half, state.ask)
    room = params.max_inventory_lots - 1.0
    bids = (Level(bid, lot),) if lots <= room and bid > 0.0 else ()
    asks = (Level(ask, lot),) if lots >= -room else ()
    return [Quote(bids, asks, edge_bps=_edge_bps(state, bids, asks), why=f"lots {lots:+.1f}",
                  requote_ticks=params.requote_ticks)]  # fmt: skip


def _edge_bps(state: QuotingState, bids: tuple[Level, ...], asks: tuple[Level, ...]) -> float | None:
    mid = 0.5 * (state.bid + state.ask)
    distances = [mid - level.price for level in bids] + [level.price - mid for level in asks]
    return min(distances) / mid * 1e4 if distances else None


class QuotingFeatures:
    """The streaming features of one instrument, fed by the best quotes and by trades."""

    __slots__ = ("reach", "sigma", "vpin")

    def __init__(self, params: AvellanedaStoikovParams) -> None:
        self.sigma = EwmaVolatility(params.volatility_halflife_secs)
        self.reach = TradeReach(params.kappa_halflife_secs)
        self.vpin = Vpin(params.toxicity_bucket_quote, params.toxicity_buckets)

    def on_trade(self, ts_ns: int, ts_event_ns: int, side: int, price: float, size: float, mid: float) -> None:
        """Take one print; `side` is the aggressor's, `mid` the mid before it."""
        self.reach.add(ts_ns, ts_event_ns, side, price, mid)
        self.vpin.add(side, price * size)


class AvellanedaStoikov(GuardedStrategy[AvellanedaStoikovParams]):
    """Feeds the features, asks `decide`, acts."""

    def on_ready(self) -> None:
        """Subscribe to the book and to prints."""
        self.features = QuotingFeatures(self.params)
        self._next_ns = 0
        self.subscribe_book()
        self.subscribe_prints()

    def on_trade(self, trade: TradeTick) -> None:
        """Learn how deep trades reach and how one-sided they are."""
        top = self.top()
        if top is None or trade.aggressor_side == AggressorSide.NO_AGGRESSOR:
            return
        side = 1 if trade.aggressor_side == AggressorSide.BUY else -1
        self.features.on_trade(trade.ts_init, trade.ts_event, side, float(trade.price), float(trade.size), top.mid)

    def on_book_deltas(self, deltas: OrderBookDeltas) -> None:
        """Decide when it is time; without a book nothing may rest."""
        if deltas.ts_init < self._next_ns:
            return
        self._next_ns = deltas.ts_init + self.params.decide_every_ms * 1_000_000
        top = self.top()
        if top is None:
            self.act([CancelAll(why="no book")])
            return
        self.features.sigma.update(deltas.ts_init, top.mid)
        if self.warm:
            self.act(decide(self._state(top), self.params))

    def _state(self, top: Top) -> QuotingState:
        return QuotingState(
            bid=top.bid,
            ask=top.ask,
            fair=weighted_mid(top.bid, top.bid_size, top.ask, top.ask_size),
            sigma=self.features.sigma.value,
            kappa=self.features.reach.kappa(floor=0.5 * self.tick),
            toxicity=self.features.vpin.value,
            position=self.position,
            maker_bps=self.fees.maker_bps,
        )
