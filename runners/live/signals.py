"""What the operating system says: SIGINT, SIGTERM, and on Windows the console's own events.

The engine is not left to hear them: SIGTERM would kill it at once, SIGINT would end it with code 130 before anything was cancelled.
"""

from __future__ import annotations

import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from runners.live.console import console_events
from runners.live.control import Cause, Control, Stop

NAMES = tuple(name for name in ("SIGINT", "SIGTERM", "SIGBREAK") if hasattr(signal, name))


@contextmanager
def heard(control: Control) -> Iterator[Callable[[], None]]:
    """Turn signals and console events into wishes to stop; a second one changes nothing.

    Yields
    ------
    callable
        To be called when the account has been verified: a closing console waits for it.
    """
    before = {}
    for name in NAMES:
        number = getattr(signal, name)
        before[number] = signal.signal(number, lambda *_, name=name: control.ask_from_outside(Stop(Cause.SIGNAL, name)))
    try:
        with console_events(lambda event: control.ask_from_outside(Stop(Cause.SIGNAL, event))) as verified:
            yield verified
    finally:
        if not sys.is_finalizing():
            for number, handler in before.items():
                signal.signal(number, handler)
