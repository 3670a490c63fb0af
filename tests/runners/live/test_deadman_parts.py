"""Countdown and protective stops against a venue whose time only the test moves: what the venue's ledger says decides."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from decimal import Decimal
from typing import Any

import pytest

from adapters.simulated_binance.settings import Scenario
from execution.deadman.countdown import Timing
from execution.deadman.liveness import Signs
from execution.journal import MemoryJournal
from execution.safety.budget import RateLimits
from execution.safety.limits import countdown_share
from risk.view import WorkingOrder
from runners.live.account import Account
from runners.live.closes import PROTECTIVE, JournaledCloses
from runners.live.deadman.countdown import CountdownTask
from runners.live.deadman.looking import look
from runners.live.deadman.stops import ProtectiveStops
from tests.adapters.simulated_binance.support import still_scenario
from tests.execution.safety.support import Rig, eventually, run

SECOND = 1_000_000_000
OURS, TICKS = "x-aHRE4BCj-Rt1zzzzzz00000a", {"BTCUSDT": Decimal("0.1")}


class Guarded:
    """A countdown and stops of one account at a rig."""

    def __init__(self, rig: Rig) -> None:
        self.rig, self.loops, self.wanted, self.problem = rig, 1, True, ""
        self.fired: list[str] = []
        self.alerts: list[str] = []
        self.closing: list[str] = []
        self.looked_ns: int | None = rig.desk.time()
        self.countdown = CountdownTask(
            rig.client, ("BTCUSDT",), Timing(30 * SECOND, 15 * SECOND // 2), self._signs, lambda: self.wanted,
            self.fired.append, rig.desk.time,
        )  # fmt: skip
        self.journal = MemoryJournal()
        self.account = Account(rig.client, "t1", {"BTCUSDT"})
        closes = JournaledCloses(self.journal, "t1", rig.desk.time)
        self.stops = ProtectiveStops(
            rig.client, closes, "t1", TICKS, 5, lambda _: rig.desk.position, self.alerts.append, self.closing.append,
            monotonic_ns=rig.desk.time,
        )  # fmt: skip

    def _signs(self) -> Signs:
        return Signs(self.loops, None, self.looked_ns, self.problem or None)

    async def turn(self) -> bool:
        """One turn of the companion's loop; the requests that it sends are answered before this returns."""
        needs_look = self.countdown.turn()
        while self.countdown._asking:
            await asyncio.sleep(0.001)
        return needs_look

    async def follow(self) -> bool:
        """Look at the account and bring the stops in line."""
        return await self.stops.follow(await look(self.account, self.rig.desk.time))

    def live(self) -> None:
        """The trading loop turns, and the account is looked at."""
        self.loops, self.looked_ns = self.loops + 1, self.rig.desk.time()

    @property
    def waiting(self) -> list[tuple[str, str]]:
        """Side and client id of conditional orders at the venue."""
        return [(order.ticket.side.name, order.client_id) for order in self.rig.desk.exchange.algo.open_orders()]

    def rows(self) -> list[tuple[str, str, str]]:
        """Side, status and source of the journal's orders."""
        return [(row["side"], row["status"], row["source"]) for row in self.journal.orders.values()]


def guarded(story: Callable[[Guarded], Awaitable[None]], scenario: Scenario | None = None) -> None:
    async def told(rig: Rig) -> None:
        await story(Guarded(rig))

    run(told, scenario)


def countdowns(rig: Rig) -> list[int]:
    """Every countdown that the venue was told, ms."""
    return [row["countdown_ms"] for row in rig.desk.venue.ledger.of("countdown") if not row["fired"]]


def fired(rig: Rig) -> int:
    return sum(row["fired"] for row in rig.desk.venue.ledger.of("countdown"))


