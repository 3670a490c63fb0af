"""Messages of a replay that nobody has to look at but the strategy itself.

Most messages of a book change nothing that a breaker asks for before the second is over (`risk.breakers.lane.Lane.is_usual`), and a
replay knows them ahead. So after each one that was looked at, the next one that has to be is found at once; those in between are
only counted, and the lane remembers them when the board is next asked anything. Live there is nothing ahead, and no quiet.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from risk.foreseen import Foreseen

if TYPE_CHECKING:
    from risk.breakers.lane import Lane


class Quiet:
    """One per run; it begins after a message that was looked at, and ends by itself or when something happens.

    Attributes
    ----------
    left
        So many messages may still pass. Who lets one pass counts it in `foreseen`, which knows whether it is the next, and takes
        one off here.
    foreseen
        The book's messages; of a run with one book.
    """

    __slots__ = ("_lane", "_remembered", "_row", "foreseen", "left")

    def __init__(self) -> None:
        self.left = 0
        self.foreseen: Foreseen | None = None
        self._lane: Lane | None = None
        self._row = self._remembered = 0  # next message that the lane has to hear of; `left` when it last did

    def begin(self, foreseen: Foreseen, lane: Lane, until_ns: int) -> None:
        """Let the messages pass that come before `until_ns` and that the lane need not see."""
        self.catch_up()
        self.foreseen, self._lane, self._row = foreseen, lane, foreseen.done
        self.left = self._remembered = lane.usual(foreseen.stretch, foreseen.done, until_ns)

    def catch_up(self) -> None:
        """Let the lane remember what has passed: before anything is asked of the board."""
        passed = self._remembered - self.left
        if passed and self._lane is not None and self.foreseen is not None:
            first, self._row, self._remembered = self._row, self._row + passed, self.left
            stretch = self.foreseen.stretch
            mids = stretch.mid[first : self._row]
            self._lane.remember(stretch.ts_ns[self._row - 1], mids[-1], min(mids), max(mids))

    def end(self) -> None:
        """The next message is to be looked at."""
        self.catch_up()
        self.left = self._remembered = 0
