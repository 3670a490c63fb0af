"""A screen that nobody waits for.

A console in which somebody marks text, or a pipe that nobody reads, takes no line: the trading loop must not stand still with it.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from monitoring.report import Summary
from runners.live.status import Screen, Standing

MOST = 10_000
"""Lines that are kept for a screen that does not take them; of more the oldest are dropped."""
PATIENCE_SECS = 5.0
"""How long the end of a session waits for a screen that takes nothing: longer than a busy machine keeps a thread waiting."""


class Unblocked:
    """Hands everything to a screen on a thread of its own.

    Parameters
    ----------
    inner
        The screen.
    """

    def __init__(self, inner: Screen, patience_secs: float = PATIENCE_SECS) -> None:
        self._inner, self._patience_secs = inner, patience_secs
        self._lines: deque[Callable[[], None]] = deque(maxlen=MOST)
        self._standing: Standing | None = None
        self._wake, self._over = threading.Event(), False
        self._thread = threading.Thread(target=self._run, name="screen", daemon=True)

    def __enter__(self) -> Self:
        """Open it."""
        self._inner.__enter__()
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Let it take what is left, and close it; one that takes nothing is left behind."""
        self._over = True
        self._wake.set()
        self._thread.join(self._patience_secs)
        if not self._thread.is_alive():
            self._inner.__exit__(kind, error, trace)

    def say(self, event: str, text: str, **facts: Any) -> None:
        """See `Screen.say`."""
        self._lines.append(lambda: self._inner.say(event, text, **facts))
        self._wake.set()

    def show(self, standing: Standing) -> None:
        """See `Screen.show`; only the newest counts."""
        self._standing = standing
        self._wake.set()

    def result(self, summary: Summary, place: Path) -> None:
        """See `Screen.result`."""
        self._lines.append(lambda: self._inner.result(summary, place))
        self._wake.set()

    def _run(self) -> None:
        try:
            while self._wake.wait():
                self._wake.clear()
                while self._lines:
                    self._lines.popleft()()
                standing, self._standing = self._standing, None
                if standing is not None:
                    self._inner.show(standing)
                if self._over and not self._lines:
                    return
        except OSError:
            return  # the terminal or pipe is gone: the session goes on, its log and directory tell
