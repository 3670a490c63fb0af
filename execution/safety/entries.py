"""Entries ask the rate budget before they leave, so that the last fifth is there for cancels, queries and exits (R-9)."""

from __future__ import annotations

from execution.safety.budget import Cost, Purpose, RateBudget
from risk.request import OrderRequest

ORDER = Cost(weight=0, orders=1)
"""What `POST /fapi/v1/order` takes: it is counted as an order and weighs nothing."""


class EntryBudget:
    """Counts every order of the engine; keeps entries back where the reserve begins.

    Parameters
    ----------
    budget
        Of the account's address.
    """

    def __init__(self, budget: RateBudget) -> None:
        self._budget = budget

    def take(self, request: OrderRequest) -> str | None:
        """Take one order from the budget; return why it has to wait, or None. Exits are counted and never wait."""
        is_exit = request.reduce_only or request.closes_own
        held = self._budget.ask(ORDER, Purpose.EXIT if is_exit else Purpose.ENTRY)
        if held is None or is_exit:
            return None
        return f"the rest of the venue's budget is for cancels, queries and exits ({held.reason}) for {held.wait_ns / 1e9:.1f} s"
