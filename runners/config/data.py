"""The `data` block: exactly one source, what is replayed of it, and how good it must be."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field, model_validator


def _utc(value: datetime) -> datetime:
    if value.utcoffset() != timedelta(0):
        raise ValueError("write the time in UTC, such as 2024-08-01T00:00:00Z")
    return value


UtcTime = Annotated[AwareDatetime, AfterValidator(_utc)]


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class SampleConfig(_Frozen):
    """A generated market, made on the first run and kept."""

    minutes: int = Field(default=60, ge=1, le=10_080, description="Length, minutes; at most a week")
    funding_at_minute: int | None = Field(
        default=None, ge=0, description="Minute of the first funding time; null leaves funding out"
    )

    @model_validator(mode="after")
    def _funding_inside(self) -> Self:
        if self.funding_at_minute is not None and self.funding_at_minute >= self.minutes:
            raise ValueError("funding_at_minute must be smaller than minutes, so that the funding time is in the data")
        return self


class PeriodConfig(_Frozen):
    """A stretch of time, end excluded."""

    start: UtcTime = Field(description="First instant, UTC, such as 2024-08-01T00:00:00Z")
    end: UtcTime = Field(description="End, excluded, UTC")

    @model_validator(mode="after")
    def _not_empty(self) -> Self:
        if self.end <= self.start:
            raise ValueError(f"the period is empty: end {self.end:%Y-%m-%dT%H:%M:%SZ} is not after start")
        return self

    @property
    def start_ns(self) -> int:
        """First instant, ns since 1970."""
        return to_ns(self.start)

    @property
    def end_ns(self) -> int:
        """End, excluded, ns since 1970."""
        return to_ns(self.end)


class DataConfig(_Frozen):
    """Market data of a run."""

    sample: SampleConfig | None = Field(default=None, description="A generated market; or catalog")
    catalog: str | None = Field(default=None, min_length=1, description="Folder of an ingested catalog; or sample")
    period: PeriodConfig | None = Field(default=None, description="What to trade of the catalog; all of it when absent")
    fidelity: Literal["l2", "l1_trades"] = Field(
        description="l2 (order-book deltas and trades) or l1_trades (best quotes and trades)"
    )
    warmup_secs: float = Field(
        default=300,
        ge=0,
        le=7 * 86_400,
        description="Learning before the first order, seconds: no orders, no statistics",
    )
    min_grade: Literal["A", "B", "C", "D", "E", "F"] = Field(
        default="A", description="Worst certificate grade that is accepted: A to F"
    )

    @model_validator(mode="after")
    def _one_source(self) -> Self:
        if (self.sample is None) == (self.catalog is None):
            raise ValueError("give exactly one of data.sample and data.catalog")
        if self.sample is not None and self.period is not None:
            raise ValueError("data.period goes with data.catalog; a sample is used as a whole")
        return self


def to_ns(when: datetime) -> int:
    """Nanoseconds since 1970 of an aware time, exact to the microsecond."""
    return int(when.timestamp()) * 1_000_000_000 + when.microsecond * 1_000
