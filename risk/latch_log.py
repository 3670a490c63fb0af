"""The latch log: every arming, trip and reset of an account, one JSON line each, appended and never changed."""

from __future__ import annotations

import enum
import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from errors import SafetyRefusal
from risk.arm_token import ArmToken


class Act(enum.StrEnum):
    """What was done."""

    ARMED = "armed"
    TRIPPED = "tripped"
    RESET = "reset"


class LatchRecord(BaseModel):
    """One line of the log."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    act: Act = Field(description="armed, tripped or reset")
    ts_ns: int = Field(ge=0, description="UTC nanoseconds")
    reason: str = Field(min_length=1, description="Why")
    operator: str = Field(description="Who; empty where the system did it")
    token_id: str = Field(description="Token that was made; empty for a trip")
    figures: dict[str, str | int | float] = Field(default_factory=dict, description="Figures behind a trip")


class LatchUnreadable(SafetyRefusal):
    """The latch log cannot be read; this counts as halted."""


class LatchLog(Protocol):
    """Where latch records are kept."""

    def append(self, record: LatchRecord) -> None:
        """Add a record and have it on disk.

        Raises
        ------
        OSError
            When it cannot be written.
        """

    def records(self) -> Sequence[LatchRecord]:
        """Return all records, oldest first.

        Raises
        ------
        LatchUnreadable
            When a line cannot be read; a torn last line is a trip that a full disk cut off.
        """

    def stamp(self) -> int:
        """Return a number that changes when a record is added; cheap, asked before every entry."""


@dataclass(slots=True)
class MemoryLatchLog:
    """The log of one run."""

    kept: list[LatchRecord] = field(default_factory=list)

    def append(self, record: LatchRecord) -> None:
        """See `LatchLog.append`."""
        self.kept.append(record)

    def records(self) -> Sequence[LatchRecord]:
        """See `LatchLog.records`."""
        return self.kept

    def stamp(self) -> int:
        """See `LatchLog.stamp`."""
        return len(self.kept)


@dataclass(frozen=True, slots=True)
class FileLatchLog:
    """The log of an account as JSON lines.

    Parameters
    ----------
    path
        Of the file, on a local disk.
    """

    path: Path

    def append(self, record: LatchRecord) -> None:
        """See `LatchLog.append`."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        torn = self.path.exists() and self.path.stat().st_size > 0 and self.path.read_bytes()[-1:] != b"\n"
        with self.path.open("ab") as file:
            file.write((b"\n" if torn else b"") + record.model_dump_json().encode() + b"\n")
            file.flush()
            os.fsync(file.fileno())

    def records(self) -> Sequence[LatchRecord]:
        """See `LatchLog.records`; lines that a later reset stands behind may be torn."""
        try:
            lines = self.path.read_bytes().splitlines()
        except FileNotFoundError:
            return []
        except OSError as error:
            raise LatchUnreadable(f"latch log {self.path} cannot be read ({error.strerror}): halted") from error
        read = [_parsed(line) for line in lines]
        last_reset = max(
            (i for i, record in enumerate(read) if record is not None and record.act is Act.RESET), default=-1
        )
        for number, record in enumerate(read):
            if record is None and number > last_reset:
                raise LatchUnreadable(f"line {number + 1} of latch log {self.path} cannot be read: halted")
        return [record for record in read if record is not None]

    def stamp(self) -> int:
        """See `LatchLog.stamp`: the size, since lines are only ever added."""
        try:
            return self.path.stat().st_size
        except FileNotFoundError:
            return 0
        except OSError as error:
            raise LatchUnreadable(f"latch log {self.path} cannot be read ({error.strerror}): halted") from error


def latched_by(token: ArmToken, records: Sequence[LatchRecord]) -> LatchRecord | None:
    """Return the trip that is newer than the token, or None.

    Newer by order in the log, since clocks step; by time only where the log does not know the token.
    """
    made = max((i for i, record in enumerate(records) if record.token_id == token.token_id), default=None)
    trips = ((i, record) for i, record in enumerate(records) if record.act is Act.TRIPPED)
    return next((t for i, t in trips if (i > made if made is not None else t.ts_ns >= token.created_ns)), None)


def _parsed(line: bytes) -> LatchRecord | None:
    try:
        return LatchRecord.model_validate_json(line)
    except ValidationError:
        return None
