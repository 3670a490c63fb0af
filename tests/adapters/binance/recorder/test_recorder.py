"""The recorder on a simulated Binance: what it writes is the venue's market, also when streams break."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from adapters.simulated_binance.server import Server
from adapters.simulated_binance.venue import Venue
from catalog.certificate import Grade
from errors import RunFailed, SafetyRefusal, UsageError
from tests.adapters.binance.recorder.support import Watched, busy_scenario, ingest, lines_of, recording, run

DEPTH = "btcusdt@depth@0ms"


@pytest.mark.req("D-7")
def test_the_recorded_book_equals_the_venues_best_quotes_and_the_certificate_is_an_a(tmp_path: Path) -> None:
    async def story() -> None:
        async with Server(Venue(busy_scenario())) as venue, recording(venue.url, tmp_path) as watched:
            await watched.more(900)
        (day,) = ingest(watched.finished[0], tmp_path / "catalog")
        assert (day.grade, day.reasons) == (Grade.A, ())
        assert day.measures.tops_compared == day.measures.tops_equal > 100
        assert day.measures.lines == watched.lines == len(lines_of(watched.finished[0]))
        assert (day.measures.snapshots, day.measures.gaps) == (1, 0)
        assert day.measures.trades > 20
        assert day.measures.others > 0

    run(story)


@pytest.mark.req("D-7")
def test_a_line_is_the_message_as_it_came(tmp_path: Path) -> None:
    async def story() -> None:
        async with Server(Venue(busy_scenario())) as venue, recording(venue.url, tmp_path) as watched:
            await watched.more(100)
            text = watched.told("connected")
        lines = lines_of(watched.finished[0])
        assert len(text) == 2  # the routes /public and /market
        stamps = [int(line.partition(b" ")[0]) for line in lines]
        assert stamps == sorted(stamps)
        bodies = [line.partition(b" ")[2] for line in lines]
        assert sum(body.startswith(b'{"lastUpdateId":') for body in bodies) == 1
        heads = {body[: body.index(b",")] for body in bodies if body.startswith(b'{"stream"')}
        channels = ("depth@0ms", "bookTicker", "trade", "markPrice@1s")
        assert heads <= {b'{"stream":"btcusdt@%b"' % channel.encode() for channel in channels}

    run(story)


SILENCED: dict[str, Any] = {"act": "silence_sockets", "which": "market", "secs": None}
SOON = {"silence_secs": 3.0}
"""For tests of silence alone: a venue in this process that has to wait for a core is silent as well."""
BROKEN: dict[str, tuple[dict[str, Any], int]] = {
    "a depth update that the venue skips": ({"act": "skip_depth", "symbol": "BTCUSDT", "count": 1}, 1),
    "a depth update that gets lost": ({"act": "drop"}, 1),
    "a depth update cut short": ({"act": "truncate", "keep": 0.5}, 1),
    "a depth update that is no JSON": ({"act": "corrupt"}, 1),
    "closed sockets": ({"act": "close_sockets", "which": "market"}, 1),
    "sockets that fall silent": (SILENCED, 1),
    "a venue that is gone for a while": ({"act": "refuse_connections", "secs": 0.3}, 1),
}


@pytest.mark.req("D-7", "L-8")
@pytest.mark.parametrize("name", BROKEN)
def test_a_break_is_noticed_and_a_new_snapshot_mends_the_book(name: str, tmp_path: Path) -> None:
    action, gaps = BROKEN[name]
    fault = {"when": {"event": DEPTH, "nth": 60}, "do": [action]}
    changes = SOON if action is SILENCED else {}

    async def story() -> None:
        async with Server(Venue(busy_scenario(fault))) as venue, recording(venue.url, tmp_path, changes) as watched:
            await watched.until(lambda: len(watched.told("gap")) == gaps and len(watched.told("snapshot")) >= 2)
            await watched.until(lambda: watched.recorder.standings()[0].has_book)
            await watched.more(200)
        standing = watched.recorder.standings()[0]
        (day,) = ingest(watched.finished[0], tmp_path / "catalog")
        assert (day.measures.gaps, standing.gaps) == (gaps, gaps)
        assert day.measures.snapshots == 2
        assert day.measures.unreadable == standing.unreadable
        assert day.measures.tops_compared == day.measures.tops_equal > 100
        assert day.measures.crossed == 0

    run(story)


@pytest.mark.req("D-7", "L-8")
def test_a_socket_is_replaced_before_the_venue_ends_it_without_losing_or_repeating_a_line(tmp_path: Path) -> None:
    async def story() -> None:
        async with (
            Server(Venue(busy_scenario())) as venue,
            recording(venue.url, tmp_path, {"handover_secs": 0.3}) as watched,
        ):
            await watched.until(lambda: len(watched.told("handed_over")) >= 3)
            await watched.more(100)
        (day,) = ingest(watched.finished[0], tmp_path / "catalog")
        assert (day.grade, day.measures.gaps, day.measures.duplicates, day.measures.out_of_order) == ("A", 0, 0, 0)
        ids = [
            int(line.split(b'"t":')[1].split(b",")[0]) for line in lines_of(watched.finished[0]) if b"@trade" in line
        ]
        assert ids == list(range(ids[0], ids[0] + len(ids)))
        assert watched.told("disconnected") == []

    run(story)


@pytest.mark.req("D-2", "D-7")
def test_each_symbol_has_a_file_of_its_own(tmp_path: Path) -> None:
    symbols = ("BTCUSDT", "ETHUSDT")

    async def story() -> None:
        async with (
            Server(Venue(busy_scenario(symbols=symbols))) as venue,
            recording(venue.url, tmp_path, {"symbols": symbols}) as watched,
        ):
            await watched.until(lambda: all(one.has_book and one.lines > 200 for one in watched.recorder.standings()))
        for symbol, path in zip(symbols, sorted(watched.finished), strict=True):
            assert symbol.lower() in path.name
            days = ingest(path, tmp_path / "catalog", symbol)
            assert [(day.measures.gaps, day.grade) for day in days] == [(0, "A")]
            assert days[0].measures.tops_compared == days[0].measures.tops_equal > 0

    run(story)


def test_snapshots_are_asked_for_again_when_the_venue_refuses_them(tmp_path: Path) -> None:
    refused = {"act": "answer", "status": 429, "code": -1003, "retry_after_secs": 1, "execute": False}
    fault = {"when": {"request": "GET /fapi/v1/depth", "nth": 1}, "do": [refused]}

    async def story() -> None:
        async with Server(Venue(busy_scenario(fault))) as venue, recording(venue.url, tmp_path) as watched:
            await watched.until(lambda: bool(watched.told("snapshot")))
        (failed,) = watched.told("snapshot_failed")
        assert failed.text == "HTTP 429: again in 1.0 s"
        assert watched.told("snapshot")[0].ts_ns - failed.ts_ns > 900_000_000

    run(story)


def test_a_stream_that_never_speaks_is_named(tmp_path: Path) -> None:
    mute = {"when": {"event": "btcusdt@trade", "times": None}, "do": [{"act": "drop"}]}

    async def story() -> None:
        async with Server(Venue(busy_scenario(mute))) as venue, recording(venue.url, tmp_path, SOON) as watched:
            await watched.until(lambda: bool(watched.told("silent")))
        assert [event.text for event in watched.told("silent")] == ["no message of btcusdt@trade in 3 s"]

    run(story)


def test_an_unknown_symbol_ends_the_recorder_with_one_sentence(tmp_path: Path) -> None:
    async def story() -> None:
        async with Server(Venue(busy_scenario())) as venue:
            with pytest.raises(UsageError, match="the venue has no symbol BTCUSD on usdm"):
                async with recording(venue.url, tmp_path, {"symbols": ("BTCUSD",)}) as watched:
                    await watched.until(lambda: False)
        assert [path.suffix for path in tmp_path.iterdir()] == [".lock"]

    run(story)


@pytest.mark.req("D-7")
def test_two_recorders_never_write_the_same_symbol_into_one_folder(tmp_path: Path) -> None:
    async def story() -> None:
        async with Server(Venue(busy_scenario())) as venue, recording(venue.url, tmp_path) as watched:
            await watched.more(20)
            with pytest.raises(SafetyRefusal, match=r"is being recorded into .* by another process"):
                async with recording(venue.url, tmp_path) as second:
                    await second.until(lambda: False)
        assert len(watched.finished) == 1

    run(story)


@pytest.mark.req("D-7")
def test_a_recorder_that_is_cancelled_writes_what_it_has(tmp_path: Path) -> None:
    taken: list[Watched] = []

    async def cancelled() -> None:
        async with (
            Server(Venue(busy_scenario())) as venue,
            recording(venue.url, tmp_path, {"flush_secs": 1.0}) as watched,
        ):
            taken.append(watched)
            await watched.more(100)
            watched.running.cancel()

    with pytest.raises(asyncio.CancelledError):
        run(cancelled)
    (file,) = taken[0].finished
    assert len(lines_of(file)) == taken[0].lines >= 100


def test_a_slow_disk_ends_the_recorder_before_memory_does(tmp_path: Path) -> None:
    async def story() -> None:
        async with Server(Venue(busy_scenario())) as venue:
            with pytest.raises(RunFailed, match="the disk is too slow"):
                async with recording(venue.url, tmp_path, {"most_waiting_bytes": 100, "flush_secs": 0.3}) as watched:
                    await watched.until(lambda: False)

    run(story)
