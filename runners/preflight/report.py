"""What a preflight found: one line per check, and whether a session may start."""

from __future__ import annotations

import enum
from collections.abc import Sequence
from dataclasses import dataclass

from errors import ConfigError, DataError, HyperTradingError, RunFailed, SafetyRefusal


class Result(enum.StrEnum):
    """How a check came out."""

    OK = "ok"
    WARN = "warn"
    REFUSED = "refused"
    NOT_CHECKABLE = "not checkable"


@dataclass(frozen=True, slots=True)
class Check:
    """One line.

    Attributes
    ----------
    name
        What was looked at.
    result
        How it came out.
    figures
        What was found; never a secret.
    todo
        What to do about it, empty where there is nothing to do.
    error
        What a refusal is raised as; its exit code is that of the command.
    """

    name: str
    result: Result
    figures: str
    todo: str = ""
    error: type[HyperTradingError] = SafetyRefusal

    @property
    def sentence(self) -> str:
        """The line as one sentence."""
        return f"{self.name}: {self.figures.rstrip('.')}{f'; {self.todo}' if self.todo else ''}."


def fine(name: str, figures: str, todo: str = "") -> Check:
    """Make a line of something in order."""
    return Check(name, Result.OK, figures, todo)


def warned(name: str, figures: str, todo: str) -> Check:
    """Make a line that a person should read; the session may start."""
    return Check(name, Result.WARN, figures, todo)


def refused(name: str, figures: str, todo: str, error: type[HyperTradingError] = SafetyRefusal) -> Check:
    """Make a line that prevents the start."""
    return Check(name, Result.REFUSED, figures, todo, error)


def unknown(name: str, why: str, todo: str = "") -> Check:
    """Make a line of something that cannot be looked at here."""
    return Check(name, Result.NOT_CHECKABLE, why, todo)


_GRAVEST_FIRST = (SafetyRefusal, ConfigError, DataError, RunFailed)


@dataclass(frozen=True, slots=True)
class Report:
    """Everything that was found.

    Attributes
    ----------
    alias, environment, host, mode
        Whose preflight it was.
    checks
        Lines, in the order in which they were looked at.
    """

    alias: str
    environment: str
    host: str
    mode: str
    checks: Sequence[Check]

    def of(self, result: Result) -> list[Check]:
        """Lines with one result."""
        return [check for check in self.checks if check.result is result]

    @property
    def gravest(self) -> Check | None:
        """The refusal whose exit code counts: safety, then configuration, then data, then a venue that does not answer."""
        refusals = self.of(Result.REFUSED)
        return min(refusals, key=lambda check: _GRAVEST_FIRST.index(check.error), default=None)

    @property
    def may_start(self) -> bool:
        """Whether nothing refuses."""
        return self.gravest is None

    @property
    def exit_code(self) -> int:
        """0, or that of the gravest refusal: 4 safety, 2 configuration, 3 data, 1 no answer from the venue."""
        return 0 if self.gravest is None else self.gravest.error.exit_code

    def raise_refusal(self) -> None:
        """Raise the gravest refusal, if there is one.

        Raises
        ------
        SafetyRefusal, ConfigError, DataError, RunFailed
            With its one sentence, and how many more there are.
        """
        if self.gravest is None:
            return
        more = len(self.of(Result.REFUSED)) - 1
        rest = f" ({more} more: python -m runners.preflight shows them)" if more else ""
        raise self.gravest.error(f"preflight, {self.gravest.sentence.removesuffix('.')}{rest}.")
