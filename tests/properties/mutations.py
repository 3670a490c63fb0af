"""Planted bugs of gate, breakers and bookkeeping: each must be caught by a named test.

``uv run python -m tests.properties.mutations`` prints which test catches which, and exits 1 unless all are caught.
"""

from __future__ import annotations

import importlib
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any

import risk.gate
from execution.fitting import Fitting
from execution.journal import MemoryJournal
from execution.relay import Relay
from risk.breach import Breach
from risk.breakers import restriction
from risk.breakers.machine import NO_EDGES, Breaker, State
from risk.gate import RiskGate
from risk.halts import Halts
from risk.kill_switch import KillSwitch, Trip
from risk.limits import check_exposure
from risk.loss import LossLedger
from risk.request import OrderRequest, Side
from risk.throttles import _Window
from risk.verdict import Reason, Refused, Verdict
from risk.view import AccountView, Elsewhere, Resting
from tests.properties.case import Violation
from tests.properties.driver import first_failure

type Patch = tuple[Any, str, Any]
ZERO = Decimal(0)
EPISODES = "properties/test_gate_machine.py::test_seeded_episodes_reach_everything_that_a_long_run_must"
EPISODE_STEPS = 20_000
WIDTH = 150


@dataclass(frozen=True, slots=True)
class Mutation:
    """A planted bug.

    Attributes
    ----------
    name
        What is wrong.
    patch
        Object, attribute and the wrong value.
    test
        Module, test function and its arguments; None where the seeded episodes are to catch it.
    """

    name: str
    patch: Patch
    test: tuple[str, str, tuple[Any, ...]] | None = None


def _unknown_dropped(original: Callable[..., None]) -> Callable[..., None]:
    def order(self: Any, event: Any, strategy_id: str) -> None:
        original(self, event, strategy_id)
        if type(event).__name__ == "OrderCancelRejected":
            self._view.close(str(event.client_order_id))

    return order


def _one_tick_more(original: Callable[..., Verdict]) -> Callable[..., Verdict]:
    def check(request: OrderRequest, exposure: Any, config: Any) -> Verdict:
        more = float(Decimal("0.1") * request.quantity)
        wider = {"max_position_notional_quote": config.max_position_notional_quote + more}
        return original(request, exposure, config.model_copy(update=wider))

    return check


def _exits_refused(original: Callable[..., Verdict]) -> Callable[..., Verdict]:
    def leaving(self: RiskGate, request: OrderRequest) -> Verdict:
        if self.halted is not None:
            return Refused(Reason.HALTED, self.halted)
        return original(self, request)

    return leaving


def _same_day_forever(self: LossLedger, day: int, equity: Decimal) -> None:
    if self.state.day < 0:
        self.state = replace(self.state, day=day, day_start=equity)


def _remembers_in_memory_only(self: KillSwitch) -> str | None:
    return None if self.tripped is None else self.tripped.reason


def _half_open_is_free(original: Callable[[Breaker], float]) -> Callable[[Breaker], float]:
    return lambda breaker: 1.0 if breaker.state is State.HALF_OPEN else original(breaker)


def _never_slides(self: Any, _ts_ns: int) -> int:
    return len(self._instants)


def _peak_forgotten(original: Callable[..., tuple[Breach, ...]]) -> Callable[..., tuple[Breach, ...]]:
    def update(self: LossLedger, ts_ns: int, equity: Decimal) -> tuple[Breach, ...]:
        self.state = replace(self.state, peak=equity)
        return original(self, ts_ns, equity)

    return update


def _last_trip(self: Halts, ts_ns: int, reason: str, figures: Any = None) -> None:
    del figures
    self.switch.tripped = Trip(ts_ns, reason)


def _booked_twice(original: Callable[..., bool]) -> Callable[..., bool]:
    def fill(self: MemoryJournal, told: Any) -> bool:
        original(self, told)
        return True

    return fill


def _empty_is_worthless(self: AccountView, instrument_id: str) -> Decimal | None:
    return self.reference(instrument_id) or ZERO


def _nothing_elsewhere(_self: AccountView, _instrument_id: str, _side: Side) -> Elsewhere:
    return Elsewhere(ZERO, ZERO, ZERO)


