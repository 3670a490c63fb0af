"""The product of write points, kill kinds and outcomes, and why some of it does not exist."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from crash.outcomes import OUTCOMES, Outcome
from crash.points import CANCEL, COUNTDOWN, ORDER, POINTS, Point

type Kill = Literal[
    "K1 SIGKILL", "K2 power loss", "K2 lost tail", "K3 freeze", "K4 missing", "K4 older", "K4 I/O error"
]
KILLS: tuple[Kill, ...] = (
    "K1 SIGKILL", "K2 power loss", "K2 lost tail", "K3 freeze", "K4 missing", "K4 older", "K4 I/O error",
)  # fmt: skip
ENDED_BY_THE_VENUE = frozenset({"post-only expiry", "definite reject", "executed but -1000"})
EXIT_DONE = frozenset({"exit arrived", "exit executed, no answer"})
"""The venue has the exit: dead or alive, it is executed."""
CONDITION_ONLY = {"cancelled by the countdown", "cancelled by a person", "queries lag by 3 s"}


@dataclass(frozen=True, slots=True)
class Cell:
    """One combination."""

    point: Point
    kill: Kill
    outcome: Outcome

    @property
    def name(self) -> str:
        """As it is written and asked for."""
        return f"{self.point.name} / {self.kill} / {self.outcome.name}"


def cells() -> Iterator[Cell]:
    """The whole product, also what does not exist."""
    for point in POINTS:
        for kill in KILLS:
            for outcome in OUTCOMES:
                yield Cell(point, kill, outcome)


def impossible(cell: Cell) -> str | None:
    """Why a combination does not exist; None where it does."""
    return _by_kill(cell) or _by_reach(cell)


def _by_kill(cell: Cell) -> str | None:  # noqa: PLR0911 - one line a reason
    point, kill = cell.point, cell.kill
    trigger = point.trigger
    commit = trigger is not None and trigger.label.count("/") > 1 and trigger.stage == "committed"
    if kill in ("K2 power loss", "K4 I/O error") and not commit:
        return "a power loss inside a commit, and a commit that fails, happen at commits only"
    if kill != "K1 SIGKILL" and trigger is not None and trigger.deed == "checkpoint":
        return "a checkpoint leaves no log to cut, and nothing that an older copy would not have"
    if kill == "K4 I/O error" and point.reach == "start":
        return "a journal that cannot be opened is no crash: the start refuses (tests/execution/test_journal_sqlite.py)"
    if kill in ("K2 lost tail", "K4 missing", "K4 older") and point.reach == "start":
        return "the journal is empty at that point: there is nothing to lose"
    if kill != "K1 SIGKILL" and point.reach == "recovery":
        return "the second crash is a SIGKILL: what other kinds leave behind is what they leave at the first"
    if kill == "K3 freeze" and cell.outcome.expects == "refuse":
        return "the node goes on after its freeze: what it holds at its end is not what the venue would have closed"
    if kill == "K3 freeze" and point.sight is None:
        return "a freeze is seen from the venue: it is struck where a request is on its way"
    return None


def _by_reach(cell: Cell) -> str | None:
    outcome, reach = cell.outcome, cell.point.reach
    books = "income" in cell.point.name or "loss ledger" in cell.point.name
    if reach == "recovery" and books and outcome.expects == "refuse":
        return "the start refuses before it comes to that"
    if reach == "start":
        return None if outcome.name == "never arrived" else "nothing has been sent at that point"
    if reach == "trip":
        plain = outcome.name in ("resting", "partly filled", "filled")
        return None if plain else "the node lives on until its switch trips: what is in flight is long answered"
    if cell.point.flight != (ORDER, "target"):
        return _by_other_flight(cell)
    if reach == "before":
        holds = outcome.needs_position or outcome.name == "never arrived" or outcome.name in CONDITION_ONLY
        return None if holds else "the request has not left at that point"
    return _by_moment(cell) if reach == "sent" else _by_target(cell)


def _by_moment(cell: Cell) -> str | None:
    sight, outcome = cell.point.sight, cell.outcome
    if sight is not None and sight.moment == "executed" and not outcome.executes:
        return "the venue does not execute it"
    if sight is not None and sight.moment == "answered" and not outcome.answered:
        return "no answer comes"
    return None


def _by_other_flight(cell: Cell) -> str | None:
    """The request in flight is a cancel, an exit, a stop or a countdown: what becomes of the target is only the scene."""
    outcome, point = cell.outcome, cell.point
    if point.flight[0] in (CANCEL, COUNTDOWN) and outcome.name == "definite reject":
        return "no margin is asked of a cancel"
    if point.flight[0] == CANCEL and outcome.target in ("full", "cross"):
        return "it is over before it could be cancelled"
    if point.name in EXIT_DONE and outcome.expects == "refuse":
        return "the position is closed by then: there is nothing to be liquidated"
    if point.reach == "ended" and not (outcome.executes and outcome.answered):
        return "no answer comes"
    if point.reach == "before" and outcome.acts and outcome.name != "never arrived":
        return "the request has not left at that point"
    return _by_moment(cell)


def _by_target(cell: Cell) -> str | None:
    outcome, point = cell.outcome, cell.point
    if point.reach in ("answered", "filled", "ended") and not outcome.executes:
        told = outcome.name == "definite reject" and point.reach == "ended"
        return None if told else "the node never hears of it"
    if point.reach == "answered" and outcome.name == "executed but -1000":
        return "the engine takes it for rejected and tells no acknowledgement"
    if point.reach == "filled" and not outcome.fills:
        return "it does not trade"
    if point.reach == "ended" and outcome.name not in ENDED_BY_THE_VENUE:
        return "it is not ended by the venue while the node lives"
    return None


def valid() -> list[Cell]:
    """Cells that exist."""
    return [cell for cell in cells() if impossible(cell) is None]


def reasons() -> dict[str, int]:
    """How many combinations do not exist, by reason."""
    found: dict[str, int] = {}
    for cell in cells():
        why = impossible(cell)
        if why is not None:
            found[why] = found.get(why, 0) + 1
    return found


def slice_of(turn: int, points: tuple[Point, ...] = POINTS, outcomes: int = 1) -> list[Cell]:
    """Every write point with SIGKILL in so many of its outcomes, others from turn to turn; in all where it has no more."""
    found = []
    for number, point in enumerate(points):
        here = [
            cell for cell in (Cell(point, "K1 SIGKILL", outcome) for outcome in OUTCOMES) if impossible(cell) is None
        ]
        found += [here[(turn + number * 7 + more) % len(here)] for more in range(min(outcomes, len(here)))]
    return found


def spread(count: int) -> list[Cell]:
    """So many cells, evenly over the product and over its kill kinds."""
    every = sorted(valid(), key=lambda cell: (KILLS.index(cell.kill), cell.outcome.name, cell.point.name))
    step = max(1, len(every) // count)
    return every[step // 2 :: step][:count]
