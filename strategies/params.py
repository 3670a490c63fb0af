"""What a user may set of a strategy: the base of its parameters, and the block that says how large an entry is."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator


class StrategyParams(BaseModel):
    """Base of a strategy's parameters: every field described, bounded, with its unit in the name."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class RiskPerTrade(BaseModel):
    """ATR-ranked size: what is lost at the stop is the same share of equity for every entry."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)
    risk_pct: float = Field(gt=0, le=100, description="Of equity, lost when the stop is hit at its price, percent")


class VolatilityTarget(BaseModel):
    """The calmer the market, the larger the entry, up to all of equity."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)
    volatility_pct_per_year: float = Field(
        gt=0, le=1000, description="How much the position may fluctuate, percent of equity a year, one deviation"
    )


class SizedParams(StrategyParams):
    """Base of the parameters of a strategy whose entries are sized by `GuardedStrategy.sized`."""

    order_notional_quote: float = Field(
        default=500, gt=0, description="Size of an entry; unless `sizing` is fixed: the most that it is, quote units"
    )
    sizing: Literal["fixed"] | RiskPerTrade | VolatilityTarget = Field(
        default="fixed", description="fixed, {risk_pct: x} lost at the stop, or {volatility_pct_per_year: x}"
    )

    @field_validator("sizing", mode="before")
    @classmethod
    def _one_way(cls, value: Any) -> Any:
        if isinstance(value, dict) and {"risk_pct", "volatility_pct_per_year"} <= value.keys():
            raise ValueError("sizing takes risk_pct or volatility_pct_per_year, not both")
        return value