GATE = "tests.risk.test_gate"
LIMITS = "tests.risk.test_gate_limits"
MUTATIONS = (
    Mutation(
        "resting orders are not counted", (AccountView, "resting", lambda *_: Resting(ZERO, ZERO, 0)),
        (GATE, "test_resting_orders_elsewhere_count_as_filled", ()),
    ),
    Mutation("UNKNOWN orders drop out of the exposure", (Relay, "order", _unknown_dropped(Relay.order))),
    Mutation(
        "position limit off by one tick", (risk.gate, "check_exposure", _one_tick_more(check_exposure)),
        (LIMITS, "test_position_notional_to_the_last_step", ("5.001", Reason.POSITION_NOTIONAL)),
    ),
    Mutation(
        "net position instead of the worst case", (Resting, "worst", lambda _self, net: abs(net)),
        (GATE, "test_resting_orders_elsewhere_count_as_filled", ()),
    ),
    Mutation(
        "other instruments are forgotten", (AccountView, "elsewhere", _nothing_elsewhere),
        (LIMITS, "test_gross_notional_adds_long_and_short_and_what_rests", ("5.001", Reason.GROSS_NOTIONAL)),
    ),
    Mutation(
        "exits are refused while halted", (RiskGate, "_exit", _exits_refused(RiskGate._exit)),
        (GATE, "test_a_reducing_order_without_the_flag_is_an_entry", ()),
    ),
    Mutation(
        "the day of the daily loss never rolls", (LossLedger, "_roll", _same_day_forever),
        ("tests.risk.test_loss", "test_a_new_utc_day_of_venue_time_starts_from_its_first_reading", ()),
    ),
    Mutation("the kill switch forgets in a restart", (KillSwitch, "refusal", _remembers_in_memory_only)),
    Mutation(
        "the last reason of a halt wins", (Halts, "trip", _last_trip),
        (GATE, "test_a_halt_refuses_with_its_first_reason", ()),
    ),
    Mutation("the halt of a day is forgotten at once", (LossLedger, "halt_day", lambda *_: None),
             (GATE, "test_a_loss_halts_while_nothing_is_sent_and_the_halt_of_a_day_ends_with_it", ())),
    Mutation("exits are not clipped", (Fitting, "_clipped", lambda _self, order: order)),
    Mutation(
        "a half-open breaker lets full-size entries in",
        (restriction, "_size_factor", _half_open_is_free(restriction._size_factor)),
    ),
    Mutation("breakers never close", (Breaker, "advance", lambda *_: NO_EDGES)),
    Mutation("breakers never open", (Breaker, "abnormal", lambda *_: NO_EDGES)),
    Mutation(
        "the windows of the throttles do not slide", (_Window, "count", _never_slides),
        (LIMITS, "test_entries_per_second", (2_000_000_000, None)),
    ),
    Mutation(
        "the throttles count nothing", (_Window, "count", lambda *_: 0),
        (LIMITS, "test_identical_entries", (10_999_999_999, Reason.REPEATED_ORDER)),
    ),
    Mutation(
        "the peak of the drawdown is not kept", (LossLedger, "update", _peak_forgotten(LossLedger.update)),
        (LIMITS, "test_an_entry_of_more_than_its_share_is_refused", (0.501, Reason.SIZE_FACTOR)),
    ),
    Mutation(
        "the size factor is ignored", (RiskGate, "size_factor", lambda *_: 1.0),
        (LIMITS, "test_an_entry_of_more_than_its_share_is_refused", (0.501, Reason.SIZE_FACTOR)),
    ),
    Mutation("a fill that is reported twice counts twice", (MemoryJournal, "fill", _booked_twice(MemoryJournal.fill))),
    Mutation("an order executed after its reject is not counted again", (Relay, "_count_again", lambda *_: None)),
    Mutation("an empty book makes a position worthless", (AccountView, "valued", _empty_is_worthless)),
)  # fmt: skip


@contextmanager
def planted(mutation: Mutation) -> Iterator[None]:
    """Plant a bug for a while."""
    where, name, wrong = mutation.patch
    right = vars(where)[name]
    setattr(where, name, wrong)
    try:
        yield
    finally:
        setattr(where, name, right)


def catches(mutation: Mutation) -> str | None:
    """Run the test that is to catch a planted bug; return what it says, None when it passes. A crash is no catch: it is raised."""
    if mutation.test is None:
        failure = first_failure(1, EPISODE_STEPS, Counter())
        if failure is not None and not isinstance(failure.error, Violation):
            raise failure.error
        return None if failure is None else str(failure.error)
    module, name, arguments = mutation.test
    test = getattr(importlib.import_module(module), name)
    try:
        test(*arguments)
    except AssertionError as error:
        return str(error).splitlines()[0] if str(error) else "an assertion failed"
    return None


def named(mutation: Mutation) -> str:
    """The test by its name."""
    if mutation.test is None:
        return EPISODES
    return f"{mutation.test[0].removeprefix('tests.').replace('.', '/')}.py::{mutation.test[1]}"


def uncaught() -> list[str]:
    """Plant every bug in turn and print the table; return those that no test catches, or whose test fails without them."""
    wrong = []
    for test in dict.fromkeys(mutation.test for mutation in MUTATIONS):
        if (found := catches(Mutation("nothing", (sys, "dont_write_bytecode", False), test))) is not None:
            wrong.append(f"{test or EPISODES} fails without a planted bug: {found}")
    for mutation in MUTATIONS:
        with planted(mutation):
            found = catches(mutation)
        print(
            f"{'caught' if found else 'MISSED':<7} {mutation.name:<50} {named(mutation)}\n{'':<8}{(found or '')[:WIDTH]}"
        )
        if found is None:
            wrong.append(mutation.name)
    return wrong


def main() -> int:
    """Print the table; 1 unless every planted bug is caught."""
    started = time.monotonic()
    wrong = uncaught()
    print(f"{len(MUTATIONS) - len(wrong)} of {len(MUTATIONS)} caught in {time.monotonic() - started:.0f} s")
    for line in wrong:
        print(f"not caught: {line}")
    return int(bool(wrong))


if __name__ == "__main__":
    sys.exit(main())
