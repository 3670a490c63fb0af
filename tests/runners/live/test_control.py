"""The first reason stands, flattening can be added, and the exit code follows."""

from __future__ import annotations

import asyncio
import signal
import threading
from collections.abc import Callable

import pytest

from runners.live.console import EVENTS, console_events
from runners.live.control import Cause, Control, Stop, exit_code
from runners.live.signals import heard


def test_the_first_reason_stands_and_flattening_is_never_taken_back() -> None:
    async def story() -> None:
        control = Control()
        control.ask(Stop(Cause.OPERATOR, "STOP"))
        control.ask(Stop(Cause.SIGNAL, "SIGINT", flatten=True))
        control.ask(Stop(Cause.FAULT, "late"))
        assert await control.wait() == Stop(Cause.OPERATOR, "STOP", flatten=True)

    asyncio.run(story())


@pytest.mark.req("P-5")
@pytest.mark.parametrize(
    ("cause", "code"),
    [(Cause.TIME, 0), (Cause.FAULT, 1), (Cause.LATCHED, 4), (Cause.OPERATOR, 5), (Cause.SIGNAL, 5)],
)
def test_every_cause_has_its_code_and_an_account_in_doubt_outranks_it(cause: Cause, code: int) -> None:
    assert exit_code(Stop(cause, ""), clean=True) == code
    assert exit_code(Stop(cause, ""), clean=False) == 6


@pytest.mark.req("O-10")
def test_a_signal_is_heard_and_the_handlers_before_are_restored() -> None:
    async def story() -> None:
        control, before = Control(), signal.getsignal(signal.SIGTERM)
        with heard(control):
            signal.raise_signal(signal.SIGTERM)
            signal.raise_signal(signal.SIGINT)
            assert await asyncio.wait_for(control.wait(), 5) == Stop(Cause.SIGNAL, "SIGTERM")
        assert signal.getsignal(signal.SIGTERM) is before

    asyncio.run(story())


@pytest.mark.req("O-10")
def test_a_closing_console_is_told_and_kept_waiting_until_the_account_is_verified() -> None:
    kept: list[Callable[[int], bool]] = []
    told: list[str] = []
    answers: list[bool] = []

    def register(handler: Callable[[int], bool]) -> Callable[[], None]:
        kept.append(handler)
        return kept.clear

    with console_events(told.append, register) as verified:
        assert not kept[0](0)  # Ctrl-C comes as a signal
        thread = threading.Thread(target=lambda: answers.append(kept[0](2)))
        thread.start()
        thread.join(0.1)
        assert (told, thread.is_alive()) == (["console closed"], True)
        verified()
        thread.join(5)
    assert (answers, kept, sorted(EVENTS)) == ([True], [], [2, 5, 6])
