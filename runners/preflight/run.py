"""Every check in order: what needs no request, then public questions, then signed ones. Nothing is changed at the venue."""

from __future__ import annotations

import os
import time
from collections.abc import Mapping
from pathlib import Path

from adapters.binance.environments import environment
from errors import SafetyRefusal
from execution.safety.budget import RateBudget, RateLimits
from execution.safety.signing import Credentials
from execution.safety.venue_clock import VenueClock
from runners.config import LiveResolved
from runners.live.secrets import DOT_ENV
from runners.live.state import StateFolder
from runners.preflight import account, market, place, switches
from runners.preflight.looks import Looks
from runners.preflight.report import Check, Report, Result, refused, unknown
from runners.preflight.scene import Scene, answered

STREAM_SECS = 10.0
SIGNED = (
    ("key permissions", account.permissions), ("position mode", account.modes), ("fees", account.fees),
    ("balance", account.balance), ("open orders", account.standing), ("user stream", account.user_stream),
)  # fmt: skip


async def preflight(
    resolved: LiveResolved,
    *,
    state: Path | None = None,
    environ: Mapping[str, str] | None = None,
    dot_env: Path = DOT_ENV,
    stream_secs: float = STREAM_SECS,
) -> Report:
    """Check everything that a session needs (L-6).

    The venue hears GET requests and one POST for the listen key. On this machine it makes the folders of state, recordings and
    sessions, and stores the identity of the account at first sight.

    Parameters
    ----------
    resolved
        The configuration.
    state
        Folder of the accounts' state; None: that of the configuration.
    environ
        Variables of the process; None: those of this one.
    dot_env
        File with more of them.
    stream_secs
        Within this the public streams must deliver.

    Returns
    -------
    Report
        Whether a session may start; `Report.raise_refusal` raises where it may not.

    Raises
    ------
    ConfigError
        When the environment of the account cannot be one.
    """
    config = resolved.config
    folder = StateFolder(state or Path(config.safety.state_dir), config.account.alias)
    where = environment(config.account.environment, config.account.url)
    scene = Scene(
        config, resolved.hash, where, folder, os.environ if environ is None else environ, dot_env, stream_secs
    )
    checks = _here(scene)
    differs = _known(scene, checks)
    credentials = None if scene.keys is None or differs else Credentials(scene.keys.key, scene.keys.secret)
    scene.client = Looks(
        where.rest_url, credentials, RateBudget(RateLimits(), time.monotonic_ns), VenueClock(),
        wallet_url=where.wallet_url,
    )  # fmt: skip
    async with scene.client:
        checks += await _venue(scene, differs=differs)
    return Report(config.account.alias, config.account.environment, where.rest_host, config.mode, tuple(checks))


def _here(scene: Scene) -> list[Check]:
    steps = (place.environment, place.dot_env, place.keys, place.folder, place.disk, place.outputs, switches.stop_files)
    return [check for step in steps for check in step(scene)]


def _known(scene: Scene, checks: list[Check]) -> bool:
    """Whether the alias belongs elsewhere: then the key is shown to nobody."""
    differs = place.identity(scene)
    if differs is not None:
        checks.append(differs)
    return differs is not None


async def preflight_public(resolved: LiveResolved, folder: StateFolder, *, stream_secs: float = STREAM_SECS) -> Report:
    """Check what a session without an account needs (shadow, paper): no key is read, and the venue hears public questions only.

    Parameters
    ----------
    resolved
        The configuration.
    folder
        State of the session, which is never that of the real account.
    stream_secs
        Within this the public streams must deliver.
    """
    config = resolved.config
    where = environment(config.account.environment, config.account.url)
    scene = Scene(config, resolved.hash, where, folder, {}, DOT_ENV, stream_secs)
    steps = (place.environment, place.folder, place.disk, place.outputs, switches.stop_files)
    checks = [check for step in steps for check in step(scene)]
    scene.client = Looks(where.rest_url, None, RateBudget(RateLimits(), time.monotonic_ns), VenueClock())
    async with scene.client:
        checks += await _reached(scene, sends=False)
    if config.mode == "paper":
        checks += switches.kill_switch(scene)
    return Report(config.account.alias, config.account.environment, where.rest_host, config.mode, tuple(checks))


async def _reached(scene: Scene, *, sends: bool) -> list[Check]:
    """Public questions: does the venue answer, has it the symbols, do its streams deliver."""
    checks = await answered("REST", scene, market.rest)
    if checks[0].result is Result.REFUSED:
        return checks + [unknown(name, "the venue does not answer") for name in ("clock", "symbols", "public streams")]
    found = await answered("symbols", scene, market.contracts)
    checks += found if sends else [check for check in found if check.name != place.COUNTDOWN]
    checks += await answered("public streams", scene, market.public_streams)
    return checks + market.order_sizes(scene)


async def _venue(scene: Scene, *, differs: bool) -> list[Check]:
    checks = await _reached(scene, sends=True)
    reachable = checks[0].result is not Result.REFUSED
    if scene.info is None:
        checks += place.countdown(scene, scene.client.budget.limits)
    checks += await _signed(scene, reachable=reachable, differs=differs)
    checks += market.headroom(scene) if reachable else []
    return checks + [check for step in (switches.kill_switch, switches.journal, switches.lock) for check in step(scene)]


async def _signed(scene: Scene, *, reachable: bool, differs: bool) -> list[Check]:
    why = _why_not(scene, reachable=reachable, differs=differs)
    if why is None:
        checks = await answered("key", scene, account.key)
        if scene.account is not None:
            return checks + await _with_account(scene)
        return checks + [unknown(name, "the key is not accepted") for name, _ in SIGNED]
    return [unknown(name, why) for name in ("key", *(name for name, _ in SIGNED))]


def _why_not(scene: Scene, *, reachable: bool, differs: bool) -> str | None:
    if differs:
        return "the key is shown to nobody while the identity differs"
    if scene.keys is None:
        return "without keys"
    return None if reachable else "the venue does not answer"


async def _with_account(scene: Scene) -> list[Check]:
    """Ask on; another account than the alias's is asked nothing more."""
    differs = place.identity(scene)
    if differs is not None:
        return [differs, *(unknown(name, "it is another account") for name, _ in SIGNED)]
    checks: list[Check] = []
    for name, look in SIGNED:
        checks += await answered(name, scene, look)
    try:
        return checks + account.pinned(scene)
    except SafetyRefusal as error:
        return [*checks, refused("identity", str(error), "let this user write into the state folder")]
