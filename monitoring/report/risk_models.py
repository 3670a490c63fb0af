"""The `risk` part of a bound in `summary.json`: breakers, halts, refusals, limits."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class BreakerSummary(_Frozen):
    """One breaker that was not closed all the time."""

    name: str = Field(description="Key in the config; it names the unit.")
    instrument_id: str = Field(description='Instrument that it watches; "" for the whole account.')
    opened: int = Field(description="Times it opened in trading time; soft to hard is no new opening.")
    hard: int = Field(description="Times it reached its hard limit in trading time.")
    shut_secs: float = Field(description="Trading time in which it let no entry pass, seconds.")
    shut_share: float = Field(description="The same as a fraction of the trading time.")
    reduced_secs: float = Field(description="Trading time in which it let only smaller entries pass, seconds.")
    longest_secs: float = Field(description="Longest unbroken stretch of `shut_secs`.")


class HaltSummary(_Frozen):
    """One halt of entries."""

    name: str = Field(description="kill_switch (until a person resets it) or daily_loss (until the UTC day ends).")
    ts_ns: int = Field(description="When, ns.")
    until_ns: int | None = Field(description="When entries were free again, ns; null: it lasted to the end.")
    reason: str = Field(description="The sentence that was recorded.")
    figures: dict[str, str | int | float] = Field(description="Its figures by name.")
    problems: list[str] = Field(description="What could not be done about it.")
    shut_secs: float = Field(description="Trading time that it took, seconds.")


class RefusalSummary(_Frozen):
    """All refusals for one reason."""

    reason: str = Field(description="The check that refused.")
    count: int = Field(description="Refusals.")
    share: float = Field(description="Fraction of all refusals.")
    first_ns: int = Field(description="Time of the first, ns.")
    last_ns: int = Field(description="Time of the last, ns.")
    typical: str = Field(description="Sentence of the median one by `measure`, else of the middle one in time.")
    extreme: str | None = Field(description="Sentence of the one furthest beyond; null without a measure.")
    measure: str | None = Field(description="By which figure they are ranked; null where they have none.")
    measure_median: float | None = Field(description="Its (lower) median.")
    measure_max: float | None = Field(description="Its largest value.")


class LimitSummary(_Frozen):
    """One limit of the config and how near the run came."""

    name: str = Field(description="Key in the `risk` block of the config; it names the unit.")
    limit: float = Field(description="Its value.")
    peak: float = Field(description="Largest use in trading time.")
    use: float = Field(description="`peak` / `limit`.")
    at_ns: int | None = Field(description="When, ns; null where there was no use.")


class RiskSummary(_Frozen):
    """What the gate, the breakers and the kill switch did."""

    recorded: bool = Field(description="False: the run recorded no risk events; breakers and halts are then unknown.")
    trading_secs: float = Field(description="Trading time: from the end of the warm-up to T, seconds.")
    shut_secs: float | None = Field(
        description="Trading time in which breakers or halts shut entries, mean over the instruments, seconds."
    )
    shut_share: float | None = Field(description="The same as a fraction of the trading time.")
    breakers: list[BreakerSummary] = Field(description="Breakers not always closed, longest shut first.")
    halts: list[HaltSummary] = Field(description="Halts in order of time.")
    refusals: list[RefusalSummary] = Field(description="Refusals by reason, most frequent first.")
    limits: list[LimitSummary] = Field(description="Limits whose use can be computed, in the order of the config.")
    limits_not_computed: list[str] = Field(description="Limits that are set but leave no trace in the tables.")
