"""R-1, R-3, R-9: a restart does not give the day's loss budget back, nor the cool-downs."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from errors import SafetyRefusal
from execution.safety.rows import IncomeRow
from risk.halts import Halts
from risk.kill_switch import run_switch
from risk.loss import NS_PER_DAY, LossConfig, LossLedger
from risk.throttles import ThrottleConfig, Throttles
from runners.live.risk_memory import RiskMemory

D = Decimal
DAY = 20_000
NOON = DAY * NS_PER_DAY + NS_PER_DAY // 2
HOUR = 3_600_000_000_000
LIMITS = LossConfig(max_daily_loss_quote=D(100), max_drawdown_pct=D(50), max_losses_in_a_row=2, loss_pause_secs=1000)


class Kept:
    """A journal's states, in memory."""

    def __init__(self) -> None:
        self.states: dict[str, tuple[int, dict[str, Any]]] = {}
        self.writes = 0

    def save_risk_state(self, ts_ns: int, name: str, value: dict[str, Any]) -> None:
        self.writes += 1
        self.states[name] = (ts_ns, value)

    def risk_state(self, name: str) -> tuple[int, dict[str, Any]] | None:
        return self.states.get(name)


def halts() -> Halts:
    return Halts(run_switch("x"), LossLedger(LIMITS))


def throttles() -> Throttles:
    return Throttles(ThrottleConfig(max_cancels_per_fill=1, min_cancels=1, reentry_cooldown_secs=60))


def session(kept: Kept) -> tuple[Halts, RiskMemory]:
    found = halts()
    memory = RiskMemory(kept, found)
    memory.attach(throttles())
    return found, memory


