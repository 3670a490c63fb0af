"""The exception tree, drawn once.

::

    HyperTradingError            exit code
    ├── Recoverable                 1   trading can go on after the cause is gone
    └── Unrecoverable               1   this run or session is over
        ├── UsageError              2   bad command line
        │   └── ConfigError         2   bad YAML, unknown key, contradictory values
        ├── DataError               3   data missing, unreadable or below grade
        │   ├── CatalogMissing      3
        │   ├── InstrumentMissing   3
        │   ├── PeriodEmpty         3
        │   ├── GradeTooLow         3
        │   └── CorruptData         3
        ├── RunFailed               1   a strategy raised, nothing was replayed, results could not be written
        └── SafetyRefusal           4   not armed, latched, lock held
            └── SplitBrainFound     7   another node holds or moves the account

A message is one sentence that names the file, key or line and says what would be right.
"""

from __future__ import annotations

from typing import ClassVar


class HyperTradingError(Exception):
    """Base of every error that a user is meant to read.

    Attributes
    ----------
    exit_code
        What a command returns to the shell when this error ends it.
    """

    exit_code: ClassVar[int] = 1


class Recoverable(HyperTradingError):
    """Trading can go on once the cause is gone."""


class Unrecoverable(HyperTradingError):
    """This run or session is over."""


class UsageError(Unrecoverable):
    """The command line is wrong."""

    exit_code = 2


class ConfigError(UsageError):
    """A configuration file is wrong; the message names file, line and key."""


class DataError(Unrecoverable):
    """Data is missing, unreadable or not good enough."""

    exit_code = 3


class CatalogMissing(DataError):
    """There is no catalog at the given path."""


class InstrumentMissing(DataError):
    """The catalog does not hold the instrument."""


class PeriodEmpty(DataError):
    """The catalog holds nothing in the period asked for."""


class GradeTooLow(DataError):
    """A certificate is missing or worse than the configured grade."""


class CorruptData(DataError):
    """A file cannot be decoded."""


class RunFailed(Unrecoverable):
    """The run ended without a result."""


class SafetyRefusal(Unrecoverable):
    """Starting or resuming would be unsafe."""

    exit_code = 4


class SplitBrainFound(SafetyRefusal):
    """Another node holds or moves the account."""

    exit_code = 7
