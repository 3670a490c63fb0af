"""The strategies of the benchmarks, written plainly: without gate, journal or records, and for hftbacktest."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Self

from nautilus_trader.model import AggressorSide, BookType, OrderBook, OrderSide, Price, Quantity, StrategyId
from nautilus_trader.trading import Strategy, StrategyConfig
from pydantic import Field

from strategies.base import GuardedStrategy, StrategyParams
from strategies.intents import Enter, Exit, Intent, Level, Quote
from strategies.order_flow import OrderFlowFeatures, OrderFlowParams, OrderFlowState, decide, wanted_side


class Idle(Strategy):
    """The bare engine: subscribes to the book, does nothing with it."""

    def __new__(cls, instrument: Any) -> Self:
        del instrument
        return super().__new__(cls, StrategyConfig(strategy_id=StrategyId("IDLE-001")))  # type: ignore[call-arg]

    def __init__(self, instrument: Any) -> None:
        super().__init__(StrategyConfig(strategy_id=StrategyId("IDLE-001")))
        self.instrument = instrument

    def on_start(self) -> None:
        """Subscribe as the others do."""
        self.subscribe_book_deltas(self.instrument.id, BookType.L2_MBP)
        self.subscribe_trades(self.instrument.id)


class PlainOrderFlow(Strategy):
    """`order_flow` as a user would write it on the bare engine: same features, same decisions, nothing checked or kept.

    Parameters
    ----------
    instrument
        What is traded.
    params
        As of `OrderFlow`.
    start_ns
        End of the warm-up.
    """

    def __new__(cls, instrument: Any, params: OrderFlowParams, start_ns: int) -> Self:
        del instrument, params, start_ns
        return super().__new__(cls, StrategyConfig(strategy_id=StrategyId("PLAIN-001"), log_events=False))  # type: ignore[call-arg]

    def __init__(self, instrument: Any, params: OrderFlowParams, start_ns: int) -> None:
        super().__init__(StrategyConfig(strategy_id=StrategyId("PLAIN-001"), log_events=False))
        self.instrument, self.params, self.start_ns = instrument, params, start_ns
        self.book = OrderBook(instrument.id, BookType.L2_MBP)
        self.features = OrderFlowFeatures(params)
        self.next_ns = self.attempt_ns = self.exit_ns = self.entry_ns = self.resting_ns = 0
        self.position = self.entry_price = 0.0
        self.resting: Any = None
        self.resting_side = 0
        self.cancelling = self.leaving = False
        self.tick = float(instrument.price_increment)
        self.guard_passing: set[str] = set()  # the seal's list of ids that may be sent: this one approves its own

    def on_start(self) -> None:
        """Subscribe."""
        self.subscribe_book_deltas(self.instrument.id, BookType.L2_MBP)
        self.subscribe_trades(self.instrument.id)

    def on_trade(self, trade: Any) -> None:
        """Count the print."""
        side = 1 if trade.aggressor_side == AggressorSide.BUY else -1
        self.features.on_trade(trade.ts_init, side, float(trade.price), float(trade.size))

    def on_book_deltas(self, deltas: Any) -> None:
        """Follow the top; decide when it is time."""
        book = self.book
        book.apply_deltas(deltas)
        bid, ask = book.best_bid_price(), book.best_ask_price()
        if bid is None or ask is None:
            return
        best = float(bid), float(book.best_bid_size() or 0), float(ask), float(book.best_ask_size() or 0)
        self.features.ofi.update(deltas.ts_init, *best)
        if deltas.ts_init < self.next_ns:
            return
        self.next_ns = deltas.ts_init + self.params.decide_every_ms * 1_000_000
        levels, mid = self.params.book_levels, (best[0] + best[2]) / 2
        bids = [float(level.size()) for level in book.bids(levels)]
        asks = [float(level.size()) for level in book.asks(levels)]
        self.features.on_levels(deltas.ts_init, mid, bids, asks)
        if deltas.ts_init >= self.start_ns:
            for intent in decide(self._state(deltas.ts_init, mid), self.params):
                self._perform(deltas.ts_init, intent, best[0], best[2])

    def on_order_event(self, event: Any) -> None:
        """Forget a resting entry that is over."""
        kind = type(event).__name__
        if kind in ("OrderCanceled", "OrderRejected", "OrderDenied", "OrderFilled"):
            if self.resting is not None and event.client_order_id == self.resting:
                self.resting, self.resting_side, self.cancelling = None, 0, False
            elif kind == "OrderFilled":
                self.leaving = False

    def on_position_event(self, event: Any) -> None:
        """Follow the position."""
        if type(event).__name__ == "PositionOpened":
            self.entry_ns = event.ts_event
        closed = type(event).__name__ == "PositionClosed"
        self.position, self.entry_price = (0.0, 0.0) if closed else (event.signed_qty, event.avg_px_open)

    def _state(self, ts_ns: int, mid: float) -> OrderFlowState:
        features, side = self.features, 1 if self.position > 0 else -1
        loss_bps = side * (self.entry_price - mid) / self.entry_price * 1e4 if self.position else 0.0
        state = OrderFlowState(
            ts_ns, mid, features.imbalance.value, features.score, features.flow.ratio, features.vpin.value,
            features.edge_bps(mid), position=self.position, entry_ts_ns=self.entry_ns,
            stopped=self.position != 0.0 and loss_bps >= self.params.stop_bps, resting_side=self.resting_side,
            resting_ts_ns=self.resting_ns, cancelling=self.cancelling,
            leaving=self.leaving or ts_ns - self.exit_ns < 1_000_000_000, attempt_ns=self.attempt_ns,
        )  # fmt: skip
        if wanted_side(state, self.params) is None:
            return state
        return replace(state, size=self.params.order_notional_quote / mid)

    def _perform(self, ts_ns: int, intent: Intent, bid: float, ask: float) -> None:
        make = self.order_factory
        if isinstance(intent, Enter):
            self.attempt_ns = self.resting_ns = ts_ns
            price = (bid if intent.side > 0 else ask) - int(intent.side) * intent.offset_ticks * self.tick
            side = OrderSide.BUY if intent.side > 0 else OrderSide.SELL
            order = make.limit(
                self.instrument.id, side, Quantity(int(intent.size * 1000) / 1000, 3), Price(price, 1), post_only=True
            )
            self.resting, self.resting_side = order.client_order_id, int(intent.side)
            self._send(order)
        elif isinstance(intent, Exit):
            self.exit_ns, self.leaving = ts_ns, True
            side = OrderSide.SELL if self.position > 0 else OrderSide.BUY
            self._send(make.market(self.instrument.id, side, Quantity(abs(self.position), 3), reduce_only=True))
        elif self.resting is not None:
            self.cancelling = True
            self.cancel_order(self.resting)

    def _send(self, order: Any) -> None:
        self.guard_passing.add(str(order.client_order_id))
        self.submit_order(order)


class GridParams(StrategyParams):
    """The grid that both contenders quote."""

    grid_ticks: int = Field(default=100, ge=1, description="Distance between grid lines, ticks")
    levels: int = Field(default=1, ge=1, le=20, description="Quotes on each side")
    size: float = Field(default=0.01, gt=0, description="Base units per quote")
    max_position: float = Field(default=0.1, gt=0, description="No quote on a side beyond this, base units")
    every_ms: int = Field(default=100, ge=1, description="Event time between two looks at the book")


class Grid(GuardedStrategy[GridParams]):
    """Quotes the grid lines around the mid every 100 ms."""

    def on_ready(self) -> None:
        """Look at the book."""
        self._next_ns = 0
        self._step = self.params.grid_ticks * self.tick
        self._quotes: dict[tuple[int, int, bool, bool], Quote] = {}
        self.subscribe_book()

    def on_book_deltas(self, deltas: Any) -> None:
        """Quote when it is time."""
        if deltas.ts_init >= self._next_ns:
            self._next_ns = deltas.ts_init + self.params.every_ms * 1_000_000
            self.quote()

    def quote(self) -> None:
        """Ask for the quotes that should rest now."""
        top = self.top()
        if top is None:
            return
        params, mid, position, step = self.params, top.mid, self.position, self._step
        below, above = int((mid - 1e-9) // step), int((mid + 1e-9) // step) + 1
        key = (below, above, position < params.max_position, position > -params.max_position)
        wanted = self._quotes.get(key)
        if wanted is None:
            bids = self.lines(below, -step) if key[2] else ()
            asks = self.lines(above, step) if key[3] else ()
            wanted = self._quotes[key] = Quote(bids, asks, edge_bps=None, why="grid", requote_ticks=1)
        self.act([wanted])

    def lines(self, nearest: int, step: float) -> tuple[Level, ...]:
        """Return the quotes of one side, from the nearest grid line away from the mid."""
        outward = 1 if step > 0 else -1
        return tuple(Level((nearest + outward * k) * abs(step), self.params.size) for k in range(self.params.levels))


def hft_grid() -> Any:
    """Return the same grid as a compiled hftbacktest strategy; takes the backtest, returns numbers of looks, orders, fills."""
    import numpy as np
    from hftbacktest import BUY, GTX, LIMIT, SELL
    from numba import njit, uint64
    from numba.typed import Dict

    @njit
    def run(hbt, grid_ticks, levels, size, max_position, every_ns):  # type: ignore[no-untyped-def]
        tick = hbt.depth(0).tick_size
        step = grid_ticks * tick
        looks = sent = 0
        while hbt.elapse(every_ns) == 0:
            hbt.clear_inactive_orders(0)
            looks += 1
            depth = hbt.depth(0)
            mid = (depth.best_bid + depth.best_ask) / 2.0
            if not mid > 0.0:
                continue
            below = np.floor((mid - 1e-9) / step)
            above = np.floor((mid + 1e-9) / step) + 1.0
            position = hbt.position(0)
            bids = Dict.empty(np.uint64, np.float64)
            asks = Dict.empty(np.uint64, np.float64)
            for k in range(levels):
                if position < max_position:
                    price = (below - k) * step
                    bids[uint64(round(price / tick))] = price
                if position > -max_position:
                    price = (above + k) * step
                    asks[uint64(round(price / tick))] = price
            orders = hbt.orders(0)
            values = orders.values()
            while values.has_next():
                order = values.get()
                wanted = (order.side == BUY and order.order_id in bids) or (
                    order.side == SELL and order.order_id in asks
                )
                if order.cancellable and not wanted:
                    hbt.cancel(0, order.order_id, False)
            for order_id, price in bids.items():
                if order_id not in orders:
                    sent += 1
                    hbt.submit_buy_order(0, order_id, price, size, GTX, LIMIT, False)
            for order_id, price in asks.items():
                if order_id not in orders:
                    sent += 1
                    hbt.submit_sell_order(0, order_id, price, size, GTX, LIMIT, False)
        return looks, sent, hbt.state_values(0).num_trades

    return run
