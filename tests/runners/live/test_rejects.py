"""What an engine's reject asks for beyond the order's end: the table of `recovery.md` 3, on clocks that stand still."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import Any

import pytest

from execution.safety.budget import Cost, Hold, Purpose, RateBudget, RateLimits
from execution.safety.failures import Answer, OutcomeUnknown
from execution.safety.response_class import UNKNOWN
from execution.safety.venue_clock import VenueClock
from risk.verdict import Reason
from runners.live import rejects as module
from runners.live.rejects import Rejects
from tests.risk.account import order

SAID = "submit-order-error: Binance error {} (HTTP {}): words"


class OrderRejected:
    """An event of the engine."""

    def __init__(self, code: int, status: int = 400, **more: Any) -> None:
        self.reason, self.due_post_only = SAID.format(code, status), False
        self.client_order_id, self.instrument_id = "h1a", "BTCUSDT-PERP.BINANCE"
        self.__dict__ |= more


class Venue:
    """Answers by-id questions, in turn: an error, nothing, an order."""

    def __init__(self, *answers: Any) -> None:
        self.clock = VenueClock(lambda: 7, lambda: 7)
        self.budget = RateBudget(RateLimits(), lambda: 7)
        self.answers = list(answers)
        self.asked: list[str] = []

    async def order(self, symbol: str, *, wire_id: str) -> Any:
        """See `Reads.order`."""
        self.asked.append(f"{symbol} {wire_id}")
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer


def heard(venue: Any, *events: object) -> tuple[list[str], Any]:
    """Hear events; return the orders that were doubted, and the lock."""
    doubted: list[str] = []
    services: Any = SimpleNamespace(relay=SimpleNamespace(listeners=[]), gate=SimpleNamespace(locks=[]))

    async def story() -> None:
        rejects = Rejects(venue, services, 10, doubted.append)
        for event in events:
            services.relay.listeners[0](event, None)
        for _ in range(400):
            if not rejects._tasks:
                break
            await asyncio.sleep(0.005)
        await rejects.stop()

    asyncio.run(story())
    return doubted, services.gate.locks[0]


@pytest.mark.req("R-8", "O-4")
@pytest.mark.parametrize("code", [-1021, -5028])
def test_a_timestamp_that_the_venue_refused_shuts_entries_until_the_clock_is_measured(code: int) -> None:
    venue = Venue()
    _, lock = heard(venue, OrderRejected(code))
    refused = lock(order())
    assert (refused.reason, venue.clock.doubted) == (Reason.BREAKER, True)
    venue.clock.adopt([venue.clock.read(8, 7)])
    assert lock(order()) is None
    assert venue.asked == []


@pytest.mark.req("O-4", "R-9")
@pytest.mark.parametrize(("code", "status"), [(-1008, 503), (-1015, 429), (-1003, 429), (-1, 403)])
@pytest.mark.parametrize(("there", "doubted"), [(None, []), (SimpleNamespace(status="NEW"), ["h1a"])])
def test_a_throttled_order_holds_entries_and_is_asked_about_once_after_its_fence(
    monkeypatch: pytest.MonkeyPatch, code: int, status: int, there: Any, doubted: list[str]
) -> None:
    monkeypatch.setattr(module, "AGAIN_SECS", 0.0)
    lost = OutcomeUnknown(Answer("GET /fapi/v1/order", 503), UNKNOWN)
    venue = Venue(lost, there)  # a question without an answer is none
    found, _ = heard(venue, OrderRejected(code, status))
    assert (found, len(venue.asked)) == (doubted, 2)
    held = venue.budget.ask(Cost(0, 1), Purpose.ENTRY)
    assert held is not None
    assert held.reason is Hold.BACK_OFF
    assert venue.budget.ask(Cost(0, 1), Purpose.EXIT) is None


@pytest.mark.parametrize(
    "event", [OrderRejected(-2019), OrderRejected(-5022, due_post_only=True), SimpleNamespace(reason=SAID.format(-1008, 503))]
)  # fmt: skip
def test_any_other_answer_asks_for_nothing(event: object) -> None:
    venue = Venue()
    assert heard(venue, event)[0] == []
    assert (venue.asked, venue.clock.doubted, venue.budget.ask(Cost(0, 1), Purpose.ENTRY)) == ([], False, None)
