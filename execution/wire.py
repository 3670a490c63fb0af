"""Sampled order-entry latency in a backtest.

The engine's latency model is constant and takes no Python object, so the part above the constant is waited out here: an
approved order or a cancel is handed to the engine by a clock alert. What was sent first also arrives first.
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
    """Delays sends of one strategy; direct when no latency is sampled.

    Parameters
    ----------
    latency
        Where delays come from, or None.
    """

    def __init__(self, latency: Latency | None) -> None:
        self.latency = latency
        self._sent = 0
        self._last_ns = 0

    def insert(self, clock: Any, send: Callable[[], None]) -> None:
        """Send a new order."""
        self._after(clock, self.latency.insert_ns() if self.latency else 0, send)

    def cancel(self, clock: Any, send: Callable[[], None]) -> None:
        """Send a cancel."""
        self._after(clock, self.latency.cancel_ns() if self.latency else 0, send)

    def _after(self, clock: Any, delay_ns: int, send: Callable[[], None]) -> None:
        if self.latency is None:
            send()
            return
        self._sent += 1
        due = self._last_ns = max(clock.timestamp_ns() + delay_ns, self._last_ns + 1)
        clock.set_time_alert_ns(f"wire-{self._sent}", due, callback=lambda _event: send())
