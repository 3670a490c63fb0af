"""The simulated venue: account, margins, fees, latency and queue of a `BacktestEngine`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from nautilus_trader.backtest import BacktestEngine, BacktestEngineConfig
from nautilus_trader.common import LoggerConfig
from nautilus_trader.execution import MakerTakerFeeModel
from nautilus_trader.model import AccountType, BookType, Currency, Money, OmsType, StandardMarginModel, TraderId, Venue
from nautilus_trader.risk import RiskEngineConfig

from risk.config import RiskConfig
from runners.config.venue import VenueConfig
from runners.latency import LatencyPlan

TRADER = TraderId("HT-001")


@dataclass(frozen=True, slots=True)
class VenuePlan:
    """Everything an engine is built from.

    Attributes
    ----------
    config
        The `venue` block.
    instruments
        Nautilus instruments by id, with the margins of the configured leverage.
    latency
        Decision to book.
    top_only
        True for fidelity ``l1_trades``: the book has one level a side.
    queue_position
        True models the queue ahead (conservative), False does not (optimistic).
    wall
        Limits of the engine's own risk engine; None leaves its defaults.
    """

    config: VenueConfig
    instruments: Mapping[str, Any]
    latency: LatencyPlan
    top_only: bool
    queue_position: bool
    wall: RiskEngineConfig | None = None

    @property
    def venue(self) -> Venue:
        """Venue of the instruments."""
        venue: Venue = next(iter(self.instruments.values())).id.venue
        return venue

    @property
    def currency(self) -> Currency:
        """Currency of the account."""
        first = next(iter(self.instruments.values()))
        currency: Currency = first.quote_currency if self.config.market == "spot" else first.settlement_currency
        return currency


def with_margins(instrument: Any, leverage: float) -> Any:
    """Copy a perpetual with an initial margin of 1 / leverage; a spot pair has no margin and is returned as it is."""
    if not hasattr(instrument, "settlement_currency"):
        return instrument
    initial = (1 / Decimal(repr(leverage))).quantize(Decimal("1e-8"))
    maintenance = min(initial, instrument.margin_maint)
    fields = instrument.to_dict() | {"margin_init": str(initial), "margin_maint": str(maintenance)}
    return type(instrument).from_dict(fields)


def bps(value: float) -> Decimal:
    """Basis points as a fraction, exact."""
    return Decimal(repr(value)) / 10_000


def third_wall(risk: RiskConfig, instrument_ids: Iterable[str]) -> RiskEngineConfig:
    """Limits of the engine's own risk engine from the numbers of the gate: what passes both walls before it stops here.

    They are wider than the gate's, since the engine also stops exits, which nothing may trap.
    """
    notional = f"{Decimal(repr(risk.wall_notional_quote)):f}"
    return RiskEngineConfig(
        max_order_submit_rate=f"{risk.wall_orders_per_sec}/00:00:01",
        max_notional_per_order=dict.fromkeys(instrument_ids, notional),
    )


def build_engine(plan: VenuePlan) -> BacktestEngine:
    """Make an engine with one venue; add data, then run. Two engines must not be alive in one thread."""
    engine = BacktestEngine(
        BacktestEngineConfig(
            trader_id=TRADER, logging=LoggerConfig(bypass_logging=True), run_analysis=False, risk_engine=plan.wall
        )
    )
    config, spot = plan.config, plan.config.market == "spot"
    engine.add_venue(
        plan.venue,
        OmsType.NETTING,
        AccountType.CASH if spot else AccountType.MARGIN,
        [Money.from_str(f"{Decimal(repr(config.starting_balance_quote)):f} {plan.currency.code}")],
        default_leverage=None if spot else Decimal(repr(config.leverage)),
        margin_model=None if spot else StandardMarginModel(),
        fee_model=MakerTakerFeeModel(bps(config.fees.maker_bps), bps(config.fees.taker_bps)),
        latency_model=plan.latency.model(),
        book_type=BookType.L1_MBP if plan.top_only else BookType.L2_MBP,
        liquidity_consumption=config.liquidity_consumption,
        queue_position=plan.queue_position,
    )
    for instrument in plan.instruments.values():
        engine.add_instrument(instrument)
    return engine
