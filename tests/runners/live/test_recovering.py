"""O-6: an account is recovered against a real venue and a real journal file, whatever the node that died has left."""

from __future__ import annotations

import asyncio
import sqlite3
import time
from collections.abc import Callable
from contextlib import closing
from decimal import Decimal
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from errors import RunFailed, SafetyRefusal, SplitBrainFound
from execution.recovery.model import Accepted
from execution.safety.wire_ids import wire_id
from runners.live.closes import JournaledCloses
from tests.adapters.simulated_binance.support import STILL, still_scenario
from tests.runners.live.recovering_support import BTC, DeadNode, World, recover, said, told

D = Decimal
LISTED = "/fapi/v1/openOrders"


@pytest.mark.req("O-6", "O-9")
def test_a_resting_order_is_cancelled_and_its_row_ends_as_the_venue_has_it(tmp_path: Path) -> None:
    async def story(here: World) -> None:
        node = DeadNode(here)
        name = node.row()
        here.place(name)
        node.dies()
        await recover(here)
        assert here.exchange.desk.open_orders() == []
        assert (here.row(name).status, here.row(name).filled_quantity) == ("CANCELED", D(0))
        assert ("found", f"order {name} BTCUSDT BUY 0.010: cancelled, {name} BTCUSDT BUY 0.010 is NEW in the journal, NEW at the "
                "venue with 0.000 executed") in here.lines  # fmt: skip

    told(tmp_path, story)


@pytest.mark.req("O-6", "O-8")
def test_a_fill_while_down_is_booked_once_with_its_fee_and_the_position_is_adopted(tmp_path: Path) -> None:
    async def story(here: World) -> None:
        node = DeadNode(here)
        name = node.row(price=None)
        here.place(name, price=None)
        node.dies()
        recovered = await recover(here)
        fills = here.file.fills
        assert (here.row(name).status, here.row(name).filled_quantity) == ("FILLED", D("0.010"))
        assert [(one.client_order_id, one.strategy_id) for one in fills] == [(name, "s1")] * len(fills)
        assert sum(one.fee for one in fills) == sum(one.fee for one in here.exchange.desk.fills)
        assert dict(recovered.positions) == {BTC: D("0.010")}
        await recover(here)
        assert here.file.fills == fills  # once, also by the second recovery

    told(tmp_path, story)


@pytest.mark.req("O-4", "O-6")
def test_an_order_that_arrives_within_its_fence_is_found_and_cancelled(tmp_path: Path) -> None:
    async def story(here: World) -> None:
        node = DeadNode(here)
        name = node.row()
        asyncio.get_running_loop().call_later(0.6, here.place, name)  # after its signature, however slow the death
        node.dies()
        await recover(here)
        assert [order.status for order in here.exchange.desk.orders.values()] == ["CANCELED"]
        assert here.row(name).status == "CANCELED"

    told(tmp_path, story)


@pytest.mark.req("O-4", "O-6")
def test_an_order_that_never_arrived_is_not_executed_once_its_fence_is_over(tmp_path: Path) -> None:
    async def story(here: World) -> None:
        node = DeadNode(here)
        name = node.row()
        node.dies()
        await recover(here)
        assert here.client.clock.ms() - here.row(name).signed_ms >= 1000
        assert here.row(name).status == "NOT_EXECUTED"
        assert "may arrive for another" in said(here)

    told(tmp_path, story)


@pytest.mark.req("O-4")
def test_a_by_id_lag_never_makes_an_executed_order_absent(tmp_path: Path) -> None:
    """By-id questions answer -2013 for three seconds after acceptance, longer than this test's fence: the lists know better."""

    async def story(here: World) -> None:
        node = DeadNode(here)
        filled, resting = node.row(price=None), node.row()
        here.place(filled, price=None)
        here.place(resting)
        node.dies()
        await recover(here)
        assert (here.row(filled).status, here.row(resting).status) == ("FILLED", "CANCELED")
        assert here.exchange.desk.open_orders() == []

    told(tmp_path, story, still_scenario(behaviour={"query_lag_secs": 3}))


@pytest.mark.req("O-6")
@pytest.mark.parametrize("status", ["REJECTED", "CANCELED"])
def test_an_order_that_the_node_took_for_over_is_cancelled_and_its_fill_booked(tmp_path: Path, status: str) -> None:
    async def story(here: World) -> None:
        node = DeadNode(here)
        resting, filled = node.row(), node.row(price=None)
        here.place(resting)
        here.place(filled, price=None)
        for name in (resting, filled):
            node.hears(name, "OrderRejected", status)
        node.dies()
        await recover(here)
        assert (here.row(resting).status, here.row(filled).status) == ("CANCELED", "FILLED")
        assert here.file.net == {BTC: D("0.010")}
        assert any(kind == "alert" for kind, _ in here.lines)

    told(tmp_path, story)


