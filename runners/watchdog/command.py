"""The command from start to exit code: keys, one watchdog per account, a connection of its own."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable

from filelock import FileLock, Timeout

from errors import SafetyRefusal
from execution.safety.failures import VenueError
from runners.live.control import Cause, Control, Stop
from runners.live.secrets import DOT_ENV
from runners.live.signals import heard
from runners.operating.entering import client_of, enter
from runners.operating.patience import Patience
from runners.watchdog.charge import Charge
from runners.watchdog.watching import Watching

ENTER_SECS = 5.0
LOCK = "watchdog.lock"


async def watch(charge: Charge, say: Callable[[str, str], None], stop_after_secs: float | None) -> int:
    """Watch until something was done or the end was asked for; return the exit code.

    Raises
    ------
    HyperTradingError
        When it may not begin: wrong key, wrong account, another watchdog.
    """
    folder, alias = charge.folder, charge.target.account.alias
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise SafetyRefusal(f"{folder} cannot be made: {error.strerror or error}.") from error
    client, keys, place = client_of(charge.target, os.environ, DOT_ENV)
    lock = FileLock(folder / LOCK)
    try:
        lock.acquire(timeout=0)
    except Timeout:
        raise SafetyRefusal(f"another watchdog watches {alias} already: one is enough.") from None
    try:
        async with client:
            patience = Patience(client.budget, ENTER_SECS, lambda text: say("venue", text))
            try:
                entered = await enter(charge.target, client, keys, place, patience.insist)
                say("account", f"{alias} at {place.rest_host} ({place.name}), account {entered.identity.account_id}")
            except VenueError as error:  # it can still end a node; its orders are then the countdown's
                say("alert", f"{place.rest_host} does not answer: {error}; watching all the same")
            control = Control()
            limits = charge.limits
            suspected, ended = f"suspected after {limits.suspect_secs:g} s", f"ended after {limits.fence_secs:g} s"
            say("watching", f"{alias}: {suspected} without progress, {ended}, then {limits.then}")
            if stop_after_secs is not None:
                asyncio.get_running_loop().call_later(
                    stop_after_secs, control.ask, Stop(Cause.TIME, f"after {stop_after_secs:g} s, as asked")
                )
            with heard(control) as verified:
                code = await Watching(charge, client, say, lambda: control.stop is not None).run()
                verified()
            if control.stop is not None:
                say("stopped", f"stopped ({control.stop.why}): nobody watches {alias} now")
            return 0 if code == 5 and control.stop is not None and control.stop.cause is Cause.TIME else code
    finally:
        lock.release()
