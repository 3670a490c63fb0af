"""Tapes on disk, the recorder beside a session, and what `parity` says to wrong input."""

from __future__ import annotations

import asyncio
import gzip
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from adapters.binance.environments import environment
from errors import CorruptData, DataError, RunFailed
from execution.tape.file import TapeFile, read_tape
from execution.tape.tape import Tape
from runners import parity
from runners._cli import run
from runners.config import LiveConfig
from runners.live.keeping import new_tape
from runners.live.modes import not_in_force
from runners.live.recording import NodeRecorder, recorder_settings
from runners.live.taping import NAME, Taping
from runners.tapes.market import market_of, read_market
from tests.runners.live.support import CONFIG

HEAD: dict[str, Any] = {"config": {}}


def config(folder: Path, url: str = "http://127.0.0.1:1", **data: Any) -> LiveConfig:
    """A live configuration."""
    given = yaml.safe_load(CONFIG.format(url=url, folder=folder, on_start="close", on_stop="keep", params="{}"))
    given["data"] |= data
    return LiveConfig.model_validate(given)


def written(path: Path, *rows: list[Any]) -> Path:
    """Write a tape."""
    file = TapeFile(path, HEAD)
    for row in rows:
        file.write(json.dumps(row).encode() + b"\n")
    file.close()
    return path


def test_a_tape_is_read_as_it_was_written_and_one_that_was_cut_off_up_to_there(tmp_path: Path) -> None:
    rows: list[list[Any]] = [["v", "clock", number] for number in range(100)]
    path = written(tmp_path / "a" / "one.tape.gz", *rows)
    assert list(read_tape(path)) == [["head", {"version": 1, "config": {}}], *rows]
    cut = tmp_path / "cut.tape.gz"
    cut.write_bytes(path.read_bytes()[:-20])
    assert list(read_tape(cut)) == [["head", {"version": 1, "config": {}}], *rows[:-1]]


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b'["head",{"version":9}]\n', "version 9"),
        (b'{"no":"tape"}\n', "first line is not a head"),
        (b'["head",{"version":1}]\n\xff\n', "damaged after line 2"),
    ],
)
def test_what_is_no_tape_is_said_with_its_line(tmp_path: Path, content: bytes, told: str) -> None:
    path = tmp_path / "x.tape.gz"
    path.write_bytes(gzip.compress(content))
    with pytest.raises(CorruptData, match=told):
        list(read_tape(path))
    plain = tmp_path / "plain"
    plain.write_bytes(content)
    with pytest.raises(CorruptData, match="is no tape"):
        list(read_tape(plain))


@pytest.mark.parametrize(
    ("name", "code", "told"),
    [
        ("nothing", 2, "neither a session nor a tape"),
        ("empty", 3, "has no decision tape: set data.tape or data.record"),
        ("void.tape.gz", 3, "is empty: the node ended before its first second"),
    ],
)
def test_parity_refuses_what_holds_no_tape_in_one_sentence(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], name: str, code: int, told: str
) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "void.tape.gz").write_bytes(gzip.compress(b""))
    with pytest.raises(SystemExit) as ended:
        run(parity.app, [str(tmp_path / name)])
    assert ended.value.code == code
    said = capsys.readouterr().err
    assert told in said
    assert said.count("\n") == 1


def taping(path: Path, told: list[str], rows: int) -> None:
    """Write a tape of some rows, and put it into a directory beside it."""
    place = path.parent.parent / "session"
    place.mkdir(parents=True)

    async def whole() -> None:
        tape = Tape()
        one = Taping(tape, path, HEAD, lambda kind, text: told.append(f"{kind}: {text}"))
        task = asyncio.create_task(one.run())
        for number in range(rows):
            tape.rows.append(("v", "clock", number))
            await asyncio.sleep(0)
        await one.stop(task, place)

    asyncio.run(whole())


def test_a_tape_ends_in_the_directory_of_its_session(tmp_path: Path) -> None:
    told: list[str] = []
    taping(tmp_path / "tapes" / "one.tape.gz", told, 500)
    rows = list(read_tape(tmp_path / "session" / NAME))
    assert rows[1:-1] == [["v", "clock", number] for number in range(500)]
    assert rows[-1] == ["end", 500, 0]
    assert [line.partition(":")[0] for line in told] == ["tape"]


def test_a_tape_that_cannot_be_written_is_told_once_and_stops_nothing(tmp_path: Path) -> None:
    (tmp_path / "tapes").write_text("a file where the folder should be", encoding="utf-8")
    told: list[str] = []
    taping(tmp_path / "tapes" / "one.tape.gz", told, 50)
    assert len(told) == 1
    assert "the decision tape ends here, trading goes on" in told[0]


