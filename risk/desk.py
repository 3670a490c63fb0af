"""What one strategy is given of the gate's side: the account view, its policy, and where it states an order's purpose."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from risk.policy import Policy
from risk.request import NO_PURPOSE, OrderRequest, Purpose
from risk.verdict import Refused
from risk.view import AccountView


def _unrecorded(request: OrderRequest, refused: Refused) -> None:
    raise RuntimeError(f"no journal to record the refusal of {request.client_order_id}: {refused.detail}")


def _never_closed(_instrument_id: str, _ts_ns: int) -> Refused | None:
    return None


@dataclass(slots=True)
class Desk:
    """One per strategy, set by the wiring before the run.

    Attributes
    ----------
    strategy_id
        The id of the configuration; stands in every table.
    view
        The account.
    policy
        What the gate demands of this strategy.
    next_id
        Makes client order ids.
    trading_start_ns, trading_end_ns
        Warm-up ends at the first; at the second positions are closed, where the configuration says so.
    purpose
        Of the order that is submitted next; the guard takes it with the order.
    refuse
        Records a wish that cannot become an order, such as a size below one step.
    closed
        What shuts every entry of an instrument now: asking again would be refused for the same reason.
    reprice
        Set by the strategy: tries a post-only entry again after the venue refused it.
    moved
        Set by the strategy: called after each event of its positions.
    """

    strategy_id: str
    view: AccountView
    policy: Policy
    next_id: Callable[[], str]
    trading_start_ns: int = 0
    trading_end_ns: int | None = None
    purpose: Purpose = NO_PURPOSE
    refuse: Callable[[OrderRequest, Refused], None] = _unrecorded
    closed: Callable[[str, int], Refused | None] = _never_closed
    reprice: Callable[[str], None] | None = None
    moved: Callable[[], None] | None = None

    def take_purpose(self) -> Purpose:
        """Return the stated purpose and clear it."""
        purpose, self.purpose = self.purpose, NO_PURPOSE
        return purpose
