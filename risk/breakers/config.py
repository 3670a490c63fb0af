"""The `breakers:` block of a configuration: one entry per breaker, limits in the unit of its name.

A value beyond a limit opens; equality passes. `null` switches a breaker off.
"""

from __future__ import annotations

from typing import Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator


class BreakerConfig(BaseModel):
    """What every breaker is told."""

    model_config = ConfigDict(frozen=True, extra="forbid", validate_default=True, allow_inf_nan=False)
    soft: float | None = Field(
        default=None, ge=0, description="Beyond this no new entries (or smaller ones, see size_factor)"
    )
    hard: float | None = Field(default=None, ge=0, description="Beyond this all orders are cancelled as well")
    cooldown_secs: float = Field(
        default=1.0, ge=0, le=86_400, description="Stays open this long after the last abnormal event"
    )
    clear_events: int = Field(
        default=1, ge=0, le=100_000, description="Normal events in a row that close it; 0: time alone does"
    )
    latch: bool = Field(
        default=False,
        description="Trip the kill switch at the hard limit, or at the soft one where there is no hard limit",
    )
    size_factor: float = Field(
        default=0.0,
        ge=0,
        lt=1,
        description="Size of entries beyond the soft limit, share of the usual; 0: no new entries",
    )
    hard_action: Literal["cancel", "flatten"] = Field(
        default="cancel", description="Beyond the hard limit: cancel all orders, or cancel and flatten"
    )

    @model_validator(mode="after")
    def _limits_in_order(self) -> Self:
        if self.soft is None and self.hard is None:
            raise ValueError("a breaker needs soft, hard or both; write null to switch it off")
        if self.soft is not None and self.hard is not None and self.soft > self.hard:
            raise ValueError(
                f"soft {self.soft:g} is above hard {self.hard:g}: the soft limit would never be seen alone"
            )
        if self.clear_events == 0 and self.cooldown_secs == 0:
            raise ValueError("clear_events 0 needs cooldown_secs above 0: nothing else would keep the breaker open")
        return self


class WindowedConfig(BreakerConfig):
    """A breaker that looks back over a window of its own."""

    window_secs: float = Field(default=600.0, gt=0, le=604_800, description="How far back it looks, seconds")


class StatisticConfig(WindowedConfig):
    """A breaker that compares with its own past."""

    min_samples: int = Field(default=300, ge=2, le=4096, description="Samples before it may open; until then it learns")


class SampledConfig(StatisticConfig):
    """A breaker whose past is sampled."""

    sample_secs: float = Field(
        default=0.0, ge=0, le=60, description="Least time between two samples of its past, seconds"
    )

    @model_validator(mode="after")
    def _samples_fit(self) -> Self:
        if self.sample_secs * self.min_samples > self.window_secs:
            raise ValueError(
                f"min_samples {self.min_samples} every sample_secs {self.sample_secs:g} do not fit into "
                f"window_secs {self.window_secs:g}"
            )
        return self


class LatencyMadsConfig(SampledConfig):
    """Abnormal latency, in robust standard deviations."""

    floor_ms: float = Field(
        default=20.0,
        gt=0,
        le=10_000,
        description="Smallest standard deviation believed, milliseconds: a quiet feed has none",
    )


class SpreadConfig(SampledConfig):
    """Spread against its own median."""

    floor_bps: float = Field(
        default=0.1,
        ge=0,
        le=100,
        description="Smallest median believed, basis points: one tick is no measure of a tight market",
    )


class AtrConfig(StatisticConfig):
    """One-minute average true range against its own median."""

    period_minutes: int = Field(default=14, ge=1, le=240, description="Wilder period of the average, minutes")


class RealisedConfig(StatisticConfig):
    """Realised volatility against its own median."""

    horizon_secs: int = Field(default=60, ge=2, le=3600, description="Seconds over which one-second returns are summed")


class ClockStepConfig(BreakerConfig):
    """Steps of the wall clock and stalls of the process."""

    reading_secs: float = Field(
        default=1.0, gt=0, le=60, description="Expected time between two clock readings, seconds"
    )


def _over_default(default: Any, given: Any) -> Any:
    """Lay what a file gives over a breaker's own defaults; limits are never mixed, since one alone has a meaning."""
    if not (isinstance(given, dict) and isinstance(default, BreakerConfig)):
        return given
    return {**default.model_dump(exclude={"soft", "hard"}), **given}


