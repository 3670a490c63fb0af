"""Breakers as the oracle understands them from their description, written without a look at `risk.breakers`.

A value beyond a limit opens. The cool-down runs from the last bad value; then the breaker is half open until so many good values in
a row have been seen; one bad value opens it again.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

SECOND = 1_000_000_000
PROBING = frozenset({"rejects_in_a_row", "slippage_bps"})
"""While half open these let entries of any size through: only an order can show that all is well again."""


@dataclass(slots=True)
class Lamp:
    """One breaker: green, red or amber (half open)."""

    name: str
    limits: Mapping[str, Any]
    note: Callable[[str], None]
    colour: str = "green"
    hard: bool = False
    stuck: bool = False
    bad_ns: int = 0
    good_in_a_row: int = 0

    def grade(self, value: Fraction | int) -> int:
        """0 fine, 1 beyond soft, 2 beyond hard."""
        soft, hard = self.limits.get("soft"), self.limits.get("hard")
        if hard is not None and value > Fraction(hard):
            return 2
        return int(soft is not None and value > Fraction(soft))

    def feed(self, ts_ns: int, value: Fraction | int) -> int:
        """Take a value; return 2 when it has just become hard, 1 when it has just become soft, else 0."""
        grade = self.grade(value)
        if grade == 0:
            self.good(ts_ns)
            return 0
        return self.bad(ts_ns, grade)

    def bad(self, ts_ns: int, grade: int) -> int:
        """Take a bad value."""
        self.bad_ns = max(ts_ns, self.bad_ns)
        worse = self.colour != "red" or (grade == 2 and not self.hard)
        if self.stuck or not worse:
            return 0
        self._turn("red")
        self.hard = grade == 2
        self.stuck = bool(self.limits.get("latch")) and (self.hard or self.limits.get("hard") is None)
        return grade

    def good(self, ts_ns: int) -> None:
        """Take a good value."""
        self.wait(ts_ns)
        if self.colour == "amber":
            self.good_in_a_row += 1
            if self.good_in_a_row >= self.limits["clear_events"]:
                self._turn("green")

    def wait(self, ts_ns: int) -> None:
        """Time has passed."""
        over = ts_ns - self.bad_ns >= Fraction(self.limits["cooldown_secs"]) * SECOND
        if self.colour == "red" and not self.stuck and over:
            self.good_in_a_row = 0
            self._turn("amber")
            if self.limits["clear_events"] == 0:
                self._turn("green")

    def share(self) -> Fraction:
        """Part of the usual size that an entry may have."""
        if self.colour == "green" or (self.colour == "amber" and self.name in PROBING):
            return Fraction(1)
        return Fraction(0) if self.hard else Fraction(self.limits.get("size_factor", 0))

    def _turn(self, colour: str) -> None:
        self.note(f"breaker {self.name} {self.colour}>{colour}")
        self.colour = colour


@dataclass(slots=True)
class Quiet:
    """Time since something was last heard."""

    lamp: Lamp
    heard_ns: int | None = None

    def heard(self, ts_ns: int) -> int:
        """Something came: the silence that it ends counts, then it is a good sign."""
        turned = self._silent(ts_ns)
        self.heard_ns = ts_ns
        self.lamp.good(ts_ns)
        return turned

    def wait(self, ts_ns: int) -> int:
        """Nothing came."""
        if self.heard_ns is None:
            self.heard_ns = ts_ns
        turned = self._silent(ts_ns)
        self.lamp.wait(ts_ns)
        return turned

    def _silent(self, ts_ns: int) -> int:
        if self.heard_ns is None:
            return 0
        grade = self.lamp.grade(Fraction(ts_ns - self.heard_ns, 1_000_000))
        return self.lamp.bad(ts_ns, grade) if grade else 0


@dataclass(slots=True)
class BookLamps:
    """What watches one instrument."""

    age: Lamp
    stale: Quiet
    crossed: Lamp
    gaps: Lamp
    slippage: Lamp
    crossed_in_a_row: int = 0
    torn: bool = False
    torn_ns: list[int] = field(default_factory=list)

    def book(self, ts_ns: int, age_ms: int, is_market: bool, gap: bool, snapshot: bool) -> None:
        """Take a book message."""
        self.age.feed(ts_ns, age_ms)
        self.stale.heard(ts_ns)
        self.crossed_in_a_row = 0 if is_market else self.crossed_in_a_row + 1
        self.crossed.feed(ts_ns, self.crossed_in_a_row)
        self.torn = not snapshot and (gap or self.torn)
        if gap and not snapshot:
            self.torn_ns.append(ts_ns)
        if self.torn:
            self._count_gaps(ts_ns)
        else:
            self.gaps.good(ts_ns)

    def wait(self, ts_ns: int) -> None:
        """Time has passed; it does not mend a torn book."""
        self.age.wait(ts_ns)
        self.stale.wait(ts_ns)
        self.crossed.wait(ts_ns)
        self.slippage.wait(ts_ns)
        if self.torn:
            self._count_gaps(ts_ns)
        else:
            self.gaps.wait(ts_ns)

    def all(self) -> tuple[Lamp, ...]:
        """Every lamp of the instrument."""
        return self.age, self.stale.lamp, self.crossed, self.gaps, self.slippage

    def _count_gaps(self, ts_ns: int) -> None:
        since = ts_ns - int(self.gaps.limits["window_secs"] * SECOND)
        grade = self.gaps.grade(max(1, sum(1 for at in self.torn_ns if at > since)))
        if grade:
            self.gaps.bad(ts_ns, grade)


class Panel:
    """All lamps of a run.

    Parameters
    ----------
    limits
        By breaker name; empty where breakers are off.
    iids
        What is traded.
    note
        Is told every change.
    """

    def __init__(
        self, limits: Mapping[str, Mapping[str, Any]], iids: tuple[str, ...], note: Callable[[str], None]
    ) -> None:
        def lamp(name: str) -> Lamp:
            return Lamp(name, limits[name], note)

        self.on = bool(limits)
        self._next_look_ns = 0
        if self.on:
            self.silence = Quiet(lamp("feed_silence_ms"))
            self.offset, self.rejects, self.api = (
                lamp("clock_offset_ms"),
                lamp("rejects_in_a_row"),
                lamp("api_budget_pct"),
            )
            self.books = {
                iid: BookLamps(lamp("feed_age_ms"), Quiet(lamp("book_stale_ms")), lamp("book_crossed_updates"),
                               lamp("book_gaps"), lamp("slippage_bps"))
                for iid in iids
            }  # fmt: skip
        self.rejects_in_a_row = 0

    def look(self, ts_ns: int) -> None:
        """Look at the clock."""
        if not self.on:
            return
        self._next_look_ns = ts_ns + SECOND
        self.silence.wait(ts_ns)
        for lamp in (self.offset, self.rejects, self.api):
            lamp.wait(ts_ns)
        for book in self.books.values():
            book.wait(ts_ns)

    def book(self, ts_ns: int, iid: str, age_ms: int, *, is_market: bool, gap: bool, snapshot: bool) -> None:
        """Take a book message."""
        if self.on:
            self.silence.heard(ts_ns)
            if ts_ns >= self._next_look_ns:
                self.look(ts_ns)
            self.books[iid].book(ts_ns, age_ms, is_market, gap, snapshot)

    def answered(self, ts_ns: int, rejected: bool) -> bool:
        """The venue answered an order; True when that has just latched."""
        if not self.on:
            return False
        self.rejects_in_a_row = self.rejects_in_a_row + 1 if rejected else 0
        before = self.rejects.stuck
        if not rejected or self.rejects.grade(
            self.rejects_in_a_row
        ):  # a reject within the limit is no good sign either
            self.rejects.feed(ts_ns, self.rejects_in_a_row)
        return self.rejects.stuck and not before

    def slipped(self, ts_ns: int, iid: str, bps: Fraction) -> None:
        """A fill, so many basis points worse than the mid at which it was decided."""
        if self.on:
            self.books[iid].slippage.feed(ts_ns, bps)

    def share(self, iid: str) -> Fraction:
        """Part of the usual size that an entry on an instrument may have."""
        if not self.on:
            return Fraction(1)
        account = (self.silence.lamp, self.offset, self.rejects, self.api)
        return min(lamp.share() for lamp in (*account, *self.books[iid].all()))

    def reset(self) -> None:
        """A person has reset what had latched."""
        if self.on and self.rejects.stuck:
            self.rejects.stuck, self.rejects.colour, self.rejects.hard = False, "green", False
