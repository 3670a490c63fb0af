"""The judge finds each failure in ledgers and journals made by hand, and nothing in a clean pair."""

from __future__ import annotations

import ast
import sys
from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pytest

from crash.judge.facts import Facts, Verdict
from crash.judge.journal import Journal, JournalFill
from crash.judge.verdicts import judge, judge_dead, realised_of
from tests.crash.hand_made import T0, S, Story

KILL = T0 + 10 * S
FACTS = Facts("t1", (KILL,), countdown_secs=5, confirm_secs=3)
END = T0 + 60 * S


def clean(folder: Path) -> Story:
    """A round trip before the kill, the canary after it."""
    story = Story(folder)
    story.round_trip(T0 + 2 * S, "t1aaaaaa000001", "target", 1)
    story.round_trip(T0 + 30 * S, "t1bbbbbb000001", "canary", 3)
    return story


def found(story: Story, facts: Facts = FACTS) -> list[tuple[Verdict, str]]:
    """What the judge says of a story."""
    story.end(END)
    return [(one.verdict, one.text) for one in judge(story.ledger, story.journal, facts).findings]


@pytest.mark.req("O-6")
def test_a_clean_pair_gives_no_finding(tmp_path: Path) -> None:
    assert found(clean(tmp_path)) == []


def order_not_in_the_journal(story: Story) -> None:
    story.order(T0 + 5 * S, 90, "t1aaaaaa000009", "NEW")
    story.order(T0 + 6 * S, 90, "t1aaaaaa000009", "CANCELED")


def trade_not_in_the_journal(story: Story) -> None:
    story.db.execute("DELETE FROM fills WHERE trade_id = '2'")


def row_that_is_not_over(story: Story) -> None:
    story.row(T0 + 5 * S, "t1aaaaaa000009", "UNKNOWN")


def order_left_open(story: Story) -> None:
    story.order(T0 + 55 * S, 90, "t1aaaaaa000009", "NEW")
    story.row(T0 + 55 * S, "t1aaaaaa000009", "CANCELED")


def given_up_before_it_arrived(story: Story) -> None:
    story.row(T0 + 5 * S, "t1aaaaaa000009", "NOT_EXECUTED")
    story.insert("events", run_id="r", ts_ns=T0 + 12 * S, client_order_id="t1aaaaaa000009", event="Settled", detail="")
    story.order(T0 + 13 * S, 90, "t1aaaaaa000009", "NEW")
    story.order(T0 + 14 * S, 90, "t1aaaaaa000009", "CANCELED")


def two_orders_of_one_id(story: Story) -> None:
    story.order(T0 + 5 * S, 90, "t1aaaaaa000001", "NEW")
    story.order(T0 + 6 * S, 90, "t1aaaaaa000001", "CANCELED")


def executed_twice(story: Story) -> None:
    story.trade(T0 + 5 * S, 7, 10, "t1aaaaaa000001")


def signed_after_the_crash(story: Story) -> None:
    story.row(T0 + 9 * S, "t1aaaaaa000009", "CANCELED")
    story.sent(KILL + 2 * S, "t1aaaaaa000009")


def refused(story: Story, client_order_id: str, reason: str = "id_reused", at_ns: int = T0) -> None:
    story.insert("refusals", run_id="r", ts_ns=at_ns, strategy_id="s", instrument_id="i", side="BUY", order_type="LIMIT",
                 client_order_id=client_order_id, quantity="1", reason=reason, detail="", figures="{}")  # fmt: skip


def id_given_out_twice(story: Story) -> None:
    refused(story, "t1aaaaaa000001")


def id_of_a_denied_order_given_out_again(story: Story) -> None:
    story.row(T0 - 9 * S, "t1aaaaaa000009", "DENIED")
    refused(story, "t1aaaaaa000009")


def id_refused_in_two_lives(story: Story) -> None:
    refused(story, "t1aaaaaa00000z", "countdown")
    refused(story, "t1aaaaaa00000z", "countdown", T0 + 60 * S)


