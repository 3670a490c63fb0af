"""The recorder inside the node (D-7): raw lines of the session's symbols, beside trading and never in its way."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from adapters.binance.environments import Environment, EnvironmentName
from adapters.binance.recorder.events import Event
from adapters.binance.recorder.recorder import Recorder
from adapters.binance.recorder.settings import RecorderSettings
from runners.config import LiveConfig

AGAIN_SECS = 60.0
"""Pause before the recorder is started again: a disk that was full may have room."""
PUT_AWAY_SECS = 15.0
_TOLD = frozenset({"gap", "silent", "finished"})


def recorder_settings(config: LiveConfig, place: Environment, folder: Path) -> RecorderSettings:
    """What is recorded of a session: its symbols, at its venue, with both streams of prints.

    The reader of recordings takes ``trade``, the engine listens to ``aggTrade``: with both, a recording can be held against
    what the strategies were handed.
    """
    ours = place.name in (EnvironmentName.PRODUCTION, EnvironmentName.LOCAL)
    return RecorderSettings(
        market="usdm", symbols=config.symbols, folder=folder, trades="both",
        url=None if place.name is EnvironmentName.PRODUCTION else place.rest_url,
        socket_url=None if ours else place.public_ws_url.removesuffix("/ws"),
        routed=None if ours else False,
    )  # fmt: skip


class NodeRecorder:
    """Keeps a recorder running while a session does.

    Parameters
    ----------
    settings
        What is recorded.
    say
        Tells a person: kind of line, text.
    make
        Makes a recorder; tests give one that fails.
    again_secs
        Pause after a failure.

    Attributes
    ----------
    failures
        How often it has failed; the first is told.
    gaps
        Breaks in the depth sequence that it has seen.
    """

    def __init__(
        self, settings: RecorderSettings, say: Callable[[str, str], None], *, make: Callable[..., Recorder] = Recorder,
        again_secs: float = AGAIN_SECS,
    ) -> None:  # fmt: skip
        self._settings, self._say, self._make, self._again_secs = settings, say, make, again_secs
        self._recorder: Recorder | None = None
        self._over = asyncio.Event()
        self.failures = 0
        self.gaps = 0

    async def run(self) -> None:
        """Record until `stop`; nothing that happens here reaches the session."""
        while not self._over.is_set():
            try:
                self._recorder = self._make(self._settings, tell=self._tell)
                await self._recorder.run()
            except Exception as error:  # noqa: BLE001 - whatever it is, trading goes on
                self._failed(error)
            if not self._over.is_set():
                with suppress(TimeoutError):
                    await asyncio.wait_for(self._over.wait(), self._again_secs)

    async def stop(self, running: asyncio.Task[None]) -> None:
        """Write what is there and end."""
        self._over.set()
        if self._recorder is not None:
            self._recorder.stop()
        done, _ = await asyncio.wait({running}, timeout=PUT_AWAY_SECS)
        if not done:
            running.cancel()
            self._say("warning", f"the recorder did not end within {PUT_AWAY_SECS:g} s; its last file keeps its .open")
            await asyncio.gather(running, return_exceptions=True)
        if self.failures:
            self._say("warning", f"recorder: {self.failures} failures, {self.gaps} gaps seen")

    def _failed(self, error: Exception) -> None:
        self.failures += 1
        if self.failures == 1:
            self._say(
                "warning",
                f"recording failed, trading goes on: {error} It is tried again every {self._again_secs:g} s and not told again.",
            )

    def _tell(self, event: Event) -> None:
        self.gaps += event.what == "gap"
        if event.what in _TOLD:
            self._say("recording", f"{event.what} {event.who}: {event.text}")
