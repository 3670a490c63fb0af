"""What a caller asks of the sample generator, and the name under which the answer is cached."""

from __future__ import annotations

import hashlib
from datetime import datetime, timedelta

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, field_validator, model_validator

GENERATOR_VERSION = 2
"""Raised whenever the same spec would give other bytes; part of every cache name."""

INSTRUMENT_ID = "BTCUSDT-PERP.BINANCE"
MINUTE_NS = 60_000_000_000
_DEFAULT_START = "2024-08-08T00:00:00Z"


class SampleSpec(BaseModel):
    """One synthetic period of BTCUSDT perpetual.

    The same spec gives the same bytes in any process on any machine.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", validate_default=True)

    seed: int = Field(default=7, ge=0, lt=2**63, description="Seed of the random stream.")
    minutes: int = Field(default=60, ge=1, le=10_080, description="Length in minutes, at most one week.")
    funding_at_minute: int | None = Field(
        default=None,
        ge=1,
        description="Minute of the first funding time, then every 8 hours; null leaves funding out of the data.",
    )
    start: AwareDatetime = Field(
        default=datetime.fromisoformat(_DEFAULT_START),
        description="First instant, UTC, on a whole second.",
    )

    @field_validator("start")
    @classmethod
    def _whole_second(cls, value: datetime) -> datetime:
        if value.microsecond or value.utcoffset() != timedelta(0):
            raise ValueError("start must be a whole second in UTC, such as 2024-08-08T00:00:00Z")
        return value

    @model_validator(mode="after")
    def _funding_inside(self) -> SampleSpec:
        if self.funding_at_minute is not None and self.funding_at_minute >= self.minutes:
            raise ValueError("funding_at_minute must be smaller than minutes, so that the funding time lies inside")
        return self

    @property
    def start_ns(self) -> int:
        """First instant, ns since 1970."""
        return int(self.start.timestamp()) * 1_000_000_000

    @property
    def end_ns(self) -> int:
        """End, excluded, ns since 1970."""
        return self.start_ns + self.minutes * MINUTE_NS

    def digest(self) -> str:
        """Return 16 hex digits that identify the spec and the generator's version."""
        text = f"{GENERATOR_VERSION}|{self.model_dump_json()}"
        return hashlib.sha256(text.encode()).hexdigest()[:16]
