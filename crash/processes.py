"""Lives as processes: a fork server that has imported everything once, so that a life costs no import."""

from __future__ import annotations

import asyncio
import multiprocessing
import os
import signal
from collections.abc import Coroutine
from multiprocessing.context import BaseContext
from multiprocessing.process import BaseProcess
from typing import Any

from crash.launcher import Order, live

PRELOAD = [
    "crash.launcher", "runners.live.session", "runners.live.finishing", "runners.live.output", "crash.script", "pandas", "httpcore",
    "anyio._backends._asyncio", "h11", "certifi", "nautilus_trader.live", "nautilus_trader.analysis", "nautilus_trader.config",
    "nautilus_trader.data", "nautilus_trader.portfolio", "_strptime", "runners.preflight.run",
    "nautilus_trader.live.clients", "uvloop", "plotly.graph_objs", "plotly.subplots",
]  # fmt: skip
"""Everything that a life imports, so that it is imported once."""


def context() -> BaseContext:
    """Fork server where there is one, a fresh interpreter for each life elsewhere."""
    if "forkserver" not in multiprocessing.get_all_start_methods():
        return multiprocessing.get_context("spawn")
    forks = multiprocessing.get_context("forkserver")
    forks.set_forkserver_preload(PRELOAD)
    return forks


def run_with_lives[T](whole: Coroutine[Any, Any, T]) -> T:
    """Run what starts lives; SIGTERM ends it as Ctrl-C does, so that no life outlives this process."""
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        return asyncio.run(whole)
    finally:
        signal.signal(signal.SIGTERM, before)


class Life:
    """One running life.

    Parameters
    ----------
    forks
        See `context`.
    order
        What it does.
    """

    def __init__(self, forks: BaseContext, order: Order) -> None:
        self.order = order
        self._process: BaseProcess = forks.Process(target=live, args=(order,))  # type: ignore[attr-defined]
        self._process.start()

    @property
    def pid(self) -> int:
        """Of the process."""
        return self._process.pid or 0

    @property
    def exit_code(self) -> int | None:
        """None while it lives; below 0: ended by that signal."""
        return self._process.exitcode

    def kill(self) -> None:
        """End it as a power switch would."""
        self._process.kill()

    def freeze(self) -> None:
        """Let it stand still, where the system can do that."""
        os.kill(self.pid, signal.SIGSTOP)

    def resume(self) -> None:
        """Let it go on."""
        os.kill(self.pid, signal.SIGCONT)

    def reap(self) -> None:
        """Take its end over."""
        self._process.join(5)
