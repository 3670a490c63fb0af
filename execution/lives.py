"""The life of every order of a run, fed with engine events; what is illegal or alarming is recorded (O-3).

Orders that are over are remembered for a while, so that a fill that arrives late is seen as what it is.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping
from typing import Any

from execution.journal import RiskEvent
from execution.lifecycle import TERMINAL, Evidence, Happening, OrderLife, Step
from execution.order_care import Decision, OrderCareConfig, care_for
from risk.request import OrderRequest

HAPPENINGS: Mapping[str, tuple[Happening, Evidence]] = {
    "OrderAccepted": (Happening.ACCEPTED, Evidence.STREAM),
    "OrderPendingCancel": (Happening.CANCEL_SENT, Evidence.LOCAL),
    "OrderCancelRejected": (Happening.CANCEL_REFUSED, Evidence.STREAM),
    "OrderCanceled": (Happening.CANCELED, Evidence.STREAM),
    "OrderExpired": (Happening.EXPIRED, Evidence.STREAM),
    "OrderRejected": (Happening.REJECTED, Evidence.STREAM),
    "OrderDenied": (Happening.REJECTED, Evidence.STREAM),  # it never left: as definite as can be
}
REMEMBERED = 1000
_PROTECTIVE = frozenset({"STOP_MARKET", "STOP_LIMIT", "TRAILING_STOP_MARKET", "TRAILING_STOP_LIMIT"})


class Lives:
    """All orders of a run.

    Parameters
    ----------
    config
        Time limits and partial fills.
    record
        Takes what is illegal or alarming.
    """

    def __init__(self, config: OrderCareConfig, record: Callable[[RiskEvent], None]) -> None:
        self.config = config
        self._record = record
        self._open: dict[str, OrderLife] = {}
        self._over: dict[str, OrderLife] = {}
        self._order: deque[str] = deque()

    def get(self, client_order_id: str) -> OrderLife | None:
        """Life of an order; None where it is unknown or long over."""
        return self._open.get(client_order_id) or self._over.get(client_order_id)

    def begin(self, request: OrderRequest) -> None:
        """An order is about to leave."""
        self._open[request.client_order_id] = OrderLife(
            request.client_order_id, request.quantity, request.ts_ns, is_exit=request.reduce_only,
            is_protective=request.reduce_only and request.order_type in _PROTECTIVE,
        )  # fmt: skip

    def drop(self, client_order_id: str) -> None:
        """Forget an order that was admitted and never sent."""
        self._open.pop(client_order_id, None)

    def apply(self, event: Any) -> Step | None:
        """Take one engine event; None where it says nothing about the state."""
        life = self.get(str(event.client_order_id))
        if life is None:
            return None
        kind = type(event).__name__
        if kind == "OrderFilled":
            return self._after(life, life.fill(event.ts_event, str(event.trade_id), event.last_qty.as_decimal()))
        if kind == "OrderUpdated":
            life.quantity = event.quantity.as_decimal()
            return None
        known = HAPPENINGS.get(kind)
        return None if known is None else self._after(life, life.apply(event.ts_event, *known))

    def due(self, ts_ns: int) -> list[Decision]:
        """What is to be done about unanswered, partly filled and resting orders; ask once a second."""
        return care_for(self._open.values(), ts_ns, self.config)

    def _after(self, life: OrderLife, step: Step) -> Step:
        if not step.legal or step.alert:
            self._record(_as_event(step))
        order_id = life.client_order_id
        if life.status in TERMINAL:
            if self._open.pop(order_id, None) is not None:
                self._remember(life)
        elif order_id in self._over:
            self._open[order_id] = self._over.pop(order_id)
        return step

    def _remember(self, life: OrderLife) -> None:
        self._over[life.client_order_id] = life
        self._order.append(life.client_order_id)
        if len(self._order) > REMEMBERED:
            self._over.pop(self._order.popleft(), None)


def _as_event(step: Step) -> RiskEvent:
    figures = {
        "from": str(step.from_status),
        "to": str(step.to_status),
        "what": step.what,
        "evidence": str(step.evidence),
    }
    level = "soft" if step.legal else "hard"
    return RiskEvent(step.ts_ns, "order", step.client_order_id, "", str(step.to_status), level, step.detail, figures)
