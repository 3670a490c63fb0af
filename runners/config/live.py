"""The whole of a live file. What belongs to risk is described beside the risk code."""

from __future__ import annotations

from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from monitoring.blackbox import BlackBoxConfig
from risk.config import RiskConfig
from runners.config.account import AccountConfig
from runners.config.conduct import AlertsConfig, ExecutionConfig, LiveDataConfig, SafetyConfig
from runners.config.models import ReportConfig, StrategyEntry, check_entries, check_instrument_ids
from runners.config.simulated import SimulatedConfig
from runners.config.venue import FeesConfig

Mode = Literal["shadow", "paper", "testnet", "live"]


class LiveConfig(BaseModel):
    """A live node: an account, strategies and their limits."""

    model_config = ConfigDict(frozen=True, extra="forbid", validate_default=True, populate_by_name=True)

    version: Literal[1] = Field(description="Format of this file: 1")
    mode: Mode = Field(
        description="shadow (would-be fills, nothing is sent or kept), paper (own ledger, nothing is sent), testnet (play money or "
        "our simulated venue) or live"
    )
    base: str | None = Field(
        default=None,
        min_length=1,
        description="Backtest file, relative to this one, that gives name, instruments, strategies, fees, risk and report",
    )
    name: str = Field(pattern=r"^[a-z0-9][a-z0-9_-]{0,40}$", description="Name of the session: a-z, 0-9, - and _")
    instruments: tuple[str, ...] = Field(min_length=1, description="Instrument ids, such as BTCUSDT-PERP.BINANCE")
    account: AccountConfig = Field(description="Whose account, and where")
    data: LiveDataConfig = Field(default_factory=LiveDataConfig, description="What is done with the live market data")
    fees: FeesConfig = Field(description="Fees per side that the edge check reckons with")
    simulated: SimulatedConfig = Field(
        default_factory=SimulatedConfig, description="Only of shadow and paper: their account and how it is filled"
    )
    execution: ExecutionConfig = Field(default_factory=ExecutionConfig, description="Care of orders, start and stop")
    safety: SafetyConfig = Field(default_factory=SafetyConfig, description="What protects the account")
    strategies: tuple[StrategyEntry, ...] = Field(min_length=1, description="What trades")
    risk: RiskConfig = Field(description="Limits of the account; tighter than those of base, never looser")
    report: ReportConfig = Field(default_factory=ReportConfig, description="Grids and horizons of the statistics")
    black_box: BlackBoxConfig | None = Field(
        default_factory=BlackBoxConfig, description="What is kept of the minutes before a trip; null keeps nothing"
    )
    alerts: AlertsConfig = Field(default_factory=AlertsConfig, description="Who is told what")
    output: str = Field(default="runs", min_length=1, description="Folder that session directories are put into")

    @field_validator("instruments")
    @classmethod
    def _instrument_ids(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        check_instrument_ids(value)
        return value

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        check_entries(self.strategies, self.instruments)
        wrong = next((iid for iid in self.instruments if not iid.endswith("-PERP.BINANCE")), None)
        if wrong is not None:
            raise ValueError(f"instrument {wrong} is not a USD-M perpetual of Binance (ids end in -PERP.BINANCE)")
        pct, leverage = self.safety.protective_stop.pct(self.account.leverage), self.account.leverage
        if pct * leverage > 80:
            raise ValueError(
                f"safety.protective_stop.distance_pct {pct:g} at account.leverage {leverage}: the position would be "
                f"liquidated before its stop; write {80 / leverage:g} or less"
            )
        real = self.account.environment == "production"
        if self.mode == "live" and not real:
            raise ValueError(f"mode live needs environment production, not {self.account.environment}; write testnet")
        if self.mode == "testnet" and real:
            raise ValueError("mode testnet never trades in environment production; write demo, testnet or local")
        return self

    @property
    def sends(self) -> bool:
        """Whether orders leave this machine: not in shadow and paper."""
        return self.mode not in ("shadow", "paper")

    @property
    def symbols(self) -> tuple[str, ...]:
        """Symbols as the venue names them, in the order of the file."""
        return tuple(iid.removesuffix("-PERP.BINANCE") for iid in self.instruments)
