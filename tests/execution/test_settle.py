"""What the end of a run may declare over: everything where its venue ended with it, nothing where the venue did not answer."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import pytest

from execution.journal import MemoryJournal
from execution.settle import settle_orders
from tests.execution.test_journals import order


@dataclass
class EngineOrder:
    """An order that the engine has open."""

    ts_last: int = 900
    told: list[Any] = field(default_factory=list)

    def events(self) -> list[Any]:
        """Nothing that the journal does not know."""
        return self.told


class Cache:
    """Knows ``h1``, and never saw ``h2``."""

    def order(self, order_id: Any) -> EngineOrder | None:
        """One order."""
        return EngineOrder() if str(order_id) == "h1" else None


def journal() -> MemoryJournal:
    """One order that works, one that never left."""
    made = MemoryJournal()
    made.order(order("h1"), None)
    made.order(order("h2"), None)
    made.event(200, "h1", "OrderAccepted", "ACK")
    made.event(300, "h1", "OrderPendingCancel", "PENDING_CANCEL")
    return made


def states(made: MemoryJournal) -> dict[str, str]:
    """Status by id."""
    return {name: row["status"] for name, row in made.orders.items()}


def test_where_the_venue_has_ended_with_the_run_every_order_is_over() -> None:
    made = journal()
    settle_orders(made, Cache())
    assert states(made) == {"h1": "CANCELED", "h2": "DENIED"}


@pytest.mark.req("O-3")
def test_where_the_venue_did_not_answer_no_order_is_declared_over() -> None:
    made = journal()
    settle_orders(made, Cache(), over=False)
    assert states(made) == {"h1": "PENDING_CANCEL", "h2": "NEW"}
    assert [event for _, _, event, _ in made.events if event in ("EndOfRun", "OrderDenied")] == []
