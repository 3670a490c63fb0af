"""A miniature engine for tests: a hand-built book, one venue, and strategies that act on numbered venue messages.

Times are milliseconds, prices have one decimal, sizes three. One engine at a time: it is disposed of before `run` returns.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

import pyarrow as pa
from nautilus_trader.backtest import BacktestEngine, BacktestEngineConfig
from nautilus_trader.common import LoggerConfig
from nautilus_trader.execution import MakerTakerFeeModel, StaticLatencyModel
from nautilus_trader.model import (
    AccountId,
    AccountType,
    AggressorSide,
    BookAction,
    BookOrder,
    BookType,
    CryptoPerpetual,
    Currency,
    CurrencyPair,
    FundingRateUpdate,
    InstrumentId,
    Money,
    OmsType,
    OrderBookDelta,
    OrderBookDeltas,
    OrderSide,
    Price,
    Quantity,
    QuoteTick,
    Symbol,
    TradeId,
    TradeTick,
    Venue,
)

from execution.order_care import OrderCareConfig
from execution.tape.layers import taped
from execution.tape.tape import Tape
from execution.wire import Latency
from risk.breakers.config import BreakersConfig
from risk.config import RiskConfig
from risk.costs import FeeRates
from risk.policy import Policy, WaiveEdge
from risk.throttles import ThrottleConfig
from runners.engine_venue import third_wall
from runners.wiring import Package, Plan, build
from strategies.base import GuardedStrategy, StrategyParams

MS = 1_000_000
VENUE = Venue("BINANCE")
USDT, BTC, ETH = Currency.from_str("USDT"), Currency.from_str("BTC"), Currency.from_str("ETH")
IID = InstrumentId.from_str("BTCUSDT-PERP.BINANCE")
KEY = str(IID)
ETH_IID = InstrumentId.from_str("ETHUSDT-PERP.BINANCE")
SPOT_IID = InstrumentId.from_str("BTCUSDT.BINANCE")
FREE = Policy(entry_order="market", edge=WaiveEdge(waived="a test"), max_open_entries=10)
MAKER = Policy(edge=WaiveEdge(waived="a test"), max_open_entries=10)
WIDE = RiskConfig(
    max_order_notional_quote=1e6, max_position_notional_quote=1e6, max_gross_leverage=100, max_daily_loss_quote=1e6,
    max_drawdown_pct=100,
    throttles=ThrottleConfig(
        max_orders_per_sec=None, max_identical_orders=None, collar_mid_bps=None, collar_mark_bps=None
    ),
    breakers=BreakersConfig.model_validate(dict.fromkeys(BreakersConfig.model_fields)),
)  # fmt: skip

type Level = tuple[float, float]


def perpetual(iid: InstrumentId = IID, base: Currency = BTC, **more: Any) -> CryptoPerpetual:
    """Make a linear perpetual: tick 0.1, step 0.001, notional of at least 5 USDT."""
    inverse = bool(more.pop("inverse", False))
    return CryptoPerpetual(
        iid, Symbol(str(iid.symbol).removesuffix("-PERP")), base, USDT, base if inverse else USDT, inverse, 1, 3,
        Price(0.1, 1), Quantity(0.001, 3), 0, 0, min_notional=Money(5, USDT), margin_init=Decimal("0.05"),
        margin_maint=Decimal("0.025"), **more,
    )  # fmt: skip


def spot_pair() -> CurrencyPair:
    """Make BTCUSDT spot with the same tick and step."""
    return CurrencyPair(SPOT_IID, Symbol("BTCUSDT"), BTC, USDT, 1, 3, Price(0.1, 1), Quantity(0.001, 3), 0, 0)


def book(
    ms: float,
    bids: Sequence[Level] = (),
    asks: Sequence[Level] = (),
    *,
    snapshot: bool = False,
    iid: InstrumentId = IID,
) -> OrderBookDeltas:
    """One venue message; a size of 0 removes the level."""
    ts = int(ms * MS)
    deltas = [OrderBookDelta.clear(iid, 0, ts, ts)] if snapshot else []
    rows = [(OrderSide.BUY, *level) for level in bids] + [(OrderSide.SELL, *level) for level in asks]
    for index, (side, price, size) in enumerate(rows):
        action = BookAction.UPDATE if size else BookAction.DELETE
        order = BookOrder(side, Price(price, 1), Quantity(size, 3), 0)
        deltas.append(OrderBookDelta(iid, action, order, 128 if index == len(rows) - 1 else 0, 0, ts, ts))
    return OrderBookDeltas(iid, deltas)


def opening(ms: float = 1000, iid: InstrumentId = IID) -> OrderBookDeltas:
    """Bids 5 at 100.0 and 7 at 99.9; asks 1 at 100.1, 1.5 at 100.2, 2 at 100.3. The mid is 100.05."""
    return book(ms, [(100.0, 5), (99.9, 7)], [(100.1, 1), (100.2, 1.5), (100.3, 2)], snapshot=True, iid=iid)


def quiet(count: int = 12, *, start: float = 1000, every: float = 100, iid: InstrumentId = IID) -> list[Any]:
    """The opening book, then messages that change only a far level."""
    far = [book(start + every * k, [(90.0, 5 + k)], iid=iid) for k in range(1, count)]
    return [quote(start, 100.0, 100.1, iid=iid), opening(start, iid), *far]


def trade(ms: float, price: float, size: float, aggressor: AggressorSide, number: int = 1) -> TradeTick:
    """One market trade."""
    ts = int(ms * MS)
    return TradeTick(IID, Price(price, 1), Quantity(size, 3), aggressor, TradeId(str(number)), ts, ts)


def quote(ms: float, bid: float, ask: float, size: float = 1.0, iid: InstrumentId = IID) -> QuoteTick:
    """One best bid and ask; the engine denies market orders while it has seen neither quote nor trade."""
    ts = int(ms * MS)
    return QuoteTick(iid, Price(bid, 1), Price(ask, 1), Quantity(size, 3), Quantity(size, 3), ts, ts)


def funding(ms: float, rate: str, due_ms: float) -> FundingRateUpdate:
    """Announce a funding payment."""
    ts = int(ms * MS)
    return FundingRateUpdate(IID, Decimal(rate), ts, ts, 480, int(due_ms * MS))


class NoParams(StrategyParams):
    """A strategy without parameters."""


class Stepped(GuardedStrategy[NoParams]):
    """Calls `at` with the number of each venue message, from 1, and keeps what it is told."""

    def on_ready(self) -> None:
        """Subscribe."""
        self.count = 0
        self.seen: list[str] = []
        self.denied: list[str] = []
        self.subscribe_book()

    def on_book_deltas(self, deltas: Any) -> None:
        """Count, then act."""
        self.count += 1
        self.at(self.count)

    def at(self, number: int) -> None:
        """Act on the venue message of this number."""

    def on_order_event(self, event: Any) -> None:
        """Keep the kind of each event."""
        self.seen.append(type(event).__name__)

    def on_order_denied(self, event: Any) -> None:
        """Keep the reason."""
        self.denied.append(event.reason)


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry of `strategies:`."""

    id: str
    class_path: str
    order_id_tag: str = "001"
    instrument: str | None = None
    params: Mapping[str, Any] = field(default_factory=dict)
    policy: Policy = FREE
    config_class: str | None = None


