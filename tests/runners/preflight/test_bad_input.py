"""Whatever is wrong is told in one clear sentence with the fix, with its exit code, and nothing is sent that changes anything."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import Any

import pytest

from adapters.simulated_binance.server import Server
from errors import HyperTradingError
from execution.journal_schema import APPLICATION_ID, MIGRATIONS
from risk.arm_token import FileTokenStore
from risk.arm_token import Identity as ArmedFor
from risk.kill_switch import KillSwitch
from risk.latch_log import FileLatchLog
from runners.preflight.report import Result
from tests.runners.preflight.support import Looked, changing, look, placed

LONG = {"BTCUSDT": {"quantity": "0.010", "entry_price": "60000"}}
OTHER = {"symbols": {"BTCUSDT": {}, "ETHUSDT": {"base": "ETH"}}}
SHORT_ELSEWHERE = {"ETHUSDT": {"quantity": "-0.5", "entry_price": "60000"}}


def of_a_person(server: Server, _: Path) -> None:
    placed(server, "web_1")


def of_another_bot(server: Server, _: Path) -> None:
    placed(server, "x-aHRE4BCj-Rz9k7q2mz00001a")


def stop_file(_: Server, folder: Path) -> None:
    (folder / "state" / "test").mkdir(parents=True)
    (folder / "state" / "STOP.txt").touch()


def tripped(_: Server, folder: Path) -> None:
    place = folder / "state" / "test"
    identity = ArmedFor(account="simulated-1", environment="local", config_hash="c")
    switch = KillSwitch(FileTokenStore(place / "arm.json"), FileLatchLog(place / "latch.jsonl"), identity)
    switch.arm(1, "a test", "to be tripped")
    switch.trip(2, "drawdown 5.2 % > 5 %")


def unreadable_latch(_: Server, folder: Path) -> None:
    place = folder / "state" / "test"
    place.mkdir(parents=True)
    (place / "latch.jsonl").write_text('{"act": "tri', encoding="utf-8")


def no_database(_: Server, folder: Path) -> None:
    place = folder / "state" / "test"
    place.mkdir(parents=True)
    (place / "journal.sqlite").write_bytes(b"not a database, " * 300)


def newer_journal(_: Server, folder: Path) -> None:
    place = folder / "state" / "test"
    place.mkdir(parents=True)
    with sqlite3.connect(place / "journal.sqlite") as db:
        db.execute(f"PRAGMA application_id = {APPLICATION_ID}")
        db.execute("PRAGMA user_version = 99")
    db.close()


def damaged_journal(_: Server, folder: Path) -> None:
    path = folder / "state" / "test" / "journal.sqlite"
    path.parent.mkdir(parents=True)
    with sqlite3.connect(path) as db:
        db.execute(f"PRAGMA application_id = {APPLICATION_ID}")
        db.execute("CREATE TABLE orders (client_order_id TEXT)")
        db.execute("INSERT INTO orders VALUES (NULL)")
        db.execute("PRAGMA writable_schema = ON")  # a row that its table does not allow
        db.execute("UPDATE sqlite_master SET sql = 'CREATE TABLE orders (client_order_id TEXT NOT NULL)'")
    db.close()


def another_database(_: Server, folder: Path) -> None:
    place = folder / "state" / "test"
    place.mkdir(parents=True)
    with sqlite3.connect(place / "journal.sqlite") as db:
        db.execute("CREATE TABLE notes (text)")
    db.close()


def in_the_way(_: Server, folder: Path) -> None:
    (folder / "recordings").write_text("a file where a folder should be", encoding="utf-8")


def case(line: str, code: int, fact: str, fix: str, *settings: str, **more: Any) -> Any:
    return pytest.param(line, code, fact, fix, settings, more)


CASES = {
    "withdrawals on": case(
        "withdrawal permission", 4, "the key may withdraw", "switch it off at the venue",
        account={"keys": [{"can_withdraw": True}]},
    ),
    "a key that may not trade": case(
        "trading permission", 4, "the key may not trade futures", "switch on reading and futures",
        account={"keys": [{"can_trade": False}]},
    ),
    "an account that may not trade": case(
        "trading permission", 4, "the account may not trade", "ask the venue", account={"can_trade": False}
    ),
    "hedge mode": case(
        "position mode", 4, "hedge mode", "futures, preferences, position mode", account={"hedge_mode": True}
    ),
    "multi-assets": case("asset mode", 4, "multi-assets", "single-asset", account={"multi_assets": True}),
    "a symbol that is not there": case(
        "symbol NOSUCH", 2, "127.0.0.1 does not have it", "correct instruments (the venue has BTCUSDT, …)",
        "instruments=[NOSUCH-PERP.BINANCE]",
    ),
    "a symbol that does not trade": case(
        "symbol BTCUSDT", 4, "BREAK, PERPETUAL", "take it out of instruments", symbols={"BTCUSDT": {"status": "BREAK"}}
    ),
    "a clock 2 s off": case(
        "clock", 4, "ms off the venue's", "timedatectl",
        faults=[{"name": "skew", "when": {"at_secs": 0}, "do": [{"act": "skew_clock", "ms": 2000}]}],
    ),
    "fees that differ": case(
        "fees BTCUSDT", 4, "the account pays 4 bps as taker, fees.taker_bps is 5", "write the true fees",
        account={"taker_bps": "4"},
    ),
    "an order too small for the venue": case(
        "order size BTCUSDT", 2, "order_notional_quote of flow-1 is 20", "raise it", "strategies.0.params.order_notional_quote=20"
    ),
    "an order of a person": case(
        "open orders", 4, "1 not ours, the first is web_1 of BTCUSDT", "account.foreign_orders: count", before=of_a_person
    ),
    "an order of another bot of the same make": case(
        "open orders", 4, "0 of ours, 1 not ours, the first is z9k7q2mz00001a", "by hand", before=of_another_bot
    ),
    "a position where none may be": case(
        "positions", 4, "BTCUSDT long 0.01", "adopt or close", "execution.on_start.positions=refuse", account={"positions": LONG}
    ),
    "a position that no limit counts": case(
        "positions", 4, "ETHUSDT short 0.5; no limit of this configuration counts ETHUSDT", "close it",
        account={"positions": SHORT_ELSEWHERE}, **OTHER,
    ),
    "margin that cannot be changed under a position": case(
        "margin BTCUSDT", 4, "isolated, leverage 20; configured are isolated, 3", "by hand",
        account={"positions": LONG, "leverage": 20},
    ),
    "margin that cannot be changed beside an order of others": case(
        "margin BTCUSDT", 4, "cross, leverage 20; configured are isolated, 3", "by hand", "account.foreign_orders=count",
        account={"margin_type": "cross", "leverage": 20}, before=of_a_person,
    ),
    "an order of a person, and margin that the start can set once it is gone": case(
        "open orders", 4, "1 not ours", "cancel them by hand", account={"margin_type": "cross", "leverage": 20},
        before=of_a_person,
    ),
    "an empty account": case("balance", 4, "equity 0.00 USDT", "put money into", account={"balance_quote": 0}),
    "less than the limits assume": case(
        "balance", 4, "equity 399.99 USDT, available 399.99; positions of 1200 at leverage 3 need 400.00", "lower the",
        account={"balance_quote": "399.99"},
    ),
    "a countdown that eats the budget": case(
        "countdown budget", 2, "= 50.0% of 2400 a minute, allowed are 20%", "refresh_secs to 1.25 or more",
        "safety.deadman.refresh_secs=0.5",
    ),
    "a stop file": case("stop files", 4, "STOP.txt is there", "remove it", before=stop_file),
    "a tripped kill switch": case("latch log", 4, "drawdown 5.2 % > 5 %", "halt --account test --reset", before=tripped),
    "a torn latch log": case("latch log", 4, "line 1 of latch log", "halt --account test --reset", before=unreadable_latch),
    "a journal that is none": case("journal", 4, "file is not a database", "restore a backup", before=no_database),
    "a damaged journal": case(
        "journal", 4, "is damaged: NULL value in orders.client_order_id", "restore a backup", before=damaged_journal
    ),
    "a newer journal": case("journal", 4, f"has schema 99, this program knows {len(MIGRATIONS)}", "update", before=newer_journal),
    "a database of something else": case(
        "journal", 4, "is a database, but no journal of this system", "correct safety.journal.path", before=another_database
    ),
    "recordings that cannot be written": case(
        "recordings", 3, "recordings cannot be written: file exists", "correct data.record",
        "data.record={folder}/recordings", before=in_the_way,
    ),
    "streams that say nothing": case(
        "public streams", 3, "no mark price of BTCUSDT within 3 s: the socket is silent", "let WebSocket through",
        stream_secs=3.0,
        faults=[{"name": "mute", "when": {"event": "btcusdt@*", "times": None}, "do": [{"act": "drop"}]}],
    ),
    "a busy venue": case(
        "REST", 1, "gives no usable answer", "free port",
        faults=[{"name": "gone", "when": {"at_secs": 0}, "do": [{"act": "outage", "secs": 60}]}],
    ),
    "a banned address": case(
        "REST", 1, "the venue shuts this address out for ", "wait",  # what is left of a minute
        faults=[{"name": "ban", "when": {"at_secs": 0}, "do": [{"act": "ban", "secs": 60}]}],
    ),
    "no listen key": case(
        "user stream", 1, "POST /fapi/v1/listenKey: UNKNOWN HTTP 503", "free port",
        faults=[{"name": "none", "when": {"request": "POST */listenKey"}, "do": [{"act": "answer", "status": 503}]}],
    ),
}  # fmt: skip


@pytest.mark.req("L-6", "L-1", "R-7", "O-9")
@pytest.mark.parametrize(("line", "code", "fact", "fix", "settings", "more"), CASES.values(), ids=CASES.keys())
def test_one_thing_wrong_is_one_refusal_in_one_sentence_and_nothing_is_changed(
    tmp_path: Path, line: str, code: int, fact: str, fix: str, settings: tuple[str, ...], more: dict[str, Any]
) -> None:
    seen = look(tmp_path, *(text.format(folder=tmp_path.as_posix()) for text in settings), **more)
    assert [check.name for check in seen.refusals] == [line], seen.refusals
    found = seen.line(line)
    assert fact in found.figures, found
    assert fix in found.todo, found
    check_refusal(seen, code)
    assert changing(seen.venue) == []


def check_refusal(seen: Looked, code: int) -> None:
    assert (seen.report.exit_code, seen.report.may_start) == (code, False)
    with pytest.raises(HyperTradingError) as caught:
        seen.report.raise_refusal()
    assert caught.value.exit_code == code
    said = str(caught.value)
    assert said.startswith("preflight, ")
    assert len(said.splitlines()) == 1
    assert said.endswith(".")


@pytest.mark.req("L-6")
def test_the_gravest_of_several_refusals_decides_and_the_others_are_counted(tmp_path: Path) -> None:
    seen = look(
        tmp_path, "safety.deadman.refresh_secs=0.5", f"data.record={tmp_path.as_posix()}/recordings",
        account={"hedge_mode": True}, before=in_the_way,
    )  # fmt: skip
    assert [check.name for check in seen.refusals] == ["recordings", "countdown budget", "position mode"]
    assert [check.error.exit_code for check in seen.refusals] == [3, 2, 4]
    with pytest.raises(HyperTradingError, match=r"position mode: hedge mode.*\(2 more: python -m runners.preflight"):
        seen.report.raise_refusal()
    assert seen.report.exit_code == 4
    assert seen.line("fees BTCUSDT").result is Result.OK
