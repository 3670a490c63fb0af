"""The `venue` block: account, fees, funding, latency and how fills are simulated."""

from __future__ import annotations

from typing import Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class FeesConfig(_Frozen):
    """Fees per side."""

    maker_bps: float = Field(ge=-100, le=1000, description="Maker fee, basis points; a rebate is negative")
    taker_bps: float = Field(ge=-100, le=1000, description="Taker fee, basis points")


class ConstantFunding(_Frozen):
    """One rate at every funding time (00, 08 and 16 UTC)."""

    constant_bps_per_8h: float = Field(ge=-400, le=400, description="Paid by longs every 8 hours, basis points")


class LatencyConfig(_Frozen):
    """Decision to book, which is order entry plus feed."""

    insert: float = Field(default=200, ge=0, le=60_000, description="New order, milliseconds")
    cancel: float = Field(default=200, ge=0, le=60_000, description="Cancel, milliseconds")


class VenueConfig(_Frozen):
    """The simulated venue."""

    market: Literal["usdm", "spot"] = Field(description="usdm (USD-M perpetuals) or spot")
    starting_balance_quote: float = Field(gt=0, le=1e12, description="Account at the start, quote currency")
    leverage: float = Field(default=1, ge=1, le=125, description="Leverage of the account; 1 for spot")
    fees: FeesConfig = Field(description="Fees per side")
    funding: Literal["recorded"] | ConstantFunding = Field(
        default="recorded", description="recorded or {constant_bps_per_8h: x}; spot has none"
    )
    latency_ms: LatencyConfig | None = Field(
        default=None, description="Decision to book, milliseconds; 200 when neither this nor latency_file is given"
    )
    latency_file: str | None = Field(
        default=None, description='Measured latencies to draw from: JSON {"insert_ms": [...], "cancel_ms": [...]}'
    )
    queue: Literal["conservative", "optimistic", "both"] = Field(
        default="both", description="conservative (queue ahead is modelled), optimistic (it is not) or both"
    )
    liquidity_consumption: bool = Field(default=True, description="Liquidity that we took is gone until it is renewed")
    close_at_end: Literal["mark", "flatten"] = Field(
        default="mark", description="mark (value positions at mid) or flatten (close them before the end)"
    )

    @model_validator(mode="before")
    @classmethod
    def _default_latency(cls, value: Any) -> Any:
        if isinstance(value, dict) and value.get("latency_ms") is None and value.get("latency_file") is None:
            return {**value, "latency_ms": {}}
        return value

    @model_validator(mode="after")
    def _one_latency_and_sane_spot(self) -> Self:
        if self.latency_ms is not None and self.latency_file is not None:
            raise ValueError("give exactly one of venue.latency_ms and venue.latency_file")
        if self.market == "spot" and self.leverage != 1:
            raise ValueError("venue.leverage must be 1 on spot: the account holds what it buys")
        if self.market == "spot" and self.funding != "recorded":
            raise ValueError("venue.funding cannot be constant on spot: there is none")
        return self