@dataclass(slots=True)
class Setup:
    """Venue and plan of a miniature run; times in milliseconds."""

    policy: Policy = FREE
    risk: RiskConfig = WIDE
    insert_ms: float = 0
    cancel_ms: float = 0
    sampled: Latency | None = None
    instruments: Sequence[Any] = field(default_factory=lambda: [perpetual()])
    fees: FeeRates = field(default_factory=lambda: FeeRates(2.0, 5.0))
    start_ms: float = 0
    end_ms: float | None = None
    cash: bool = False
    balances: Sequence[Money] = (Money(100_000, USDT),)
    queue: bool = True
    from_quotes: bool = False
    replayed: bool = False
    walled: bool = False
    care: OrderCareConfig = field(default_factory=OrderCareConfig)
    epoch: int = 12345
    chunk: int | None = None
    prepare: Callable[[Package], None] | None = None
    tape: Tape | None = None


@dataclass(frozen=True, slots=True)
class Ran:
    """A finished run: the package, and the engine's own state read before the engine was disposed of."""

    package: Package
    venue_orders: dict[str, str]
    cash: Decimal
    net: Decimal
    closed_positions: int

    @property
    def strategy(self) -> Any:
        """The first strategy."""
        return self.package.strategies[0]

    def rows(self, table: str) -> list[dict[str, Any]]:
        """Rows of a run table."""
        found: pa.Table = self.package.journal.tables()[table]
        rows: list[dict[str, Any]] = found.to_pylist()
        return rows

    @property
    def faults(self) -> Any:
        """What was raised."""
        return self.package.services.faults


