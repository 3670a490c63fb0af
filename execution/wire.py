"""The wire of one strategy in a backtest: sampled order-entry latency, and what was sent first arrives first.

The engine's latency model is constant and takes no Python object, so the part above the constant is waited out here: an
approved order or a cancel is handed to the engine by a clock alert. The engine itself lets a cancel overtake its order where
the constant of cancels is the smaller one (the cancel is then rejected and the order stays), so the constants are known here.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol


class Latency(Protocol):
    """Source of the latency above the engine's constant, nanoseconds."""

    def insert_ns(self) -> int:
        """Draw for a new order."""

    def cancel_ns(self) -> int:
        """Draw for a cancel."""


class Wire:
    """Delays sends of one strategy; direct when nothing has to wait.

    Parameters
    ----------
    latency
        Where delays above the constants come from, or None.
    insert_ns, cancel_ns
        The engine's constants, nanoseconds.
    """

    def __init__(self, latency: Latency | None, insert_ns: int = 0, cancel_ns: int = 0) -> None:
        self.latency = latency
        self._insert_ns = insert_ns
        self._cancel_ns = cancel_ns
        self._sent = 0
        self._waiting = 0
        self._due_ns = 0
        self._arrival_ns = 0

    def insert(self, clock: Any, send: Callable[[], None]) -> None:
        """Send a new order."""
        self._send(clock, self._insert_ns, self.latency.insert_ns() if self.latency else 0, send)

    def cancel(self, clock: Any, send: Callable[[], None]) -> None:
        """Send a cancel."""
        self._send(clock, self._cancel_ns, self.latency.cancel_ns() if self.latency else 0, send)

    def _send(self, clock: Any, constant_ns: int, drawn_ns: int, send: Callable[[], None]) -> None:
        now: int = clock.timestamp_ns()
        due = max(now + drawn_ns, self._arrival_ns - constant_ns)
        if self._waiting:  # hand over after it; data of the same instant may come before an alert that is due
            due = max(due, self._due_ns + 1)
        self._arrival_ns = due + constant_ns
        if due <= now:
            send()
            return

        def leave(_event: Any) -> None:
            self._waiting -= 1
            send()

        self._due_ns = due
        self._sent += 1
        self._waiting += 1
        clock.set_time_alert_ns(f"hyper-wire-{self._sent}", due, callback=leave)
