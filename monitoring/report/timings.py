"""Latencies of a live session as the report reads them (D-3): figures in the summary, buckets for the picture."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field

LABELS = {
    "feed": "feed",
    "tick_to_decision": "tick → decision",
    "decision_to_ack": "decision → ack",
    "ack_to_fill": "ack → fill",
}


class TimingSummary(BaseModel):
    """Quantiles of one latency, milliseconds; each is the end of its bucket, at most 3.2 % above the true value."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str = Field(description="feed, tick_to_decision, decision_to_ack or ack_to_fill.")
    count: int = Field(description="Durations that count.")
    negative: int = Field(description="Durations below zero, which two clocks can give; left out.")
    p50_ms: float | None = Field(description="Median.")
    p90_ms: float | None = Field(description="90th percentile.")
    p99_ms: float | None = Field(description="99th percentile.")
    p999_ms: float | None = Field(description="99.9th percentile.")
    mean_ms: float | None = Field(description="Mean, exact.")
    max_ms: float | None = Field(description="Longest, exact.")


class Timing(TimingSummary):
    """The same with its histogram."""

    buckets: tuple[tuple[float, int], ...] = Field(description="Upper end of each bucket, ms, and durations in it.")

    def summary(self) -> TimingSummary:
        """Without the histogram."""
        return TimingSummary(**self.model_dump(exclude={"buckets"}))
