"""Daily loss, drawdown, loss streak and margin floor with worked numbers."""

from __future__ import annotations

import time
from datetime import datetime
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from risk.breach import Breach, Limit
from risk.loss import LossConfig, LossLedger, LossState, check_margin_floor

D = Decimal
HOUR = 3_600_000_000_000
DAY = 24 * HOUR
MONDAY = 19_943 * DAY  # 2024-08-08 is day 19,943


def ledger(**limits: object) -> LossLedger:
    return LossLedger(LossConfig.model_validate({"max_daily_loss_quote": 100, "max_drawdown_pct": 50, **limits}))


def limits_of(breaches: tuple[Breach, ...]) -> list[Limit]:
    return [breach.limit for breach in breaches]


@pytest.mark.req("R-1")
@pytest.mark.parametrize(("equity", "broken"), [("9900.01", []), ("9900", []), ("9899.99", [Limit.DAILY_LOSS])])
def test_a_daily_loss_breaks_beyond_its_limit(equity: str, broken: list[Limit]) -> None:
    account = ledger()
    account.update(MONDAY, D(10_000))
    assert limits_of(account.update(MONDAY + HOUR, D(equity))) == broken


def test_the_breach_says_what_was_lost_against_what() -> None:
    account = ledger()
    account.update(MONDAY, D(10_000))
    (breach,) = account.update(MONDAY + HOUR, D("9876.54"))
    assert breach.detail == "daily loss 123.46 > 100.00"
    assert breach.figures == {"loss": "123.46", "limit": "100", "start_equity": "10000"}


@pytest.mark.req("R-1")
def test_a_new_utc_day_of_venue_time_starts_from_its_first_reading() -> None:
    account = ledger()
    account.update(MONDAY, D(10_000))
    assert account.update(MONDAY + DAY - 1, D(9_850)) != ()
    assert account.update(MONDAY + DAY, D(9_850)) == ()
    assert limits_of(account.update(MONDAY + DAY + 1, D("9749.99"))) == [Limit.DAILY_LOSS]


@pytest.mark.req("R-1")
def test_deposits_and_withdrawals_are_neither_profit_nor_loss() -> None:
    account = ledger(max_drawdown_pct=10)
    account.update(MONDAY, D(10_000))
    account.transfer(D(-4_000))
    assert account.update(MONDAY + 1, D(6_000)) == ()
    assert limits_of(account.update(MONDAY + 2, D("5899.99"))) == [Limit.DAILY_LOSS]
    account.transfer(D(5_000))
    assert account.update(MONDAY + 3, D(10_910)) == ()
    assert limits_of(account.update(MONDAY + 4, D("10899.99"))) == [Limit.DAILY_LOSS]


@pytest.mark.req("R-1")
def test_the_start_equity_survives_a_restart() -> None:
    before = ledger()
    before.update(MONDAY, D(10_000))
    before.update(MONDAY + HOUR, D(9_950))
    after = LossLedger(before.config, LossState.from_json(before.state.to_json()))
    assert after.state == before.state
    after.resume(MONDAY + 2 * HOUR, D(9_950), D(-50))
    assert limits_of(after.update(MONDAY + 2 * HOUR, D(9_899))) == [Limit.DAILY_LOSS]


@pytest.mark.req("R-1")
@pytest.mark.parametrize(
    ("equity", "booked", "start"),
    [
        (9_970, -60, 10_030),  # lost 60 since midnight: it stood at 10,030 then
        (10_100, 200, 10_000),  # estimate 9,900 is below the previous start 10,000: the smaller headroom counts
    ],
)
def test_midnight_while_down_estimates_the_start_and_takes_the_smaller_headroom(
    equity: int, booked: int, start: int
) -> None:
    account = ledger()
    account.update(MONDAY, D(10_000))
    account.resume(MONDAY + DAY + HOUR, D(equity), D(booked))
    assert (account.state.day_start, account.state.estimated) == (D(start), True)
    account.update(MONDAY + DAY + HOUR, D(equity))
    assert account.state.day_start == D(start)
    account.update(MONDAY + 2 * DAY, D(equity))
    assert not account.state.estimated


@pytest.mark.req("R-1")
def test_a_clock_step_over_midnight_and_back_neither_resets_nor_doubles_the_budget() -> None:
    account = ledger()
    account.update(MONDAY + 20 * HOUR, D(10_000))
    account.update(MONDAY + 23 * HOUR, D(9_920))
    account.update(MONDAY + 25 * HOUR, D(9_920))  # the clock stepped ahead by two hours
    assert account.update(MONDAY + 23 * HOUR + 1, D(9_920)) == ()
    assert account.state.day_start == D(10_000)
    assert limits_of(account.update(MONDAY + 23 * HOUR + 2, D(9_899))) == [Limit.DAILY_LOSS]


