"""The audit as a timer: when it looks, what it tells, what it books, and what a reconnect brings about. Clocks stand still."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from execution.audit.differences import Difference, Kind
from execution.audit.figures import Account, Anchor, Books, Expected, IncomeFigures, Settings
from execution.journal import Fill, MemoryJournal
from execution.safety.failures import Answer, OutcomeUnknown
from execution.safety.response_class import UNKNOWN
from risk.request import OrderRequest, Purpose, Side
from runners.live.audit import Audit, AuditPlan
from runners.live.auditing import AccountLook
from runners.live.reconnects import Reconnects

D = Decimal
IID = "BTCUSDT-PERP.BINANCE"
SETTINGS = Settings(margin={"BTCUSDT": "isolated"}, leverage={"BTCUSDT": 3})
START_MS = 1_000_000_000
FUNDING = IncomeFigures("FUNDING_FEE", 41, "BTCUSDT", "USDT", D("-0.60"), START_MS + 1000)
TRANSFER = IncomeFigures("TRANSFER", 42, "", "USDT", D("100"), START_MS + 1000)


class Venue(AccountLook):
    """An account that a test sets."""

    def __init__(self) -> None:
        self.account = Account(START_MS, (), {}, {}, START_MS, {}, D(10000), (), SETTINGS)
        self.looks: list[bool] = []
        self.rereads = 0
        self.fails = False

    async def take(
        self, books: Books, symbols: Iterable[str], *, trades_from_ms: int, whole: bool, settings: bool
    ) -> Account:
        """See `AccountLook.take`."""
        self.looks.append(whole)
        if self.fails:
            raise OutcomeUnknown(Answer("GET /fapi/v3/positionRisk", 503), UNKNOWN)
        unasked: dict[str, Any] = {} if whole else {"wallet": None, "incomes": None, "settings": None}
        return replace(self.account, **unasked)

    async def settings(self, symbols: Iterable[str]) -> Settings:
        """See `AccountLook.settings`."""
        self.rereads += 1
        assert self.account.settings is not None
        return self.account.settings


class Scene:
    """One audit, its venue, its journal and its clock."""

    def __init__(self, interval_secs: float = 20.0) -> None:
        self.venue, self.journal, self.secs = Venue(), MemoryJournal(), 0.0
        self.alerts: list[Difference] = []
        self.notes: list[str] = []
        self.asked: list[str] = []
        self.reconnected = 0
        plan = AuditPlan(
            (IID,), ("BTCUSDT",), Anchor(D(10000), START_MS), Expected(SETTINGS, ("BTCUSDT",)), interval_secs
        )
        self.audit = Audit(
            self.venue, self.journal, plan, alert=self.alerts.append, note=self.notes.append, query=self.asked.append,
            reconnects=self._reconnects, monotonic=lambda: self.secs, now_ns=lambda: START_MS * 10**6 + round(self.secs * 1e9),
        )  # fmt: skip

    def _reconnects(self) -> int:
        now, self.reconnected = self.reconnected, 0
        return now

    def wait(self, secs: int) -> None:
        """Let the audit beat once a second."""
        for _ in range(secs):
            self.secs += 1
            asyncio.run(self.audit.beat())


@pytest.mark.req("L-7")
def test_it_looks_at_its_interval_and_at_everything_once_a_minute() -> None:
    scene = Scene(interval_secs=20)
    scene.wait(65)
    assert scene.venue.looks == [True, False, False, True]  # after 5, 25, 45 and 65 s
    assert (scene.alerts, scene.notes) == ([], [])


@pytest.mark.req("L-7", "R-13")
def test_a_position_that_two_looks_show_is_told_once_with_both_figures() -> None:
    scene = Scene()
    scene.venue.account = replace(scene.venue.account, positions={"BTCUSDT": D("0.010")})
    scene.wait(6)
    assert scene.alerts == []  # one look
    scene.wait(60)
    (one,) = scene.alerts
    assert (one.kind, one.journal, one.venue) == (Kind.POSITION, "0", "0.01")
    scene.journal.fill(Fill(0, "1", "s", IID, "h1a", "BUY", D(60000), D("0.010"), "TAKER", D(0), "USDT"))
    scene.wait(60)
    assert scene.notes == ["audit: journal and account agree again"]
    assert len(scene.alerts) == 1


def test_what_is_in_flight_at_every_look_is_no_difference() -> None:
    scene = Scene(interval_secs=5)
    for step in range(100):
        scene.venue.account = replace(scene.venue.account, positions={"BTCUSDT": D(step % 7)})
        scene.wait(1)
    assert scene.alerts == []
    assert len(scene.venue.looks) <= 60  # repeated looks are bounded


def test_a_position_that_moves_while_the_venue_is_asked_is_no_difference_however_often_it_does() -> None:
    """In and out in one rhythm: the venue says 0, and the fill that makes it 0.01 comes before its answer."""
    scene = Scene(interval_secs=5)
    look = scene.venue.take

    def trade(side: str) -> None:
        number = f"{len(scene.journal.fills)}"
        scene.journal.fill(Fill(0, number, "s", IID, "h1a", side, D(60000), D("0.010"), "TAKER", D(0), "USDT"))

    async def moving(books: Books, symbols: Iterable[str], **more: Any) -> Account:
        trade("BUY")
        return await look(books, symbols, **more)

    scene.venue.take = moving  # type: ignore[method-assign]
    for _ in range(50):
        scene.wait(1)
        if scene.journal.net(IID):
            trade("SELL")
    assert len(scene.venue.looks) >= 10
    assert Kind.POSITION not in {one.kind for one in scene.alerts}


@pytest.mark.req("L-7")
def test_funding_is_booked_and_a_transfer_is_told() -> None:
    scene = Scene()
    scene.venue.account = replace(scene.venue.account, incomes=(FUNDING,), wallet=D("9999.40"))
    scene.wait(10)
    assert (scene.alerts, scene.notes) == ([], ["FUNDING_FEE of BTCUSDT: -0.60 USDT"])
    scene.venue.account = replace(scene.venue.account, incomes=(FUNDING, TRANSFER), wallet=D("10099.40"))
    scene.wait(65)
    assert [(one.kind, one.venue) for one in scene.alerts] == [
        (Kind.INCOME_MISSING, "+100 USDT"), (Kind.WALLET, "10099.4"),
    ]  # fmt: skip
    assert not any(one.shuts for one in scene.alerts)


@pytest.mark.req("L-6")
def test_after_a_reconnect_the_settings_are_read_again_and_a_change_is_told_at_once() -> None:
    scene = Scene(interval_secs=3600)
    scene.wait(10)
    assert scene.venue.rereads == 0
    scene.venue.account = replace(scene.venue.account, settings=replace(SETTINGS, hedge=True))
    scene.reconnected = 2
    scene.wait(1)
    assert scene.venue.rereads == 1
    (one,) = scene.alerts
    assert (one.kind, one.venue, one.shuts) == (Kind.POSITION_MODE, "hedge", True)


@pytest.mark.req("L-6")
def test_without_a_reconnect_the_whole_look_tells_of_changed_settings_at_once() -> None:
    scene = Scene()
    scene.venue.account = replace(scene.venue.account, settings=replace(SETTINGS, leverage={"BTCUSDT": 20}))
    scene.wait(5)
    assert [one.kind for one in scene.alerts] == [Kind.LEVERAGE]


@pytest.mark.req("L-7")
def test_an_order_that_nobody_answers_is_asked_about_after_five_seconds_and_until_it_is() -> None:
    scene = Scene(interval_secs=3600)
    request = OrderRequest(
        "s",
        IID,
        "h1a",
        Side.BUY,
        "LIMIT",
        D("0.010"),
        D(60000),
        False,
        False,
        "GTC",
        START_MS * 10**6,
        Purpose(why="test"),
    )
    scene.journal.order(request, None)
    scene.wait(4)
    assert scene.asked == []
    scene.wait(2)
    assert scene.asked == ["h1a", "h1a"]
    scene.journal.event(0, "h1a", "OrderAccepted", "ACK")
    scene.wait(2)
    assert len(scene.asked) == 2


@pytest.mark.req("L-7")
@pytest.mark.parametrize(
    ("order_type", "tif", "happens", "asked"),
    [
        ("LIMIT", "GTC", ["ACK"], False),  # it rests: nothing is due
        ("LIMIT", "GTC", ["ACK", "fill"], False),
        ("LIMIT", "GTC", ["ACK", "PENDING_CANCEL"], True),
        ("LIMIT", "GTC", ["UNKNOWN"], True),
        ("LIMIT", "IOC", ["ACK"], True),
        ("MARKET", "GTC", ["fill"], True),  # a part of it was told, and the rest is due
    ],
)
def test_what_the_stream_owes_an_event_is_asked_about_within_ten_seconds_also_after_a_part_of_it(
    order_type: str, tif: str, happens: list[str], asked: bool
) -> None:
    scene = Scene(interval_secs=3600)
    request = OrderRequest(
        "s", IID, "h1a", Side.BUY, order_type, D("0.010"), D(60000), False, False, tif, START_MS * 10**6, Purpose(why="test")
    )  # fmt: skip
    scene.journal.order(request, None)
    scene.wait(1)
    for what in happens:
        if what == "fill":
            scene.journal.fill(Fill(0, "1", "s", IID, "h1a", "BUY", D(60000), D("0.004"), "TAKER", D(0), "USDT"))
        else:
            scene.journal.event(0, "h1a", "Event", what)
        scene.wait(1)
    scene.wait(6)
    assert (scene.asked[:1] == ["h1a"]) is asked
    scene.journal.settle("h1a", "CANCELED", "the venue says so")
    scene.asked.clear()
    scene.wait(10)
    assert scene.asked == []


def test_a_venue_that_does_not_answer_is_told_after_three_audits_and_alarms_nobody() -> None:
    scene = Scene()
    scene.venue.fails = True
    scene.wait(16)
    assert (scene.alerts, len(scene.venue.looks)) == ([], 3)
    assert scene.notes[0].startswith("the audit could not be made 3 times in a row: GET /fapi/v3/positionRisk: UNKNOWN")


@pytest.mark.req("L-6")
def test_reconnects_are_read_from_the_engines_log_on_from_where_it_is(tmp_path: Path) -> None:
    said = "12:00 [INFO] client: WebSocket reconnected, restoring subscriptions\n"
    reconnects, log = Reconnects(tmp_path), tmp_path / "engine_1.log"
    assert reconnects.count() == 0  # no log yet
    log.write_text(said, encoding="utf-8")
    assert reconnects.count() == 0  # before us
    with log.open("a", encoding="utf-8") as file:
        file.write(said + said[:30])
        file.flush()
        assert reconnects.count() == 1
        file.write(said[30:])
    assert reconnects.count() == 1  # a line written in two parts
    (tmp_path / "engine_2.log").write_text(said, encoding="utf-8")
    assert (reconnects.count(), reconnects.count()) == (1, 0)  # rotated
