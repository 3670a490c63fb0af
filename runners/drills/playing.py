"""From a drill's file to its outcome."""

from __future__ import annotations

import shutil
import sqlite3
import tempfile
import time
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from errors import ConfigError, UsageError
from runners.config import load_live
from runners.drills.files import load_drill
from runners.drills.judge import Judged, judge, rows_of
from runners.drills.model import Drill
from runners.drills.stage import SETTINGS, Played, Stage, texts
from runners.drills.telling import Outcome, story


def check(path: Path, keep: Path | None = None) -> Drill:
    """Read one drill, and see that its node takes every setting and its folder is free, before anything is started.

    Raises
    ------
    HyperTradingError
        Naming what is wrong.
    """
    drill = load_drill(path)
    for step in drill.steps:
        if step.step == "start":
            settings = {**SETTINGS, **drill.node.set, **step.set}
            _try_settings(path, _config(drill, path), settings)
    if keep is not None and (keep / drill.name).exists():
        raise UsageError(f"{keep / drill.name} is there already: name another folder with --keep, or remove it.")
    return drill


def _try_settings(path: Path, config: Path, settings: Mapping[str, object]) -> None:
    try:
        load_live(config, texts(settings))
    except UsageError as error:
        raise ConfigError(f"{path}: the node of this drill: {error}") from error


def _config(drill: Drill, path: Path) -> Path:
    return (path.resolve().parent / drill.node.config).resolve()


async def play(path: Path, keep: Path | None = None) -> Outcome:
    """Play and judge one drill.

    Parameters
    ----------
    path
        Its file.
    keep
        Folder in which its own folder is put and stays; None: a temporary one, which stays only if the drill fails.

    Raises
    ------
    HyperTradingError
        See `check`.
    """
    drill, began = check(path, keep), time.monotonic()
    config = _config(drill, path)
    account = load_live(config).config.account
    folder = _folder(drill, keep)
    played = await Stage(drill, config, folder, account.order_tag).play()
    judged = _judged(played, drill, account.alias, account.order_tag)
    lines = story(played, rows_of(folder / "venue.jsonl"))
    outcome = Outcome(drill, played, judged, lines, time.monotonic() - began, folder)
    if outcome.passes and keep is None:
        shutil.rmtree(folder, ignore_errors=True)
        return replace(outcome, kept=None)
    return outcome


def _folder(drill: Drill, keep: Path | None) -> Path:
    if keep is None:
        return Path(tempfile.mkdtemp(prefix=f"drill-{drill.name}-"))
    folder = keep / drill.name
    folder.mkdir(parents=True)
    return folder.resolve()


def _judged(played: Played, drill: Drill, alias: str, tag: str) -> Judged | None:
    """The judgement; a journal that cannot be read is trouble, too."""
    try:
        return judge(played.evidence(drill, alias, tag), drill.expect)
    except sqlite3.Error as error:
        played.trouble = f"{played.trouble + '; ' if played.trouble else ''}the journal cannot be read: {error}"
        return None
