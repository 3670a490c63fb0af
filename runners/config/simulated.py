"""The `simulated` block of a live file: the account of modes shadow and paper, filled as a backtest fills."""

from __future__ import annotations

from typing import Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from runners.config.venue import FeesConfig, LatencyConfig, VenueConfig

KEYS = ("starting_balance_quote", "latency_ms", "latency_file", "queue", "liquidity_consumption")
"""What a base's `venue` block gives."""


class SimulatedConfig(BaseModel):
    """An account that exists in this process alone; the keys are those of a backtest's `venue`."""

    model_config = ConfigDict(frozen=True, extra="forbid", validate_default=True)

    starting_balance_quote: float = Field(
        default=10_000, gt=0, le=1e12, description="Account at the start, USDT; of paper at its very first start"
    )
    latency_ms: LatencyConfig | None = Field(
        default=None, description="Decision to book, milliseconds; 200 when neither this nor latency_file is given"
    )
    latency_file: str | None = Field(
        default=None, description='Measured latencies to draw from: JSON {"insert_ms": [...], "cancel_ms": [...]}'
    )
    queue: Literal["conservative", "optimistic"] = Field(
        default="conservative", description="conservative (queue ahead is modelled) or optimistic (it is not)"
    )
    liquidity_consumption: bool = Field(default=True, description="Liquidity that we took is gone until it is renewed")

    @model_validator(mode="before")
    @classmethod
    def _default_latency(cls, value: Any) -> Any:
        if isinstance(value, dict) and value.get("latency_ms") is None and value.get("latency_file") is None:
            return {**value, "latency_ms": {}}
        return value

    @model_validator(mode="after")
    def _one_latency(self) -> Self:
        if self.latency_ms is not None and self.latency_file is not None:
            raise ValueError("give exactly one of simulated.latency_ms and simulated.latency_file")
        return self

    def venue(self, fees: FeesConfig, leverage: float) -> VenueConfig:
        """Write the same as the `venue` block of a backtest."""
        return VenueConfig(market="usdm", fees=fees, leverage=leverage, **{key: getattr(self, key) for key in KEYS})


def from_venue(venue: dict[str, Any], given: dict[str, Any]) -> dict[str, Any]:
    """Lay what a live file gives over the `venue` block of its base; `queue: both` becomes conservative.

    Parameters
    ----------
    venue
        The block as plain values.
    given
        Keys of `simulated` in the live file; one of the latencies puts away the other.
    """
    taken = {key: venue[key] for key in KEYS if key in venue}
    if taken.get("queue") == "both":
        taken["queue"] = "conservative"
    if {"latency_ms", "latency_file"} & set(given):
        taken = {key: value for key, value in taken.items() if key not in ("latency_ms", "latency_file")}
    return taken | given
