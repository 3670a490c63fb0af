"""What the safety client knows after the venue has misbehaved, and that it never sends anything twice."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from decimal import Decimal
from typing import Any

import pytest

from execution.safety.budget import Cost, Heard, Hold, Purpose, RateLimits
from execution.safety.client import SafetyClient
from execution.safety.emergency import Emergency
from execution.safety.failures import Banned, NotSent, OutcomeUnknown, Rejected, VenueError, Withheld
from execution.safety.response_class import Consequence, ResponseClass
from tests.adapters.simulated_binance.support import settled, still_scenario
from tests.execution.safety.support import KEYS, Rig, eventually, run

ORDER, CANCEL, CANCEL_ALL = "POST /fapi/v1/order", "DELETE /fapi/v1/order", "DELETE /fapi/v1/allOpenOrders"
HELD = {"positions": {"BTCUSDT": {"quantity": "0.5", "entry_price": "60000"}}}
SEC = 10**9


async def reduce(rig: Rig) -> None:
    await rig.client.reduce("BTCUSDT", "SELL", Decimal("0.1"), "x1")


@pytest.mark.req("O-4")
@pytest.mark.parametrize(
    ("act", "executed"),
    [
        ({"act": "answer", "status": 503, "code": -1001, "execute": True}, True),
        ({"act": "answer", "status": 400, "code": -1000, "execute": True}, True),
        ({"act": "answer", "status": 408, "code": -1007, "execute": True}, True),
        ({"act": "answer", "status": 502, "execute": True}, True),
        ({"act": "drop_answer"}, True),
        ({"act": "drop"}, False),
        ({"act": "hang", "execute": True}, True),
        ({"act": "corrupt"}, True),
        ({"act": "truncate"}, True),
    ],
)
def test_an_order_without_a_clear_answer_is_unknown_and_is_sent_once(act: dict[str, Any], executed: bool) -> None:
    async def story(rig: Rig) -> None:
        await rig.client.open_orders()  # a connection is kept alive: a client that re-sends would do so on a stale one
        rig.fault({"request": ORDER}, act)
        with pytest.raises(OutcomeUnknown) as error:
            await reduce(rig)
        assert error.value.response is ResponseClass.UNKNOWN
        assert error.value.consequence is Consequence.QUERY
        assert rig.requests().count(ORDER) == 1
        found = await rig.client.order("BTCUSDT", wire_id="x1")
        assert (found is not None) is executed

    run(story, still_scenario(account=HELD), timeout_secs=1.0 if act["act"] == "hang" else 5.0)


@pytest.mark.req("O-10")
def test_a_lost_cancel_ack_is_unknown_and_a_query_decides() -> None:
    async def story(rig: Rig) -> None:
        rig.rest("a")
        rig.fault({"request": CANCEL}, {"act": "drop_answer"})
        with pytest.raises(OutcomeUnknown):
            await rig.client.cancel_order("BTCUSDT", wire_id="a")
        assert rig.requests() == [CANCEL]
        found = await rig.client.order("BTCUSDT", wire_id="a")
        assert found is not None
        assert found.status == "CANCELED"

    run(story)


@pytest.mark.req("O-4")
def test_a_refused_connection_is_not_sent() -> None:
    async def story(rig: Rig) -> None:
        await rig.client.open_orders()
        rig.fault({"at_secs": 0}, {"act": "refuse_connections", "secs": 5})
        await eventually(lambda: not rig.server.is_listening)
        with pytest.raises(NotSent) as error:
            await rig.client.cancel_all("BTCUSDT")
        assert error.value.response is ResponseClass.NOT_SENT
        assert rig.requests().count(CANCEL_ALL) == 0
        rig.desk.wait(6)
        await eventually(lambda: rig.server.is_listening)
        await rig.client.cancel_all("BTCUSDT")

    run(story)


def test_a_name_that_nobody_knows_is_not_sent() -> None:
    async def story(rig: Rig) -> None:
        async with SafetyClient("http://no-such-host.invalid", KEYS, rig.budget, rig.client.clock) as lost:
            with pytest.raises(NotSent):
                await lost.cancel_all("BTCUSDT")

    run(story)


@pytest.mark.req("L-8")
def test_429_backs_off_until_retry_after_and_sends_nothing_meanwhile() -> None:
    async def story(rig: Rig) -> None:
        rig.fault({"at_secs": 0}, {"act": "rate_limit", "secs": 7})
        with pytest.raises(Rejected) as limited:
            await rig.client.open_orders()
        assert (limited.value.consequence, limited.value.answer.retry_after_secs) == (Consequence.BACK_OFF, 7.0)
        sent = len(rig.requests())
        with pytest.raises(Withheld, match=r"kept back \(rate_limited\) for 7\.0 s") as held:
            await rig.client.cancel_all("BTCUSDT")
        assert (held.value.wait_ns, held.value.response) == (7 * SEC, ResponseClass.NOT_SENT)
        assert len(rig.requests()) == sent
        rig.desk.wait(7)
        await rig.client.cancel_all("BTCUSDT")

    run(story)


@pytest.mark.req("L-8", "O-10")
def test_418_is_ban_mode_and_one_cancel_all_goes_out_at_the_first_permitted_instant() -> None:
    async def story(rig: Rig) -> None:
        rig.rest("a")
        emergency = Emergency(rig.budget, rig.desk.time)
        rig.fault({"at_secs": 0}, {"act": "ban", "secs": 120})
        with pytest.raises(Banned) as shut:
            await rig.client.cancel_all("BTCUSDT")
        assert shut.value.consequence is Consequence.BAN
        emergency.want(["BTCUSDT"], flatten=True)
        with pytest.raises(Withheld):
            await rig.client.cancel_all("BTCUSDT")
        emergency.want(["BTCUSDT"], flatten=False)
        assert len(rig.requests()) == 1  # what is kept back does not lengthen the ban
        rig.desk.wait((emergency.wait_ns() or 0) / SEC)
        wanted = emergency.take()
        assert wanted is not None
        for symbol in wanted.symbols:
            await rig.client.cancel_all(symbol)
        assert (rig.open_ids(), wanted.flatten, emergency.take()) == ([], True, None)

    run(story)


@pytest.mark.req("R-9", "L-8")
def test_a_cancel_all_goes_out_at_once_while_entries_saturate_the_budget() -> None:
    async def story(rig: Rig) -> None:
        rig.rest("a")
        entries = 0
        while rig.budget.ask(Cost(0, 1), Purpose.ENTRY) is None:
            entries += 1
        assert entries == 8
        rig.fault({"request": "GET *", "times": None}, {"act": "hang"})
        questions = [asyncio.create_task(rig.client.open_orders("BTCUSDT")) for _ in range(40)]
        await eventually(lambda: len(rig.requests()) == 40)  # each keeps a connection busy
        before_ns = rig.desk.time.now_ns
        await rig.client.cancel_all("BTCUSDT")
        assert rig.desk.time.now_ns == before_ns
        assert rig.requests()[40:] == [CANCEL_ALL]
        assert not any(question.done() for question in questions)
        assert rig.open_ids() == []
        held = rig.budget.ask(Cost(0, 1), Purpose.ENTRY)
        assert held is not None
        assert held.reason is Hold.ORDERS
        for question in questions:
            question.cancel()
        await asyncio.gather(*questions, return_exceptions=True)

    run(story, limits=RateLimits(orders_per_10_secs=10))


@pytest.mark.req("R-9", "R-14")
def test_with_all_weight_used_cancels_and_exits_go_out_and_questions_do_not() -> None:
    async def story(rig: Rig) -> None:
        client = rig.client

        def fill() -> None:
            rig.budget.hear(Heard(rig.desk.time.now_ns, 200, {"x-mbx-used-weight-1m": "2400"}))

        rig.rest("a")
        actions: list[Callable[[], Awaitable[object]]] = [
            lambda: client.arm_countdown("BTCUSDT", 30_000),
            lambda: client.protect("BTCUSDT", "SELL", Decimal("58000"), "s1"),
            lambda: client.cancel_algo(wire_id="s1"),
            lambda: client.cancel_order("BTCUSDT", wire_id="a"),
            lambda: client.cancel_all("BTCUSDT"),
            lambda: client.cancel_all_algo("BTCUSDT"),
            lambda: reduce(rig),
        ]
        for number, action in enumerate(actions, 1):
            fill()
            with pytest.raises(Withheld, match="weight"):
                await client.open_orders("BTCUSDT")
            await action()
            assert len(rig.requests()) == number

    run(story, still_scenario(account=HELD))


@pytest.mark.req("R-9")
def test_the_budget_learns_from_headers_what_others_have_used() -> None:
    async def story(rig: Rig) -> None:
        for _ in range(30):
            rig.desk.venue.limits.check("GET /fapi/v1/depth")  # the engine asks, 20 each, from the same address
        await rig.client.open_orders("BTCUSDT")
        assert rig.budget.used()["weight_1m"] == 601 / 700
        assert rig.budget.ask(Cost(), Purpose.ENTRY) is not None
        await rig.client.cancel_all("BTCUSDT")

    run(story, still_scenario(limits={"weight_per_minute": 700}), limits=RateLimits(weight_per_minute=700))


@pytest.mark.req("R-14")
def test_a_throttled_venue_is_a_reject_that_holds_entries_and_lets_the_exit_try_again() -> None:
    async def story(rig: Rig) -> None:
        rig.fault({"request": ORDER}, {"act": "answer", "status": 503, "code": -1008})
        with pytest.raises(Rejected) as throttled:
            await reduce(rig)
        assert throttled.value.consequence is Consequence.BACK_OFF
        assert rig.budget.ask(Cost(0, 1), Purpose.ENTRY) is not None
        await reduce(rig)

    run(story, still_scenario(account=HELD))


def test_a_request_that_left_too_late_is_refused_and_doubts_the_clock() -> None:
    async def story(rig: Rig) -> None:
        rig.fault({"request": ORDER}, {"act": "delay", "secs": 6})
        sending = asyncio.create_task(reduce(rig))
        await eventually(lambda: rig.requests() == [ORDER])
        await settled()
        rig.desk.wait(6)
        with pytest.raises(Rejected) as late:
            await sending
        assert (late.value.code, late.value.consequence) == (-1021, Consequence.CLOCK)

    run(story, still_scenario(account=HELD))


def test_a_doubted_clock_that_cannot_be_measured_does_not_hold_a_cancel_back() -> None:
    async def story(rig: Rig) -> None:
        rig.client.clock.doubted = True
        rig.fault({"request": "GET /fapi/v1/time", "times": None}, {"act": "answer", "status": 502})
        await rig.client.cancel_all("BTCUSDT")
        assert rig.requests() == ["GET /fapi/v1/time", CANCEL_ALL]
        assert "HTTP 502" in rig.client.clock.failure
        with pytest.raises(VenueError, match="GET /fapi/v1/time: UNKNOWN HTTP 502"):
            await rig.client.measure_clock()

    run(story)


def test_an_answer_without_the_fields_it_should_have_is_unknown() -> None:
    async def story(rig: Rig) -> None:
        rig.desk.account.settings = rig.desk.account.settings.model_copy(update={"alias": {"no": "text"}})
        with pytest.raises(OutcomeUnknown, match="accountAlias"):
            await rig.client.balances()

    run(story)


@pytest.mark.req("O-4")
def test_a_query_that_lags_says_none_for_an_order_that_is_open() -> None:
    async def story(rig: Rig) -> None:
        rig.rest("a")
        assert await rig.client.order("BTCUSDT", wire_id="a") is None
        assert [one.wire_id for one in await rig.client.open_orders("BTCUSDT")] == ["a"]
        rig.desk.wait(3)
        assert await rig.client.order("BTCUSDT", wire_id="a") is not None

    run(story, still_scenario(behaviour={"query_lag_secs": 3}))
