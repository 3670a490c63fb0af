"""Waiting for the end of a session: whatever fails in a task of ours is a reason to stop."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any

from runners.live.control import Cause, Control, Stop
from runners.live.status import Screen


async def wait_for_stop(
    control: Control, screen: Screen, stop_after_secs: float | None, *watches: Coroutine[Any, Any, None]
) -> Stop:
    """Run the watches until somebody asks for the end, then cancel them.

    Parameters
    ----------
    control, screen
        Where the end is asked for; where it is told.
    stop_after_secs
        End by itself after so many seconds; None: never.
    watches
        What looks after the session meanwhile.
    """
    began = asyncio.get_running_loop().time()
    tasks = [asyncio.create_task(watch) for watch in watches]
    if stop_after_secs is not None:
        tasks.append(asyncio.create_task(_after(stop_after_secs, control)))
    for task in tasks:
        task.add_done_callback(lambda done: _report_failure(done, control))
    stop = await control.wait()
    for task in tasks:
        task.cancel()
    screen.say("stop_asked", f"after {asyncio.get_running_loop().time() - began:.1f} s", cause=stop.cause)
    return stop


def hear_unhandled(control: Control) -> None:
    """Make what nobody caught on the loop a reason to stop."""
    asyncio.get_running_loop().set_exception_handler(lambda _, context: control.fault(_unhandled(context)))


async def _after(secs: float, control: Control) -> None:
    await asyncio.sleep(secs)
    control.ask(Stop(Cause.TIME, f"after {secs:g} s, as asked"))


def _report_failure(task: asyncio.Task[Any], control: Control) -> None:
    if not task.cancelled() and (error := task.exception()) is not None:
        control.fault(f"a task of the runner raised {error!r}")


def _unhandled(context: dict[str, Any]) -> str:
    return f"nobody caught {context.get('exception')!r} ({context.get('message', '')})"
