"""What the dead-man refuses at the gate: entries, each with its own reason; exits pass whatever stands open."""

from __future__ import annotations

import time
from decimal import Decimal
from io import StringIO
from pathlib import Path
from threading import Event
from typing import Any, ClassVar

import pytest

from execution.deadman.beacon import Beacon, decode
from execution.deadman.countdown import Countdowns
from execution.deadman.stall import Stalls
from execution.journal import MemoryJournal
from execution.safety.rows import OrderRow, PositionRow
from execution.services import Services
from risk.gate import Lock
from risk.request import OrderRequest, Side
from risk.verdict import Reason, Refused
from runners.live.deadman import locks
from runners.live.deadman.looking import Believed, Look, difference
from runners.live.deadman.pulse import PROGRESS, WATCHDOG, Phase, Pulse, prepare_pulse
from runners.live.status import JsonLines
from runners.live.unblocked import Unblocked
from strategies.intents import Enter
from strategies.intents import Side as GoSide
from tests.engine import FREE, Stepped, quiet, run
from tests.execution.deadman.test_countdown import SECOND, THIRTY, Clock
from tests.risk.account import gate, order


def entry(**changes: Any) -> OrderRequest:
    return order(instrument_id="BTCUSDT-PERP.BINANCE", **changes)


@pytest.mark.req("X-4", "R-3")
def test_a_lock_refuses_entries_by_its_name_and_never_an_exit() -> None:
    made = gate()
    asked: list[str] = []

    def lock(request: OrderRequest) -> Refused | None:
        asked.append(request.client_order_id)
        return Refused(Reason.COUNTDOWN, "not in force")

    made.locks.append(lock)
    verdict = made.check(order())
    assert isinstance(verdict, Refused)
    assert (verdict.reason, verdict.detail) == (Reason.COUNTDOWN, "not in force")
    assert made.last_look(order()) == verdict
    exit_order = order(reduce_only=True, side=Side.SELL)
    assert made.last_look(exit_order) is None
    made.check(exit_order)
    assert len(asked) == 2  # an exit asks no lock


@pytest.mark.req("X-4", "R-3")
def test_the_token_is_looked_at_again_right_before_an_entry_is_sent() -> None:
    made = gate()
    made.locks.append(lambda _: None)
    assert made.last_look(order()) is None
    made.halts.trip(1, "halted from outside")
    late = made.last_look(order())
    assert late is not None
    assert (late.reason, late.detail) == (Reason.HALTED, "halted from outside")


def answer(lock: Lock) -> tuple[str, str] | None:
    found = lock(entry())
    return None if found is None else (str(found.reason), found.detail)


@pytest.mark.req("X-4")
def test_a_countdown_that_is_not_in_force_shuts_its_symbol() -> None:
    clock = Clock()
    countdowns = Countdowns(("BTCUSDT",), THIRTY, clock)
    lock = locks.countdown_lock(countdowns)
    assert answer(lock) == ("countdown", "the venue has acknowledged no countdown of BTCUSDT yet")
    countdowns.acknowledged("BTCUSDT", countdowns.send("BTCUSDT"))
    assert answer(lock) is None
    clock.wait(16)
    found = lock(entry())
    assert found is not None
    assert found.figures == {"left_secs": 14.0}
    other = lock(order(instrument_id="ETHUSDT-PERP.BINANCE"))
    assert other is not None


@pytest.mark.req("X-4")
def test_a_process_that_stood_still_sends_nothing_before_its_next_beat() -> None:
    clock = Clock()
    stalls = Stalls(clock, clock)
    lock = locks.stall_lock(stalls)
    stalls.beat()
    clock.wait(2)
    assert answer(lock) is None
    clock.wait(0.1)
    assert answer(lock) == ("stalled", "this process stood still for 2.1 s: the account is looked at first")


@pytest.mark.req("X-4")
def test_a_silent_watchdog_shuts_entries_after_ten_seconds(tmp_path: Path) -> None:
    clock = Clock()
    pulse = Pulse(tmp_path, lambda: 1, lambda: None, lambda: None, clock, clock)
    lock, dog = locks.watchdog_lock(pulse, 10), Beacon(tmp_path / WATCHDOG)
    assert answer(lock) == ("watchdog", "no watchdog has been seen: start python -m runners.watchdog")
    dog.write({"state": "observe"})
    clock.wait(1)
    assert answer(lock) is None
    clock.wait(10)
    assert answer(lock) is None
    clock.wait(0.6)
    assert answer(lock) == ("watchdog", "the watchdog has been silent for 10.6 s, allowed are 10")
    dog.write({"state": "observe"})
    clock.wait(0.5)
    assert answer(lock) is None
    dog.close()


@pytest.mark.req("X-4")
def test_a_stop_that_is_missing_for_too_long_shuts_entries() -> None:
    why: list[str | None] = [None]
    lock = locks.stop_lock(lambda: why[0])
    assert answer(lock) is None
    why[0] = "BTCUSDT has had no protective stop for 3.1 s"
    assert answer(lock) == ("unprotected", "BTCUSDT has had no protective stop for 3.1 s")


