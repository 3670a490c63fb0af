"""The life of every order of a run, fed with engine events; what is illegal or alarming is recorded (O-3).

Orders that are over are remembered for a while, so that a fill that arrives late is seen as what it is.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping
from decimal import Decimal
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

    Attributes
    ----------
    moved
        Told of every step that no engine event has made, and of every order that was over and is not any more: the journal's state
        follows (`execution.services`).
    definite
        Whether a reject proves that the order will never live; live, many do not (`runners.live.doubts`).
    """

    def __init__(self, config: OrderCareConfig, record: Callable[[RiskEvent], None]) -> None:
        self.config = config
        self.moved: Callable[[Step], None] = _nobody
        self.definite: Callable[[Any], bool] = _always
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
        if known is None:
            return None
        definite = kind != "OrderRejected" or self.definite(event)
        return self._after(life, life.apply(event.ts_event, *known, definite=definite))

    def filled(self, client_order_id: str, ts_ns: int, trade_id: str, quantity: Decimal) -> Step | None:
        """Take a trade that the venue lists and no engine event has told; None where the order is unknown."""
        life = self.get(client_order_id)
        return None if life is None else self._after(life, life.fill(ts_ns, trade_id, quantity, Evidence.QUERY))

    def happened(
        self, client_order_id: str, ts_ns: int, what: Happening, evidence: Evidence, *, definite: bool = True,
        after_fence: bool = False,
    ) -> Step | None:  # fmt: skip
        """Take what a query or a timer has shown; see `execution.lifecycle.OrderLife.apply`. None where the order is unknown."""
        life = self.get(client_order_id)
        if life is None:
            return None
        step = self._after(life, life.apply(ts_ns, what, evidence, definite=definite, after_fence=after_fence))
        if step.legal and step.from_status is not step.to_status and not _reopened(step):
            self.moved(step)
        return step

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
        if step.legal and _reopened(step):
            self.moved(step)
        return step

    def _remember(self, life: OrderLife) -> None:
        self._over[life.client_order_id] = life
        self._order.append(life.client_order_id)
        if len(self._order) > REMEMBERED:
            self._over.pop(self._order.popleft(), None)


def _nobody(_step: Step) -> None:
    """Nobody listens yet."""


def _always(_event: Any) -> bool:
    """A simulated venue says what it means."""
    return True


def _reopened(step: Step) -> bool:
    return step.from_status in TERMINAL and step.to_status not in TERMINAL


def _as_event(step: Step) -> RiskEvent:
    figures = {
        "from": str(step.from_status),
        "to": str(step.to_status),
        "what": step.what,
        "evidence": str(step.evidence),
    }
    level = "soft" if step.legal else "hard"
    return RiskEvent(step.ts_ns, "order", step.client_order_id, "", str(step.to_status), level, step.detail, figures)