@pytest.mark.req("X-4")
def test_a_living_node_refreshes_every_seven_and_a_half_seconds_and_its_orders_stay() -> None:
    async def story(one: Guarded) -> None:
        one.rig.rest(OURS)
        for _ in range(240):  # two minutes
            one.live()
            await one.turn()
            one.rig.desk.wait(0.5)
        assert countdowns(one.rig) == [30_000] * 16
        assert (fired(one.rig), one.rig.open_ids()) == (0, [OURS])

    guarded(story)


@pytest.mark.req("X-4")
@pytest.mark.parametrize("lacks", ["loops", "news", "journal"])
def test_a_node_that_lacks_one_sign_of_life_sends_no_refresh_and_the_venue_cancels(lacks: str) -> None:
    async def story(one: Guarded) -> None:
        one.rig.rest(OURS)
        await one.turn()
        assert one.countdown.countdowns.shut("BTCUSDT") is None
        needed_look = False
        for _ in range(70):
            one.loops += lacks != "loops"
            one.looked_ns = one.looked_ns if lacks == "news" else one.rig.desk.time()
            one.problem = "disk full" if lacks == "journal" else ""
            one.rig.desk.wait(0.5)
            needed_look = await one.turn() or needed_look
        assert countdowns(one.rig) == [30_000]
        assert (fired(one.rig), one.rig.open_ids()) == (1, [])
        assert needed_look is (lacks == "news")
        assert "ran out" in str(one.countdown.countdowns.shut("BTCUSDT"))

    guarded(story)


@pytest.mark.req("X-4")
def test_refreshes_that_get_no_answer_are_tried_each_second_and_four_tries_fit_in_any_case() -> None:
    async def story(one: Guarded) -> None:
        await one.turn()
        one.rig.fault({"request": "POST /fapi/v1/countdownCancelAll", "times": None}, {"act": "drop"})
        for _ in range(59):
            one.live()
            one.rig.desk.wait(0.5)
            await one.turn()
        tries = one.rig.requests().count("POST /fapi/v1/countdownCancelAll") - 1
        assert tries >= 20
        assert "an entry needs half" in str(one.countdown.countdowns.shut("BTCUSDT"))
        assert one.countdown.lacks.startswith("POST /fapi/v1/countdownCancelAll")

    guarded(story)


@pytest.mark.req("X-4")
def test_halted_flat_and_empty_lets_it_lapse_and_nobody_ever_sends_zero() -> None:
    async def story(one: Guarded) -> None:
        await one.turn()
        one.wanted = False
        for _ in range(70):
            one.live()
            one.rig.desk.wait(0.5)
            await one.turn()
        assert (countdowns(one.rig), fired(one.rig)) == ([30_000], 1)
        with pytest.raises(ValueError, match="never disarmed"):
            await one.rig.client.arm_countdown("BTCUSDT", 0)

    guarded(story)


class OrderCanceled:
    """An event of the engine."""


@pytest.mark.req("X-4")
@pytest.mark.parametrize(("asked", "told"), [(False, 1), (True, 0)])
def test_a_cancel_near_the_end_is_a_firing_unless_we_asked_for_it(asked: bool, told: int) -> None:
    async def story(one: Guarded) -> None:
        await one.turn()
        one.rig.desk.wait(30)
        order: Any = WorkingOrder("t1", "s", "BTCUSDT-PERP.BINANCE", 1, None, Decimal(1), False, 0)  # type: ignore[arg-type]
        order.pending_cancel = asked
        one.countdown.hear(OrderCanceled(), order)
        assert len(one.fired) == told
        assert one.countdown.private_ns == one.rig.desk.time()

    guarded(story)


@pytest.mark.req("X-4")
@pytest.mark.parametrize(("symbols", "refresh", "share"), [(6, 7.5, 0.2), (24, 30, 0.2), (1, 7.5, 80 / 2400)])
def test_the_budget_of_the_refreshes_is_that_of_the_specification(symbols: int, refresh: float, share: float) -> None:
    assert countdown_share(symbols, refresh, RateLimits()) == pytest.approx(share)


# Protective stops -----------------------------------------------------------------------------------------------------


