"""Messages that pass by leave everything as if each had been looked at."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from risk.breakers.board import BreakerBoard
from risk.breakers.config import BreakersConfig
from risk.breakers.events import BookUpdate, FillNews
from risk.foreseen import Foreseen
from risk.quiet import Quiet
from tests.risk.breakers.test_markets import IID, MS, TOUCHY, market

FAR_NS = 1 << 62
type Trace = list[tuple[int, int, int, int, str]]


def updates(trace: Trace) -> list[BookUpdate]:
    """Book messages of a trace."""
    found, now = [], 0
    for wait_ms, drift, ticks, age_ms, what in trace:
        now += wait_ms * MS
        bid = 100.0 + drift / 10
        found.append(BookUpdate(now, now - age_ms * MS, IID, bid, bid + ticks / 100, what == "gap", what == "snapshot"))
    return found


def ahead(found: list[BookUpdate]) -> Any:
    """The same as columns."""
    ts = [u.ts_ns for u in found]
    return SimpleNamespace(
        ts_ns=ts, sequence=list(range(len(found))), mid=[(u.bid + u.ask) / 2.0 for u in found],
        spread=[u.ask - u.bid for u in found], gap_ns=[b - a for a, b in zip([*ts[:1], *ts], ts, strict=False)],
        age_ns=[u.ts_ns - u.ts_event_ns for u in found],
        odd=[row for row, u in enumerate(found) if row == 0 or u.gap or u.snapshot or u.bid >= u.ask],
    )  # fmt: skip


@settings(max_examples=200, deadline=None, database=None)
@given(market, st.sets(st.integers(0, 149)), st.integers(1, 5000))
def test_a_board_that_lets_messages_pass_says_what_one_says_that_looks_at_each(
    trace: Trace, interrupted: set[int], look_ms: int
) -> None:
    quiet = Quiet()
    hot, cold = BreakerBoard(TOUCHY, [IID], quiet), BreakerBoard(TOUCHY, [IID])
    found = updates(trace)
    foreseen = Foreseen(ahead(found))
    for row, update in enumerate(found):
        cold.lanes[IID].wake()
        wanted = cold.on_book(update)
        assert foreseen.step(update.ts_ns, row)
        if quiet.left:
            quiet.left -= 1
            assert wanted == ()
        else:
            assert hot.on_book(update) == wanted
            quiet.begin(foreseen, hot.lanes[IID], update.ts_ns + look_ms * MS)
        if trace[row][4] == "time":
            assert hot.on_time(update.ts_ns + 3 * MS) == cold.on_time(update.ts_ns + 3 * MS)
        if trace[row][4] == "fill":
            fill = FillNews(update.ts_ns, IID, "x", 1, update.bid * 1.01, update.bid)
            assert hot.on_fill(fill) == cold.on_fill(fill)
        if row in interrupted:
            quiet.end()
        assert hot.restriction(IID) == cold.restriction(IID)


def test_nearly_all_messages_of_an_even_market_pass_and_none_at_or_after_the_given_instant() -> None:
    quiet = Quiet()
    board = BreakerBoard(BreakersConfig(), [IID], quiet)
    found = updates([(50, row % 3, 5, 5, "") for row in range(200)])
    foreseen, looked = Foreseen(ahead(found)), []
    for row, update in enumerate(found):
        assert foreseen.step(update.ts_ns, row)
        if quiet.left:
            quiet.left -= 1
            continue
        looked.append(update.ts_ns)
        board.on_book(update)
        quiet.begin(foreseen, board.lanes[IID], 5_000 * MS if update.ts_ns < 5_000 * MS else FAR_NS)
    assert len(looked) < len(found) / 5
    assert 5_000 * MS in looked
    assert foreseen.is_over
