"""A session in miniature: strategies in the small engine with a tape, and that tape played."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from execution.tape.file import encoded
from execution.tape.tape import Tape
from runners.tapes.player import TapePlayer
from runners.tapes.score import Score
from runners.tapes.script import scenes
from runners.tapes.stage import StagedView, staged_class
from runners.wiring import build
from tests.engine import Entry, Ran, Setup, plan, run


def session(entries: Sequence[Entry], data: Sequence[Any], **more: Any) -> tuple[Ran, list[list[Any]]]:
    """Run strategies with a tape; return the run and the rows as a file would give them."""
    tape = Tape()
    ran = run(entries, data, tape=tape, **more)
    tape.close()
    return ran, [json.loads(line) for line in encoded(tape.take()).splitlines()]


def played(entries: Sequence[Entry], rows: list[list[Any]], **more: Any) -> Score:
    """Play rows with strategies."""
    staged = replace(plan(Setup(**more)), wrap=staged_class, view=StagedView)
    return TapePlayer(build(entries, staged)).play(scenes(iter(rows)))


def first(rows: list[list[Any]], *beginning: Any) -> int:
    """Place of the first row that begins so."""
    return next(place for place, row in enumerate(rows) if row[: len(beginning)] == list(beginning))
