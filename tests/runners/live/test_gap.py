"""The gap between the last look of recovery and the engine's stream: what happened in it is booked when the engine is ready."""

from __future__ import annotations

import time
from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path

import pytest

from execution.journal_live import LiveJournal
from execution.journal_writes import Run
from risk.breach import Figure
from runners.live.closes import JournaledCloses
from runners.live.gap import Gap, close_gap, close_when_ready
from tests.runners.live.recovering_support import BTC, IID, WHOSE, DeadNode, World, recover, told

D = Decimal


def session_of(here: World) -> LiveJournal:
    """The journal of the session that follows a recovery."""
    run = Run("next", time.time_ns(), "testnet", "test", "0" * 64, epoch=0)
    return LiveJournal(here.journal, run, WHOSE, venue_ms=here.client.clock.ms)


@pytest.mark.req("O-6", "O-8")
def test_a_fill_of_an_earlier_order_in_the_gap_is_booked_once_and_a_persons_is_left_to_those_who_watch(
    tmp_path: Path,
) -> None:
    async def story(here: World) -> None:
        node = DeadNode(here)
        stop = JournaledCloses(node.journal, "t1", time.time_ns, node.journal.new_epoch("closes")).next_stop(
            BTC, "BUY", D("0.010"), D(61000)
        )
        earlier, entry = node.row(), node.row(price=None)
        here.place(entry, "SELL", price=None)
        node.dies()
        ready = await recover(here)
        here.place(stop, price=None)  # what the stop became: it closes the short position
        here.place(earlier, quantity="0.020", price=None)
        here.place("web_1", quantity="0.030", price=None)
        mine = "t1mymymy000001"
        here.place(mine, quantity="0.040", price=None)
        journal, tripped = session_of(here), list[str]()

        def trip(reason: str, _figures: Mapping[str, Figure]) -> None:
            tripped.append(reason)

        gap = Gap(
            here.client, journal, here.journal, "t1", (BTC,), ready.look.now_ms, "t1mymymy", trip,
            lambda kind, text: here.lines.append((kind, text)),
        )  # fmt: skip
        booked = await close_gap(gap)
        names = {(fill["client_order_id"], fill["strategy_id"]) for fill in journal.fills}
        assert names == {(stop, "protective"), (earlier, "s1")}
        assert (booked, await close_gap(gap)) == (len(journal.fills), 0)
        assert journal.net(IID) == D("0.030")
        assert tripped == [f"the protective stop of BTCUSDT was reached: BTCUSDT BUY 0.010 at {price(here, stop)}"]
        journal.close()
        assert here.file.net == {BTC: D("0.020")}  # the short of before, the stop, and the earlier order

    told(tmp_path, story)


def price(here: World, name: str) -> str:
    """Price of an order's one fill."""
    trade = next(one for one in here.exchange.desk.fills if one.order.client_id.endswith(name))
    return f"{here.exchange.contracts[BTC].price.value(trade.price):f}"


def test_the_gap_is_closed_when_the_engine_is_ready_and_not_before(tmp_path: Path) -> None:
    async def story(here: World) -> None:
        node = DeadNode(here)
        earlier = node.row()
        node.dies()
        ready = await recover(here)
        here.place(earlier, price=None)
        journal, looks = session_of(here), iter([False, False, True])
        gap = Gap(
            here.client, journal, here.journal, "t1", (BTC,), ready.look.now_ms, "t1mymymy", lambda *_: None, lambda *_: None
        )  # fmt: skip
        await close_when_ready(gap, lambda: next(looks), lambda: False)
        assert list(looks) == []
        assert journal.net(IID) == D("0.010")
        await close_when_ready(gap, lambda: False, lambda: True)  # the session ended before the engine was ready
        journal.close()

    told(tmp_path, story)