@pytest.mark.req("X-4", "O-10")
def test_a_position_gets_its_stop_which_is_journaled_and_goes_once_it_is_flat() -> None:
    async def story(one: Guarded) -> None:
        desk = one.rig.desk
        assert (one.stops.wanting(), await one.follow()) == ([], False)
        desk.place("BUY", "0.100")
        assert one.stops.wanting() == ["BTCUSDT"]
        assert await one.follow() is True
        assert [side for side, _ in one.waiting] == ["SELL"]
        assert one.stops.wanting() == []
        stop = one.rig.desk.exchange.algo.open_orders()[0]
        assert (stop.ticket.close_position, desk.market.contract.price.value(stop.ticket.stop_price)) == (
            True,
            Decimal("57000.1"),
        )
        assert one.rows() == [("SELL", "ACK", PROTECTIVE)]
        desk.place("BUY", "0.300")  # more of the same side needs no other stop
        assert await one.follow() is False
        desk.place("SELL", "0.400", reduceOnly="true")
        assert one.stops.wanting() == ["BTCUSDT"]
        assert await one.follow() is True
        assert (one.waiting, one.rows()) == ([], [("SELL", "CANCELED", PROTECTIVE)])
        assert (await one.follow(), one.stops.wanting(), one.alerts) == (False, [], [])

    guarded(story)


@pytest.mark.req("X-4")
def test_when_the_side_turns_there_is_a_right_stop_before_the_wrong_one_goes() -> None:
    async def story(one: Guarded) -> None:
        one.rig.desk.place("BUY", "0.100")
        await one.follow()
        one.rig.desk.place("SELL", "0.200")
        assert one.stops.wanting() == ["BTCUSDT"]
        await one.follow()
        assert [side for side, _ in one.waiting] == ["BUY"]
        steps = [(row["side"], row["algoStatus"]) for row in one.rig.desk.venue.ledger.of("algo_order")]
        assert steps == [("SELL", "NEW"), ("BUY", "NEW"), ("SELL", "CANCELED")]

    guarded(story)


@pytest.mark.req("X-4")
def test_three_seconds_without_a_confirmed_stop_shut_entries_with_one_alert_until_there_is_one() -> None:
    async def story(one: Guarded) -> None:
        one.rig.fault(
            {"request": "POST /fapi/v1/algoOrder", "times": 3}, {"act": "answer", "status": 503, "code": -1001}
        )
        one.rig.desk.place("BUY", "0.100")
        for _ in range(3):
            one.stops.wanting()
            await one.follow()
            one.rig.desk.wait(1.0)
        assert one.stops.shut() is None  # exactly three seconds
        one.rig.desk.wait(0.1)
        for _ in range(3):
            one.stops.wanting()
        assert "BTCUSDT has had no protective stop for 3.1 s: POST /fapi/v1/algoOrder" in str(one.stops.shut())
        assert len(one.alerts) == 1
        await one.follow()
        assert (one.stops.wanting(), one.stops.shut()) == ([], None)
        assert one.alerts[1:] == ["BTCUSDT has its protective stop again, or no position any more: entries may go"]
        assert one.rows().count(("SELL", "ACK", PROTECTIVE)) == 1

    guarded(story)


@pytest.mark.req("X-4")
def test_a_stop_whose_answer_was_lost_is_found_and_not_placed_twice() -> None:
    async def story(one: Guarded) -> None:
        one.rig.fault({"request": "POST /fapi/v1/algoOrder"}, {"act": "drop_answer"})
        one.rig.desk.place("BUY", "0.100")
        await one.follow()
        assert one.stops.wanting() == ["BTCUSDT"]  # sent is not confirmed
        assert await one.follow() is False
        assert (one.stops.wanting(), len(one.waiting)) == ([], 1)
        assert one.rows() == [("SELL", "ACK", PROTECTIVE)]

    guarded(story)


