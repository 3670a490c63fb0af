"""A strategy's clock with every callback recorded: the engine swallows what a timer raises."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

type Recorder = Callable[[str, Callable[..., Any]], Callable[..., Any]]

_CALLBACK_POSITION = {
    "set_timer": 4, "set_timer_ns": 4, "set_time_alert": 2, "set_time_alert_ns": 2, "register_default_handler": 0,
}  # fmt: skip


class GuardedClock:
    """Delegates to the engine's clock and wraps callbacks.

    Parameters
    ----------
    clock
        The engine's clock.
    recorded
        Wraps a callback so that its first exception ends the run.
    """

    def __init__(self, clock: Any, recorded: Recorder) -> None:
        self._clock = clock
        self._recorded = recorded
        self.timestamp_ns: Callable[[], int] = clock.timestamp_ns  # asked with every decision

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._clock, name)
        position = _CALLBACK_POSITION.get(name)
        return found if position is None else self._wrap(found, name, position)

    def _wrap(self, method: Callable[..., Any], name: str, position: int) -> Callable[..., Any]:
        def call(*args: Any, **kwargs: Any) -> Any:
            if kwargs.get("callback") is not None:
                kwargs["callback"] = self._recorded(name, kwargs["callback"])
            elif len(args) > position and args[position] is not None:
                args = (*args[:position], self._recorded(name, args[position]), *args[position + 1 :])
            return method(*args, **kwargs)

        return call
