"""A third-party strategy: it knows nothing of this package and uses every order helper that Nautilus offers."""

from __future__ import annotations

from decimal import Decimal
from typing import Any, Self

from nautilus_trader.core import UUID4
from nautilus_trader.model import (
    BookType,
    ClientOrderId,
    InstrumentId,
    MarketOrder,
    OrderSide,
    Price,
    Quantity,
    TimeInForce,
    TrailingOffsetType,
    TriggerType,
)
from nautilus_trader.trading import ExecutionAlgorithm, Strategy, StrategyConfig

BUY, SELL = OrderSide.BUY, OrderSide.SELL


class PlainConfig(StrategyConfig):
    """As Nautilus' documentation writes one."""

    def __new__(cls, instrument_id: InstrumentId, size: Quantity, script: str = "", **more: Any) -> Self:
        return super().__new__(cls, **more)

    def __init__(self, instrument_id: InstrumentId, size: Quantity, script: str = "", **more: Any) -> None:
        super().__init__()
        self.instrument_id, self.size, self.script = instrument_id, size, script


class NamelessConfig(StrategyConfig):
    """Passes no name on."""

    def __new__(cls, offset: Decimal) -> Self:
        return super().__new__(cls)

    def __init__(self, offset: Decimal) -> None:
        self.offset = offset


class Plain(Strategy):
    """Calls the methods of its script, one on each venue message from the fifth on."""

    def __init__(self, config: PlainConfig) -> None:
        super().__init__(config)
        self.my = config
        self.count = 0
        self.told: list[str] = []
        self.script = config.script.split()

    def on_start(self) -> None:
        self.subscribe_book_deltas(self.my.instrument_id, BookType.L2_MBP)

    def on_book_deltas(self, deltas: Any) -> None:
        self.count += 1
        if self.count >= 5 and self.script:
            getattr(self, f"do_{self.script.pop(0)}")()

    def on_order_event(self, event: Any) -> None:
        self.told.append(type(event).__name__)

    def price(self, text: str) -> Price:
        return Price.from_str(text)

    # One method per helper

    def do_nothing(self) -> None: ...

    def do_market(self) -> None:
        self.submit_order(self.order_factory.market(self.my.instrument_id, BUY, self.my.size, TimeInForce.GTC))

    def do_limit(self) -> None:
        order = self.order_factory.limit(self.my.instrument_id, BUY, self.my.size, self.price("99.0"), post_only=True)
        self.resting = order
        self.submit_order(order)

    def do_stop_market(self) -> None:
        self.submit_order(
            self.order_factory.stop_market(
                self.my.instrument_id, SELL, self.my.size, self.price("80.0"), TriggerType.LAST_PRICE, reduce_only=True
            )
        )

    def do_stop_limit(self) -> None:
        self.submit_order(
            self.order_factory.stop_limit(
                self.my.instrument_id, SELL, self.my.size, self.price("80.0"), self.price("81.0"), reduce_only=True
            )
        )

    def do_market_to_limit(self) -> None:
        self.submit_order(self.order_factory.market_to_limit(self.my.instrument_id, BUY, self.my.size))

    def do_market_if_touched(self) -> None:
        order = self.order_factory.market_if_touched(
            self.my.instrument_id, SELL, self.my.size, self.price("120.0"), reduce_only=True
        )
        self.submit_order(order)

    def do_limit_if_touched(self) -> None:
        self.submit_order(
            self.order_factory.limit_if_touched(
                self.my.instrument_id, SELL, self.my.size, self.price("119.0"), self.price("120.0"), reduce_only=True
            )
        )

    def do_trailing_stop_market(self) -> None:
        self.submit_order(
            self.order_factory.trailing_stop_market(
                self.my.instrument_id, SELL, self.my.size, Decimal("5.0"), TrailingOffsetType.PRICE,
                trigger_price=self.price("80.0"), reduce_only=True,
            )
        )  # fmt: skip

    def do_trailing_stop_limit(self) -> None:
        self.submit_order(
            self.order_factory.trailing_stop_limit(
                self.my.instrument_id, SELL, self.my.size, self.price("79.0"), Decimal("1.0"), Decimal("5.0"),
                TrailingOffsetType.PRICE, trigger_price=self.price("80.0"), reduce_only=True,
            )
        )  # fmt: skip

    def do_bracket(self) -> None:
        orders = self.order_factory.bracket(
            self.my.instrument_id, BUY, self.my.size, sl_trigger_price=self.price("80.0"), tp_price=self.price("120.0")
        )
        self.submit_order_list(orders)

    def do_list(self) -> None:
        make = self.order_factory
        self.submit_order_list([make.market(self.my.instrument_id, BUY, self.my.size) for _ in range(2)])

    def do_modify(self) -> None:
        self.modify_order(self.resting.client_order_id, price=self.price("98.0"))

    def do_modify_all(self) -> None:
        self.modify_orders([(self.resting.client_order_id, None, self.price("98.0"), None)])

    def do_cancel(self) -> None:
        self.cancel_order(self.resting.client_order_id)

    def do_cancel_list(self) -> None:
        self.cancel_orders([self.resting.client_order_id])

    def do_cancel_all(self) -> None:
        self.cancel_all_orders(self.my.instrument_id)

    def do_close(self) -> None:
        for position in self.cache.positions_open():
            self.close_position(position)

    def do_close_all(self) -> None:
        self.close_all_positions(self.my.instrument_id)

    def do_exit(self) -> None:
        self.market_exit()

    def do_own_id(self) -> None:
        """Build the order by hand, with an id in the engine's own form."""
        order = MarketOrder(
            self.order_factory.trader_id, self.strategy_id, self.my.instrument_id,
            ClientOrderId("O-20240808-000000-001-001-1"), BUY, self.my.size, UUID4(),
            self.clock.timestamp_ns(), TimeInForce.GTC, False, False,
        )  # fmt: skip
        self.submit_order(order)

    def do_past(self) -> None:
        super().submit_order(self.order_factory.market(self.my.instrument_id, BUY, self.my.size))


class Silent(Strategy):
    """Keeps its config from the engine."""

    def __new__(cls, config: StrategyConfig) -> Self:
        return super().__new__(cls)


class Bare(Strategy):
    """Needs no config class."""

    def on_start(self) -> None:
        self.started = True


class Quoted(Plain):
    """Listens to quotes alone."""

    def on_start(self) -> None:
        self.subscribe_quotes(self.my.instrument_id)

    def on_quote(self, quote: Any) -> None:
        self.count += 1


class Slicer(ExecutionAlgorithm):
    """Would send orders of its own."""
