"""One decision of a session beside that of its replay, with what the strategy saw."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

from runners.decision_text import moment

type Plain = Any

_NAMES = {"act": "intents", "wish": "wish below one step", "raised": "exception"}


@dataclass(frozen=True, slots=True)
class Decided:
    """One decision.

    Attributes
    ----------
    what
        ``act``, ``wish``, ``raised``, or the method of the strategy that was called.
    content
        As plain values.
    """

    what: str
    content: Plain

    def text(self) -> str:
        """In words."""
        if self.what == "act":
            return "intents: " + ("; ".join(_value(one) for one in self.content) or "none")
        name = _NAMES.get(self.what, self.what)
        if self.what in ("wish", "raised"):
            return f"{name}: {_value(self.content)}"
        args, kwargs, purpose = self.content
        given = [_value(one) for one in args] + [f"{key} {_value(value)}" for key, value in kwargs.items()]
        return f"{name}({', '.join(given)})" + (f" {_value(purpose)}" if purpose else "")


def _value(value: Plain) -> str:
    if isinstance(value, list) and len(value) == 2 and isinstance(value[0], str) and isinstance(value[1], Mapping):
        told = " ".join(f"{key}={_value(item)}" for key, item in value[1].items() if item is not None)
        return f"{value[0]}[{told}]"
    if isinstance(value, list):
        return "(" + ", ".join(_value(item) for item in value) + ")"
    return str(value)


def _unequal(name: str, one: Plain, other: Plain) -> Iterator[str]:
    if isinstance(one, list) and isinstance(other, list) and len(one) == len(other):
        for left, right in zip(one, other, strict=True):
            yield from _unequal(name, left, right)
    elif isinstance(one, Mapping) and isinstance(other, Mapping) and one.keys() == other.keys():
        for key in one:
            yield from _unequal(key, one[key], other[key])
    elif one != other:
        yield f"{name or 'content'}: {_value(one)} in the session, {_value(other)} in the replay"


@dataclass(frozen=True, slots=True)
class Difference:
    """The first place at which a replay decided otherwise.

    Attributes
    ----------
    number
        Which decision of the session, from 1.
    ts_ns
        When.
    strategy, handler, event
        Who was handed what.
    taped, played
        Both decisions; None where there was none.
    state
        What the strategy saw: top of book, position, working orders.
    """

    number: int
    ts_ns: int
    strategy: str
    handler: str
    event: str
    taped: Decided | None
    played: Decided | None
    state: Mapping[str, str] = field(default_factory=dict)

    def lines(self) -> list[str]:
        """In words."""
        seen = [f"  {name:<8} {text}" for name, text in self.state.items()]
        return [
            f"The first difference is decision {self.number:,}, {moment(self.ts_ns)} UTC, {self.strategy} in {self.handler}:",
            f"  {'event':<8} {self.event}",
            *seen,
            f"  {'session':<8} {self.taped.text() if self.taped else 'nothing'}",
            f"  {'replay':<8} {self.played.text() if self.played else 'nothing'}",
            *(f"  {'differs':<8} {text}" for text in self._parts()),
        ]

    def _parts(self) -> Iterator[str]:
        """Values that are not the same, where both decided alike otherwise."""
        if self.taped is not None and self.played is not None and self.taped.what == self.played.what:
            yield from islice(_unequal("", self.taped.content, self.played.content), 5)

    def as_json(self) -> dict[str, Any]:
        """For a script."""
        return {
            "number": self.number, "ts_ns": self.ts_ns, "strategy": self.strategy, "handler": self.handler, "event": self.event,
            "state": dict(self.state),
            "session": None if self.taped is None else [self.taped.what, self.taped.content],
            "replay": None if self.played is None else [self.played.what, self.played.content],
        }  # fmt: skip
