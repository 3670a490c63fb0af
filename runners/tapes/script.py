"""The rows of a tape as scenes: a market message, a change of what a strategy sees, or a whole call of its code."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from errors import CorruptData

type Row = list[Any]


@dataclass(slots=True)
class Scene:
    """A handler or a decision with everything that happened in it.

    Attributes
    ----------
    row
        Its first row.
    inside
        Rows and scenes, in order.
    """

    row: Row
    inside: list[Row | Scene] = field(default_factory=list)

    @property
    def is_call(self) -> bool:
        """True for a handler, False for a decision."""
        return bool(self.row[0] == "[")


def scenes(rows: Iterator[Row]) -> Iterator[Row | Scene]:
    """Put together what belongs together; a scene that the tape's end has cut off is left out.

    The last row gets one more figure: how many rows there were before it.

    Raises
    ------
    CorruptData
        When something ends that has not begun.
    """
    open_: list[Scene] = []
    for before, row in enumerate(rows):
        made: Row | Scene | None = row
        match row[0]:
            case "[" | "(":
                open_.append(Scene(row))
                made = None
            case "!":
                made = Scene(["[", *row[1:]])
            case "]" | ")":
                made = _ended(open_, row[0])
            case "end":
                made = [*row, before]
        if made is None:
            continue
        if open_ and isinstance(made, list) and made[0] in ("d", "m"):
            yield made  # the market, which a call inside a call brought: it is there before the call is played
        elif open_:
            open_[-1].inside.append(made)
        else:
            yield made


def _ended(open_: list[Scene], end: str) -> Scene:
    if not open_ or open_[-1].is_call != (end == "]"):
        raise CorruptData(f"the tape is damaged: a {end} without its beginning.")
    return open_.pop()
