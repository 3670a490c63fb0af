"""The whole of a backtest file. What belongs to risk is described beside the risk code."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from execution.order_care import OrderCareConfig
from monitoring.blackbox import BlackBoxConfig
from risk.config import RiskConfig
from risk.policy import Policy
from runners.config.data import DataConfig
from runners.config.venue import VenueConfig


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", validate_default=True, populate_by_name=True)


class StrategyEntry(_Frozen):
    """One strategy of a run."""

    id: str = Field(pattern=r"^[A-Za-z][A-Za-z0-9_-]{0,31}$", description="Name of this strategy, unique in the file")
    order_id_tag: str = Field(
        pattern=r"^[A-Za-z0-9]{1,6}$",
        description='Part of every order id, unique in the file; in quotes, such as "001"',
    )
    class_path: str = Field(
        alias="class",
        pattern=r"^[A-Za-z_][\w.]*:[A-Za-z_]\w*$",
        description="module:Class, such as strategies.order_flow:OrderFlow",
    )
    config_class: str | None = Field(
        default=None,
        pattern=r"^[A-Za-z_][\w.]*:[A-Za-z_]\w*$",
        description="Only for a plain Nautilus strategy: module:ConfigClass, made from params",
    )
    instrument: str | None = Field(
        default=None, description="Traded instrument; may be left out where the file has only one"
    )
    params: dict[str, Any] = Field(
        default_factory=dict, description="Parameters of the class, checked by its own model"
    )
    policy: Policy = Field(
        default_factory=lambda: Policy.model_validate({}), description="What the gate demands of this strategy"
    )


class ReportConfig(_Frozen):
    """Grids and horizons of the statistics."""

    equity_sample_secs: int = Field(
        default=60, ge=1, le=86_400, description="Grid of the equity statistics, seconds; drawdown uses every mark"
    )
    markout_secs: tuple[float, ...] = Field(
        default=(0.1, 1, 10, 60, 300), min_length=1, description="Horizons of the markouts, seconds"
    )
    waterfall_markout_secs: float = Field(default=60, gt=0, description="Markout horizon of the waterfall, seconds")
    annualise_min_days: int = Field(default=30, ge=2, description="Days below which the Sharpe ratio is null")

    @field_validator("markout_secs")
    @classmethod
    def _rising(cls, value: tuple[float, ...]) -> tuple[float, ...]:
        if min(value) <= 0 or sorted(set(value)) != list(value):
            raise ValueError("markout_secs must be positive and rise, such as [0.1, 1, 10]")
        return value


class BacktestConfig(_Frozen):
    """A backtest: market data, a venue, strategies and their limits."""

    version: Literal[1] = Field(description="Format of this file: 1")
    mode: Literal["backtest"] = Field(description="backtest")
    name: str = Field(pattern=r"^[a-z0-9][a-z0-9_-]{0,40}$", description="Name of the run: a-z, 0-9, - and _")
    seed: int = Field(default=7, ge=0, lt=2**63, description="Seed of everything random: sample and sampled latency")
    instruments: tuple[str, ...] = Field(min_length=1, description="Instrument ids, such as BTCUSDT-PERP.BINANCE")
    data: DataConfig = Field(description="Where the market comes from")
    venue: VenueConfig = Field(description="The simulated venue and account")
    strategies: tuple[StrategyEntry, ...] = Field(min_length=1, description="What trades")
    risk: RiskConfig = Field(description="Limits of the account")
    execution: OrderCareConfig = Field(default_factory=OrderCareConfig, description="Time limits of orders")
    report: ReportConfig = Field(default_factory=ReportConfig, description="Grids and horizons of the statistics")
    black_box: BlackBoxConfig | None = Field(
        default_factory=BlackBoxConfig, description="What is kept of the minutes before a trip; null keeps nothing"
    )
    output: str = Field(default="runs", min_length=1, description="Folder that run directories are put into")

    @field_validator("instruments")
    @classmethod
    def _instrument_ids(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        check_instrument_ids(value)
        return value

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        check_entries(self.strategies, self.instruments)
        perpetual = [iid for iid in self.instruments if "-PERP." in iid]
        if self.venue.market == "spot" and perpetual:
            raise ValueError(f"venue.market is spot, but {perpetual[0]} is a perpetual; write usdm")
        if self.venue.market == "usdm" and len(perpetual) < len(self.instruments):
            raise ValueError("venue.market is usdm, but an instrument is not a perpetual (ids end in -PERP.BINANCE)")
        return self

    def instrument_of(self, entry: StrategyEntry) -> str:
        """Instrument id that a strategy trades."""
        return entry.instrument or self.instruments[0]


def check_instrument_ids(instruments: Sequence[str]) -> None:
    """Refuse what is no instrument id, and one that is there twice.

    Raises
    ------
    ValueError
        Naming it.
    """
    for text in instruments:
        symbol, dot, venue = text.rpartition(".")
        if not (symbol and dot and venue.isalnum()):
            raise ValueError(f"{text} is not an instrument id; write SYMBOL.VENUE, such as BTCUSDT-PERP.BINANCE")
    _no_repeats("instruments", instruments)


def check_entries(strategies: Sequence[StrategyEntry], instruments: Sequence[str]) -> None:
    """Refuse strategies with the same id or tag, and an instrument that is not there.

    Raises
    ------
    ValueError
        Naming the strategy.
    """
    _no_repeats("strategies: id", [entry.id for entry in strategies])
    _no_repeats("strategies: order_id_tag", [entry.order_id_tag for entry in strategies])
    for entry in strategies:
        if entry.instrument is None and len(instruments) > 1:
            raise ValueError(f"strategy {entry.id} must name its instrument, since the file has several")
        if entry.instrument is not None and entry.instrument not in instruments:
            raise ValueError(f"strategy {entry.id} trades {entry.instrument}, which is not among instruments")


def _no_repeats(what: str, values: Sequence[str]) -> None:
    repeated = [value for value, count in Counter(values).items() if count > 1]
    if repeated:
        raise ValueError(f"{what} {repeated[0]} is there twice; each must be unique in the file")
