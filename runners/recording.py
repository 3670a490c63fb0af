"""A recorder run from the command line: signals, status, and finished files into a catalog."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

from rich.console import Console

from adapters.binance.recorder.events import Event
from adapters.binance.recorder.recorder import Recorder
from adapters.binance.recorder.settings import RecorderSettings
from runners.ingesting import Ingesting
from runners.recording_view import JsonView, TerminalView, View

SIGNALS = [
    number
    for name in ("SIGINT", "SIGTERM", "SIGBREAK")  # SIGBREAK: Ctrl-Break and service stops on Windows
    if (number := getattr(signal, name, None)) is not None
]


class Session:
    """One run of the recorder.

    Parameters
    ----------
    settings
        What is recorded.
    catalog
        Takes in each finished file; None leaves them.
    as_json
        JSON lines even on a terminal.
    status_secs
        How often JSON lines tell how it stands.

    Attributes
    ----------
    not_ingested
        Names of files that the catalog refused.
    """

    def __init__(self, settings: RecorderSettings, *, catalog: Path | None, as_json: bool, status_secs: float) -> None:
        console = Console()
        self._recorder = Recorder(settings, tell=self._tell, on_finished=self._finished)
        self._view: View = (
            JsonView(self._recorder, status_secs)
            if as_json or not console.is_terminal
            else TerminalView(self._recorder, console)
        )
        self._ingesting = None if catalog is None else Ingesting(catalog, settings.market, self._tell)
        self._signalled = False

    @property
    def not_ingested(self) -> list[str]:
        """Files that the catalog refused."""
        return [] if self._ingesting is None else self._ingesting.refused

    async def run(self, stop_after_secs: float | None) -> bool:
        """Record until a signal or the time is over; return whether it was a signal.

        Raises
        ------
        HyperTradingError
            As :meth:`Recorder.run`.
        """
        loop = asyncio.get_running_loop()
        timer = None if stop_after_secs is None else loop.call_later(stop_after_secs, self._recorder.stop)
        helpers = [asyncio.create_task(self._view.run())]
        if self._ingesting is not None:
            helpers.append(asyncio.create_task(self._ingesting.run()))
        try:
            with _signals(loop, self._on_signal), self._view.shown():
                try:
                    await self._recorder.run()
                finally:
                    if timer is not None:
                        timer.cancel()
                    if self._ingesting is not None:
                        await self._ingesting.finish()
                    self._view.last()
        finally:
            for task in helpers:
                task.cancel()
            await asyncio.gather(*helpers, return_exceptions=True)
        return self._signalled

    def _on_signal(self) -> None:
        if self._signalled and self._ingesting is not None:
            self._ingesting.give_up()  # the second Ctrl-C: the files stay, the catalog is as it was
        self._signalled = True
        self._recorder.stop()

    def _tell(self, event: Event) -> None:
        self._view.tell(event)

    def _finished(self, symbol: str, path: Path) -> None:
        if self._ingesting is not None:
            self._ingesting.add(symbol, path)


@contextmanager
def _signals(loop: asyncio.AbstractEventLoop, act: Callable[[], None]) -> Iterator[None]:
    """Let stop signals call `act` in the loop; works on Windows, where loops take no signal handlers."""

    def handle(_number: int, _frame: FrameType | None) -> None:
        loop.call_soon_threadsafe(act)

    before = {number: signal.signal(number, handle) for number in SIGNALS}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
