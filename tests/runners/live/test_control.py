"""The first reason stands, flattening can be added, and the exit code follows."""

from __future__ import annotations

import asyncio
import signal
import threading
import time
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest

from runners.live import console as console_module
from runners.live import stopping as stopping_module
from runners.live.console import EVENTS, console_events
from runners.live.control import Cause, Control, Stop, exit_code
from runners.live.signals import heard
from runners.live.stopping import Stopping
from runners.live.waiting import wait_for_stop


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
    heard_of = threading.Event()

    def tell(what: str) -> None:
        told.append(what)
        heard_of.set()

    def register(handler: Callable[[int], bool]) -> Callable[[], None]:
        kept.append(handler)
        return kept.clear

    with console_events(tell, register) as verified:
        assert not kept[0](0)  # Ctrl-C comes as a signal
        thread = threading.Thread(target=lambda: answers.append(kept[0](2)))
        thread.start()
        assert heard_of.wait(60)
        thread.join(0.1)
        assert (told, thread.is_alive()) == (["console closed"], True)
        verified()
        thread.join(60)
    assert (answers, kept, sorted(EVENTS)) == ([True], [], [2, 5, 6])


class Clearing:
    """Notes when the cancel-all was sent, and takes its time for the rest."""

    def __init__(self, secs: float) -> None:
        self.problems: list[str] = []
        self.sent: list[float] = []
        self._secs = secs

    async def cancel_at_once(self) -> None:
        self.sent.append(time.monotonic())

    async def flatten(self) -> bool:
        return True

    async def cancel_until_none(self, **_: Any) -> bool:
        await asyncio.sleep(self._secs)
        return True

    async def holds(self) -> bool:
        return False

    async def knows(self, symbol: str, client_order_id: str) -> bool:
        del symbol, client_order_id
        return True


class Stuck:
    """A strategy whose engine takes nothing, and does not end."""

    desk = SimpleNamespace(strategy_id="s", trading_end_ns=None)

    def cancel_all_orders(self, _instrument_id: object) -> None:
        raise RuntimeError("the engine is gone")


@pytest.mark.req("O-10")
@pytest.mark.parametrize("event", sorted(EVENTS))
def test_whatever_closes_the_console_the_cancel_all_is_sent_within_a_second_and_the_end_is_waited_for(
    monkeypatch: pytest.MonkeyPatch, event: int
) -> None:
    """Windows ends the process 5 s after the event: what was sent by then is all that is needed, a kill after it is any kill."""
    monkeypatch.setattr(stopping_module, "ENGINE_STOP_SECS", 0.3)
    handlers: list[Callable[[int], bool]] = []

    def register(handler: Callable[[int], bool]) -> Callable[[], None]:
        handlers.append(handler)
        return handlers.clear

    monkeypatch.setattr(console_module, "_register", register)
    answered: list[float] = []

    def of_the_system() -> None:
        assert handlers[0](event)
        answered.append(time.monotonic())

    async def story() -> tuple[float, float, str]:
        control, clearing = Control(), Clearing(0.2)
        working = {"t1": SimpleNamespace(strategy_id="s", instrument_id="BTCUSDT-PERP.BINANCE")}
        view = SimpleNamespace(working=working, instrument_id=lambda name: name)
        package: Any = SimpleNamespace(
            services=SimpleNamespace(gate=SimpleNamespace(trading_end_ns=None), view=view), strategies=(Stuck(),),
            journal=SimpleNamespace(orders={}),
        )  # fmt: skip
        handle: Any = SimpleNamespace(is_running=True, is_stopping=False, stop=lambda: None)
        engine = asyncio.create_task(asyncio.sleep(600))
        screen: Any = SimpleNamespace(say=lambda *_, **__: None)
        with heard(control) as verified:
            thread, closed = threading.Thread(target=of_the_system), time.monotonic()
            thread.start()
            stop = await asyncio.wait_for(wait_for_stop(control, screen, None, asyncio.sleep(600)), 5)
            ended = await Stopping(package, handle, engine, clearing).run(stop, flatten=False)
            assert not answered  # the system is kept waiting
            verified()
            thread.join(5)
        engine.cancel()
        assert ended.no_orders
        assert any("the engine is gone" in problem for problem in ended.problems)
        return clearing.sent[0] - closed, answered[0] - closed, stop.why

    sent_secs, answered_secs, why = asyncio.run(story())
    assert sent_secs < 1.0
    assert answered_secs > 0.4  # the engine's time, and that of the looks
    assert why == EVENTS[event]