class BreakersConfig(BaseModel):
    """All breakers; every one is on with these defaults unless set to null.

    What an entry leaves out keeps that breaker's default, but for the limits: `{soft: 5}` means no hard limit.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", validate_default=True)

    @model_validator(mode="before")
    @classmethod
    def _keep_the_other_defaults(cls, given: Any) -> Any:
        if not isinstance(given, dict):
            return given
        return {key: _over_default(cls.model_fields[key].default, value) if key in cls.model_fields else value
                for key, value in given.items()}  # fmt: skip

    feed_age_ms: BreakerConfig | None = Field(
        default=BreakerConfig(soft=500, hard=3000, clear_events=20),
        description="Age of a market event on arrival, clock offset taken out, milliseconds",
    )
    latency_mads: LatencyMadsConfig | None = Field(
        default=LatencyMadsConfig(soft=10, window_secs=600, min_samples=240, sample_secs=1, clear_events=20),
        description="Age above its running median, in robust standard deviations (1.4826 x MAD)",
    )
    feed_silence_ms: BreakerConfig | None = Field(
        default=BreakerConfig(soft=5_000, hard=15_000, clear_events=5),
        description="Time without any market event of any instrument, milliseconds",
    )
    book_stale_ms: BreakerConfig | None = Field(
        default=BreakerConfig(soft=5_000, hard=30_000, clear_events=3),
        description="Time without an update of an instrument's book, milliseconds",
    )
    book_crossed_updates: BreakerConfig | None = Field(
        default=BreakerConfig(soft=0, hard=20, clear_events=3),
        description="Book updates in a row that are crossed, locked or one-sided",
    )
    book_gaps: WindowedConfig | None = Field(
        default=WindowedConfig(soft=0, hard=3, window_secs=600, clear_events=3),
        description="Sequence gaps of an instrument's book within the window; open until a snapshot",
    )
    clock_offset_ms: BreakerConfig | None = Field(
        default=BreakerConfig(soft=250, hard=1000, clear_events=2),
        description="Measured distance of our clock from the venue's, milliseconds",
    )
    clock_step_ms: ClockStepConfig | None = Field(
        default=ClockStepConfig(soft=500, hard=2000, clear_events=2),
        description="Jump of the wall clock or stall of the process; open until the offset is measured again, milliseconds",
    )
    spread_multiple: SpreadConfig | None = Field(
        default=SpreadConfig(
            soft=10, window_secs=1800, min_samples=240, sample_secs=1, cooldown_secs=5, clear_events=20
        ),
        description="Spread over its running median",
    )
    atr_multiple: AtrConfig | None = Field(
        default=AtrConfig(soft=4, window_secs=14_400, min_samples=30, cooldown_secs=90, clear_events=1),
        description="One-minute average true range over its running median",
    )
    realised_vol_multiple: RealisedConfig | None = Field(
        default=RealisedConfig(soft=6, window_secs=3600, min_samples=600, cooldown_secs=30, clear_events=10),
        description="Realised volatility over its running median",
    )
    slippage_bps: BreakerConfig | None = Field(
        default=BreakerConfig(soft=15, cooldown_secs=600, clear_events=0),
        description="Fill price beyond the decision mid, basis points, per symbol",
    )
    rejects_in_a_row: BreakerConfig | None = Field(
        default=BreakerConfig(soft=3, hard=10, cooldown_secs=60, clear_events=1),
        description="Orders in a row that the venue rejected; post-only refusals are not counted",
    )
    api_budget_pct: BreakerConfig | None = Field(
        default=BreakerConfig(soft=80, hard=95, cooldown_secs=60, clear_events=0),
        description="Used share of the venue's request or order budget; the rest is for cancels, exits and queries, percent",
    )

    @model_validator(mode="after")
    def _windows_can_fill(self) -> Self:
        atr = self.atr_multiple
        if atr is not None and atr.min_samples * 60 > atr.window_secs:
            raise ValueError(
                f"atr_multiple: min_samples {atr.min_samples} minutes do not fit into window_secs {atr.window_secs:g}"
            )
        realised = self.realised_vol_multiple
        if realised is not None and realised.min_samples > realised.window_secs:
            raise ValueError(
                f"realised_vol_multiple: min_samples {realised.min_samples} seconds do not fit into "
                f"window_secs {realised.window_secs:g}"
            )
        return self
