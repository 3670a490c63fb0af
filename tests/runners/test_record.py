"""The command: what a user sees, and what a killed recorder leaves."""

from __future__ import annotations

import asyncio
import json
import signal
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from adapters.binance.recorder.events import Event
from adapters.binance.recorder.recorder import Recorder
from adapters.binance.recorder.settings import RecorderSettings
from adapters.simulated_binance.server import Server
from adapters.simulated_binance.venue import Venue
from catalog.store import Catalog
from errors import UsageError
from runners._cli import run as run_app
from runners.record import app
from runners.recording_view import TerminalView
from tests.adapters.binance.recorder.support import busy_scenario, lines_of, run

PROJECT = Path(__file__).parents[2]
PERP_ID = "BTCUSDT-PERP.BINANCE"


@asynccontextmanager
async def command(url: str, out: Path, *more: str) -> AsyncIterator[Process]:
    """Run `record` as a user does."""
    arguments = ("-m", "runners", "record", "--symbol", "BTCUSDT", "--url", url, "--out", str(out), *more)
    process = await asyncio.create_subprocess_exec(sys.executable, *arguments, cwd=PROJECT, stdout=PIPE, stderr=PIPE)
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


async def told(process: Process, wanted: str, lines: int = 0) -> dict[str, Any]:
    """Read JSON lines until an event comes (of a status: with so many recorded lines)."""
    assert process.stdout is not None
    while text := await process.stdout.readline():
        event: dict[str, Any] = json.loads(text)
        if event["event"] == wanted and (wanted != "status" or event["symbols"][0]["lines"] >= lines):
            return event
    assert process.stderr is not None
    raise AssertionError((await process.stderr.read()).decode())


@pytest.mark.req("D-7")
def test_a_killed_recorder_loses_less_than_a_second_and_the_next_one_goes_on_in_a_new_file(tmp_path: Path) -> None:
    out, catalog = tmp_path / "raw", tmp_path / "catalog"

    async def story() -> None:
        async with Server(Venue(busy_scenario())) as venue:
            async with command(venue.url, out, "--status-secs", "1") as first:
                said = await told(first, "status", lines=500)
                await told(first, "status", lines=501)  # a second later by its own clock
                first.kill()
                await first.wait()
            (left,) = out.glob("*.gz.open")
            lines = lines_of(left)
            assert len(lines) >= said["symbols"][0]["lines"]  # what it had a second ago is on the disk
            async with command(venue.url, out, "--stop-after", "4", "--ingest", str(catalog)) as second:
                _, errors = await second.communicate()
            assert (second.returncode, errors) == (0, b"")
        files = sorted(out.glob("binance_usdm_btcusdt_*"))
        assert [path.name.rpartition("_")[2] for path in files] == ["001.gz", "002.gz"]
        assert lines_of(files[0]) == lines
        (day, *_) = Catalog(catalog).certificates(PERP_ID)
        assert (day.grade, [source.name for source in day.sources]) == ("A", [path.name for path in files])
        assert day.measures.tops_compared == day.measures.tops_equal > 200

    run(story)


@pytest.mark.skipif(sys.platform == "win32", reason="a process there cannot be sent SIGINT or SIGTERM alone")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_stops_it_in_order_with_code_5(number: signal.Signals, tmp_path: Path) -> None:
    async def story() -> None:
        async with (
            Server(Venue(busy_scenario())) as venue,
            command(venue.url, tmp_path, "--status-secs", "0.1") as made,
        ):
            await told(made, "status", lines=50)
            made.send_signal(number)
            out, errors = await made.communicate()
        assert (made.returncode, errors) == (5, b"")
        last = json.loads(out.splitlines()[-1])
        (file,) = tmp_path.glob("*.gz")
        assert last["symbols"][0]["lines"] == len(lines_of(file))

    run(story)


def test_a_file_that_the_catalog_refuses_stays_and_the_command_exits_3(tmp_path: Path) -> None:
    (tmp_path / "catalog").write_text("in the way")
    more = ("--stop-after", "3", "--ingest", str(tmp_path / "catalog"))

    async def story() -> None:
        async with Server(Venue(busy_scenario())) as venue, command(venue.url, tmp_path / "raw", *more) as made:
            event = await told(made, "ingested")
            _, errors = await made.communicate()
        (file,) = (tmp_path / "raw").glob("*.gz")
        assert event["text"].startswith("not ingested: error: ")
        assert errors.decode() == f"error: not ingested: {file.name}; the files are in {tmp_path / 'raw'}.\n"
        assert made.returncode == 3

    run(story)


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--symbol", "BTC/USDT"], "error: 'BTC/USDT' is no symbol: write it like BTCUSDT.\n"),
        (
            ["--symbol", "BTCUSDT", "--url", "localhost"],
            "error: localhost is no address of a venue: it should read http://127.0.0.1:8800.\n",
        ),
    ],
)
def test_bad_usage_is_one_sentence(arguments: list[str], sentence: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        run_app(app, arguments)
    assert (caught.value.code, capsys.readouterr().err) == (UsageError.exit_code, sentence)


def test_the_terminal_shows_each_symbol_and_the_latest_events(tmp_path: Path) -> None:
    settings = RecorderSettings(market="usdm", symbols=("BTCUSDT", "ETHUSDT"), folder=tmp_path)
    console = Console(
        record=True, width=120, force_terminal=True, file=(tmp_path / "screen").open("w", encoding="utf-8")
    )
    view = TerminalView(Recorder(settings), console)
    with view.shown():
        view.tell(Event(1_723_161_600_000_000_000, "gap", "BTCUSDT", "depth 30 to 40 does not follow 9"))
        view.last()
    console.file.close()
    shown = console.export_text()
    for words in ("usdm · not connected · 0 reconnects", "BTCUSDT", "ETHUSDT", "waiting", "00:00:00  gap"):
        assert words in shown
