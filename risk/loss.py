"""R-1, R-3: daily loss, peak drawdown, loss streak and margin floor. Equality passes, beyond breaks.

A day is a UTC day of venue time. Deposits and transfers move the references, so that they are neither profit nor loss. The state
is a plain value that survives restarts.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from decimal import Decimal
from typing import Any, Self

from pydantic import BaseModel, ConfigDict, Field

from risk.breach import Breach, Limit

NS_PER_DAY = 86_400_000_000_000
ZERO = Decimal(0)


class LossConfig(BaseModel):
    """Limits on losses; a limit that is None is not checked."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    max_daily_loss_quote: Decimal | None = Field(
        default=None, gt=0, description="Loss of a UTC day that halts entries, quote currency"
    )
    max_drawdown_pct: Decimal | None = Field(
        default=None, gt=0, le=100, description="Fall from peak equity that halts for good, percent"
    )
    daily_loss_latches: bool = Field(
        default=False, description="A daily loss halts until a person resets it, not only for the day"
    )
    max_losses_in_a_row: int | None = Field(
        default=None, ge=1, le=1000, description="Losing round trips in a row that pause entries"
    )
    loss_pause_secs: float = Field(
        default=3600, gt=0, le=604_800, description="How long entries pause after such a streak, seconds"
    )


@dataclass(frozen=True, slots=True)
class LossState:
    """What must survive a restart.

    Attributes
    ----------
    day, day_start
        UTC day number and its start equity, transfers since then added.
    previous_day, previous_start
        The day before it that was seen: a clock that stepped over midnight and back returns to it.
    peak
        Highest equity, transfers added.
    estimated
        The start equity was computed after midnight passed while down.
    losses_in_a_row, paused_until_ns
        The streak, and when its pause ends.
    halted_day, halted_reason
        UTC day for the rest of which a daily loss has shut entries, also where equity has recovered since; -1 for none.
    """

    day: int = -1
    day_start: Decimal = ZERO
    previous_day: int = -1
    previous_start: Decimal = ZERO
    peak: Decimal | None = None
    estimated: bool = False
    losses_in_a_row: int = 0
    paused_until_ns: int = 0
    halted_day: int = -1
    halted_reason: str = ""

    def to_json(self) -> dict[str, Any]:
        """Plain values for the journal; decimals as strings."""
        return {key: str(value) if isinstance(value, Decimal) else value for key, value in asdict(self).items()}

    @classmethod
    def from_json(cls, row: dict[str, Any]) -> Self:
        """Inverse of `to_json`."""
        peak = row["peak"]
        decimals = {key: Decimal(row[key]) for key in ("day_start", "previous_start")}
        return cls(**{**row, **decimals, "peak": None if peak is None else Decimal(peak)})


