"""The judge of a drill on ledgers made by hand: what is right passes, and each thing that is wrong is seen."""

from __future__ import annotations

from pathlib import Path

import pytest

from runners.drills.expect import Expect, Expectation
from runners.drills.judge import Evidence, Judged, judge
from tests.crash.hand_made import T0, S, Story

FIRED = T0 + 5 * S
ORDER_AFTER = Expectation.model_validate({
    "that": "an order came after the fault",
    "ledger": {"kind": "order", "ours": True, "where": {"status": "NEW"}, "after": {"mark": "broken", "plus_secs": 1}},
    "at_least": 1,
})  # fmt: skip


def story(folder: Path) -> Story:
    """Buy 0.1 and sell it again, with a fault before; nothing is wrong."""
    told = Story(folder)
    told.line(FIRED, "fault", name="broken", cause="at_secs", acts=["drop"])
    told.round_trip(FIRED + 2 * S, "t1a", "entry", 1)
    return told


def one_more(told: Story, *, over: bool = False) -> None:
    """Another 0.1 is bought; booked and over only if asked for."""
    at = FIRED + 9 * S
    told.order(at, 7, "t1c", "NEW")
    told.trade(at, 7, 7, "t1c")
    told.position(at, "0.1")
    if over:
        told.order(at, 7, "t1c", "FILLED", filled="0.1")
        told.row(at, "t1c", "FILLED", "0.1")
        told.fill(at, "7", "t1c", "0.1")


def judged(told: Story, expect: Expect | None = None, **changes: object) -> Judged:
    """The judgement of a story."""
    told.end(FIRED + 10 * S)
    evidence = Evidence(told.ledger, told.journal, "t1", {"start 1": T0}, ("broken",))
    for name, value in changes.items():
        object.__setattr__(evidence, name, value)
    return judge(evidence, expect or Expect(checks=(ORDER_AFTER,)))


def wrong(found: Judged) -> list[str]:
    """Sentences that are not true."""
    return [check.that for check in found.checks if not check.holds]


@pytest.mark.req("L-3")
def test_a_story_in_which_all_is_right_passes_with_the_figures_of_the_ledger(tmp_path: Path) -> None:
    found = judged(story(tmp_path))
    assert (found.passes, wrong(found)) == (True, [])
    books = found.books
    assert (books.accepted, books.ids, books.most_per_id, books.trades, books.open_at_end) == (2, 2, 1, 2, ())
    assert (dict(books.positions), books.fees) == ({"BTCUSDT": "0"}, "6")


def test_a_planted_wrong_expectation_fails_and_says_what_was_seen(tmp_path: Path) -> None:
    planted = ORDER_AFTER.model_copy(update={"at_least": 3.0})
    found = judged(story(tmp_path), Expect(checks=(planted,)))
    assert wrong(found) == ["an order came after the fault"]
    assert found.checks[-1].seen == "2, wanted at least 3"


def test_a_fault_that_never_fired_fails_the_drill_and_so_does_a_moment_that_never_came(tmp_path: Path) -> None:
    later = {"kind": "order", "after": "kill 1"}
    expect = Expect(checks=(Expectation.model_validate({"that": "later", "ledger": later, "at_most": 0}),))
    found = judged(story(tmp_path), expect, faults=("broken", "also"))
    assert wrong(found) == ["everything that was to break at the venue broke", "later"]
    assert "'kill 1' never happened" in found.checks[-1].seen


def test_an_id_that_was_accepted_twice_fails(tmp_path: Path) -> None:
    told = story(tmp_path)
    told.order(FIRED + 9 * S, 7, "t1a", "NEW")
    told.order(FIRED + 9 * S, 7, "t1a", "CANCELED")
    assert set(wrong(judged(told))) >= {"no client id was accepted twice", "DOUBLED 0"}


def test_an_order_that_is_open_a_position_that_is_held_and_a_trade_that_is_not_booked_fail(tmp_path: Path) -> None:
    told = story(tmp_path)
    one_more(told)
    assert set(wrong(judged(told))) == {
        "no order of ours is open at the end", "the position is flat at the end", "LOST 0", "WRONG 0",
    }  # fmt: skip


def test_a_held_position_passes_only_with_its_stop_and_only_where_the_drill_says_so(tmp_path: Path) -> None:
    protected = Expect(checks=(ORDER_AFTER,), position="protected")
    for name, stop in (("bare", False), ("stopped", True)):
        (tmp_path / name).mkdir()
        told = story(tmp_path / name)
        one_more(told, over=True)
        if stop:
            told.stop(FIRED + 9 * S, 8, "t1d", "NEW")
            told.row(FIRED + 9 * S, "t1d", "ACK", is_protective=1, is_algo=1, source="protective", reduce_only=1)
        missing = [] if stop else ["the position has its stop at the venue at the end"]
        assert wrong(judged(told, protected)) == missing


def test_a_position_above_what_the_drill_allows_fails(tmp_path: Path) -> None:
    told = story(tmp_path)  # 0.1 at 60,000 is 6,000
    assert wrong(judged(told, Expect(checks=(ORDER_AFTER,), max_position_quote=6000))) == []
    found = judged(told, Expect(checks=(ORDER_AFTER,), max_position_quote=5999))
    assert wrong(found) == ["no position was worth more than 5999"]


def test_sql_on_the_journal_is_read_only_and_a_wrong_one_fails_the_check(tmp_path: Path) -> None:
    def checks(sql: str) -> Expect:
        return Expect(checks=(Expectation(that="sql", journal=sql, at_least=2, at_most=2),))

    assert wrong(judged(story(tmp_path), checks("SELECT count(*) FROM fills"))) == []
    folder = tmp_path / "second"
    folder.mkdir()
    found = judged(story(folder), checks("DELETE FROM fills"))
    assert wrong(found) == ["sql"]
    assert "readonly" in found.checks[-1].seen
