"""The `risk` block of a configuration: limits on orders, positions, losses and rates, and the breakers."""

from __future__ import annotations

from decimal import Decimal
from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from risk.breakers.config import BreakersConfig
from risk.exact import exact
from risk.loss import LossConfig
from risk.throttles import ThrottleConfig

WALL_POSITIONS = 4
"""The engine's own limit on one order, in position limits: an exit must pass it even after the price has doubled twice."""
WALL_RATE = 4
"""The engine's own limit on orders per second, in entries per second: exits come on top of them."""
WALL_RATE_AT_LEAST = 100


class DrawdownThrottle(BaseModel):
    """Entries shrink in a drawdown, in a straight line from all to nothing."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    start_pct: Decimal = Field(ge=0, lt=100, description="Fall from peak equity from which entries shrink, percent")
    stop_pct: Decimal = Field(gt=0, le=100, description="Fall from peak equity at which no entry is left, percent")

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.start_pct >= self.stop_pct:
            raise ValueError(f"start_pct {self.start_pct} must be below stop_pct {self.stop_pct}")
        return self


class RiskConfig(BaseModel):
    """Limits of one account; every one of them is checked before each entry."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)
    max_order_notional_quote: float = Field(gt=0, description="Largest single order, quote currency")
    max_order_quantity: float | None = Field(default=None, gt=0, description="Largest single order, base units")
    max_position_notional_quote: float = Field(
        gt=0, description="Largest net position per symbol, resting entries counted as filled, quote currency"
    )
    max_gross_notional_quote: float | None = Field(
        default=None, gt=0, description="Sum of all positions, resting entries counted as filled, quote currency"
    )
    max_net_notional_quote: float | None = Field(
        default=None,
        gt=0,
        description="Longs less shorts, resting entries of one side counted as filled, quote currency",
    )
    max_gross_leverage: float = Field(default=1.0, gt=0, le=125, description="Gross notional over equity")
    min_free_margin_pct: float = Field(
        default=0.0, ge=0, lt=100, description="Equity that entries must leave free of initial margin, percent"
    )
    max_open_entries_per_symbol: int | None = Field(
        default=None, ge=1, le=200, description="Entry orders of all strategies that may be open on a symbol at once"
    )
    max_daily_loss_quote: float = Field(gt=0, description="Loss of a UTC day that halts entries, quote currency")
    daily_loss_latches: bool = Field(
        default=False, description="A daily loss halts until a person resets it, not only for the day"
    )
    max_drawdown_pct: float = Field(gt=0, le=100, description="Fall from peak equity that halts for good, percent")
    drawdown_throttle: DrawdownThrottle | None = Field(
        default=None, description="How entries shrink in a drawdown; null: they do not"
    )
    max_losses_in_a_row: int | None = Field(
        default=None, ge=1, le=1000, description="Losing round trips in a row that pause entries"
    )
    loss_pause_secs: float = Field(
        default=3600, gt=0, le=604_800, description="How long entries pause after such a streak, seconds"
    )
    edge_margin_bps: float = Field(
        default=0.5, ge=0, le=100, description="Demanded on top of an entry's costs, basis points"
    )
    edge_slippage_bps: float = Field(
        default=0.0, ge=0, le=100, description="Expected slippage of an entry, basis points"
    )
    edge_exit_fee: Literal["excluded", "maker", "taker"] = Field(
        default="excluded", description="Fee of the exit that an entry's edge must also earn: excluded, maker or taker"
    )
    throttles: ThrottleConfig = Field(
        default_factory=ThrottleConfig, description="Rates, repetitions, cool-down and price collar of entries"
    )
    breakers: BreakersConfig = Field(
        default_factory=BreakersConfig, description="What pauses trading and clears by itself"
    )

    @model_validator(mode="after")
    def _limits_fit_together(self) -> Self:
        order, position = self.max_order_notional_quote, self.max_position_notional_quote
        if order > position:
            raise ValueError(
                f"max_order_notional_quote {order:g} is above max_position_notional_quote "
                f"{position:g}: an order that large could never be sent"
            )
        gross, net = self.max_gross_notional_quote, self.max_net_notional_quote
        for name, limit in (("max_gross_notional_quote", gross), ("max_net_notional_quote", net)):
            if limit is not None and order > limit:
                raise ValueError(
                    f"max_order_notional_quote {order:g} is above {name} {limit:g}: an order that large could never be sent"
                )
        if gross is not None and net is not None and net > gross:
            raise ValueError(
                f"max_net_notional_quote {net:g} is above max_gross_notional_quote {gross:g}: net is never above gross"
            )
        throttle = self.drawdown_throttle
        if throttle is not None and throttle.stop_pct > exact(self.max_drawdown_pct):
            raise ValueError(
                f"drawdown_throttle.stop_pct {throttle.stop_pct} is above max_drawdown_pct {self.max_drawdown_pct:g}: "
                "the kill switch would come first"
            )
        return self

    def losses(self) -> LossConfig:
        """Limits on losses, as the ledger wants them."""
        return LossConfig(
            max_daily_loss_quote=exact(self.max_daily_loss_quote),
            max_drawdown_pct=exact(self.max_drawdown_pct),
            daily_loss_latches=self.daily_loss_latches, max_losses_in_a_row=self.max_losses_in_a_row,
            loss_pause_secs=self.loss_pause_secs,
        )  # fmt: skip

    @property
    def wall_notional_quote(self) -> float:
        """Largest order that the engine's own risk engine lets pass: the third wall, quote currency."""
        return self.max_position_notional_quote * WALL_POSITIONS

    @property
    def wall_orders_per_sec(self) -> int:
        """Orders per second that the engine's own risk engine lets pass, exits included."""
        return max(WALL_RATE_AT_LEAST, WALL_RATE * (self.throttles.max_orders_per_sec or 0))
