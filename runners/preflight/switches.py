"""What may keep entries shut or another node out: stop files, kill switch, journal, lock."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing, suppress
from pathlib import Path

from errors import SafetyRefusal
from execution.journal_schema import APPLICATION_ID, MIGRATIONS, version
from runners.accounts import AccountPlace
from runners.halting import Standing, standing
from runners.live.pin import read_pin
from runners.live.state import Identity
from runners.preflight import file_system
from runners.preflight.report import Check, fine, refused, unknown, warned
from runners.preflight.scene import Scene


def stop_files(scene: Scene) -> Iterator[Check]:
    """Look for STOP and STOP_FLATTEN."""
    found = scene.state.stop_file()
    if found is None:
        yield fine("stop files", f"none in {scene.state.root} or {scene.state.path}")
    else:
        yield refused("stop files", f"{found} is there", "find out who put it there, then remove it")


def kill_switch(scene: Scene) -> Iterator[Check]:
    """Read token and latch log; nothing is armed here."""
    place = AccountPlace(scene.state.alias, scene.state.path)
    now = standing(place)
    if now.tripped:
        todo = f"find out why, then python -m runners.halt --account {place.alias} --reset --reason …"
        yield refused("latch log", f"the kill switch stands: {now.halted}", todo)
    else:
        trips = sum(record.act == "tripped" for record in now.records)
        yield fine("latch log", f"{len(now.records)} records, {trips} trips, none standing")
    yield from _token(scene, now)


def _token(scene: Scene, now: Standing) -> Iterator[Check]:
    name, arm = "arm token", "python -m runners.live CONFIG --arm"
    if not scene.sends:
        yield unknown(name, f"mode {scene.config.mode} sends nothing and needs none")
    elif now.tripped:
        yield unknown(name, "gone or void while the kill switch stands")
    elif now.token is None and scene.config.mode == "live":
        yield refused(name, "there is none", f"make it with {arm}")
    elif now.token is None:
        yield fine(name, "none yet; play money is armed at its first start")
    else:
        yield _matching(scene, now, name, arm)


def _matching(scene: Scene, now: Standing, name: str, arm: str) -> Check:
    identity = now.token.identity if now.token is not None else None
    if identity is None:
        return unknown(name, "not readable")
    if identity.environment != scene.config.account.environment or scene.account not in (None, identity.account):
        figures = f"given for account {identity.account} in {identity.environment}"
        return refused(name, figures, "use the account.alias of that account, or another alias for this one")
    if identity.config_hash == scene.config_hash:
        return fine(name, f"matches account and configuration {scene.config_hash[:8]}")
    figures = f"given for configuration {identity.config_hash[:8]}, this is {scene.config_hash[:8]}"
    if scene.config.mode == "live":
        return refused(name, figures, f"read what has changed, then {arm}")
    return warned(name, figures, "play money is armed anew at the start: nothing to do if the change is meant")


def journal(scene: Scene) -> Iterator[Check]:
    """Open the journal for reading and check it; where there is none, try whether one can be made."""
    name, given = "journal", scene.config.safety.journal
    path = scene.state.path / "journal.sqlite" if given.path is None else Path(given.path)
    if scene.config.mode == "live" and given.durability != "power":
        yield refused(name, f"durability is {given.durability}", "real money takes safety.journal.durability: power")
        return
    folder = next((place for place in path.resolve().parents if place.exists()), path)
    share = file_system.remote(folder)
    if share is not None:
        yield refused(name, f"{path} would lie on {share}", "put safety.journal.path on a local disk")
        return
    yield _read(name, path) if path.exists() else _try(name, path, scene.state.path)


def _read(name: str, path: Path) -> Check:
    todo = f"keep the file, restore a backup of it, or move it away and let recovery ask the venue ({path})"
    try:
        with closing(sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True, timeout=2.0)) as db:
            check = str(db.execute("PRAGMA quick_check").fetchone()[0])
            mark = int(db.execute("PRAGMA application_id").fetchone()[0])
            found = version(db)
            tables = int(db.execute("SELECT count(*) FROM sqlite_master").fetchone()[0])
    except sqlite3.Error as error:
        return refused(name, f"{path} cannot be read: {error}", todo)
    if check != "ok":
        return refused(name, f"{path} is damaged: {' '.join(check.split())[:120]}", todo)
    if mark != APPLICATION_ID and (mark or tables):
        return refused(name, f"{path} is a database, but no journal of this system", "correct safety.journal.path")
    if found > len(MIGRATIONS):
        return refused(name, f"{path} has schema {found}, this program knows {len(MIGRATIONS)}", "update this program")
    return fine(name, f"{path}, quick_check ok, schema {found}")


def _try(name: str, path: Path, state: Path) -> Check:
    """Whether SQLite can work as it must (write-ahead log) where the journal will lie."""
    folder = path.parent if path.parent.is_dir() else state
    probe = folder / ".preflight.sqlite"
    try:
        with closing(sqlite3.connect(probe, timeout=2.0)) as db:
            mode = db.execute("PRAGMA journal_mode = WAL").fetchone()[0]
            db.execute("CREATE TABLE probe (x)")
            db.commit()
    except sqlite3.Error as error:
        return refused(name, f"none yet, and none can be made in {folder}: {error}", "let this user write there")
    finally:
        for suffix in ("", "-wal", "-shm"):
            with suppress(OSError):  # what was not made need not be removed
                probe.with_name(probe.name + suffix).unlink(missing_ok=True)
    if mode != "wal":
        return refused(name, f"none yet, and {folder} has no write-ahead log (mode {mode})", "use a local disk")
    return fine(name, f"none yet; one can be made ({path})")


def lock(scene: Scene) -> Iterator[Check]:
    """Try the lock of the account, and let it go: the node takes it for itself."""
    name, account = "account lock", scene.account
    with suppress(SafetyRefusal):  # that the pin is unreadable is told on its own line
        pinned = read_pin(scene.state.path)
        account = account or (pinned.account_id if pinned is not None else None)
    if account is None:
        yield unknown(name, "it is kept per account, and the venue has not said which")
        return
    identity = Identity(scene.config.account.environment, scene.place.rest_host, account, "")
    try:
        with scene.state.lock(identity, scene.place.rest_url) as held:
            file = held.path.name
        yield fine(name, f"free ({file})")
    except SafetyRefusal as error:
        fact, _, todo = str(error).removesuffix(".").rpartition(": ")
        held_by_another = "another node" in fact
        yield refused(name, fact, todo if held_by_another else f"let this user write into {scene.state.root}")