def income(kind: str, amount: str, ts_ns: int, number: int = 1) -> IncomeRow:
    return IncomeRow(kind=kind, amount=D(amount), asset="USDT", time_ms=ts_ns // 1_000_000, transaction_id=number)


@pytest.mark.req("R-1")
def test_a_restart_on_the_same_day_goes_on_with_the_same_loss() -> None:
    kept = Kept()
    first, memory = session(kept)
    assert memory.since_ms(NOON) is None  # nothing is asked at the first start
    assert memory.resume(NOON, D(1000), ()) is None
    first.read(NOON, D(1000))
    first.read(NOON + 1, D(930))
    memory.keep(NOON + 1)
    second, again = session(kept)
    told = again.resume(NOON + HOUR, D(930), ())
    assert told == "the day goes on: started with 1000.00, lost 70.00 so far"
    second.read(NOON + HOUR, D(901))
    assert second.refusal(NOON + HOUR) is None  # 99 of 100
    second.read(NOON + HOUR + 1, D(899))
    breach = second.refusal(NOON + HOUR + 1)
    assert breach is not None
    assert "daily loss 101.00 > 100.00" in breach.detail


@pytest.mark.req("R-3")
def test_a_halt_for_the_day_is_still_one_after_a_restart_and_ends_with_the_day() -> None:
    kept = Kept()
    first, _ = session(kept)
    first.read(NOON, D(1000))
    first.read(NOON + 1, D(800))  # kept at once, with the halt: no second may be lost to a kill
    second, again = session(kept)
    again.resume(NOON + HOUR, D(1000), ())  # it has recovered meanwhile
    second.read(NOON + HOUR, D(1000))
    assert second.refusal(NOON + HOUR) is not None
    second.read(NOON + 13 * HOUR, D(1000))
    assert second.refusal(NOON + 13 * HOUR) is None


@pytest.mark.req("R-3")
def test_a_streak_of_losses_and_its_pause_survive() -> None:
    kept = Kept()
    first, memory = session(kept)
    first.round_trip(NOON, D(-1))
    memory.keep(NOON)
    second, _ = session(kept)
    second.round_trip(NOON + 5, D(-1))  # the second in a row
    third, _ = session(kept)
    assert third.refusal(NOON + 10) is not None
    assert third.refusal(NOON + 1001 * 1_000_000_000) is None


@pytest.mark.req("R-1")
def test_a_day_that_began_while_down_is_estimated_and_the_smaller_headroom_counts() -> None:
    kept = Kept()
    first, memory = session(kept)
    first.read(NOON, D(1000))
    memory.keep(NOON)
    morning = NOON + 20 * HOUR  # 08:00 of the next day
    second, again = session(kept)
    midnight_ms = (DAY + 1) * NS_PER_DAY // 1_000_000
    assert again.since_ms(morning) == NOON // 1_000_000
    rows = [
        income("REALIZED_PNL", "-30", NOON + HOUR),  # before midnight: no loss of the new day
        income("REALIZED_PNL", "-8", (midnight_ms + 5) * 1_000_000, 2),
        income("FUNDING_FEE", "-2", (midnight_ms + 5) * 1_000_000, 3),
    ]
    told = again.resume(morning, D(1010), rows)
    # 1010 now, 10 were lost since midnight: it began with 1020, which is more than 1000: less headroom
    assert told is not None
    assert told.startswith(
        "a new day began while the node was down: its start is estimated at 1020.00 (now 1010.00, booked"
    )
    assert (second.losses.state.day, second.losses.state.day_start, second.losses.state.estimated) == (
        DAY + 1,
        D(1020),
        True,
    )
    third, once_more = session(kept)
    once_more.resume(morning, D(1010), ())
    assert third.losses.state == second.losses.state


@pytest.mark.req("R-1")
def test_money_that_was_paid_in_while_down_is_no_profit() -> None:
    kept = Kept()
    first, memory = session(kept)
    first.read(NOON, D(1000))
    memory.keep(NOON)
    second, again = session(kept)
    again.resume(
        NOON + HOUR, D(1450), [income("TRANSFER", "500", NOON + HOUR // 2), income("TRANSFER", "70", NOON - HOUR, 2)]
    )
    second.read(NOON + HOUR, D(1450))
    assert (second.losses.state.day_start, second.losses.state.peak) == (D(1500), D(1500))
    second.read(NOON + HOUR, D(1399))
    assert second.refusal(NOON + HOUR) is not None  # 101 of 100 are gone


@pytest.mark.req("R-9")
def test_cool_downs_and_cancel_ratios_survive() -> None:
    kept = Kept()
    limits = throttles()
    limits.on_flat(NOON, "s-1", "BTC")
    for number in range(5):
        limits.on_cancel(NOON + number, "s-1")
    limits.on_fill(NOON, "s-1")
    memory = RiskMemory(kept, halts())
    memory.attach(limits)
    memory.keep(NOON + 10)
    after = throttles()
    RiskMemory(kept, halts()).attach(after)
    assert after.state(NOON + 10) == limits.state(NOON + 10) == {
        "flat_ns": [["s-1", "BTC", NOON]], "cancels": {"s-1": {str(NOON // 10**9): 5}}, "fills": {"s-1": {str(NOON // 10**9): 1}},
    }  # fmt: skip
    assert after.state(NOON + 700 * 10**9)["cancels"] == {"s-1": {}}  # the window has slid past them


def test_only_what_has_changed_is_written() -> None:
    kept = Kept()
    first, memory = session(kept)
    first.read(NOON, D(1000))
    memory.keep(NOON)
    before = kept.writes
    for second in range(10):
        memory.keep(NOON + second * 10**9)
    assert kept.writes == before
    first.read(NOON + 11 * 10**9, D(1001))  # a new peak
    memory.keep(NOON + 11 * 10**9)
    assert kept.writes == before + 1


def test_a_ledger_that_cannot_be_read_refuses_the_start() -> None:
    kept = Kept()
    kept.save_risk_state(1, "losses", {"day": 1})
    with pytest.raises(SafetyRefusal, match="the loss ledger in the journal cannot be read"):
        session(kept)
