"""The `risk` block of a configuration: limits on orders, positions and losses."""

from __future__ import annotations

from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator


class RiskConfig(BaseModel):
    """Limits of one account; every one of them is checked before each entry."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    max_order_notional_quote: float = Field(gt=0, description="Largest single order, quote currency")
    max_position_notional_quote: float = Field(
        gt=0, description="Largest net position per symbol, resting entries counted as filled, quote currency"
    )
    max_gross_leverage: float = Field(default=1.0, gt=0, le=125, description="Gross notional over equity")
    max_daily_loss_quote: float = Field(gt=0, description="Loss of a UTC day that halts entries, quote currency")
    max_drawdown_pct: float = Field(gt=0, le=100, description="Fall from peak equity that halts for good, percent")
    edge_margin_bps: float = Field(
        default=0.5, ge=0, le=100, description="Demanded on top of an entry's costs, basis points"
    )
    edge_slippage_bps: float = Field(
        default=0.0, ge=0, le=100, description="Expected slippage of an entry, basis points"
    )
    edge_exit_fee: Literal["excluded", "maker", "taker"] = Field(
        default="excluded", description="Fee of the exit that an entry's edge must also earn: excluded, maker or taker"
    )

    @model_validator(mode="after")
    def _order_fits_into_position(self) -> Self:
        if self.max_order_notional_quote > self.max_position_notional_quote:
            raise ValueError(
                f"max_order_notional_quote {self.max_order_notional_quote:g} is above max_position_notional_quote "
                f"{self.max_position_notional_quote:g}: an order that large could never be sent"
            )
        return self