def entry(cls: type[Any], name: str = "s", **more: Any) -> Entry:
    """Make a configuration entry for a class, also for one that a test defines inside itself."""
    setattr(sys.modules[__name__], cls.__name__, cls)
    return Entry(name, f"{__name__}:{cls.__name__}", **more)


def plan(setup: Setup) -> Plan:
    """Make what the wiring needs."""
    return Plan(
        instruments={str(i.id): i for i in setup.instruments}, fees={str(i.id): setup.fees for i in setup.instruments},
        risk=setup.risk, trading_start_ns=int(setup.start_ms * MS), epoch=setup.epoch,
        trading_end_ns=None if setup.end_ms is None else int(setup.end_ms * MS), latency=setup.sampled, trusted=True,
        from_quotes=setup.from_quotes, replayed=setup.replayed,
        care=setup.care,        insert_ns=int(setup.insert_ms * MS), cancel_ns=int(setup.cancel_ms * MS),
        **taped(setup.tape),
    )  # fmt: skip


def engine(setup: Setup) -> BacktestEngine:
    """Make an engine with the venue and its instruments."""
    wall = third_wall(setup.risk, [str(i.id) for i in setup.instruments]) if setup.walled else None
    made = BacktestEngine(BacktestEngineConfig(logging=LoggerConfig(bypass_logging=True), risk_engine=wall))
    made.add_venue(
        VENUE, OmsType.NETTING, AccountType.CASH if setup.cash else AccountType.MARGIN, list(setup.balances),
        book_type=BookType.L1_MBP if setup.from_quotes else BookType.L2_MBP, queue_position=setup.queue,
        liquidity_consumption=True, default_leverage=None if setup.cash else Decimal(20),
        latency_model=StaticLatencyModel(0, int(setup.insert_ms * MS), 0, int(setup.cancel_ms * MS)),
        fee_model=MakerTakerFeeModel(
            Decimal(repr(setup.fees.maker_bps)) / 10_000, Decimal(repr(setup.fees.taker_bps)) / 10_000
        ),
    )  # fmt: skip
    for instrument in setup.instruments:
        made.add_instrument(instrument)
    return made


def run(strategy: type[Any] | Sequence[Entry], data: Sequence[Any], setup: Setup | None = None, **more: Any) -> Ran:
    """Run strategies over `data` to its end or to the first fault; keyword arguments are fields of `Setup`."""
    setup = setup or Setup(**more)
    entries = strategy if isinstance(strategy, Sequence) else [entry(strategy, policy=setup.policy)]
    package = build(entries, plan(setup))
    if setup.tape is not None:
        setup.tape.attach(package.services, [strategy.desk for strategy in package.strategies])  # type: ignore[attr-defined]
    made = engine(setup)
    try:
        package.attach(portfolio=made.portfolio, cache=made.cache, account_id=AccountId("BINANCE-001"), settlement=USDT)
        package.install(made)
        if setup.prepare is not None:
            setup.prepare(package)
        cache, portfolio = made.cache, made.portfolio
        size = setup.chunk or len(data)
        for start in range(0, len(data), size):
            made.add_data(list(data[start : start + size]))
            made.run(streaming=True)
            made.clear_data()
            if package.services.faults.first is not None:
                break
        made.end()
        package.settle(cache)
        first, account = setup.instruments[0].id, cache.account_for_venue(VENUE)
        if account is None:
            raise RuntimeError("the engine made no account")
        return Ran(
            package,
            {str(order.client_order_id): order.status.name for order in cache.orders()},
            account.balance_total(USDT).as_decimal(),
            Decimal(portfolio.net_position(first)),
            len(cache.positions_closed()),
        )
    finally:
        made.dispose()
