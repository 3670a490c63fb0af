"""Decides which faults fire: counts matches, draws from the seed, hands out actions."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Literal

from adapters.simulated_binance.clock import Agenda, Clock
from adapters.simulated_binance.faults.actions import (
    EVENT_ACTS,
    REQUEST_ACTS,
    EventAction,
    RequestAction,
    VenueAction,
)
from adapters.simulated_binance.faults.script import Fault, When
from adapters.simulated_binance.ledger import Ledger

Kind = Literal["request", "event", "order"]


@dataclass(slots=True)
class _Armed:
    fault: Fault
    rng: random.Random
    seen: int = 0
    fired: int = 0

    def counts(self, kind: Kind, what: str, symbol: str | None, secs: float) -> bool:
        when = self.fault.when
        pattern: str | None = getattr(when, kind)
        if pattern is None or not fnmatchcase(what, pattern) or (when.symbol is not None and when.symbol != symbol):
            return False
        return when.after_secs <= secs and (when.until_secs is None or secs <= when.until_secs)

    def fires(self) -> bool:
        when = self.fault.when
        self.seen += 1
        if self.seen < when.nth or (when.times is not None and self.fired >= when.times):
            return False
        if when.every is not None and (self.seen - when.nth) % when.every:
            return False
        if when.probability < 1 and self.rng.random() >= when.probability:
            return False
        self.fired += 1
        return True


class FaultEngine:
    """Watches everything that happens and names the faults that fire.

    Parameters
    ----------
    faults
        The script.
    seed
        Of the probabilities; each fault has its own stream of draws.
    clock, agenda, ledger
        Of the venue.
    perform
        Carries out actions on the venue itself.
    """

    def __init__(
        self,
        faults: Sequence[Fault],
        seed: int,
        clock: Clock,
        agenda: Agenda,
        ledger: Ledger,
        perform: Callable[[VenueAction], None],
    ) -> None:
        self._clock, self._agenda, self._ledger, self._perform = clock, agenda, ledger, perform
        self._started_ns = clock.real_ns()
        self._armed: list[_Armed] = []
        for fault in faults:
            self.arm(fault, seed)

    def arm(self, fault: Fault, seed: int = 0) -> None:
        """Add a fault to the script while the venue runs; its seconds count from the venue's start."""
        self._armed.append(_Armed(fault, random.Random(f"{seed}/{fault.name}/{len(self._armed)}")))  # noqa: S311
        if fault.when.at_secs is not None:
            due = self._started_ns + round(fault.when.at_secs * 1e9)
            self._agenda.at(due, lambda: self._fire_by_time(fault))

    def disarm(self) -> None:
        """Let nothing more fire, but for what is due at a time."""
        self._armed.clear()

    def _fire_by_time(self, fault: Fault) -> None:
        self._fire(fault, "time")

    def on_request(self, what: str, symbol: str | None) -> list[RequestAction]:
        """Count a request ('METHOD /path'); venue actions are carried out before it."""
        found = self._look("request", what, symbol)
        return [action for action in found if isinstance(action, REQUEST_ACTS)]

    def on_event(self, what: str, symbol: str | None) -> list[EventAction]:
        """Count a stream event."""
        found = self._look("event", what, symbol)
        return [action for action in found if isinstance(action, EVENT_ACTS)]

    def on_order(self, step: str, symbol: str) -> None:
        """Count a step of one of our orders."""
        self._look("order", step, symbol)

    def _look(self, kind: Kind, what: str, symbol: str | None) -> list[RequestAction | EventAction]:
        if not self._armed:
            return []
        secs = (self._clock.real_ns() - self._started_ns) / 1e9
        firing = [armed for armed in self._armed if armed.counts(kind, what, symbol, secs) and armed.fires()]
        return [action for armed in firing for action in self._fire(armed.fault, what)]

    def _fire(self, fault: Fault, cause: str) -> list[RequestAction | EventAction]:
        acts = [action.act for action in fault.do]
        self._ledger.write("fault", name=fault.name, cause=cause, acts=acts)
        message: list[RequestAction | EventAction] = []
        for action in fault.do:
            if isinstance(action, (*REQUEST_ACTS, *EVENT_ACTS)):
                message.append(action)
            else:
                # From the agenda, never in the middle of matching an order.
                self._agenda.at(self._clock.real_ns(), lambda action=action: self._perform(action))  # type: ignore[misc]
        return message


def fires_on(when: When) -> str:
    """Say in words what a trigger waits for."""
    given = {"request": when.request, "event": when.event, "order": when.order}
    named = next((f"{kind} {pattern}" for kind, pattern in given.items() if pattern is not None), None)
    return named if named is not None else f"{when.at_secs:g} s"