@pytest.mark.req("O-6")
def test_a_lost_ack_of_a_cancel_proves_nothing_and_the_order_is_cancelled_again(tmp_path: Path) -> None:
    async def story(here: World) -> None:
        node = DeadNode(here)
        name = node.row()
        here.place(name)
        node.hears(name, "OrderAccepted", "ACK")
        node.hears(name, "OrderPendingCancel", "PENDING_CANCEL")
        node.dies()
        await recover(here)
        assert here.row(name).status == "CANCELED"
        assert ("4.pending_cancel_open", "Cancel") in here.actions()

    drop = {"name": "the ack is lost", "when": {"request": "DELETE /fapi/v1/order"}, "do": [{"act": "drop_answer"}]}
    told(tmp_path, story, still_scenario(faults=[drop]))


@pytest.mark.req("O-6")
def test_a_cancel_that_the_venue_calls_unknown_proves_nothing_and_the_next_look_decides(tmp_path: Path) -> None:
    """-2011 on the DELETE of an order that is open: it is written down, and the order is cancelled again."""

    async def story(here: World) -> None:
        node = DeadNode(here)
        name = node.row()
        here.place(name)
        node.hears(name, "OrderPendingCancel", "PENDING_CANCEL")
        node.dies()
        await recover(here)
        assert (here.exchange.desk.open_orders(), here.row(name).status) == ([], "CANCELED")
        assert here.actions().count(("4.pending_cancel_open", "Cancel")) == 2
        with closing(sqlite3.connect(here.journal)) as db:
            assert ("-2011",) in db.execute("SELECT outcome FROM cancels WHERE client_order_id = ?", (name,)).fetchall()

    says = {"act": "answer", "status": 400, "code": -2011}
    told(
        tmp_path,
        story,
        still_scenario(faults=[{"name": "-2011", "when": {"request": "DELETE /fapi/v1/order"}, "do": [says]}]),
    )


@pytest.mark.req("O-6", "R-13")
def test_a_persons_trade_while_down_is_external_and_a_persons_order_refuses(tmp_path: Path) -> None:
    async def story(here: World) -> None:
        DeadNode(here).dies()
        here.place("web_1", price=None)
        await recover(here)
        assert [(one.strategy_id, one.client_order_id) for one in here.file.fills] == [("EXTERNAL", "web_1")]
        here.place("web_2")
        with pytest.raises(SafetyRefusal, match=r"an open order is not ours: order web_2 BTCUSDT BUY 0.01"):
            await recover(here)
        assert len(here.exchange.desk.open_orders()) == 1
        await recover(here, foreign="count")

    told(tmp_path, story)


@pytest.mark.req("O-6")
def test_an_unexplained_position_refuses_with_the_command_that_accepts_and_accepting_is_journaled(
    tmp_path: Path,
) -> None:
    async def story(here: World) -> None:
        here.place("web_1", price=None)  # before the journal began: no trade of its time explains it
        await asyncio.sleep(2)
        DeadNode(here).dies()
        with pytest.raises(SafetyRefusal) as caught:
            await recover(here)
        assert "BTCUSDT is 0.010 at the venue, the journal makes it 0.000; no trade explains it" in str(caught.value)
        assert 'python -m runners.recover --account test --accept BTCUSDT=0.010 --reason "…"' in str(caught.value)
        await recover(here, accepted={BTC: Accepted(D("0.01"), "bought by hand")})
        assert here.file.net == {BTC: D("0.010")}
        assert ("8.differs_accepted", "Accept") in here.actions()
        await recover(here)

    told(tmp_path, story)


@pytest.mark.req("O-6")
def test_orders_that_the_journal_has_lost_are_written_again_cancelled_and_latch(tmp_path: Path) -> None:
    async def story(here: World) -> None:
        node = DeadNode(here)
        known = node.row()
        node.dies()
        lost = known[:-1] + "9"
        here.place(lost)
        with pytest.raises(SafetyRefusal, match="journal_rollback"):
            await recover(here)
        assert here.row(lost).status == "CANCELED"
        assert here.exchange.desk.open_orders() == []
        assert "journal_rollback: 1 orders of ours at the venue are not in the journal" in here.tripped[0]
        here.tripped.clear()
        await recover(here)
        assert here.tripped == []

    told(tmp_path, story)


