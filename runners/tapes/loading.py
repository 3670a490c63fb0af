"""From a session, or a tape alone, to strategies that can be played."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Any

from nautilus_trader import model

from errors import CorruptData, DataError, UsageError
from execution.tape.file import read_tape
from risk.costs import FeeRates
from runners import wiring
from runners.config import LiveConfig, Trust, overrides
from runners.config.document import Document
from runners.config.load import validated, with_params
from runners.live.package import entries_of
from runners.live.taping import NAME
from runners.tapes.player import TapePlayer
from runners.tapes.score import Score
from runners.tapes.script import Row, scenes
from runners.tapes.stage import StagedView, staged_class


@dataclass(frozen=True, slots=True)
class Opened:
    """A tape whose head has been read.

    Attributes
    ----------
    path
        The file.
    head
        See `runners.live.taping.tape_head`.
    rows
        Everything after it, read as it is asked for.
    """

    path: Path
    head: dict[str, Any]
    rows: Iterator[Row]


def open_tape(place: Path) -> Opened:
    """Find and open the tape of a session's directory, or a tape itself.

    Raises
    ------
    UsageError
        When there is nothing of that name.
    DataError
        When the session has no tape, or the file is none.
    """
    if not place.exists():
        raise UsageError(f"there is neither a session nor a tape {place}.")
    path = place / NAME if place.is_dir() else place
    if not path.is_file():
        raise DataError(f"{place} has no decision tape: set data.tape or data.record in the live file, and run again.")
    rows = read_tape(path)
    head = next(rows, None)
    if head is None or head[0] != "head":
        raise CorruptData(f"{path} is empty: the node ended before its first second.")
    return Opened(path, head[1], rows)


def config_of(opened: Opened, settings: Sequence[str], trust: Trust) -> LiveConfig:
    """Configuration of the session, with changes.

    Raises
    ------
    ConfigError, UsageError
        When it is not one of this version, its strategies cannot be loaded, or a change names no place in it.
    """
    found = Document(f"{opened.path}: config", opened.head["config"], {})
    overrides.apply(found, tuple(settings))
    return with_params(validated(LiveConfig, found.data, found), found, trust)


def play(opened: Opened, config: LiveConfig, trust: Trust) -> Score:
    """Play a tape with the strategies of a configuration."""
    package = staged_package(config, opened.head, trust)
    return TapePlayer(package).play(scenes(opened.rows))


def staged_package(config: LiveConfig, head: dict[str, Any], trust: Trust) -> wiring.Package:
    """Make the strategies by the wiring of session and backtest, in front of an engine of paper."""
    instruments = {iid: getattr(model, given["type"]).from_dict(given) for iid, given in head["instruments"].items()}
    plan = wiring.Plan(
        instruments=instruments,
        fees=dict.fromkeys(instruments, FeeRates(config.fees.maker_bps, config.fees.taker_bps)),
        risk=config.risk,
        trading_start_ns=head["trading_start_ns"],
        epoch=1,
        order_tag=config.account.order_tag,
        trusted=trust.everything,
        workspace=trust.workspace,
        record_tops=False,
        wrap=staged_class,
        view=StagedView,
    )
    return wiring.build(entries_of(config), plan)


def play_rows(rows: Iterator[Row], config: LiveConfig, head: dict[str, Any], trust: Trust) -> Score:
    """Play rows that are at hand."""
    opened = Opened(Path("rows"), head, chain(rows))
    return play(opened, config, trust)
