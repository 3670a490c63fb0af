"""The command `journal`."""

from __future__ import annotations

import json
import sqlite3
from pathlib import Path

import pytest

from runners import __main__ as root
from runners._cli import run
from runners.journal import app
from runners.journal_place import journal_of, remember_place
from tests.execution.test_journal_live import at
from tests.execution.test_journals import fill, order


def account(tmp_path: Path, alias: str = "demo-1") -> Path:
    """State of an account with a journal; return the folder of all."""
    folder = tmp_path / "state" / alias
    folder.mkdir(parents=True)
    journal = at(folder)
    journal.order(order("h1"), None)
    journal.order(order("h2"), None)
    journal.fill(fill("1001", "1"))
    journal.message(5, "OrderFilled", {"a": 1})
    journal.end(9, "time: after 1 s; exit code 0")
    journal.close()
    return tmp_path / "state"


def ran(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    with pytest.raises(SystemExit) as ended:
        run(app, arguments)
    said = capsys.readouterr()
    return int(ended.value.code or 0), said.out, said.err


@pytest.mark.req("M-7")
def test_verify_tells_what_it_has_read_and_the_head_of_the_chain(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    state = account(tmp_path)
    code, out, _ = ran(capsys, "verify", "--account", "demo-1", "--state", str(state))
    assert code == 0
    assert "2 orders" in out
    assert "1 venue messages" in out
    assert "head of the chain: 1 " in out
    assert out.splitlines()[-1] == "whole, unchanged, and it adds up"


@pytest.mark.req("M-7")
def test_verify_lists_each_finding_and_exits_7(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = account(tmp_path) / "demo-1" / "journal.sqlite"
    db = sqlite3.connect(file, isolation_level=None)
    db.execute("UPDATE orders SET filled_quantity = '0.5' WHERE client_order_id = 'h1'")
    db.execute("UPDATE fills SET position_after = '7'")
    db.close()
    code, out, _ = ran(capsys, "verify", str(file))
    assert code == 4
    assert "finding: order h1: its fills make 1, its row says 0.5" in out
    assert "finding: trade 1001 of BTCUSDT-PERP.BINANCE: position 7 after it, the fills so far make 1" in out
    code, out, _ = ran(capsys, "verify", str(file), "--json")
    assert code == 4
    assert json.loads(out)["ok"] is False


def test_show_and_orders_tell_a_person_and_a_program(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    state = str(account(tmp_path))
    code, out, _ = ran(capsys, "show", "--account", "demo-1", "--state", state)
    assert code == 0
    assert "account account-1 (local, 127.0.0.1), schema 2" in out
    assert "1 sessions, 2 orders (1 open), 1 fills" in out
    assert "positions: BTCUSDT 1" in out
    _, out, _ = ran(capsys, "show", "--state", state, "--json")  # the only account needs no name
    told = json.loads(out)
    assert (told["counts"]["orders"], told["net"], told["open_orders"][0]["client_order_id"]) == (
        2,
        {"BTCUSDT": "1"},
        "h2",
    )
    _, out, _ = ran(capsys, "orders", "--state", state)
    assert ("h2" in out, "h1" in out) == (True, False)
    _, out, _ = ran(capsys, "orders", "--state", state, "--all", "--json")
    assert [row["status"] for row in json.loads(out)] == ["FILLED", "NEW"]


@pytest.mark.req("M-7")
def test_backup_writes_a_copy_that_it_has_verified(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    state, copy = str(account(tmp_path)), tmp_path / "copy.sqlite"
    code, out, _ = ran(capsys, "backup", str(copy), "--state", state)
    assert code == 0
    assert out.startswith(f"{copy}: ")
    assert out.rstrip().endswith("2 orders, 1 fills")
    code, _, err = ran(capsys, "backup", str(copy), "--state", state)
    assert (code, err) == (2, f"error: {copy} is there: a backup never replaces a file.\n")


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["verify", "--account", "demo-2"], 2, "there is no account demo-2 under"),
        (["verify", "nowhere.sqlite"], 3, "there is no journal nowhere.sqlite."),
        (["verify", "a.sqlite", "--account", "demo-1"], 2, "name a journal file or an account, not both."),
        (["show", "{text}"], 4, "cannot be read: file is not a database"),
        (["verify", "{text}"], 4, "is damaged: file is not a database"),
        (["orders", "--last", "0"], 2, ""),
    ],
)
def test_bad_input_is_one_sentence_and_an_exit_code(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], code: int, words: str
) -> None:
    state = account(tmp_path)
    (tmp_path / "text.sqlite").write_text("no database at all, but long enough to be looked at " * 40)
    given = [one.replace("{text}", str(tmp_path / "text.sqlite")) for one in arguments]
    found, out, err = ran(capsys, *given, "--state", str(state))
    assert (found, out) == (code, "")
    assert words in err
    if words:
        assert err.count("\n") == 1


def test_an_account_whose_node_never_wrote_has_no_journal(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "state" / "demo-1").mkdir(parents=True)
    code, _, err = ran(capsys, "verify", "--state", str(tmp_path / "state"))
    assert code == 3
    assert "there is no journal" in err


def test_a_journal_that_lies_elsewhere_is_found_from_the_account(tmp_path: Path) -> None:
    folder, elsewhere = tmp_path / "demo-1", tmp_path / "fast disk" / "j.sqlite"
    folder.mkdir()
    assert journal_of(folder) == folder / "journal.sqlite"
    remember_place(folder, elsewhere)
    assert journal_of(folder) == elsewhere
    remember_place(folder, folder / "journal.sqlite")
    assert journal_of(folder) == folder / "journal.sqlite"


def test_the_command_is_listed(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        run(root.app, ["--help"])
    assert "journal" in capsys.readouterr().out