class LossLedger:
    """Follows equity and says which limits are broken.

    Parameters
    ----------
    config
        Limits.
    state
        From the journal, or fresh.
    """

    def __init__(self, config: LossConfig, state: LossState | None = None) -> None:
        self.config = config
        self.state = state if state is not None else LossState()

    def update(self, ts_ns: int, equity: Decimal) -> tuple[Breach, ...]:
        """Take a reading of equity, unrealised P&L at mark included; return what is broken now.

        Parameters
        ----------
        ts_ns
            Venue time.
        equity
            Quote units.
        """
        self._roll(ts_ns // NS_PER_DAY, equity)
        state = self.state
        if state.peak is None or equity > state.peak:
            self.state = state = replace(state, peak=equity)
        return tuple(breach for breach in (self._daily(equity), self._drawdown(equity)) if breach is not None)

    def transfer(self, amount: Decimal) -> None:
        """Move the references by a deposit (positive) or withdrawal; call before the next reading."""
        state = self.state
        self.state = replace(
            state, day_start=state.day_start + amount, previous_start=state.previous_start + amount,
            peak=None if state.peak is None else state.peak + amount,
        )  # fmt: skip

    def halt_day(self, day: int, reason: str) -> None:
        """Note that entries are shut for the rest of a UTC day; -1: that the day is over."""
        self.state = replace(self.state, halted_day=day, halted_reason=reason)

    def resume(self, ts_ns: int, equity: Decimal, booked_since_midnight: Decimal) -> None:
        """Take the first reading after a restart.

        Where midnight passed while down, the start equity is estimated as `equity` minus what was booked since, and the
        larger of estimate and previous start counts: the smaller headroom.

        Parameters
        ----------
        ts_ns, equity
            As in `update`.
        booked_since_midnight
            Realised P&L, fees and funding since UTC midnight, quote units; without transfers.
        """
        state, day = self.state, ts_ns // NS_PER_DAY
        if state.day < 0 or day <= state.day:
            return
        start = max(equity - booked_since_midnight, state.day_start)
        self.state = replace(
            state, day=day, day_start=start, previous_day=state.day, previous_start=state.day_start, estimated=True
        )

    def round_trip(self, ts_ns: int, pnl: Decimal) -> Breach | None:
        """Count a closed round trip, costs included; a flat one neither adds to the streak nor ends it."""
        limit = self.config.max_losses_in_a_row
        losses = self.state.losses_in_a_row + 1 if pnl < 0 else (0 if pnl > 0 else self.state.losses_in_a_row)
        self.state = replace(self.state, losses_in_a_row=losses)
        if limit is None or pnl >= 0 or losses < limit:
            return None
        until = ts_ns + round(self.config.loss_pause_secs * 1e9)
        self.state = replace(self.state, losses_in_a_row=0, paused_until_ns=until)
        return self.paused(ts_ns, losses)

    def paused(self, ts_ns: int, losses: int | None = None) -> Breach | None:
        """Return the pause after a loss streak, while it lasts."""
        left = self.state.paused_until_ns - ts_ns
        if left <= 0:
            return None
        count = losses if losses is not None else self.config.max_losses_in_a_row or 0
        figures = {"losses": count, "seconds_left": left / 1e9}
        return Breach(Limit.LOSS_STREAK, f"{count} losing round trips in a row: {left / 1e9:.0f} s left", figures)

    def _roll(self, day: int, equity: Decimal) -> None:
        state = self.state
        if state.day < 0:
            self.state = replace(state, day=day, day_start=equity)
        elif day > state.day:
            self.state = replace(
                state,
                day=day,
                day_start=equity,
                previous_day=state.day,
                previous_start=state.day_start,
                estimated=False,
            )
        elif day == state.previous_day:  # the clock had stepped over midnight: neither reset nor doubled
            self.state = replace(state, day=day, day_start=state.previous_start, previous_day=-1, previous_start=ZERO)

    def _daily(self, equity: Decimal) -> Breach | None:
        limit, loss = self.config.max_daily_loss_quote, self.state.day_start - equity
        if limit is None or loss <= limit:
            return None
        figures = {"loss": str(loss), "limit": str(limit), "start_equity": str(self.state.day_start)}
        digits = 2 if round(loss, 2) != round(limit, 2) else 8  # never "3.00 > 3.00"
        return Breach(Limit.DAILY_LOSS, f"daily loss {loss:.{digits}f} > {limit:.2f}", figures)

    def _drawdown(self, equity: Decimal) -> Breach | None:
        limit, peak = self.config.max_drawdown_pct, self.state.peak
        if limit is None or peak is None:
            return None
        fall = (peak - equity) / peak * 100 if peak > 0 else Decimal(0 if equity >= peak else 100)
        if fall <= limit:
            return None
        figures = {"drawdown_pct": str(fall), "limit": str(limit), "peak": str(peak)}
        return Breach(Limit.DRAWDOWN, f"drawdown {fall:.4f} % > {limit} %", figures)


def check_margin_floor(
    equity: Decimal, initial_margin: Decimal, notional: Decimal, leverage: Decimal, min_free_pct: Decimal
) -> Breach | None:
    """Check that an entry leaves enough equity free.

    Parameters
    ----------
    equity, initial_margin
        Of the account, quote units; the margin of positions and open orders.
    notional
        Of the entry, quote units.
    leverage
        Of the symbol; the entry's margin is notional / leverage.
    min_free_pct
        Free share that must remain.
    """
    after = initial_margin + notional / leverage
    free = (equity - after) / equity * 100 if equity > 0 else Decimal(-100)
    if free >= min_free_pct:
        return None
    figures = {"free_pct": str(free), "limit": str(min_free_pct), "margin": str(after), "equity": str(equity)}
    return Breach(Limit.MARGIN_FLOOR, f"free margin {free:.2f} % < {min_free_pct:.2f} %", figures)
