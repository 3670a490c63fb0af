"""O-4, O-5, O-7: what is to be done about partly filled, unanswered and resting orders. Decisions only; nothing is sent here."""

from __future__ import annotations

import enum
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from execution.lifecycle import OPEN, OrderLife, Status


class PartialFillPolicy(BaseModel):
    """What becomes of the rest of a partly filled order."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    policy: Literal["keep", "cancel_rest", "take_rest"] = Field(
        default="keep",
        description="keep; cancel_rest after after_secs; take_rest: exits take the rest at market, entries keep theirs",
    )
    after_secs: float = Field(default=10, ge=0, le=86_400, description="Since the first fill, seconds")


class OrderCareConfig(BaseModel):
    """Time limits of orders."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    ack_timeout_ms: int = Field(
        default=3000, ge=100, le=60_000, description="Without an answer for this long an order is queried, milliseconds"
    )
    unacked_cancel_secs: float = Field(
        default=10, gt=0, le=600, description="Without an answer for this long it is cancelled as well, seconds"
    )
    resting_order_max_age_secs: float = Field(
        default=120, gt=0, le=604_800, description="A resting order older than this is cancelled, seconds"
    )
    partial_fill: PartialFillPolicy = Field(default_factory=PartialFillPolicy, description="The rest of a partial fill")

    @model_validator(mode="after")
    def _query_before_cancel(self) -> Self:
        if self.unacked_cancel_secs * 1000 < self.ack_timeout_ms:
            raise ValueError(
                f"unacked_cancel_secs {self.unacked_cancel_secs:g} is below ack_timeout_ms {self.ack_timeout_ms}: "
                "an order is queried before it is cancelled"
            )
        return self


class Care(enum.StrEnum):
    """What to do."""

    QUERY = "query"
    CANCEL = "cancel"
    CANCEL_AND_TAKE = "cancel_and_take"


@dataclass(frozen=True, slots=True)
class Decision:
    """One thing to do about one order.

    Attributes
    ----------
    client_order_id, care
        Of which order, and what. CANCEL_AND_TAKE: cancel, and when that is confirmed close the rest at market, reduce-only,
        sized from a fresh position.
    why
        Recorded with it.
    """

    client_order_id: str
    care: Care
    why: str


def care_for(orders: Iterable[OrderLife], ts_ns: int, config: OrderCareConfig) -> list[Decision]:
    """Decide for every order, in the order given; at most one decision each. Ask once a second or so."""
    decided = ((order, _decide(order, ts_ns, config)) for order in orders if order.status in OPEN)
    return [Decision(order.client_order_id, *decision) for order, decision in decided if decision is not None]


def _decide(order: OrderLife, ts_ns: int, config: OrderCareConfig) -> tuple[Care, str] | None:
    if order.status in (Status.NEW, Status.UNKNOWN, Status.PENDING_CANCEL):
        return _unanswered(order, ts_ns, config)
    if order.is_protective:
        return None
    return _partly_filled(order, ts_ns, config.partial_fill) or _stale(order, ts_ns, config)


def _unanswered(order: OrderLife, ts_ns: int, config: OrderCareConfig) -> tuple[Care, str] | None:
    waited_secs = (ts_ns - order.changed_ns) / 1e9
    if order.status is not Status.UNKNOWN and waited_secs * 1000 < config.ack_timeout_ms:
        return None
    total_secs = (ts_ns - order.sent_ns) / 1e9
    if order.status is Status.NEW and not order.is_protective and total_secs >= config.unacked_cancel_secs:
        return Care.CANCEL, f"not acknowledged for {total_secs:.1f} s"
    return Care.QUERY, f"{order.status} for {waited_secs:.1f} s"


def _partly_filled(order: OrderLife, ts_ns: int, policy: PartialFillPolicy) -> tuple[Care, str] | None:
    if order.status is not Status.PARTIALLY_FILLED or policy.policy == "keep":
        return None
    waited_secs = (ts_ns - order.first_fill_ns) / 1e9
    if waited_secs < policy.after_secs:
        return None
    why = f"{order.filled} of {order.quantity} filled {waited_secs:.1f} s ago"
    if policy.policy == "cancel_rest":
        return Care.CANCEL, why
    return (Care.CANCEL_AND_TAKE, why) if order.is_exit else None


def _stale(order: OrderLife, ts_ns: int, config: OrderCareConfig) -> tuple[Care, str] | None:
    rested_secs = (ts_ns - order.sent_ns) / 1e9
    if rested_secs < config.resting_order_max_age_secs:
        return None
    return Care.CANCEL, f"rested {rested_secs:.0f} s"