@pytest.mark.req("R-1")
@pytest.mark.skipif(not hasattr(time, "tzset"), reason="the zone of a process is set from outside on Windows")
@pytest.mark.parametrize(
    ("zone", "day"),
    [("Europe/Berlin", "2024-03-31"), ("Europe/Berlin", "2024-10-27"), ("America/New_York", "2024-11-03")],
)
def test_a_change_of_summer_time_neither_resets_nor_doubles_the_budget(
    monkeypatch: pytest.MonkeyPatch, zone: str, day: str
) -> None:
    monkeypatch.setenv("TZ", zone)
    time.tzset()
    try:
        midnight = int(datetime.fromisoformat(f"{day}T00:00:00+00:00").timestamp()) * 1_000_000_000
        account, rolled = ledger(), []
        for half_hour in range(-48, 97):  # from a day before to a day after the local day of 23 or 25 hours
            before = account.state.day
            account.update(midnight + half_hour * HOUR // 2, D(10_000 - 50 * (half_hour >= 48)))
            if account.state.day != before:
                rolled.append(half_hour)
        assert rolled == [-48, 0, 48, 96]  # UTC midnights alone
        assert limits_of(account.update(midnight + 97 * HOUR // 2, D(9_849))) == [Limit.DAILY_LOSS]
    finally:
        monkeypatch.undo()
        time.tzset()


def test_a_reading_of_long_ago_changes_no_reference() -> None:
    account = ledger()
    account.update(MONDAY + DAY, D(10_000))
    before = account.state
    account.update(MONDAY - 5 * DAY, D(9_990))
    assert account.state == before


@pytest.mark.req("R-3")
@pytest.mark.parametrize(("equity", "broken"), [("9500", []), ("9499.99", [Limit.DRAWDOWN])])
def test_drawdown_is_measured_from_the_peak(equity: str, broken: list[Limit]) -> None:
    account = ledger(max_drawdown_pct=5, max_daily_loss_quote=None)
    account.update(MONDAY, D(9_000))
    account.update(MONDAY + 1, D(10_000))
    account.update(MONDAY + DAY, D(9_800))
    assert limits_of(account.update(MONDAY + DAY + 1, D(equity))) == broken


def test_an_account_that_was_never_above_zero_is_fully_drawn_down_below_its_peak() -> None:
    account = ledger(max_drawdown_pct=5, max_daily_loss_quote=None)
    assert account.update(MONDAY, D(0)) == ()
    assert limits_of(account.update(MONDAY + 1, D(-1))) == [Limit.DRAWDOWN]


@pytest.mark.req("R-9")
def test_losing_round_trips_in_a_row_pause_and_a_winner_starts_anew() -> None:
    account = ledger(max_losses_in_a_row=3, loss_pause_secs=60)
    second = 1_000_000_000
    for pnl in (-1, -1, 0, 1, -1, -1):
        assert account.round_trip(0, D(pnl)) is None
    breach = account.round_trip(100 * second, D("-0.01"))
    assert breach is not None
    assert breach.detail == "3 losing round trips in a row: 60 s left"
    assert account.paused(160 * second - 1) is not None
    assert account.paused(160 * second) is None
    assert account.round_trip(161 * second, D(-1)) is None  # the streak starts anew after the pause


def test_without_a_limit_a_streak_pauses_nothing() -> None:
    account = ledger()
    assert all(account.round_trip(i, D(-1)) is None for i in range(100))


@pytest.mark.parametrize(("notional", "passes"), [("6000", True), ("6000.01", False)])
@pytest.mark.req("R-2")
def test_the_margin_floor_counts_the_margin_of_the_entry(notional: str, passes: bool) -> None:
    # equity 10,000, margin 6,000 + 6,000/3 = 8,000: 20 % free
    breach = check_margin_floor(D(10_000), D(6_000), D(notional), D(3), D(20))
    assert (breach is None) is passes


def test_an_account_without_equity_has_no_free_margin() -> None:
    breach = check_margin_floor(D(0), D(0), D(1), D(3), D(0))
    assert breach is not None
    assert breach.limit is Limit.MARGIN_FLOOR


readings = st.lists(
    st.tuples(st.integers(0, 40), st.integers(-200, 200), st.integers(-500, 500)), min_size=1, max_size=40
)


@given(readings)
def test_transfers_never_change_what_is_broken(moves: list[tuple[int, int, int]]) -> None:
    plain, moved = ledger(max_drawdown_pct=None), ledger(max_drawdown_pct=None)
    now, equity, deposits = MONDAY, D(10_000), D(0)
    for hours, pnl, deposit in moves:
        now += hours * HOUR
        equity += pnl
        assert limits_of(plain.update(now, equity)) == limits_of(moved.update(now, equity + deposits))
        moved.transfer(D(deposit))
        deposits += deposit


@given(readings, st.integers(0, 39))
def test_the_state_after_a_restart_is_the_state_before(moves: list[tuple[int, int, int]], restart: int) -> None:
    steady, restarted = ledger(), ledger()
    now, equity = MONDAY, D(10_000)
    for number, (hours, pnl, _) in enumerate(moves):
        if number == restart:
            restarted = LossLedger(restarted.config, LossState.from_json(restarted.state.to_json()))
        now += hours * HOUR
        equity += pnl
        assert steady.update(now, equity) == restarted.update(now, equity)
        assert steady.state == restarted.state
