"""Keys, folders and disk: what can be seen without a request."""

from __future__ import annotations

import os
import shutil
import stat
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from errors import ConfigError, DataError, SafetyRefusal
from execution.safety.budget import RateLimits
from execution.safety.limits import countdown_share
from runners.live.modes import echo
from runners.live.pin import mismatches, pin_path
from runners.live.secrets import read_keys
from runners.preflight import file_system
from runners.preflight.report import Check, fine, refused, unknown, warned
from runners.preflight.scene import Scene

LEAST_BYTES, FEW_BYTES = 1 << 30, 10 << 30
COUNTDOWN, COUNTDOWN_SHARE = "countdown budget", 0.2


def environment(scene: Scene) -> Iterator[Check]:
    """Say where this goes: the table of environments leaves no other host."""
    place, account = scene.place, scene.config.account
    where = f"{account.environment}, {place.rest_host}"
    if place.real_money and scene.sends:
        yield warned(
            "environment", f"{where}, REAL MONEY: {echo(scene.config)}", "read it aloud; --arm confirms exactly this"
        )
    else:
        yield fine("environment", f"{where}, {'real prices, nothing is sent' if place.real_money else 'play money'}")


def dot_env(scene: Scene) -> Iterator[Check]:
    """Hold the file with the secrets against other readers."""
    path, name = scene.dot_env, ".env"
    if not path.is_file():
        yield fine(name, f"{path} is not there: keys come from the environment only")
    elif os.name != "posix":
        todo = f"let nobody else read it: icacls {path} /inheritance:r /grant:r %USERNAME%:F"
        yield unknown(name, f"{path} is there; Windows shows no mode bits", todo)
    elif mode := stat.S_IMODE(path.stat().st_mode) & 0o077:
        figures = f"{path} can be read by others on this machine (mode {stat.S_IMODE(path.stat().st_mode):o})"
        yield refused(name, figures, f"run chmod 600 {path}" + (", and replace its keys" if mode & 0o007 else ""))
    else:
        yield fine(name, f"{path}, readable by its owner only")


def keys(scene: Scene) -> Iterator[Check]:
    """Find key and secret; their names are told, never their values."""
    try:
        scene.keys = read_keys(scene.config.account, scene.environ, scene.dot_env)
    except SafetyRefusal:
        yield unknown("keys", f"{scene.dot_env} is not read while others may read it")
    except ConfigError as error:
        if scene.sends:
            fact, _, todo = str(error).removesuffix(".").partition(": ")
            yield refused("keys", fact, todo or "set EXCHANGE=binance or remove it", ConfigError)
        else:
            yield unknown("keys", f"none; mode {scene.config.mode} sends nothing and needs none")
    else:
        yield fine("keys", f"{scene.keys.source}, fingerprint {scene.keys.fingerprint}")


def folder(scene: Scene) -> Iterator[Check]:
    """Make the state folder; it must be local and writable."""
    name, state = "state folder", scene.state
    try:
        state.prepare()
        _probe(state.path)
    except SafetyRefusal as error:
        yield refused(name, str(error).removesuffix("."), "correct safety.state_dir, or let this user write there")
        return
    except OSError as error:
        yield refused(name, f"{state.path} cannot be written: {error.strerror or error}", "let this user write there")
        return
    share = file_system.remote(state.path)
    if share is not None:
        todo = "put safety.state_dir on a local disk: locks and journal do not hold elsewhere"
        yield refused(name, f"{state.path} is on {share}", todo)
    else:
        yield fine(name, f"{state.path}, writable, local")


def disk(scene: Scene, free: int | None = None) -> Iterator[Check]:
    """Look at the free space where state is kept, bytes; None asks the system."""
    free = shutil.disk_usage(_there(scene.state.path)).free if free is None else free
    figures = f"{free / (1 << 30):.1f} GiB free"
    if free < LEAST_BYTES:
        yield refused(
            "disk", f"{figures}, at least {LEAST_BYTES >> 30} is needed", "make room: a full disk shuts entries"
        )
    elif free < FEW_BYTES:
        yield warned("disk", figures, "make room: logs and recordings grow, and a full disk shuts entries")
    else:
        yield fine("disk", figures)


def outputs(scene: Scene) -> Iterator[Check]:
    """Try to write where recordings and sessions go."""
    given = scene.config.data.record
    if given is None:
        yield fine("recordings", "nothing is recorded (data.record)")
    for name, path, key in (("recordings", given, "data.record"), ("sessions", scene.config.output, "output")):
        if path is None:
            continue
        try:
            Path(path).mkdir(parents=True, exist_ok=True)
            _probe(Path(path))
        except OSError as error:
            why = f"{path} cannot be written: {(error.strerror or str(error)).lower()}"
            yield refused(name, why, f"correct {key}, or let this user write there", DataError)
        else:
            yield fine(name, f"{path}, writable")


def countdown(scene: Scene, limits: RateLimits) -> Iterator[Check]:
    """Reckon what refreshing the venue's countdown takes from the request limit (D8)."""
    symbols, refresh = len(scene.config.symbols), scene.config.safety.deadman.refresh_secs
    share = countdown_share(symbols, refresh, limits)
    figures = f"{symbols} symbols × 10 weight × 60 / {refresh:g} s = {share:.1%} of {limits.weight_per_minute} a minute"
    if share > COUNTDOWN_SHARE:
        slowest = symbols * 10 * 60 / (COUNTDOWN_SHARE * limits.weight_per_minute)
        todo = f"set safety.deadman.refresh_secs to {slowest:.3g} or more (countdown_secs four times that), or trade fewer symbols"
        yield refused(COUNTDOWN, f"{figures}, allowed are {COUNTDOWN_SHARE:.0%}", todo, ConfigError)
    else:
        yield fine(COUNTDOWN, figures)


def identity(scene: Scene) -> Check | None:
    """Hold environment, host and key against what the alias belongs to; None where nothing differs (so far).

    It is looked at twice: before the key is shown to any host, and when the venue has named the account.
    """
    name = "identity"
    key = None if scene.keys is None else scene.keys.fingerprint
    seen = {
        "environment": scene.config.account.environment, "host": scene.place.rest_host, "account_id": scene.account,
        "key_fingerprint": key,
    }  # fmt: skip
    try:
        found = next(mismatches(scene.state.path, seen), None)
    except SafetyRefusal as error:
        return refused(name, str(error), "find out what happened to it; remove it only if you are sure of the account")
    if found is None:
        return None
    path = pin_path(scene.state.path)
    todo = f"use another account.alias, or the key that belongs here; remove {path} only if the change is meant"
    return refused(name, f"alias {scene.config.account.alias} belongs to {found}", todo)


def _probe(path: Path) -> None:
    """Write and remove a file.

    Raises
    ------
    OSError
        When that is not possible.
    """
    probe = path / ".preflight"
    try:
        probe.write_bytes(b"preflight\n")
    finally:
        with suppress(OSError):  # what could not be written need not be removed
            probe.unlink(missing_ok=True)


def _there(path: Path) -> Path:
    return next(place for place in (path, *path.resolve().parents) if place.exists())