@pytest.mark.req("D-7")
def test_a_recorder_that_fails_is_started_again_told_once_and_counted(tmp_path: Path) -> None:
    told: list[str] = []

    class Fails:
        def __init__(self, *_args: Any, tell: Callable[..., None]) -> None:
            del tell

        def stop(self) -> None:
            """Nothing to stop."""

        async def run(self) -> None:
            raise RunFailed("the disk is full.")

    async def whole() -> NodeRecorder:
        settings = recorder_settings(config(tmp_path), environment("local", "http://127.0.0.1:1"), tmp_path)
        one = NodeRecorder(settings, lambda kind, text: told.append(f"{kind}: {text}"), make=Fails, again_secs=0.001)  # type: ignore[arg-type]
        task = asyncio.create_task(one.run())
        while one.failures < 3:
            await asyncio.sleep(0.001)
        await one.stop(task)
        return one

    failures = asyncio.run(whole()).failures
    assert failures >= 3
    assert told == [
        "warning: recording failed, trading goes on: the disk is full. It is tried again every 0.001 s and not told again.",
        f"warning: recorder: {failures} failures, 0 gaps seen",
    ]


@pytest.mark.req("D-7")
@pytest.mark.parametrize(
    ("name", "url", "sockets"),
    [
        ("production", None, "wss://fstream.binance.com/public/stream"),
        ("demo", None, "wss://demo-fstream.binance.com/stream"),
        ("testnet", None, "wss://fstream.binancefuture.com/stream"),
        ("local", "http://127.0.0.1:8800", "ws://127.0.0.1:8800/public/stream"),
    ],
)
def test_a_session_records_at_its_own_venue(tmp_path: Path, name: str, url: str | None, sockets: str) -> None:
    settings = recorder_settings(config(tmp_path), environment(name, url), tmp_path)
    addresses = [address for address, _ in settings.endpoints().sockets(["btcusdt@depth@0ms"])]
    assert [address.partition("?")[0] for address in addresses] == [sockets]
    assert (settings.symbols, settings.trades) == (("BTCUSDT",), "both")


@pytest.mark.parametrize(
    ("data", "taped"),
    [({}, False), ({"record": "x"}, True), ({"record": "x", "tape": False}, False), ({"tape": True}, True)],
)
def test_a_tape_is_kept_with_a_recording_or_by_itself(tmp_path: Path, data: dict[str, Any], taped: bool) -> None:
    assert (new_tape(config(tmp_path, **data)) is not None) is taped
    assert "data.record" not in not_in_force(config(tmp_path, **data))


def recorded(folder: Path, *messages: dict[str, Any]) -> None:
    """Write a recording."""
    lines = [f"1 {json.dumps({'stream': 's', 'data': message})}\n" for message in messages]
    (folder / "one.gz").write_bytes(gzip.compress("".join(lines).encode()))


@pytest.mark.req("D-7", "L-2")
def test_a_message_that_is_not_as_it_was_recorded_is_named(tmp_path: Path) -> None:
    levels = [["UPDATE", "BUY", "100.0", "2.000", 0, 0], ["DELETE", "SELL", "100.1", "0.000", 0, 128]]
    printed = {"instrument_id": "BTCUSDT-PERP.BINANCE", "price": "100.0", "size": "1.500", "aggressor_side": "SELLER"}
    tape = written(
        tmp_path / "t.tape.gz",
        ["d", 1, ["BTCUSDT-PERP.BINANCE", 7, 1, 1, [["CLEAR", None, "0", "0", 0, 32]]]],
        ["d", 2, ["BTCUSDT-PERP.BINANCE", 8, 1, 1, levels]],
        ["d", 3, ["BTCUSDT-PERP.BINANCE", 9, 1, 1, levels]],
        ["d", 4, ["BTCUSDT-PERP.BINANCE", 10, 1, 1, levels]],
        ["m", 5, ["TradeTick", printed | {"trade_id": "3"}]],
        ["m", 6, ["QuoteTick", {}]],
    )
    depth = {"e": "depthUpdate", "s": "BTCUSDT", "b": [["100.00", "2"]], "a": [["100.10", "0"]]}
    trade = {"e": "aggTrade", "s": "BTCUSDT", "a": 3, "p": "100.00", "q": "1.5", "m": True}
    recorded(tmp_path, depth | {"u": 8}, depth | {"u": 9, "b": [["100.00", "3"]]}, trade)
    found = market_of(tape, read_market(tmp_path / "one.gz"))
    assert (found.equal, found.missing, found.books, found.unkeyed) == (2, 1, 1, 1)
    assert found.differing == [
        "depth 9 of BTCUSDT: taped b 100.0 × 2.000, a 100.1 × 0.000, recorded b 100.00 × 3, a 100.10 × 0"
    ]


def test_a_place_without_a_recording_is_said(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="there is no recording in"):
        read_market(tmp_path)
