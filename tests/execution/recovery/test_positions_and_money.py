"""Table 8 of recovery, and what READY takes; one test per row, named by it."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest

from execution.recovery.actions import Accept, Alert, BookIncome, Close, Keep, Ready, Refuse, ResumeDay, Wait
from execution.recovery.memory import carry
from execution.recovery.model import DAY_MS, Accepted, Income, WalletAnchor
from execution.recovery.rows import Row
from tests.execution.recovery.scene import BTC, ID, NOW, POLICY, journal, only, order, planned, row, rows_of, venue

D = Decimal
FLAT = venue()
LONG = venue(positions={BTC: D("0.5")})
HELD = journal(nets={BTC: D("0.5")})


def test_8_equal_and_zero_goes_on() -> None:
    assert rows_of(planned(journal(), FLAT)) == [Row.READY]


def test_8_held_is_adopted_closed_or_refused_by_policy() -> None:
    adopted = planned(HELD, LONG)
    assert rows_of(adopted) == [Row.ADOPTED, Row.READY]
    assert only(adopted, Keep).why == "position BTCUSDT long 0.5: adopted, counted in every limit"
    assert only(planned(HELD, LONG, positions="close"), Close).quantity == D("0.5")
    assert rows_of(planned(HELD, LONG, positions="refuse")) == [Row.HELD_REFUSED]


def test_8_held_on_a_symbol_that_no_limit_counts_refuses() -> None:
    known, seen = journal(nets={"ETHUSDT": D(-2)}), venue(positions={"ETHUSDT": D(-2)})
    refuse = only(planned(known, seen), Refuse)
    assert (refuse.row, "position ETHUSDT short 2" in refuse.why) == (Row.NOT_CONFIGURED, True)
    assert only(planned(known, seen, positions="close"), Close).symbol == "ETHUSDT"


@pytest.mark.req("O-6")
def test_8_differs_unexplained_refuses_with_both_figures_and_the_command() -> None:
    refuse = only(planned(journal(nets={BTC: D("0.2")}), LONG), Refuse)
    assert refuse.row is Row.DIFFERS
    assert "BTCUSDT is 0.5 at the venue, the journal makes it 0.2; no trade explains it" in refuse.why
    assert refuse.command == 'python -m runners.recover --account demo --accept BTCUSDT=0.5 --reason "…"'


def test_8_differs_is_believed_only_when_two_looks_show_it() -> None:
    torn = replace(LONG, same_since_ms=NOW - 1_999)
    assert rows_of(planned(journal(), torn)) == [Row.NOT_QUIESCENT]


def test_8_nothing_is_closed_on_an_account_that_is_not_understood() -> None:
    seen = venue(positions={BTC: D("0.5"), "ETHUSDT": D(1)})
    actions = planned(HELD, seen, positions="close")
    assert rows_of(actions) == [Row.DIFFERS]


def test_8_differs_accepted_books_the_difference_and_only_for_the_figure_that_was_seen() -> None:
    known = journal(nets={BTC: D("0.2")})
    accept = only(planned(known, LONG, accepted={BTC: Accepted(D("0.5"), "bought by hand")}), Accept)
    assert (accept.difference, accept.reason) == (D("0.3"), "bought by hand")
    refuse = only(planned(known, LONG, accepted={BTC: Accepted(D("0.4"), "bought by hand")}), Refuse)
    assert "accepted was 0.4, which it is not" in refuse.why


def test_8_what_was_held_before_the_first_start_is_booked_as_found() -> None:
    known = journal(first_start=True)
    assert rows_of(planned(known, replace(LONG, same_since_ms=NOW))) == [Row.NOT_QUIESCENT]
    accept = only(planned(known, LONG), Accept)
    assert (accept.row, accept.difference, accept.alert) == (Row.FIRST_START, D("0.5"), False)
    assert rows_of(planned(replace(known, nets={BTC: D("0.5")}), LONG)) == [Row.ADOPTED, Row.READY]


def test_8_dust_stays_and_is_told() -> None:
    crumb = D("0.0004")
    for policy in ("adopt", "close", "refuse"):
        actions = planned(journal(nets={BTC: crumb}), venue(positions={BTC: crumb}), positions=policy)
        assert rows_of(actions) == [Row.DUST, Row.READY]


def income(kind: str, amount: str, number: int = 1, time_ms: int = NOW - 1000) -> Income:
    return Income(kind, number, D(amount), "USDT", BTC, time_ms)


@pytest.mark.req("O-8")
@pytest.mark.parametrize("kind", ["FUNDING_FEE", "INSURANCE_CLEAR", "TRANSFER"])
def test_8_income_is_booked_once_by_type_and_transaction(kind: str) -> None:
    one = income(kind, "-1.5")
    seen = venue(incomes=(one, one, income("COMMISSION", "-1")), wallet=D("997.5"))
    assert only(planned(journal(), seen), BookIncome).income == one
    assert rows_of(planned(journal(incomes=frozenset({(kind, 1)})), seen)) == [Row.READY]


def test_8_wallet_differs_by_more_than_a_cent_alerts_and_refuses_nothing() -> None:
    anchor = WalletAnchor(D(1000), NOW - 10_000, frozenset({("COMMISSION", 4)}))
    rows = (income("COMMISSION", "-2"), income("COMMISSION", "-7", 4), income("REALIZED_PNL", "5", 2, NOW - 20_000))
    right = planned(journal(wallet=anchor), venue(incomes=rows, wallet=D("998.01")))
    assert rows_of(right) == [Row.READY]
    wrong = planned(journal(wallet=anchor), venue(incomes=rows, wallet=D("998.02")))
    assert rows_of(wrong) == [Row.WALLET, Row.READY]
    assert "+0.02" in only(wrong, Alert).why


@pytest.mark.req("R-1")
def test_8_midnight_passed_estimates_the_days_start() -> None:
    today = NOW // DAY_MS
    rows = (
        income("REALIZED_PNL", "30"), income("COMMISSION", "-4", 2), income("TRANSFER", "500", 3),
        income("REALIZED_PNL", "9", 4, today * DAY_MS - 1),
    )  # fmt: skip
    known = journal(day=today - 1, incomes=frozenset({("TRANSFER", 3)}), wallet=None)
    resume = only(planned(known, venue(incomes=rows, equity=D(1500))), ResumeDay)
    assert (resume.day, resume.booked_since) == (today, D(26))
    assert "an estimated 1474" in resume.why
    assert rows_of(planned(replace(known, day=today), venue(incomes=rows, equity=D(1500)))) == [Row.READY]


def test_5_ready_takes_the_fence_and_two_looks_that_show_the_same() -> None:
    busy = only(planned(journal(last_signed_ms=NOW - 4_000), FLAT), Wait)
    assert (busy.row, busy.until_ms) == (Row.NOT_QUIESCENT, NOW + 6_000)
    fresh = only(planned(journal(), replace(FLAT, same_since_ms=None)), Wait)
    assert (fresh.row, fresh.until_ms) == (Row.NOT_QUIESCENT, NOW + 2_000)
    assert isinstance(planned(journal(), FLAT)[-1], Ready)


def test_5_a_blank_account_at_its_first_start_is_ready_at_the_first_look() -> None:
    blank, unseen = journal(first_start=True, last_signed_ms=0), replace(FLAT, same_since_ms=None)
    assert rows_of(planned(blank, unseen)) == [Row.READY]
    for known, seen in (
        (replace(blank, first_start=False), unseen),
        (blank, replace(unseen, positions={BTC: D(1)})),
        (replace(blank, last_signed_ms=NOW), unseen),
        (blank, replace(unseen, orders=(order("NEW", wire_id="web_1"),))),
    ):
        assert Row.READY not in rows_of(planned(known, seen, foreign="count"))


def test_a_look_remembers_how_long_something_has_been_so() -> None:
    known, blank = journal(row()), venue(absent_since_ms={}, same_since_ms=None, unchanged_since_ms={})
    first = carry(None, blank, known, POLICY)
    assert (first.absent_since_ms, first.same_since_ms) == ({ID: NOW}, NOW)
    later = carry(first, replace(blank, now_ms=NOW + 2_000), known, POLICY)
    assert (later.absent_since_ms, later.same_since_ms) == ({ID: NOW}, NOW)
    failed = carry(later, replace(blank, now_ms=NOW + 3_000, asked={ID: "failed"}), known, POLICY)
    assert failed.absent_since_ms == {}
    seen = replace(blank, now_ms=NOW + 4_000, orders=(order("NEW"),))
    moved = carry(failed, seen, known, POLICY)
    assert (moved.same_since_ms, moved.unchanged_since_ms) == (NOW + 4_000, {(False, BTC, 7): NOW + 4_000})
    young = journal(row(signed_ms=NOW - 5_000))
    assert carry(None, blank, young, POLICY).absent_since_ms == {}