@pytest.mark.req("O-6")
def test_an_unknown_epoch_from_before_latches_and_one_from_after_our_start_is_a_split_brain(tmp_path: Path) -> None:
    async def story(here: World) -> None:
        DeadNode(here).dies()
        here.place("t1zzzzzz000001")
        with pytest.raises(SafetyRefusal, match="journal_rollback"):
            await recover(here)
        assert here.row("t1zzzzzz000001").status == "CANCELED"
        another = asyncio.create_task(placed_after_a_look(here, "t1yyyyyy000001"))
        with pytest.raises(SplitBrainFound, match="nothing was touched") as caught:
            await recover(here)
        await another
        assert caught.value.exit_code == 7
        assert len(here.exchange.desk.open_orders()) == 1

    told(tmp_path, story)


async def placed_after_a_look(here: World, name: str) -> None:
    """Another node places an order as soon as ours has looked for the first time: so after our start."""
    before = len(here.server.venue.ledger.of("request"))
    await until(lambda: any(row["path"] == LISTED for row in here.server.venue.ledger.of("request")[before:]))
    here.place(name)


@pytest.mark.req("O-9")
def test_the_first_start_takes_what_it_finds(tmp_path: Path) -> None:
    async def story(here: World) -> None:
        here.place("web_1", price=None)
        here.place("t1zzzzzz000001")
        await recover(here, seen_before=False)
        assert here.exchange.desk.open_orders() == []
        assert (here.file.net, here.tripped) == ({BTC: D("0.010")}, [])
        await recover(here)
        assert here.file.net == {BTC: D("0.010")}

    told(tmp_path, story)


@pytest.mark.req("O-9")
def test_a_position_is_closed_where_the_policy_says_so_and_every_row_is_over(tmp_path: Path) -> None:
    async def story(here: World) -> None:
        node = DeadNode(here)
        name = node.row(price=None)
        here.place(name, price=None)
        node.dies()
        await recover(here, positions="close")
        assert (here.held(), here.file.net, here.file.open_orders) == (D(0), {}, ())
        assert len(here.file.orders) == 2

    told(tmp_path, story)


@pytest.mark.req("O-9")
def test_an_order_of_ours_on_a_symbol_that_is_not_configured_any_more_is_cancelled_too(tmp_path: Path) -> None:
    async def story(here: World) -> None:
        node = DeadNode(here)
        name = node.row(price="2900.0", iid="ETHUSDT-PERP.BINANCE")
        here.place(name, price="2900.0", quantity="0.010", symbol="ETHUSDT")
        node.dies()
        await recover(here)
        assert (here.exchange.desk.open_orders(), here.row(name).status) == ([], "CANCELED")

    two = {"BTCUSDT": {"market": STILL}, "ETHUSDT": {"base": "ETH", "market": STILL | {"mid": "3000"}}}
    told(tmp_path, story, still_scenario(symbols=two))


def stop_of(node: DeadNode) -> str:
    """The row of a protective stop."""
    closes = JournaledCloses(node.journal, "t1", time.time_ns, node.journal.new_epoch("closes"))
    return closes.next_stop(BTC, "SELL", D("0.010"), D(59500))


async def held_with_a_stop(here: World) -> tuple[DeadNode, str]:
    """A node that holds 0.010 with its stop at the venue."""
    node = DeadNode(here)
    entry = node.row(price=None)
    here.place(entry, price=None)
    stop = stop_of(node)
    await here.client.protect(BTC, "SELL", D(59500), wire_id(stop))
    node.dies()
    return node, stop


@pytest.mark.req("O-6", "R-10")
def test_the_stop_of_a_position_that_stays_stays_and_goes_with_it(tmp_path: Path) -> None:
    async def story(here: World) -> None:
        _, stop = await held_with_a_stop(here)
        await recover(here)
        assert [order.status for order in here.exchange.algo.orders.values()] == ["NEW"]
        assert [row.client_order_id for row in here.file.open_orders] == [stop]
        here.place("web_1", "SELL", price=None)  # a person closes the position
        await recover(here)
        assert [order.status for order in here.exchange.algo.orders.values()] == ["CANCELED"]
        assert (here.file.open_orders, here.file.net) == ((), {})

    told(tmp_path, story)


@pytest.mark.req("O-10", "X-4")
def test_the_stop_of_a_position_that_is_closed_goes_after_it_and_a_refusal_leaves_both(tmp_path: Path) -> None:
    async def story(here: World) -> None:
        await held_with_a_stop(here)
        with pytest.raises(SafetyRefusal, match="positions is refuse"):
            await recover(here, positions="refuse")
        assert [order.status for order in here.exchange.algo.orders.values()] == ["NEW"]
        await recover(here, positions="close")
        assert (here.held(), here.file.net, here.file.open_orders) == (D(0), {}, ())
        rows = here.server.venue.ledger.of("position") + here.server.venue.ledger.of("algo_order")
        steps = [str(row.get("algoStatus", row["kind"])) for row in sorted(rows, key=lambda row: row["seq"])]
        assert steps[-2:] == ["position", "CANCELED"]  # flat first, then without a stop

    told(tmp_path, story)


