"""Counting lines of a ledger."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from fnmatch import fnmatchcase
from typing import Any

from crash.judge.ledger import PREFIX
from runners.drills.expect import Moment, Rows, Value

NS = 1_000_000_000


class NoSuchMark(Exception):
    """An expectation speaks of a moment that never came.

    Attributes
    ----------
    mark
        Its name.
    """

    def __init__(self, mark: str, known: Iterable[str]) -> None:
        super().__init__(f"{mark!r} never happened (what did: {', '.join(sorted(known)) or 'nothing'})")
        self.mark = mark


def fits(row: Mapping[str, Any], wanted: Mapping[str, Value | list[Value]]) -> bool:
    """Whether every field of a line is as wanted."""
    return all(_is(_field(row, name), value) for name, value in wanted.items())


def _field(row: Mapping[str, Any], name: str) -> Any:
    found: Any = row
    for part in name.split("."):
        found = found.get(part) if isinstance(found, Mapping) else None
    return found


def _is(found: Any, wanted: Value | list[Value]) -> bool:
    if isinstance(wanted, list):
        return any(_is(found, one) for one in wanted)
    if isinstance(found, str) and isinstance(wanted, str):
        return fnmatchcase(found, wanted)
    return bool(found == wanted)


def matching(
    ledger: Iterable[Mapping[str, Any]], rows: Rows, marks: Mapping[str, int], tag: str
) -> Iterator[Mapping[str, Any]]:
    """Lines of a ledger that an expectation or a step speaks of.

    Raises
    ------
    NoSuchMark
        When it speaks of a moment that never came.
    """
    after, before = _at(rows.after, marks), _at(rows.before, marks)
    for row in ledger:
        if row["kind"] != rows.kind or not fits(row, rows.where):
            continue
        if rows.unless and fits(row, rows.unless):
            continue
        if rows.ours and not str(row.get("client_id", "")).startswith(PREFIX + tag):
            continue
        if (after is None or row["ts_ns"] > after) and (before is None or row["ts_ns"] < before):
            yield row


def _at(moment: Moment | None, marks: Mapping[str, int]) -> int | None:
    if moment is None:
        return None
    if moment.mark not in marks:
        raise NoSuchMark(moment.mark, marks)
    return marks[moment.mark] + round(moment.plus_secs * NS)


def figure(found: Iterable[Mapping[str, Any]], distinct: str | None, most_per: str | None) -> int:
    """Lines, different values of a field, or lines of the value that has most."""
    if distinct is not None:
        return len({_field(row, distinct) for row in found})
    if most_per is not None:
        return max(Counter(_field(row, most_per) for row in found).values(), default=0)
    return sum(1 for _ in found)