def fee_off_by_the_last_unit(story: Story) -> None:
    story.db.execute("UPDATE fills SET fee = '3.00000001' WHERE trade_id = '1'")


def trade_that_never_was(story: Story) -> None:
    story.fill(T0 + 5 * S, "77", "t1aaaaaa000001", "0.1")


def other_end_than_the_venue(story: Story) -> None:
    story.db.execute(
        "UPDATE orders SET status = 'CANCELED', filled_quantity = '0.05' WHERE client_order_id = 't1aaaaaa000001'"
    )


def funding_not_booked(story: Story) -> None:
    story.line(T0 + 15 * S, "income", tran_id=9, symbol="BTCUSDT", type="FUNDING_FEE", amount="-0.5")
    story.insert("runs", run_id="r2", started_ns=T0 + 20 * S, mode="testnet", account="a", config_hash="h", epoch=2)


def wallet_that_never_was(story: Story) -> None:
    story.insert("wallet", run_id="r", ts_ms=(T0 + 20 * S) // 1_000_000, asset="USDT", balance="999.99", source="start")


def exit_that_could_open(story: Story) -> None:
    story.db.execute("UPDATE orders SET reduce_only = 1 WHERE client_order_id = 't1aaaaaa000001'")


def no_canary(story: Story) -> None:
    story.db.execute("UPDATE orders SET why = 'other' WHERE why = 'canary'")


def canary_that_did_not_trade_whole(story: Story) -> None:
    story.db.execute("UPDATE orders SET quantity = '0.2' WHERE why = 'canary'")


def orphan_that_outlived_the_countdown(story: Story) -> None:
    story.order(T0 + 5 * S, 90, "t1aaaaaa000009", "NEW")
    story.order(KILL + 9 * S, 90, "t1aaaaaa000009", "CANCELED")
    story.row(T0 + 5 * S, "t1aaaaaa000009", "CANCELED")


def position_without_its_stop(story: Story) -> None:
    for line in story.lines:
        if line["kind"] == "position" and line["ts_ns"] == T0 + 3 * S:
            line["ts_ns"] = T0 + 10 * S


PLANTED: dict[str, tuple[Callable[[Story], None], Verdict, str]] = {
    "order absent": (order_not_in_the_journal, Verdict.LOST, "is not in the journal"),
    "trade absent": (trade_not_in_the_journal, Verdict.LOST, "trade 2"),
    "row not over": (row_that_is_not_over, Verdict.LOST, "is not over in the journal: UNKNOWN"),
    "order open": (order_left_open, Verdict.LOST, "is open at the venue"),
    "given up too early": (given_up_before_it_arrived, Verdict.LOST, "given up 1.0 s before the venue accepted it"),
    "id twice at the venue": (two_orders_of_one_id, Verdict.DOUBLED, "2 orders of the venue have the id"),
    "executed twice": (executed_twice, Verdict.DOUBLED, "of 0.1 was executed for 0.2"),
    "sent after the crash": (signed_after_the_crash, Verdict.DOUBLED, "signed 2.00 s after it"),
    "id given out twice": (id_given_out_twice, Verdict.DOUBLED, "given out a second time"),
    "id of a denied order": (id_of_a_denied_order_given_out_again, Verdict.DOUBLED, "given out a second time"),
    "id refused in two lives": (id_refused_in_two_lives, Verdict.DOUBLED, "was given out 2 times, and refused each time"),
    "fee": (fee_off_by_the_last_unit, Verdict.WRONG, "fees: venue 12, journal 12.00000001"),
    "trade made up": (trade_that_never_was, Verdict.WRONG, "fill 77"),
    "end": (other_end_than_the_venue, Verdict.WRONG, "venue FILLED filled 0.1, journal CANCELED filled 0.05"),
    "funding": (funding_not_booked, Verdict.WRONG, "funding 9: venue -0.5, journal None"),
    "wallet": (wallet_that_never_was, Verdict.WRONG, "the journal says 999.99"),
    "reduce-only": (exit_that_could_open, Verdict.WRONG, "at the venue it could open"),
    "no canary": (no_canary, Verdict.STUCK, "never ready"),
    "half a canary": (canary_that_did_not_trade_whole, Verdict.STUCK, "of 0.2 traded 0.1 in 1 orders"),
    "orphan": (orphan_that_outlived_the_countdown, Verdict.EXPOSED, "stood open for 9.0 s after the kill, allowed are 8"),
    "bare position": (position_without_its_stop, Verdict.EXPOSED, "without its stop for 7.0 s, allowed are 6"),
}  # fmt: skip


@pytest.mark.req("O-6")
@pytest.mark.parametrize("case", PLANTED.values(), ids=PLANTED.keys())
def test_each_planted_failure_is_found_and_named(
    tmp_path: Path, case: tuple[Callable[[Story], None], Verdict, str]
) -> None:
    plant, verdict, text = case
    story = clean(tmp_path)
    plant(story)
    said = found(story)
    assert any(one is verdict and text in words for one, words in said), said


def test_an_order_that_was_looked_at_again_and_did_not_leave_has_its_id_once(tmp_path: Path) -> None:
    """Between its row and its way out a lock may shut: the venue's countdown ran low while the row was written."""
    story = clean(tmp_path)
    story.row(T0, "t1aaaaaa000009", "DENIED")
    refused(story, "t1aaaaaa000009", "countdown")
    assert found(story) == []


def test_a_start_that_should_refuse_must_have_refused_by_a_name_that_is_expected(tmp_path: Path) -> None:
    facts = replace(FACTS, expects="refuse", names=("rollback",))
    story = clean(tmp_path)
    assert found(story, replace(facts, refused="SafetyRefusal: journal_rollback: 1 order")) == []
    for refused in ("", "SafetyRefusal: hedge mode"):
        (one,) = judge(story.ledger, story.journal, replace(facts, refused=refused)).findings
        assert one.verdict is Verdict.STUCK


def test_a_refusal_that_nothing_asked_for_is_a_failure(tmp_path: Path) -> None:
    said = found(clean(tmp_path), replace(FACTS, refusal="SafetyRefusal: no"))
    assert [verdict for verdict, _ in said] == [Verdict.STUCK]


@pytest.mark.req("O-6")
def test_what_is_over_in_the_journal_of_the_dead_may_not_be_open_at_the_venue(tmp_path: Path) -> None:
    story = clean(tmp_path)
    story.order(T0 + 5 * S, 90, "t1aaaaaa000009", "NEW")
    story.row(T0 + 5 * S, "t1aaaaaa000009", "REJECTED")
    story.end(END)
    (one,) = judge_dead(story.ledger, story.journal, "t1", KILL)
    assert (one.verdict, "over in the journal (REJECTED)" in one.text) == (Verdict.LOST, True)


def test_realised_profit_is_counted_by_average_cost_and_rounded_as_the_venue_does() -> None:
    """0.3 bought for 10.00000001 a piece, 0.1 sold at 11: 1.1 - 1.000000001 rounded to 1.00000000 = 0.1."""
    journal = Journal()
    for trade, side, price, quantity in (("1", "BUY", "10.00000001", "0.3"), ("2", "SELL", "11", "0.1")):
        journal.fills.append(
            JournalFill(trade, "o", "X", side, Decimal(price), Decimal(quantity), Decimal(0), Decimal(0), 0)
        )
    assert realised_of(journal) == Decimal("0.10000000")


@pytest.mark.req("O-6")
def test_the_judge_imports_nothing_but_the_standard_library_and_itself() -> None:
    import crash.judge

    folder = Path(str(crash.judge.__file__)).parent
    names: set[str] = set()
    for path in folder.glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                names.update(alias.name for alias in node.names)
            elif isinstance(node, ast.ImportFrom) and node.module:
                names.add(node.module)
    foreign = {name for name in names if name.split(".")[0] not in sys.stdlib_module_names}
    assert {name for name in foreign if not name.startswith("crash.judge")} == set()
