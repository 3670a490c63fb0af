"""What must be true at the end of a drill: sentences that are counted in the venue's ledger or in the journal file."""

from __future__ import annotations

from typing import Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

type Value = str | int | float | bool | None


class Piece(BaseModel):
    """Base of everything in a drill file: unknown keys are errors."""

    model_config = ConfigDict(frozen=True, extra="forbid", validate_default=True)


class Moment(Piece):
    """An instant of the drill; in a file its name alone will do."""

    mark: str = Field(
        min_length=1,
        description="A fault's name (when it first fired) or a step and its number: start 1, kill 1, resume 1, stop 1, ended 1",
    )
    plus_secs: float = Field(default=0.0, ge=-600, le=600, description="Later than that by so many seconds")


class Rows(Piece):
    """Lines of the ledger."""

    kind: str = Field(min_length=1, description="Kind of line: order, trade, request, response, position, countdown, …")
    where: dict[str, Value | list[Value]] = Field(
        default_factory=dict,
        description="Fields that must be so; params.reduceOnly looks inside, a list means any of them, * and ? are wildcards",
    )
    unless: dict[str, Value | list[Value]] = Field(
        default_factory=dict, description="Lines for which all of these hold are left out; only where it is not empty"
    )
    ours: bool = Field(default=False, description="Only lines whose client_id carries the node's tag")
    after: Moment | None = Field(default=None, description="Only later lines")
    before: Moment | None = Field(default=None, description="Only earlier lines")

    @field_validator("after", "before", mode="before")
    @classmethod
    def _name_alone(cls, value: Any) -> Any:
        return {"mark": value} if isinstance(value, str) else value


class Expectation(Piece):
    """One sentence, and the figure that proves it."""

    that: str = Field(min_length=1, description="What must be true, as a person says it")
    ledger: Rows | None = Field(default=None, description="Lines of the venue's ledger to count")
    journal: str | None = Field(
        default=None, min_length=1, description="SQL on the journal file, opened for reading, that yields one number"
    )
    distinct: str | None = Field(default=None, description="Count the different values of this field instead of lines")
    most_per: str | None = Field(
        default=None, description="Count lines per value of this field, and take the value that has most"
    )
    at_least: float | None = Field(default=None, description="The figure is this or more")
    at_most: float | None = Field(default=None, description="The figure is this or less")

    @model_validator(mode="after")
    def _complete(self) -> Self:
        if (self.ledger is None) == (self.journal is None):
            raise ValueError("give exactly one of ledger and journal")
        if self.at_least is None and self.at_most is None:
            raise ValueError("give at_least, at_most or both, or nothing could be wrong")
        if self.journal is not None and (self.distinct or self.most_per):
            raise ValueError("distinct and most_per count lines of the ledger; write SQL that counts so")
        if self.distinct and self.most_per:
            raise ValueError("give distinct or most_per, not both")
        return self

    def holds(self, figure: float) -> bool:
        """Whether a figure is within the bounds."""
        low = self.at_least is None or figure >= self.at_least
        return low and (self.at_most is None or figure <= self.at_most)

    @property
    def bounds(self) -> str:
        """The bounds in words."""
        if self.at_least == self.at_most:
            return f"{self.at_least:g}"
        parts = [] if self.at_least is None else [f"at least {self.at_least:g}"]
        parts += [] if self.at_most is None else [f"at most {self.at_most:g}"]
        return ", ".join(parts)


class Expect(Piece):
    """What must be true; beside it every drill is held to what is always demanded (docs/how-to/drills.md)."""

    position: Literal["flat", "protected"] = Field(
        default="flat", description="At the end: flat, or protected (held, with its stop at the venue)"
    )
    min_trades: int = Field(default=1, ge=0, description="Fewer trades than this at the venue prove nothing")
    bare_secs: float = Field(
        default=3.0, ge=1, le=120, description="Longest time that a position may be without its stop, seconds"
    )
    max_position_quote: float | None = Field(
        default=None,
        gt=0,
        description="No trade of ours may lead to a position worth more, quote units; null: not looked at",
    )
    orphan_secs: float | None = Field(
        default=None, ge=1, le=600, description="Longest life of an order after a kill, seconds; null: the countdown"
    )
    checks: tuple[Expectation, ...] = Field(min_length=1, description="What this drill is about")
