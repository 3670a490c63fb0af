"""The `data`, `execution`, `safety` and `alerts` blocks of a live file."""

from __future__ import annotations

from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from execution.order_care import PartialFillPolicy


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", validate_default=True)


class LiveDataConfig(_Frozen):
    """What is done with the live market data."""

    warmup_secs: float = Field(
        default=300,
        ge=0,
        le=7 * 86_400,
        description="Learning before the first order, seconds: no orders, no statistics",
    )
    record: str | None = Field(default=None, min_length=1, description="Folder of raw recordings; null records nothing")
    tape: bool | None = Field(
        default=None, description="Write the decision tape that parity plays again; null: where record names a folder"
    )
    max_silence_secs: float = Field(
        default=30, ge=1, le=3600, description="Without a market event for this long the session stops, seconds"
    )


class OnStart(_Frozen):
    """What happens to what is found on the account."""

    open_orders: Literal["cancel"] = Field(default="cancel", description="cancel: lingering orders of ours go first")
    positions: Literal["adopt", "close", "refuse"] = Field(
        default="adopt",
        description="adopt (counted in every limit, left alone), close (reduce-only) or refuse the start",
    )


class OnStop(_Frozen):
    """What is left behind."""

    open_orders: Literal["cancel"] = Field(default="cancel", description="cancel, until the venue shows none")
    positions: Literal["keep", "flatten"] = Field(default="keep", description="keep or flatten (reduce-only)")
    patience_secs: float = Field(
        default=60, ge=5, le=3600, description="How long the venue is asked to show none before exit code 6, seconds"
    )


class ExecutionConfig(_Frozen):
    """Care of orders, and what happens at start and stop."""

    ack_timeout_ms: int = Field(
        default=3000, ge=100, le=60_000, description="Without an answer for this long an order is queried, milliseconds"
    )
    unanswered: Literal["drop"] = Field(
        default="drop", description="An order that never reached the venue: drop, the strategy decides again"
    )
    resting_order_max_age_secs: float = Field(
        default=120, gt=0, le=604_800, description="A resting order older than this is cancelled, seconds"
    )
    partial_fill: PartialFillPolicy = Field(default_factory=PartialFillPolicy, description="The rest of a partial fill")
    post_only_reprices: int = Field(
        default=3, ge=0, le=20, description="Most new tries after a refused post-only entry; a strategy may have fewer"
    )
    on_start: OnStart = Field(default_factory=OnStart, description="What happens to what is found on the account")
    on_stop: OnStop = Field(default_factory=OnStop, description="What is left behind")

    @field_validator("unanswered", mode="before")
    @classmethod
    def _never_again(cls, value: object) -> object:
        if value == "resend":
            raise ValueError(
                "resend is not offered: the engine believes no event about an order that it takes for rejected, so a second order "
                "under the same id would trade unseen (docs/recovery.md); write drop"
            )
        return value


class DeadmanConfig(_Frozen):
    """The venue's countdown that cancels all orders when nobody refreshes it."""

    countdown_secs: float = Field(default=30, ge=5, le=600, description="Until the venue cancels, seconds")
    refresh_secs: float = Field(default=7.5, gt=0, le=150, description="Between two refreshes, seconds")

    @model_validator(mode="after")
    def _four_tries(self) -> Self:
        if self.refresh_secs * 4 > self.countdown_secs:
            raise ValueError(
                f"refresh_secs {self.refresh_secs:g} leaves fewer than four tries in countdown_secs "
                f"{self.countdown_secs:g}; shorten the one or lengthen the other"
            )
        return self


class WatchdogConfig(_Frozen):
    """The second process that acts when the node hangs."""

    suspect_secs: float = Field(default=5, gt=0, le=600, description="Without progress the node is suspected, seconds")
    fence_secs: float = Field(default=10, gt=0, le=600, description="Without progress it is ended, seconds")
    then: Literal["cancel", "flatten"] = Field(default="cancel", description="cancel, or flatten as well")
    required: bool = Field(
        default=False, description="Entries wait for the watchdog's own sign of life; mode live always demands it"
    )
    silent_secs: float = Field(
        default=10, ge=2, le=600, description="Without its sign of life for this long entries are shut, seconds"
    )

    @model_validator(mode="after")
    def _suspects_first(self) -> Self:
        if self.suspect_secs >= self.fence_secs:
            raise ValueError(f"suspect_secs {self.suspect_secs:g} must be below fence_secs {self.fence_secs:g}")
        return self


class ProtectiveStopConfig(_Frozen):
    """The stop that every open position has at the venue, for the day on which host and link are gone."""

    distance_pct: float | None = Field(
        default=None,
        gt=0,
        lt=100,
        description="From the entry price to the trigger, percent; null: 5, or 40 / leverage where that is less",
    )
    working_type: Literal["mark", "contract"] = Field(
        default="mark", description="Price that triggers it: mark, or contract (last trade)"
    )
    confirm_secs: float = Field(
        default=3, ge=1, le=60, description="Without a confirmed stop for this long entries are shut, seconds"
    )

    def pct(self, leverage: int) -> float:
        """Distance at a leverage, percent; by itself well before the margin is gone."""
        return min(5.0, 40.0 / leverage) if self.distance_pct is None else self.distance_pct


class JournalConfig(_Frozen):
    """The order journal on disk."""

    path: str | None = Field(
        default=None, min_length=1, description="SQLite file; beside the account's state when absent"
    )
    durability: Literal["power", "process"] = Field(
        default="power", description="power (survives power loss) or process (a crash of the process only)"
    )


class ClockOffset(_Frozen):
    """How far this machine's clock may be off the venue's."""

    warn: int = Field(default=250, ge=1, le=10_000, description="Warned about, milliseconds")
    refuse: int = Field(default=1000, ge=1, le=10_000, description="Refuses the start, milliseconds")


class SafetyConfig(_Frozen):
    """What protects the account when something else has failed."""

    deadman: DeadmanConfig = Field(default_factory=DeadmanConfig, description="The venue's countdown")
    watchdog: WatchdogConfig = Field(default_factory=WatchdogConfig, description="The second process")
    protective_stop: ProtectiveStopConfig = Field(
        default_factory=ProtectiveStopConfig, description="The stop at the venue of every open position"
    )
    journal: JournalConfig = Field(default_factory=JournalConfig, description="The order journal on disk")
    max_clock_offset_ms: ClockOffset = Field(default_factory=ClockOffset, description="Clock offset, milliseconds")
    audit_interval_secs: float = Field(default=60, ge=5, le=3600, description="Between two audits, seconds")
    on_audit_difference: Literal["alert", "shut", "halt"] = Field(
        default="shut",
        description="Where journal and account differ: alert only, shut (no entries until the next start) or halt (kill switch); "
        "money that differs only alerts",
    )
    state_dir: str = Field(
        default="state",
        min_length=1,
        description="Folder of the accounts' state; STOP and STOP_FLATTEN are looked for in it",
    )


class AlertsConfig(_Frozen):
    """Who is told what."""

    min_severity: Literal["info", "warning", "critical"] = Field(
        default="warning", description="Least severity that is sent"
    )
    daily_summary_utc: str | None = Field(
        default=None, pattern=r"^([01]\d|2[0-3]):[0-5]\d$", description="Time of the daily summary, UTC, such as 00:05"
    )
    urls_env: str | None = Field(
        default=None,
        pattern=r"^[A-Z][A-Z0-9_]*$",
        description="Variable that holds the addresses; its value stands in .env",
    )
