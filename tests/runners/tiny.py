"""Order books small enough to check on paper, fed to the same host as a real run."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from nautilus_trader.model import (
    AggressorSide,
    BookAction,
    BookOrder,
    CryptoPerpetual,
    Currency,
    InstrumentId,
    OrderBookDelta,
    OrderBookDeltas,
    OrderSide,
    Price,
    Quantity,
    QuoteTick,
    Symbol,
    TradeId,
    TradeTick,
)

from risk.breakers.config import BreakersConfig
from risk.config import RiskConfig
from risk.costs import FeeRates
from risk.policy import Policy
from runners import wiring
from runners.config.models import StrategyEntry
from runners.config.venue import VenueConfig
from runners.engine_venue import VenuePlan, with_margins
from runners.host import Outcome, replay
from runners.latency import LatencyPlan, plan_latency

NAME = "BTCUSDT-PERP.BINANCE"
IID = InstrumentId.from_str(NAME)
START = 1_723_075_200_000_000_000  # 2024-08-08T00:00:00Z
S = 1_000_000_000
SNAPSHOT, LAST = 32, 128

type Levels = Sequence[tuple[float, float]]


def at(secs: float) -> int:
    """Nanoseconds of an instant after the start."""
    return START + round(secs * S)


def perpetual() -> CryptoPerpetual:
    """BTCUSDT without a minimum notional, tick 0.1, step 0.001."""
    usdt = Currency.from_str("USDT")
    return CryptoPerpetual(
        IID, Symbol("BTCUSDT"), Currency.from_str("BTC"), usdt, usdt, False, 1, 3, Price.from_str("0.1"),
        Quantity.from_str("0.001"), 0, 0,
    )  # fmt: skip


def _delta(action: BookAction, is_bid: bool, price: float, size: float, ts: int, flags: int) -> OrderBookDelta:
    side = OrderSide.BUY if is_bid else OrderSide.SELL
    order = BookOrder(side, Price.from_str(f"{price:.1f}"), Quantity.from_str(f"{size:.3f}"), 0)
    return OrderBookDelta(IID, action, order, flags, 0, ts, ts)


def snapshot(secs: float, bids: Levels, asks: Levels) -> OrderBookDeltas:
    """A whole book."""
    ts = at(secs)
    rows = [(True, *level) for level in bids] + [(False, *level) for level in asks]
    deltas = [OrderBookDelta.clear(IID, 0, ts, ts)]
    for number, (is_bid, price, size) in enumerate(rows, 1):
        flags = SNAPSHOT | (LAST if number == len(rows) else 0)
        deltas.append(_delta(BookAction.ADD, is_bid, price, size, ts, flags))
    return OrderBookDeltas(IID, deltas)


def change(secs: float, *, bids: Levels = (), asks: Levels = ()) -> OrderBookDeltas:
    """One venue message; size 0 deletes a level."""
    rows = [(True, *level) for level in bids] + [(False, *level) for level in asks]
    deltas = []
    for number, (is_bid, price, size) in enumerate(rows, 1):
        action = BookAction.UPDATE if size else BookAction.DELETE
        deltas.append(_delta(action, is_bid, price, size, at(secs), LAST if number == len(rows) else 0))
    return OrderBookDeltas(IID, deltas)


def beat(secs: float) -> OrderBookDeltas:
    """A message far from the best price: time passes, nothing else."""
    return change(secs, bids=[(50.0, 1.0 + secs / 1000)])


def trade(secs: float, price: float, size: float, aggressor: str) -> TradeTick:
    """A market trade."""
    side = AggressorSide.BUY if aggressor == "BUY" else AggressorSide.SELL
    ts = at(secs)
    return TradeTick(
        IID, Price.from_str(f"{price:.1f}"), Quantity.from_str(f"{size:.3f}"), side, TradeId(f"t{ts}"), ts, ts
    )


def quote(secs: float, bid: float, bid_size: float, ask: float, ask_size: float) -> QuoteTick:
    """Best bid and ask."""
    ts = at(secs)
    return QuoteTick(
        IID, Price.from_str(f"{bid:.1f}"), Price.from_str(f"{ask:.1f}"), Quantity.from_str(f"{bid_size:.3f}"),
        Quantity.from_str(f"{ask_size:.3f}"), ts, ts,
    )  # fmt: skip


def opening() -> list[Any]:
    """Book 100.0 | 100.2 with three asks and three bids, and one trade: market orders need a price."""
    book = snapshot(0, bids=[(100.0, 1.0), (99.9, 2.0), (99.8, 3.0)], asks=[(100.2, 1.0), (100.3, 2.0), (100.4, 3.0)])
    return [book, trade(0.001, 100.0, 0.1, "SELL")]


def venue_config(**changes: Any) -> VenueConfig:
    """Venue without latency; maker 2 bps, taker 5 bps."""
    values: dict[str, Any] = {
        "market": "usdm", "starting_balance_quote": 10_000, "leverage": 3, "fees": {"maker_bps": 2.0, "taker_bps": 5.0},
        "latency_ms": {"insert": 0, "cancel": 0},
    }  # fmt: skip
    return VenueConfig.model_validate(values | changes)


RISK = RiskConfig.model_validate({
    "max_order_notional_quote": 100_000, "max_position_notional_quote": 1_000_000, "max_gross_leverage": 100,
    "max_daily_loss_quote": 10_000, "max_drawdown_pct": 100,
    "throttles": {"max_orders_per_sec": None, "max_identical_orders": None, "collar_mid_bps": None, "collar_mark_bps": None},
    "breakers": dict.fromkeys(BreakersConfig.model_fields),
})  # fmt: skip
ANYTHING = Policy.model_validate({"entry_order": "market", "edge": {"waived": "a truth test"}, "max_open_entries": 50})


def package(
    steps: Sequence[dict[str, Any]], plan: VenuePlan, *, trading_start_ns: int = START, seed: int = 7, **more: Any
) -> wiring.Package:
    """One scripted strategy behind the real gate."""
    entry = StrategyEntry.model_validate({
        "id": "script", "order_id_tag": "001", "class": "tests.runners.scripted:Scripted",
        "params": {"start_ns": START, "steps": list(steps)}, "policy": ANYTHING,
    })  # fmt: skip
    fees = FeeRates(plan.config.fees.maker_bps, plan.config.fees.taker_bps)
    return wiring.build(
        [entry],
        wiring.Plan(
            plan.instruments, {NAME: fees}, RISK, trading_start_ns, epoch=1, from_quotes=plan.top_only,
            latency=plan.latency.sampler(seed), trusted=True, **more,
        ),
    )  # fmt: skip


def run(
    events: Sequence[Any], steps: Sequence[dict[str, Any]], *, queue_position: bool = True, top_only: bool = False,
    chunk: int = 1_000_000, latency: LatencyPlan | None = None, trading_start_ns: int = START,
    trading_end_ns: int | None = None, **venue: Any,
) -> Outcome:  # fmt: skip
    """Replay events to a scripted strategy."""
    config = venue_config(**venue)
    instruments = {NAME: with_margins(perpetual(), config.leverage)}
    plan = VenuePlan(config, instruments, latency or plan_latency(config), top_only, queue_position)
    ordered = sorted(events, key=lambda event: event.ts_init)
    chunks = [ordered[i : i + chunk] for i in range(0, len(ordered), chunk)]
    built = package(steps, plan, trading_start_ns=trading_start_ns, trading_end_ns=trading_end_ns)
    return replay(plan, built, chunks)


def fills(outcome: Outcome) -> list[tuple[float, str, float, float]]:
    """Seconds after the start, side, price and size of each fill."""
    rows = outcome.tables["fills"].to_pylist()
    return [((r["ts_ns"] - START) / S, r["side"], float(r["price"]), float(r["quantity"])) for r in rows]


def statuses(outcome: Outcome) -> list[str]:
    """Last known state of each order."""
    return [row["status"] for row in outcome.tables["orders"].to_pylist()]
