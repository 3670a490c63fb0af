"""D1 to D6 on a clock that only the test moves. Countdown 30 s, refresh 7.5 s."""

from __future__ import annotations

import pytest

from execution.deadman.countdown import Countdowns, Timing

SECOND = 1_000_000_000
THIRTY = Timing(30 * SECOND, 15 * SECOND // 2)


class Clock:
    """Monotonic time, moved by hand."""

    def __init__(self) -> None:
        self.ns = 1000 * SECOND

    def __call__(self) -> int:
        return self.ns

    def wait(self, secs: float) -> None:
        self.ns += round(secs * SECOND)


def made(*symbols: str) -> tuple[Countdowns, Clock]:
    clock = Clock()
    return Countdowns(symbols or ("BTCUSDT",), THIRTY, clock), clock


def armed(countdowns: Countdowns, clock: Clock, *, answer_secs: float = 0.0, symbol: str = "BTCUSDT") -> None:
    sent = countdowns.send(symbol)
    clock.wait(answer_secs)
    countdowns.acknowledged(symbol, sent)


@pytest.mark.req("X-4")
def test_no_entry_before_a_countdown_of_the_symbol_is_acknowledged() -> None:
    countdowns, _ = made("BTCUSDT", "ETHUSDT")
    assert countdowns.shut("BTCUSDT") == "the venue has acknowledged no countdown of BTCUSDT yet"
    sent = countdowns.send("BTCUSDT")
    assert countdowns.shut("BTCUSDT") is not None  # sent is not acknowledged
    countdowns.acknowledged("BTCUSDT", sent)
    assert countdowns.shut("BTCUSDT") is None
    assert countdowns.shut("ETHUSDT") == "the venue has acknowledged no countdown of ETHUSDT yet"
    assert "not a symbol of this configuration" in str(countdowns.shut("XRPUSDT"))


@pytest.mark.req("X-4")
def test_what_is_left_is_counted_from_the_send_and_less_than_half_shuts_entries() -> None:
    countdowns, clock = made()
    armed(countdowns, clock, answer_secs=4)  # sent at 0, answered at 4: 26 s are left, not 30
    assert countdowns.left_ns("BTCUSDT") == 26 * SECOND
    clock.wait(11)
    assert countdowns.shut("BTCUSDT") is None  # exactly half
    clock.wait(0.001)
    assert countdowns.shut("BTCUSDT") == "the venue's countdown of BTCUSDT has 15.0 s left of 30, an entry needs half"


@pytest.mark.req("X-4")
def test_a_failed_refresh_proves_nothing_and_is_tried_again_after_a_second() -> None:
    countdowns, clock = made()
    armed(countdowns, clock)
    assert countdowns.due() == []
    clock.wait(7.4)
    assert countdowns.due() == []
    clock.wait(0.1)
    assert countdowns.due() == ["BTCUSDT"]
    countdowns.send("BTCUSDT")
    assert countdowns.due() == []  # under way
    countdowns.failed("BTCUSDT")
    assert countdowns.left_ns("BTCUSDT") == round(22.5 * SECOND)
    clock.wait(0.9)
    assert countdowns.due() == []
    clock.wait(0.1)
    assert countdowns.due() == ["BTCUSDT"]


@pytest.mark.req("X-4")
def test_a_countdown_that_ran_out_keeps_entries_shut_until_the_account_was_looked_at() -> None:
    countdowns, clock = made()
    armed(countdowns, clock)
    clock.wait(30)
    assert (
        countdowns.shut("BTCUSDT")
        == "the venue's countdown of BTCUSDT ran out; the account has not been looked at since"
    )
    assert countdowns.reconciled() is False  # still gone: a look now proves nothing of what comes next
    armed(countdowns, clock)
    assert countdowns.shut("BTCUSDT") is not None
    assert countdowns.reconciled() is True
    assert countdowns.shut("BTCUSDT") is None


@pytest.mark.req("X-4")
def test_an_answer_that_comes_after_the_end_does_not_hide_that_there_was_one() -> None:
    countdowns, clock = made()
    armed(countdowns, clock)
    clock.wait(29.9)
    armed(countdowns, clock, answer_secs=0.2)  # the venue may have fired between the two
    assert countdowns.left_ns("BTCUSDT") == round(29.8 * SECOND)
    assert "ran out" in str(countdowns.shut("BTCUSDT"))


@pytest.mark.req("X-4")
def test_answers_out_of_order_never_shorten_what_is_believed() -> None:
    countdowns, clock = made()
    first = countdowns.send("BTCUSDT")
    clock.wait(5)
    second = countdowns.send("BTCUSDT")
    countdowns.acknowledged("BTCUSDT", second)
    countdowns.acknowledged("BTCUSDT", first)
    assert countdowns.left_ns("BTCUSDT") == 30 * SECOND


@pytest.mark.req("X-4")
def test_a_cancel_that_nobody_asked_for_is_a_firing_near_the_end_and_only_there() -> None:
    countdowns, clock = made()
    armed(countdowns, clock)
    clock.wait(10)
    assert countdowns.cancelled("BTCUSDT") is False  # a person, or the venue: 20 s are left
    clock.wait(18.9)
    assert countdowns.cancelled("BTCUSDT") is False
    clock.wait(0.1)  # one second before the end: two clocks do not run alike
    assert countdowns.cancelled("BTCUSDT") is True
    assert (
        countdowns.shut("BTCUSDT")
        == "the venue's countdown of BTCUSDT has fired; the account has not been looked at since"
    )
    assert countdowns.cancelled("XRPUSDT") is False


@pytest.mark.req("X-4")
def test_news_of_a_firing_may_come_ten_seconds_after_the_link_is_back() -> None:
    countdowns, clock = made()
    armed(countdowns, clock)
    clock.wait(90)  # no refresh got through
    armed(countdowns, clock)
    clock.wait(10)
    assert countdowns.cancelled("BTCUSDT") is True
    clock.wait(0.1)
    assert countdowns.cancelled("BTCUSDT") is False


@pytest.mark.req("X-4")
def test_all_cancels_of_one_firing_are_one_and_two_firings_in_an_hour_latch() -> None:
    countdowns, clock = made("BTCUSDT", "ETHUSDT")
    for symbol in ("BTCUSDT", "ETHUSDT"):
        armed(countdowns, clock, symbol=symbol)
    clock.wait(31)
    assert [countdowns.cancelled(symbol) for symbol in ("BTCUSDT", "BTCUSDT", "ETHUSDT")] == [True] * 3
    assert (countdowns.firings, countdowns.latches) == (1, False)
    for symbol in ("BTCUSDT", "ETHUSDT"):
        armed(countdowns, clock, symbol=symbol)
    clock.wait(2)
    assert countdowns.cancelled("ETHUSDT") is True  # late news of the same
    assert countdowns.firings == 1
    clock.wait(28.5)  # the next countdown ends
    assert countdowns.cancelled("BTCUSDT") is True
    assert (countdowns.latches, countdowns.firings) == (True, 2)
    clock.wait(3570)  # the first is more than an hour ago
    assert (countdowns.latches, countdowns.firings) == (False, 1)


@pytest.mark.req("X-4", "R-8")
def test_after_a_suspend_no_countdown_is_believed_in_and_all_are_due() -> None:
    countdowns, clock = made()
    armed(countdowns, clock)
    countdowns.forget("this process stood still for 60.0 s, the machine with it")
    assert "the machine with it" in str(countdowns.shut("BTCUSDT"))
    assert countdowns.due() == ["BTCUSDT"]
    assert countdowns.cancelled("BTCUSDT") is True  # the venue's ran on
    armed(countdowns, clock)
    assert countdowns.reconciled() is True
    assert countdowns.shut("BTCUSDT") is None


@pytest.mark.req("X-4", "R-8")
def test_an_answer_to_what_was_sent_before_a_suspend_arms_nothing() -> None:
    """Sent, then asleep for a minute, then answered: our clock says a moment, and the venue's countdown is over."""
    countdowns, clock = made()
    armed(countdowns, clock)
    clock.wait(8)
    sent = countdowns.send("BTCUSDT")
    clock.wait(0.1)
    countdowns.forget("this process stood still for 60.0 s, the machine with it")
    countdowns.acknowledged("BTCUSDT", sent)
    assert countdowns.left_ns("BTCUSDT") is None
    assert countdowns.reconciled() is True
    assert countdowns.shut("BTCUSDT") == "the venue has acknowledged no countdown of BTCUSDT yet"
    assert (countdowns.due(), countdowns.unanswered()) == (["BTCUSDT"], [sent])  # it may have arrived all the same
    clock.wait(0.1)
    armed(countdowns, clock)
    assert countdowns.shut("BTCUSDT") is None


def test_tries_without_an_answer_are_remembered_since_they_may_have_arrived() -> None:
    countdowns, clock = made()
    lost = countdowns.send("BTCUSDT")
    countdowns.failed("BTCUSDT")
    clock.wait(1)
    armed(countdowns, clock)
    assert countdowns.unanswered() == [lost]
    clock.wait(8)
    asking = countdowns.send("BTCUSDT")
    assert countdowns.unanswered() == [lost, asking]
