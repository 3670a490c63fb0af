"""A strategy that does what a test writes down, at the times it writes down."""

from __future__ import annotations

from typing import Any, Literal

from nautilus_trader.model import ClientOrderId, OrderSide, Price, Quantity
from pydantic import BaseModel, ConfigDict, Field

from strategies.base import GuardedStrategy, StrategyParams


class Step(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")
    at: float
    do: Literal["market", "limit", "cancel", "raise"]
    side: Literal["BUY", "SELL"] = "BUY"
    size: str = "1.000"
    price: str = "0.0"
    post_only: bool = False
    reduce_only: bool = False


class ScriptParams(StrategyParams):
    start_ns: int = 0
    steps: tuple[Step, ...] = ()
    order_notional_quote: float = Field(100, description="Size of an order")


class Scripted(GuardedStrategy[ScriptParams]):
    """Acts on the first book or quote event at or after a step's time (seconds after the start)."""

    def on_ready(self) -> None:
        self.todo = sorted(self.params.steps, key=lambda step: step.at)
        if not self.desk.view.books.from_quotes:
            self.subscribe_book()
        else:
            self.subscribe_quotes(self.instrument_id)
        self.subscribe_prints()

    def on_book_deltas(self, deltas: Any) -> None:
        self.tick_to(deltas.ts_init)

    def on_quote(self, quote: Any) -> None:
        self.tick_to(quote.ts_init)

    def tick_to(self, ts_ns: int) -> None:
        while self.todo and self.params.start_ns + round(self.todo[0].at * 1e9) <= ts_ns:
            self.perform(self.todo.pop(0))

    def perform(self, step: Step) -> None:
        if step.do == "raise":
            raise ValueError("planted")
        if step.do == "cancel":
            self.cancel_all_orders(self.instrument_id)
            return
        side, size = OrderSide.BUY if step.side == "BUY" else OrderSide.SELL, Quantity.from_str(step.size)
        order_id = ClientOrderId(self.desk.next_id())
        if step.do == "market":
            order = self.order_factory.market(
                self.instrument_id, side, size, reduce_only=step.reduce_only, client_order_id=order_id
            )
        else:
            order = self.order_factory.limit(
                self.instrument_id, side, size, Price.from_str(step.price), post_only=step.post_only,
                reduce_only=step.reduce_only, client_order_id=order_id,
            )  # fmt: skip
        self.submit_order(order)
