"""A stop that a watchdog left under an id of its own: every part that looks at the account next takes it for what it is."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest

from execution.journal import MemoryJournal
from runners.live.auditing import AccountLook
from runners.live.strangers import Strangers
from tests.runners.live.recovering_support import BTC, IID, DeadNode, World, recover, told
from tests.runners.live.test_recovering import fault, until
from tests.runners.preflight.support import look as preflight_of

D = Decimal
STOP = "operator-t1zzzzzz000001"
LONG = {"BTCUSDT": {"quantity": "0.010", "entry_price": "60000"}}


async def left_behind(here: World) -> None:
    """A dead node holds 0.010; its watchdog has placed the stop."""
    node = DeadNode(here)
    here.place(node.row(price=None), price=None)
    await here.client.protect(BTC, "SELL", D(59500), STOP)
    node.dies()


def stops(here: World) -> list[str]:
    """What became of the conditional orders."""
    return [order.status for order in here.exchange.algo.orders.values()]


@pytest.mark.req("O-9", "O-10", "X-4")
def test_a_start_keeps_it_while_the_position_is_open_and_takes_it_away_after_that(tmp_path: Path) -> None:
    async def story(here: World) -> None:
        await left_behind(here)
        await recover(here)
        assert (stops(here), here.tripped) == (["NEW"], [])
        assert any(
            f"order {STOP} BTCUSDT SELL, placed by a watchdog or by hand: protects" in text for _, text in here.lines
        )
        here.place("web_1", "SELL", price=None)
        await recover(here)
        assert (stops(here), here.file.net) == (["CANCELED"], {})
        assert ("7.of_an_operator", "Cancel") in here.actions()

    told(tmp_path, story)


@pytest.mark.req("R-13", "X-4")
def test_when_it_is_reached_it_is_told_as_a_stop_and_booked_as_one(tmp_path: Path) -> None:
    async def story(here: World) -> None:
        await left_behind(here)
        journal, heard = MemoryJournal(), list[str]()
        since = here.server.venue.clock.ms()  # exactly: the entry lies right before it
        await fault(here, {"act": "gap_price", "symbol": BTC, "bps": "-200"})
        await until(lambda: here.held() == 0)
        watch = Strangers(
            here.client, journal, "t1", (BTC,), since, lambda _iid: D("-0.010"), lambda why, _figures: heard.append(why),
            lambda why: heard.append(f"fault: {why}"),
        )  # fmt: skip
        assert await watch.look()
        assert heard[0].startswith("the protective stop of BTCUSDT was reached: BTCUSDT SELL 0.010 at ")
        assert {(fill["strategy_id"], fill["client_order_id"]) for fill in journal.fills} == {("protective", STOP)}
        assert journal.net(IID) == D("-0.010")

    told(tmp_path, story)


@pytest.mark.req("L-7")
def test_the_audit_alarms_nobody_about_it(tmp_path: Path) -> None:
    async def story(here: World) -> None:
        await left_behind(here)
        here.place("web_1")
        seen = await AccountLook(here.client, "t1")._open(None)
        assert [order.client_order_id for order in seen] == ["web_1"]

    told(tmp_path, story)


@pytest.mark.req("L-6", "O-9")
def test_preflight_counts_it_among_what_protects(tmp_path: Path) -> None:
    def placed(server: object, _: Path) -> None:
        exchange = server.venue.exchange  # type: ignore[attr-defined]
        params = {
            "symbol": BTC, "side": "SELL", "type": "STOP_MARKET", "triggerPrice": "57000", "closePosition": "true",
            "clientAlgoId": STOP, "workingType": "MARK_PRICE",
        }  # fmt: skip
        exchange.algo.place(exchange.markets[BTC], params)

    seen = preflight_of(tmp_path, account={"positions": LONG}, before=placed)
    assert seen.line("open orders").figures == "0 of ours, 1 that protect a position, none of others"
    (tmp_path / "flat").mkdir()
    flat = preflight_of(tmp_path / "flat", before=placed)
    assert flat.line("open orders").figures == "1 of ours, cancelled at the start, none of others"
