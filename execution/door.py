"""What one strategy's orders pass on their way to the engine: verdict, journal, account view."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from nautilus_trader.core import UUID4
from nautilus_trader.model import ClientOrderId, OrderDenied, OrderModifyRejected, TraderId

from execution.journal import IdUsed
from execution.requests import of_order
from execution.services import Services
from execution.topics import REFUSALS
from risk.desk import Desk
from risk.request import OrderRequest, Purpose
from risk.verdict import Reason, Refused, Verdict


class Door:
    """Admits or refuses the orders of one strategy.

    Parameters
    ----------
    strategy
        The guarded strategy: it is told of refusals.
    services, desk
        Gate, journal and view; the strategy's name and ids.
    """

    def __init__(self, strategy: Any, services: Services, desk: Desk) -> None:
        self._strategy = strategy
        self._services = services
        self._desk = desk
        self.exiting = False

    def admit(
        self, order: Any, purpose: Purpose, ts_ns: int, *, closes_own: bool = False, size_factor: float = 1.0
    ) -> bool:
        """Check one order and record it; raising here prevents the send."""
        request = of_order(
            order, self._desk.strategy_id, ts_ns, purpose, closes_own=closes_own, size_factor=size_factor
        )
        verdict = self._verdict(order, request)
        if isinstance(verdict, Refused):
            self._refuse(request, verdict)
            return False
        top = self._services.view.books.top_of(request.instrument_id)
        mid = top.mid if top else None
        try:
            self._services.journal.order(request, mid)
        except IdUsed as error:
            self._services.gate.expected.discard(request.client_order_id)
            self._refuse(request, Refused(Reason.ID_REUSED, str(error)))
            return False
        except Exception as error:
            self._services.gate.halt(f"the journal cannot be written: {error}", ts_ns)
            raise  # and so the order is not sent
        late = self._services.gate.last_look(request)
        if late is not None:
            self._services.gate.expected.discard(request.client_order_id)
            self._services.journal.event(ts_ns, request.client_order_id, "OrderDenied", "DENIED", late.detail)
            self._refuse(request, late)
            return False
        self._services.view.add(request, mid)
        self._services.lives.begin(request)
        if self._services.latency is not None:
            self._services.latency.decided(request.client_order_id)
        return True

    def admit_all(self, orders: Sequence[Any], purpose: Purpose, ts_ns: int) -> bool:
        """Check the orders of a list: all go, or none does."""
        for index, order in enumerate(orders):
            if not self.admit(order, purpose, ts_ns):
                for earlier in orders[:index]:
                    self._take_back(earlier, ts_ns)
                return False
        return True

    def refuse_modify(self, client_order_id: ClientOrderId, order: Any, ts_ns: int) -> None:
        """Record that a modification was refused, and tell the strategy."""
        refused = Refused(Reason.UNSUPPORTED, "orders are not modified: cancel it and send a new one")
        request = of_order(order, self._desk.strategy_id, ts_ns, Purpose(why="modify"))
        self._services.journal.refusal(request, refused)
        self._strategy.publish_message(REFUSALS, (request, refused))
        rejected = OrderModifyRejected(
            self._trader(), self._strategy.strategy_id, order.instrument_id, client_order_id, refused.detail, UUID4(),
            ts_ns, ts_ns, False, None, None,
        )  # fmt: skip
        self._tell(rejected, self._strategy.on_order_modify_rejected)

    def _verdict(self, order: Any, request: OrderRequest) -> Verdict:
        if order.exec_algorithm_id is not None or order.is_emulated or order.emulation_trigger is not None:
            return Refused(Reason.UNSUPPORTED, "execution algorithms and emulated orders send past the gate")
        if order.is_quote_quantity:
            return Refused(Reason.UNSUPPORTED, "a quantity in quote currency: state base units")
        if self.exiting and request.is_entry and not request.closes_own:
            return Refused(Reason.EXITING, "the strategy is leaving the market: entries wait until it is flat")
        return self._services.gate.check(request)

    def _refuse(self, request: OrderRequest, refused: Refused) -> None:
        self._services.journal.refusal(request, refused)
        self._strategy.publish_message(REFUSALS, (request, refused))
        self._deny(request.instrument_id, request.client_order_id, f"{refused.reason}: {refused.detail}", request.ts_ns)

    def _take_back(self, order: Any, ts_ns: int) -> None:
        order_id, why = str(order.client_order_id), "another order of its list was refused"
        self._services.view.close(order_id)
        self._services.lives.drop(order_id)
        self._services.gate.expected.discard(order_id)
        self._services.journal.event(ts_ns, order_id, "OrderDenied", "DENIED", why)
        self._deny(str(order.instrument_id), order_id, why, ts_ns)

    def _deny(self, instrument_id: str, client_order_id: str, why: str, ts_ns: int) -> None:
        denied = OrderDenied(
            self._trader(), self._strategy.strategy_id, self._services.view.instrument_id(instrument_id),
            ClientOrderId(client_order_id), why, UUID4(), ts_ns, ts_ns,
        )  # fmt: skip
        self._tell(denied, self._strategy.on_order_denied)

    def _tell(self, event: Any, handler: Any) -> None:
        """Call the handlers as the engine would; the event is ours and must not be folded into journal and view."""
        self._strategy.guard_relayed.add(event.event_id)
        handler(event)
        self._strategy.on_order_event(event)

    def _trader(self) -> TraderId:
        return self._strategy.trader_id or TraderId("NONE-000")