@pytest.mark.req("X-4")
def test_the_pulse_says_what_the_watchdog_must_know(tmp_path: Path) -> None:
    prepare_pulse(tmp_path)
    path = tmp_path / PROGRESS
    assert (decode(path.read_bytes()) or {})["phase"] == "preparing"
    pulse = Pulse(tmp_path, lambda: 7, lambda: 11, lambda: None, Clock(), Clock())
    pulse.phase = Phase.RUNNING
    pulse.beat()
    found = decode(path.read_bytes()) or {}
    assert (found["phase"], found["loops"], found["private_ns"], found["refreshed_ns"]) == ("running", 7, 11, None)
    pulse.close()
    assert (decode(path.read_bytes()) or {})["phase"] == "ended"


def test_the_trading_loop_itself_counts_its_turns_and_beats() -> None:
    services, beats = Services(gate(), MemoryJournal()), []
    services.pulse = lambda: beats.append(services.loops)
    services.on_time(SECOND, lambda _topic, _message: None)
    services.on_time(2 * SECOND, lambda _topic, _message: None)
    assert beats == [1, 2]


@pytest.mark.req("X-4")
def test_a_look_finds_the_first_thing_in_which_the_venue_differs() -> None:
    def row(name: str) -> OrderRow:
        return OrderRow(
            symbol="BTCUSDT", order_id=1, wire_id=f"x-aHRE4BCj-R{name}", side="BUY", status="NEW", type="LIMIT",
            quantity=Decimal(1), filled=Decimal(0),
        )  # fmt: skip

    def found(
        orders: tuple[OrderRow, ...] = (), held: str = "0", journal: dict[str, str] | None = None, working: Any = None
    ) -> Any:
        positions = {"BTCUSDT": PositionRow(symbol="BTCUSDT", amount=Decimal(held))}
        rows = {name: {"status": status} for name, status in (journal or {}).items()}
        net = {"BTCUSDT": (Decimal(0), Decimal("0.1"))}
        return difference(Look(0, orders, (), positions), Believed(rows.get, working or {}, net, "t1", 10 * SECOND))

    assert found() is None
    assert found(held="0.1") is None  # a fill came while it was asked
    assert found(held="0.2") == ("BTCUSDT is 0.2 at the venue and 0.1 here", "")
    assert found((row("t1a"),), journal={"t1a": "ACK"}) is None
    assert found((row("t1a"),)) == ("order t1a is open at the venue and unknown here", "t1a")
    assert found((row("t1a"),), journal={"t1a": "CANCELED"}) == (
        "order t1a is open at the venue and CANCELED here",
        "t1a",
    )
    assert found((row("h2a"),)) is None  # another's
    open_here = order(client_order_id="t1b")
    view = gate().view
    view.add(open_here)
    mine = view.working["t1b"]
    mine.ts_ns = 0
    assert found(working=view.working) is None  # not accepted yet: nothing is claimed
    mine.accepted = True
    assert found(working=view.working) == ("order t1b is open here and not at the venue", "t1b")
    mine.ts_ns = 9 * SECOND  # too young to be missed
    assert found(working=view.working) is None


class Stuck(StringIO):
    """A console in which somebody marks text."""

    def __init__(self) -> None:
        super().__init__()
        self.free = Event()

    def write(self, text: str) -> int:
        self.free.wait(20)
        return super().write(text)


@pytest.mark.req("O-10")
def test_nobody_waits_for_a_screen_that_takes_nothing() -> None:
    out = Stuck()
    began = time.monotonic()
    with Unblocked(JsonLines(out), patience_secs=0.1) as screen:
        for number in range(20_000):
            screen.say("line", str(number))
    assert time.monotonic() - began < 10
    out.free.set()


def test_a_screen_gets_everything_in_order() -> None:
    out = StringIO()
    with Unblocked(JsonLines(out), patience_secs=60) as screen:
        for number in range(100):
            screen.say("line", str(number))
    assert [f'"text": "{number}"' in line for number, line in enumerate(out.getvalue().splitlines())] == [True] * 100


@pytest.mark.req("X-4", "R-3")
def test_an_entry_whose_row_waited_while_the_token_went_is_journaled_and_not_sent() -> None:
    class Entering(Stepped):
        told: ClassVar[list[str]] = []

        def at(self, number: int) -> None:
            if number == 1:
                answers = [
                    None,
                    Refused(Reason.STALLED, "this process stood still"),
                ]  # the check passes, the last look does not
                self.services.gate.locks.append(lambda _: answers.pop(0))  # type: ignore[attr-defined]
            if number == 2:
                self.act([Enter(GoSide.BUY, 1.0, None, 1, "in")])

        def on_order_denied(self, event: Any) -> None:
            self.told.append(str(event.reason))

    ran = run(Entering, quiet(), policy=FREE)
    assert ran.faults.first is None
    journal = ran.package.journal
    assert [row["status"] for row in journal.orders.values()] == ["DENIED"]
    assert [str(refused.reason) for _, refused in journal.refusals] == ["stalled"]
    assert (journal.fills, Entering.told) == ([], ["stalled: this process stood still"])
    assert ran.package.services.gate.expected == set()
