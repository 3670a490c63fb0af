"""Continuity by Binance's rules, and which snapshot a run of messages continues."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from adapters.binance.recorder.events import Event
from adapters.binance.recorder.messages import Message, MessageReader, snapshot_id, symbol_of_damaged
from adapters.binance.recorder.pause import pauses
from adapters.binance.recorder.sequence import Sequence, Verdict
from adapters.binance.recorder.shelf import NS_PER_DAY, Shelf
from adapters.binance.recorder.tape import Tape


def depth(first: int, last: int, previous: int = -1) -> Message:
    return Message("btcusdt@depth@0ms", "btcusdt", True, last, 0, first, last, previous)


def test_usdm_follows_by_pu() -> None:
    run = Sequence(exact=True)
    verdicts = [run.follow(depth(*ids)) for ids in ((5, 9, 3), (12, 15, 9), (20, 22, 17), (25, 30, 22), (25, 30, 22))]
    assert verdicts == [Verdict.FOLLOWS, Verdict.FOLLOWS, Verdict.GAP, Verdict.FOLLOWS, Verdict.REPEATS]


def test_spot_follows_by_the_first_update_id() -> None:
    run = Sequence(exact=False)
    verdicts = [run.follow(depth(*ids)) for ids in ((5, 9), (10, 12), (12, 14), (16, 18))]
    assert verdicts == [Verdict.FOLLOWS, Verdict.FOLLOWS, Verdict.FOLLOWS, Verdict.GAP]


@pytest.mark.parametrize(("update_id", "connects"), [(2, False), (3, True), (9, True), (14, True), (99, True)])
def test_a_snapshot_connects_unless_the_run_began_after_it(update_id: int, connects: bool) -> None:
    run = Sequence(exact=True)
    run.follow(depth(5, 9, 3))
    run.follow(depth(12, 15, 9))
    assert run.offer(update_id) is connects
    assert run.snapshot == (update_id if connects else None)


def test_a_snapshot_that_came_first_is_lost_when_the_first_message_begins_after_it() -> None:
    late, good = Sequence(exact=True), Sequence(exact=True)
    for run, previous in ((late, 11), (good, 10)):
        assert run.offer(10)
        run.follow(depth(12, 15, previous))
    assert (late.snapshot, good.snapshot) == (None, 10)


def test_a_gap_loses_the_snapshot_but_one_that_came_after_the_reconnect_stays() -> None:
    run = Sequence(exact=True)
    run.follow(depth(5, 9, 3))
    run.offer(7)
    run.begin()
    assert run.offer(40)
    assert run.follow(depth(38, 44, 36)) is Verdict.GAP
    assert run.snapshot == 40
    assert run.follow(depth(50, 51, 49)) is Verdict.GAP
    assert run.snapshot is None


def test_a_tape_asks_for_a_snapshot_at_a_gap_and_on_a_new_day_and_a_clock_set_back_reopens_no_day(
    tmp_path: Path,
) -> None:
    told: list[Event] = []
    tape = Tape("usdm", "BTCUSDT", Shelf(tmp_path, "x"), told.append)
    noon = 10 * NS_PER_DAY + NS_PER_DAY // 2
    tape.take(noon, b"a", depth(5, 9, 3))
    assert tape.wants_snapshot.is_set()
    assert tape.add_snapshot(noon + 1, b"s", 9)
    assert not tape.wants_snapshot.is_set()
    tape.take(noon + 2, b"b", depth(30, 40, 20))
    assert tape.wants_snapshot.is_set()
    assert told == [Event(noon + 2, "gap", "BTCUSDT", "depth 30 to 40 does not follow 9: a new snapshot is fetched")]
    tape.add_snapshot(noon + 3, b"t", 41)
    tape.take(11 * NS_PER_DAY, b"c", depth(41, 42, 40))
    assert tape.wants_snapshot.is_set()
    tape.take(11 * NS_PER_DAY - 1, b"d\ne", None)
    assert [(chunk.day, chunk.lines.count(b"\n")) for chunk in tape.hand_out()] == [(10, 4), (11, 2)]
    assert (tape.standing().lines, tape.standing().unreadable, tape.standing().gaps) == (6, 1, 1)


def test_the_number_of_each_stream_is_read() -> None:
    payloads = {
        "btcusdt@depth@0ms": ({"E": 7, "U": 1, "u": 2, "pu": 0, "b": [], "a": [["1", "2"]]}, 2),
        "btcusdt@bookTicker": ({"u": 3, "b": "1", "B": "1", "a": "2", "A": "1"}, 3),
        "btcusdt@trade": ({"E": 7, "t": 4, "p": "1"}, 4),
        "btcusdt@aggTrade": ({"E": 7, "a": 5, "p": "1"}, 5),
        "btcusdt@markPrice@1s": ({"E": 6, "p": "1"}, 6),
    }
    reader = MessageReader()
    for stream, (data, number) in payloads.items():
        for _ in range(2):
            message = reader.read(msgspec.json.encode({"stream": stream, "data": data}))
            assert message is not None
            assert (message.stream, message.symbol, message.number) == (stream, "btcusdt", number)
            assert message.is_depth is (stream == "btcusdt@depth@0ms")
    assert reader.read(b'{"result":null,"id":1}') is None


def test_a_damaged_message_still_names_its_symbol() -> None:
    assert symbol_of_damaged(b'{"stream":"ethusdt@depth@0ms","data":{"e":') == "ethusdt"
    assert symbol_of_damaged(b'{"strea') is None


def test_only_a_whole_order_book_is_a_snapshot() -> None:
    assert snapshot_id(b'{"lastUpdateId":5,"bids":[["1","2"]],"asks":[]}') == 5
    assert snapshot_id(b'{"lastUpdateId":5,"bids":[["1","2"') is None
    assert snapshot_id(b'{"code":-1003,"msg":"x"}') is None


def test_waits_double_up_to_a_limit_and_are_shortened_by_up_to_a_half() -> None:
    class Fixed:
        def __init__(self, part: float) -> None:
            self.part = part

        def uniform(self, low: float, high: float) -> float:
            return low + (high - low) * self.part

    for part, expected in ((0.0, [0.25, 0.5, 1.0, 1.5, 1.5]), (1.0, [0.5, 1.0, 2.0, 3.0, 3.0])):
        waits = pauses(0.5, 3.0, Fixed(part))  # type: ignore[arg-type]
        assert [next(waits) for _ in range(5)] == expected