@pytest.mark.req("X-4", "O-9")
def test_an_adopted_position_lets_no_entry_through_before_its_stop_is_confirmed_however_young_the_session_is() -> None:
    async def story(one: Guarded) -> None:
        one.rig.desk.place("BUY", "0.100")
        one.stops._adopted = {"BTCUSDT", "ETHUSDT"}
        assert one.stops.shut() == "BTCUSDT was adopted, the venue has not confirmed its protective stop yet"
        one.rig.fault({"request": "POST /fapi/v1/algoOrder"}, {"act": "answer", "status": 503, "code": -1001})
        await one.follow()  # placed, and nobody knows whether it got there
        assert "BTCUSDT was adopted, POST /fapi/v1/algoOrder" in str(one.stops.shut())
        await one.follow()
        assert one.stops.shut() == "ETHUSDT was adopted, the venue has not confirmed its protective stop yet"
        one.stops._adopted = {"BTCUSDT"}
        await one.follow()  # one that is there already is enough, as is a position that is gone
        assert one.stops.shut() is None

    guarded(story)


@pytest.mark.req("X-4")
def test_a_stop_without_an_answer_that_was_reached_meanwhile_is_left_to_its_trades() -> None:
    async def story(one: Guarded) -> None:
        one.rig.fault({"request": "POST /fapi/v1/algoOrder"}, {"act": "drop_answer"})
        one.rig.desk.place("BUY", "0.100")
        await one.follow()
        one.rig.desk.show({60000.0: 0.0, 56000.0: 9.0}, {60000.1: 0.0, 56000.1: 9.0})
        one.rig.desk.wait(2)
        await eventually(lambda: one.rig.desk.position == 0)
        one.rig.desk.wait(9)  # its fence is over
        await one.follow()
        assert one.rows() == [("SELL", "NEW", PROTECTIVE)]
        await one.follow()
        assert one.rig.requests().count("GET /fapi/v1/algoOrder") == 1  # asked once

    guarded(story)


@pytest.mark.req("X-4")
def test_a_stop_that_would_trigger_at_once_closes_the_position_through_the_halt_path() -> None:
    async def story(one: Guarded) -> None:
        one.rig.desk.place("BUY", "0.100")
        one.rig.fault(
            {"request": "POST /fapi/v1/algoOrder"}, {"act": "answer", "status": 400, "code": -2021, "msg": "x"}
        )
        await one.follow()
        assert one.closing == [
            "BTCUSDT is beyond its protective stop at 57000.1 already: the position is closed at the market"
        ]
        assert one.rows() == [("SELL", "REJECTED", PROTECTIVE)]

    guarded(story)


@pytest.mark.req("X-4")
@pytest.mark.parametrize("reaches", [False, True])
def test_what_the_countdown_takes_is_noticed_and_placed_again(reaches: bool) -> None:
    async def story(one: Guarded) -> None:
        one.rig.desk.place("BUY", "0.100")
        await one.follow()
        await one.turn()
        one.rig.rest(OURS)
        one.rig.desk.wait(31)  # nobody refreshes: host or link are gone
        assert one.rig.open_ids() == []
        assert (one.waiting == []) is reaches
        assert await one.follow() is reaches
        assert [side for side, _ in one.waiting] == ["SELL"]
        assert [status for _, status, _ in one.rows()] == (["CANCELED", "ACK"] if reaches else ["ACK"])

    guarded(story, still_scenario(behaviour={"countdown_reaches_algo_orders": reaches}))


def test_an_entry_that_went_out_before_stays_protected_by_the_stop_that_was_reached() -> None:
    async def story(one: Guarded) -> None:
        desk = one.rig.desk
        desk.place("BUY", "0.100")
        await one.follow()
        desk.show({60000.0: 0.0, 56000.0: 9.0}, {60000.1: 0.0, 56000.1: 9.0})
        desk.wait(2)
        await eventually(lambda: desk.position == 0)
        await one.follow()
        assert one.rows() == [("SELL", "ACK", PROTECTIVE)]  # its fill is booked by its trades, not here
        assert one.waiting == []

    guarded(story)
