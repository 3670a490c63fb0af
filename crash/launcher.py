"""One life of a node: the session of `runners.live`, with a journal connection that kills, in a process of its own.

`live` is what a fork server starts; ``python -m crash.launcher ORDER.json`` does the same from a shell. Production code is not
touched: the connector, the files of the kill switch and the planted bugs are exchanged in this process alone.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

import typer

from crash import mutants
from crash.killing import Killer, Trace, Trigger, connector
from crash.script import Script
from errors import HyperTradingError
from execution import journal_file, journal_writer
from execution.recovery.model import Policy
from risk.arm_token import FileTokenStore
from risk.latch_log import FileLatchLog
from runners.cancel import cancel
from runners.config import Trust, load_live
from runners.halt import halt
from runners.live import forgetting, opening, session, strangers
from runners.live.choose import run as run_mode
from runners.live.session import Options
from runners.live.status import QUIET_SECS, JsonLines
from runners.preflight.report import Report

SOAK_STATUS_SECS, SOAK_PATIENCE_SECS = 0.9, 10.0
"""Between two lines of status; for the answer to whose trade it was: the venue is a process that may have to wait for a core."""
SOAK_KEPT_NS = 300 * 10**9
"""What is over leaves memory after this: a day's messages come within the hour, and two hours of a day are kept."""
CLOCK_BOUND_MS, SLACK_MS = 200, 800
"""Of the fence; the receive window stays 5000 ms."""


@dataclass(frozen=True, slots=True)
class Order:
    """What a life is to do.

    Attributes
    ----------
    config, trace, log
        Files: of the session; what was reached; what it says.
    role
        Which strategy it runs; ``reset``: a person resets the kill switch.
    trigger
        Where it ends; None: from outside.
    mutant
        A planted bug, or "".
    swift
        Looks at the account at once, without a preflight: what arrives late shall arrive while it looks.
    """

    config: str
    trace: str
    log: str
    role: Literal["script", "canary", "reset", "soak"] = "script"
    trigger: Trigger | None = None
    mutant: str = ""
    swift: bool = False


def live(order: Order) -> None:
    """Live one life; the process ends with it."""
    _speak_into(Path(order.log))
    trace = Trace(Path(order.trace))
    killer = Killer(order.trigger, trace)
    _exchange(killer)
    _shorten_the_fence()
    if order.role == "reset":
        _reset(Path(order.config))
    Script.role = "canary" if order.role == "canary" else "script"
    if order.swift:
        setattr(session, "preflight", _no_preflight)  # noqa: B010
    if order.mutant:
        mutants.plant(order.mutant)
    trust = Trust(everything=True)
    try:
        resolved = load_live(Path(order.config), (), trust)
        if order.role == "soak":
            setattr(strangers, "PATIENCE_SECS", SOAK_PATIENCE_SECS)  # noqa: B010
            setattr(forgetting, "KEPT_NS", SOAK_KEPT_NS)  # noqa: B010
        every = SOAK_STATUS_SECS if order.role == "soak" else QUIET_SECS
        code = asyncio.run(run_mode(resolved, Options(trust=trust), JsonLines(every_secs=every)))
        trace.write(ended=code)
    except HyperTradingError as error:
        code = error.exit_code
        trace.write(refused=f"{type(error).__name__}: {error}", code=code)
    except BaseException as error:
        trace.write(crashed=f"{type(error).__name__}: {error}")
        raise
    sys.stdout.flush()
    os._exit(code)  # what the engine's threads still do is not waited for


def _shorten_the_fence() -> None:
    """The receive window is the engine's own; what is added to it for clocks and overload is not needed on one machine."""
    real = opening.policy_of

    def policy_of(*args: Any, **kwargs: Any) -> Policy:
        return replace(real(*args, **kwargs), clock_bound_ms=CLOCK_BOUND_MS, slack_ms=SLACK_MS)

    setattr(opening, "policy_of", policy_of)  # noqa: B010


async def _no_preflight(*_: Any, **__: Any) -> Report:
    return Report("", "", "", "", ())


def _reset(config: Path) -> None:
    with suppress(SystemExit, typer.Exit):  # what may be another node's was not touched: a person cancels it first
        cancel(account="test", yes=True, patience=20.0, state=config.parent / "state")
    halt("the crash matrix has looked", account="test", reset=True, state=config.parent / "state")
    sys.stdout.flush()
    os._exit(0)


def _speak_into(path: Path) -> None:
    file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
    os.dup2(file, 1)
    os.dup2(file, 2)


def _exchange(killer: Killer) -> None:
    real, killing = journal_file.open_journal, connector(killer)

    def opened(path: Path, durability: Any, _connector: Any) -> Any:
        return real(path, durability, killing)

    setattr(journal_writer, "open_journal", opened)  # noqa: B010 - every journal of this process, recovery's too
    _touches(killer, FileTokenStore, "write", "token/write")
    _touches(killer, FileTokenStore, "delete", "token/delete")
    _touches(killer, FileLatchLog, "append", "latch/append")


def _touches(killer: Killer, kind: type[Any], name: str, label: str) -> None:
    real = getattr(kind, name)

    def touched(self: Any, *args: Any) -> Any:
        return killer.touch(label, lambda: real(self, *args))

    setattr(kind, name, touched)


def order_of(text: str) -> Order:
    """Read an order from JSON."""
    given = json.loads(text)
    trigger = given.pop("trigger", None)
    return Order(**given, trigger=None if trigger is None else Trigger(**trigger))


if __name__ == "__main__":
    live(order_of(Path(sys.argv[1]).read_text(encoding="utf-8")))
