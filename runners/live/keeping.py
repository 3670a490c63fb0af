"""What a session keeps of itself beside its journal: the market as it came, and what its strategies made of it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Protocol

from adapters.binance.environments import Environment
from execution.tape.tape import Tape
from runners.config import LiveConfig, LiveResolved
from runners.live.recording import NodeRecorder, recorder_settings
from runners.live.state import StateFolder
from runners.live.status import Screen
from runners.live.taping import Taping, tape_head, tape_path


class Kept(Protocol):
    """A session as `keeping` sees it; `place` is its directory once that is written."""

    resolved: LiveResolved
    screen: Screen
    state: StateFolder
    instruments: dict[str, Any]
    trading_start_ns: int
    tape: Tape | None
    place: Path | None


def new_tape(config: LiveConfig) -> Tape | None:
    """Make the tape of a session; None where none is wanted."""
    data = config.data
    wanted = data.record is not None if data.tape is None else data.tape
    return Tape() if wanted else None


@asynccontextmanager
async def keeping(session: Kept, place: Environment) -> AsyncIterator[None]:
    """Record and tape while the session runs, as its configuration says; neither can stop it."""
    config, state, say = session.resolved.config, session.state.path, session.screen.say
    recorder = taping = None
    tasks: list[Callable[[], Any]] = []
    if config.data.record is not None:
        recorder = NodeRecorder(recorder_settings(config, place, Path(config.data.record)), say)
        running = asyncio.create_task(recorder.run())
        tasks.append(lambda: recorder.stop(running))
        say("recording", f"{', '.join(config.symbols)} to {config.data.record}")
    if session.tape is not None:
        head = tape_head(session.resolved, session.instruments, session.trading_start_ns)
        taping = Taping(session.tape, tape_path(state, datetime.now(UTC)), head, say)
        writing = asyncio.create_task(taping.run())
        tasks.append(lambda: taping.stop(writing, session.place))
    try:
        yield
    finally:
        for stop in reversed(tasks):
            await stop()
