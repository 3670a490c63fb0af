"""Closing positions through the gate: the engine's own close helpers and market exit run in Rust past any override."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from nautilus_trader.model import ClientId, InstrumentId, OrderSide, Position, Quantity, TimeInForce

from execution.door import Door
from execution.services import Services
from risk.desk import Desk
from risk.request import Purpose, Side
from risk.valuation import signed_units

ZERO = Decimal(0)
AGAIN_NS = 1_000_000_000
"""After a reject of the venue (-1008: it is throttled) a market exit is tried again: no strategy asks for it a second time."""


class Closer:
    """Closes positions of one strategy.

    Parameters
    ----------
    strategy
        The guarded strategy: its `submit_order` and `cancel_all_orders` are used.
    services, desk
        View, rules and ids.
    door
        Is told while the strategy leaves the market.
    """

    def __init__(self, strategy: Any, services: Services, desk: Desk, door: Door) -> None:
        self._strategy = strategy
        self._services = services
        self._desk = desk
        self._door = door
        self._leaving: Purpose | None = None
        self._hook = False
        self._again = False

    def close(
        self, position: Position, purpose: Purpose, client_id: ClientId | None = None,
        tags: Sequence[str] | None = None, time_in_force: TimeInForce | None = None,
        params: dict[str, Any] | None = None,
    ) -> None:  # fmt: skip
        """Send a reduce-only market order for what no working market exit already closes."""
        if position.is_closed:
            return
        signed = signed_units(position)
        quantity = abs(signed) - self._being_closed(str(position.instrument_id), signed)
        if quantity <= ZERO:
            return
        order = self._strategy.order_factory.market(
            position.instrument_id, OrderSide.SELL if signed > ZERO else OrderSide.BUY,
            Quantity.from_str(f"{quantity:.{position.size_precision}f}"),
            time_in_force=time_in_force, reduce_only=True, tags=tags,
        )  # fmt: skip
        self._desk.purpose = purpose
        self._strategy.submit_order(order, None, client_id, params)  # in parts, where it is too large for one order

    def leave(self, purpose: Purpose, *, hook: bool) -> None:
        """Cancel every order, close every position, and go on until flat; entries are refused meanwhile.

        Parameters
        ----------
        purpose
            Recorded with the closes.
        hook
            Whether `post_market_exit` is called at the end.
        """
        self._leaving, self._hook, self._door.exiting = purpose, hook, True
        for instrument_id in self.own_instruments():
            self._strategy.cancel_all_orders(instrument_id)
        self._close_open(purpose)
        self.finish()

    def follow(self) -> None:
        """Close what an order still filled while the strategy was leaving; call after each position event."""
        if self._leaving is not None:
            self._close_open(self._leaving)
            self.finish()

    def rejected(self) -> None:
        """An order was rejected; while the strategy is leaving, what is held then is closed once more in a moment."""
        if self._leaving is not None and not self._again:
            self._again = True
            clock = self._strategy.clock
            clock.set_time_alert_ns("hyper-leave", clock.timestamp_ns() + AGAIN_NS, callback=self._try_again)

    def _try_again(self, _event: object) -> None:
        self._again = False
        self.follow()

    def finish(self) -> None:
        """Let entries in again once the strategy is flat and nothing works; call after each order event."""
        if self._leaving is None:
            return
        mine, view = self._desk.strategy_id, self._services.view
        if any(order.strategy_id == mine for order in view.working.values()):
            return
        if any(position.quantity for (name, _), position in view.positions.items() if name == mine):
            return
        self._leaving, self._door.exiting = None, False
        if self._hook:
            self._strategy.guard_recorded("post_market_exit", self._strategy.post_market_exit)()

    def own_instruments(self) -> list[InstrumentId]:
        """Instruments on which this strategy has working orders."""
        view = self._services.view
        mine = {o.instrument_id for o in view.working.values() if o.strategy_id == self._desk.strategy_id}
        return [view.instrument_id(iid) for iid in sorted(mine)]

    def _close_open(self, purpose: Purpose) -> None:
        for position in self._strategy.guard_cache.positions_open(None, None, self._strategy.strategy_id):
            self.close(position, purpose)

    def _being_closed(self, instrument_id: str, signed: Decimal) -> Decimal:
        side, mine = (Side.SELL if signed > ZERO else Side.BUY), self._desk.strategy_id
        return sum(
            (
                order.leaves
                for order in self._services.view.open_orders(instrument_id)
                if order.strategy_id == mine and order.side == side and order.reduce_only and order.is_market
            ),
            ZERO,
        )
