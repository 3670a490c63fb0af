"""Windows console events (close, logoff, shutdown), registered through the console API: Python's `signal` does not know them.

Windows ends the process a few seconds after the handler returns, so the handler returns only when the account has been verified.
"""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

EVENTS = {2: "console closed", 5: "logoff", 6: "shutdown"}
"""CTRL_CLOSE_EVENT, CTRL_LOGOFF_EVENT, CTRL_SHUTDOWN_EVENT; Ctrl-C and Ctrl-Break come as signals."""
PATIENCE_SECS = 30.0

type Register = Callable[[Callable[[int], bool]], Callable[[], None]]


@contextmanager
def console_events(told: Callable[[str], None], register: Register | None = None) -> Iterator[Callable[[], None]]:
    """Call `told` with the name of a console event, from a thread of the system.

    Parameters
    ----------
    told
        Must be safe from another thread.
    register
        Registers a handler and returns what takes it back; the system's own where it is Windows, nothing elsewhere.

    Yields
    ------
    callable
        To be called when everything is done: the handler waits for it.
    """
    done = threading.Event()

    def handler(event: int) -> bool:
        if event not in EVENTS:
            return False
        told(EVENTS[event])
        done.wait(PATIENCE_SECS)
        return True

    take_back = (register or _register)(handler)
    try:
        yield done.set
    finally:
        done.set()
        take_back()


def _register(handler: Callable[[int], bool]) -> Callable[[], None]:
    if sys.platform != "win32":
        return _nothing
    import ctypes  # noqa: PLC0415 - only Windows has the console API

    kind = ctypes.WINFUNCTYPE(ctypes.c_int, ctypes.c_uint)
    kept = kind(lambda event: int(handler(event)))
    kernel = ctypes.WinDLL("kernel32", use_last_error=True)
    if not kernel.SetConsoleCtrlHandler(kept, True):
        raise OSError(ctypes.get_last_error(), "the console handler cannot be registered")

    def take_back() -> None:
        kernel.SetConsoleCtrlHandler(kept, False)

    return take_back


def _nothing() -> None:
    """There is nothing to take back."""