@pytest.mark.req("O-6")
def test_a_stop_that_was_reached_while_down_is_booked_to_its_own_row(tmp_path: Path) -> None:
    async def story(here: World) -> None:
        _, stop = await held_with_a_stop(here)
        await fault(here, {"act": "gap_price", "symbol": BTC, "bps": "-200"})
        await until(lambda: here.held() == 0)
        await recover(here)
        booked = [one for one in here.file.fills if one.client_order_id == stop]
        assert sum(one.quantity for one in booked) == D("0.010")
        assert (here.row(stop).status, here.file.net, here.file.open_orders) == ("FILLED", {}, ())
        assert ("7.algo_child", "BookTrade") in here.actions()

    told(tmp_path, story)


@pytest.mark.req("O-6", "R-13")
@pytest.mark.parametrize("how", ["liquidation", "adl", "settlement"])
def test_a_forced_close_while_down_is_booked_latches_and_is_told(tmp_path: Path, how: str) -> None:
    async def story(here: World) -> None:
        node = DeadNode(here)
        entry = node.row(price=None)
        here.place(entry, price=None)
        node.dies()
        await fault(here, {"act": "forced_close", "symbol": BTC, "how": how})
        await until(lambda: here.held() == 0)
        with pytest.raises(SafetyRefusal, match="forced_close"):
            await recover(here)
        assert here.file.net == {}
        assert {one.strategy_id for one in here.file.fills} == {"s1", "EXTERNAL"}
        assert ("8.income", "BookIncome") in here.actions() or how != "liquidation"
        here.tripped.clear()
        await recover(here)
        assert here.tripped == []

    told(tmp_path, story)


async def fault(here: World, act: dict[str, Any]) -> None:
    """Something happens at the venue now."""
    order = {"name": "now", "when": {"at_secs": 0}, "do": [act]}
    async with (
        aiohttp.ClientSession() as session,
        session.post(f"{here.server.url}/simulated/faults", json=order) as told,
    ):
        assert told.status == 200, await told.text()


async def until(truth: Callable[[], bool]) -> None:
    """Wait until it is so."""
    for _ in range(3000):
        if truth():
            return
        await asyncio.sleep(0.02)
    raise AssertionError("it did not happen")


def test_a_venue_that_does_not_answer_is_not_ready_and_says_why(tmp_path: Path) -> None:
    async def story(here: World) -> None:
        node = DeadNode(here)
        name = node.row()
        node.dies()
        with pytest.raises(RunFailed, match=rf"not ready after 5 s: {name} .*has not answered about it"):
            await recover(here, ready_secs=5.0)

    by_id = {"name": "by id", "when": {"request": "GET /fapi/v1/order", "times": None}, "do": [{"act": "drop"}]}
    told(tmp_path, story, still_scenario(faults=[by_id]))


@pytest.mark.req("O-6")
@pytest.mark.parametrize("actions_done", range(1, 7))
def test_a_crash_after_any_action_begins_again_with_the_same_result(tmp_path: Path, actions_done: int) -> None:
    """The process dies when so many actions are on disk, done or not; the next start ends where the first would have."""

    async def story(here: World) -> None:
        node = DeadNode(here)
        filled, resting, false = node.row(price=None), node.row(), node.row()
        here.place(filled, price=None)
        here.place(resting)
        here.place(false)
        node.hears(false, "OrderCanceled", "CANCELED")
        node.dies()
        with pytest.raises(Crash):
            await recover_crashing(here, actions_done)
        assert len(here.actions()) == actions_done
        await recover(here)
        rows = {name: here.row(name).status for name in (filled, resting, false)}
        assert rows == {filled: "FILLED", resting: "CANCELED", false: "CANCELED"}
        trades = [one.trade_id for one in here.file.fills]
        assert sorted(trades) == sorted({str(one.trade_id) for one in here.exchange.desk.fills})
        assert here.exchange.desk.open_orders() == []

    told(tmp_path, story)


class Crash(BaseException):
    """The process dies here."""


async def recover_crashing(here: World, after: int) -> None:
    """Recover, and die when the n-th action has been written."""
    from runners.live.carrying_out import Hands

    done = 0
    whole = Hands.do

    async def do(self: Hands, action: object) -> None:
        nonlocal done
        done += 1
        if done < after:
            return await whole(self, action)  # type: ignore[arg-type]
        self._journal.action(0, str(action.row), type(action).__name__, "", {})  # type: ignore[attr-defined]
        raise Crash

    Hands.do = do  # type: ignore[method-assign]
    try:
        await recover(here)
    finally:
        Hands.do = whole  # type: ignore[method-assign]
