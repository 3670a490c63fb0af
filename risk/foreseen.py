"""A book whose future is known, read only as far as the engine has come.

A replay knows every message before it runs, and what each does to the book has been computed in bulk. `Foreseen` counts the
messages that the engine has delivered and answers from these columns for exactly that many, so nothing later can be seen. A real
order book is built, from the same messages, when somebody asks for one, or when a message comes that is not the expected one.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

from nautilus_trader.model import InstrumentId


class Stretch(Protocol):
    """Consecutive messages of one instrument with the top of book after each; `catalog.stretch` makes them."""

    @property
    def instrument_id(self) -> InstrumentId:
        """Whose book it is."""

    @property
    def batches(self) -> Sequence[Any]:
        """The messages."""

    @property
    def ts_ns(self) -> Sequence[int]:
        """Receipt time of each."""

    @property
    def sequence(self) -> Sequence[int]:
        """Update id of each."""

    @property
    def bid(self) -> Sequence[float]:
        """Best bid after each; meaningless where not `valid`, as are the other three."""

    @property
    def bid_size(self) -> Sequence[float]:
        """Displayed size at the best bid."""

    @property
    def ask(self) -> Sequence[float]:
        """Best ask."""

    @property
    def ask_size(self) -> Sequence[float]:
        """Displayed size at the best ask."""

    @property
    def valid(self) -> Sequence[bool]:
        """Whether both sides have a level."""

    @property
    def mid(self) -> Sequence[float]:
        """(bid + ask) / 2 after each."""

    @property
    def spread(self) -> Sequence[float]:
        """ask − bid after each."""

    @property
    def gap_ns(self) -> Sequence[int]:
        """Receipt after that of the message before."""

    @property
    def age_ns(self) -> Sequence[int]:
        """Receipt after exchange time."""

    @property
    def odd(self) -> Sequence[int]:
        """Messages after which there is no market, and snapshots; ascending, the first message always among them."""

    def displayed(self, messages: int, is_bid: bool, price: float) -> float:
        """Displayed size at a price after so many messages, base units."""

    def changes(self, first: int, stop: int) -> list[int]:
        """Messages from `first` to `stop` (excluded) after which there is a top other than before; the first of all if valid."""

    def opening(self) -> Any:
        """The book before the first message, as a snapshot message."""


class Foreseen:
    """A stretch and how much of it has happened.

    Attributes
    ----------
    stretch
        The columns.
    done
        Messages delivered.
    drained
        Messages whose tops have been recorded.
    """

    __slots__ = ("_sequence", "_ts", "done", "drained", "stretch")

    def __init__(self, stretch: Stretch) -> None:
        self.stretch = stretch
        self.done = 0
        self.drained = 0
        self._ts = stretch.ts_ns
        self._sequence = stretch.sequence

    def step(self, ts_ns: int, sequence: int) -> bool:
        """Count one delivered message; False, and nothing counted, when it is not the expected one."""
        done = self.done
        if done == len(self._ts) or self._ts[done] != ts_ns or self._sequence[done] != sequence:
            return False
        self.done = done + 1
        return True

    @property
    def is_over(self) -> bool:
        """True when every message was delivered."""
        return self.done == len(self._ts)
