"""`status.json`: how a node stands, renewed once a second, so that `status` can tell it while the node hangs or is gone."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from errors import CorruptData
from monitoring.incidents.record import BreakerMark
from monitoring.incidents.rows import marks
from risk.gate import RiskGate
from risk.view import AccountView

FILE = "status.json"
EVERY_NS = 1_000_000_000
ZERO = Decimal(0)


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Use(_Frozen):
    """One limit and how much of it is used."""

    limit: str = Field(description="Its key in the risk block")
    instrument_id: str = Field(default="", description="Empty for the account")
    used: Decimal | None = Field(description="Now; null where it is not known yet, or a limit on each order alone")
    allowed: Decimal = Field(description="At most")
    unit: str = Field(description="quote, percent, times or count, in words")

    @property
    def share(self) -> float | None:
        """Used part of what is allowed; 1 is all of it."""
        return None if self.used is None else float(self.used / self.allowed) if self.allowed else 0.0


class Status(_Frozen):
    """One look."""

    format: Literal[1] = Field(default=1, description="Format of this file")
    ts_ns: int = Field(description="When it was taken, UTC nanoseconds")
    name: str = Field(description="Name of the configuration")
    mode: str = Field(description="backtest, testnet, paper, shadow or live")
    account: str = Field(default="", description="Alias; empty for a backtest")
    config_hash: str = Field(description="Of the resolved configuration")
    pid: int | None = Field(default=None, description="Of the node")
    phase: str = Field(description="starting, warm-up, trading, halted, stopping, or finished")
    halted: str | None = Field(default=None, description="Why entries are shut; null while they are not")
    latched: bool = Field(default=False, description="A person must reset it")
    currency: str = Field(default="USDT", description="Of equity")
    equity: Decimal | None = Field(default=None, description="Unrealised P&L included")
    day_start: Decimal | None = Field(default=None, description="Equity at the start of the UTC day")
    peak: Decimal | None = Field(default=None, description="Highest equity")
    limits: tuple[Use, ...] = Field(default=(), description="Limits and their use")
    breakers: tuple[BreakerMark, ...] = Field(default=(), description="Not closed")
    learning: tuple[str, ...] = Field(default=(), description="Breakers without enough samples")
    positions: dict[str, Decimal] = Field(default_factory=dict, description="Signed base units")
    working: int = Field(default=0, description="Open orders")
    orders: int = Field(default=0, description="Sent so far")
    fills: int = Field(default=0, description="So far")
    refusals: int = Field(default=0, description="So far")


@dataclass(frozen=True, slots=True)
class Exposed:
    """One instrument of the account.

    Attributes
    ----------
    instrument_id
        Which.
    net, worst
        Position, signed, and the largest that open entries can lead to; base units.
    price
        Quote units; None before there is one.
    """

    instrument_id: str
    net: Decimal
    worst: Decimal
    price: Decimal | None


@dataclass(frozen=True, slots=True)
class About:
    """What does not change while a node runs.

    Attributes
    ----------
    name, mode, account, config_hash, pid
        As in `Status`.
    """

    name: str
    mode: str
    config_hash: str
    account: str = ""
    pid: int | None = None


@dataclass(frozen=True, slots=True)
class Counts:
    """Orders and fills so far; see `Status`."""

    working: int = 0
    orders: int = 0
    fills: int = 0
    refusals: int = 0


def exposed(view: AccountView) -> list[Exposed]:
    """Ask a running account about each of its instruments."""
    return [Exposed(iid, view.net(iid), view.worst(iid), view.reference(iid)) for iid in view.instruments]


def take(
    gate: RiskGate,
    about: About,
    ts_ns: int,
    phase: str,
    equity: Decimal | None,
    held: Sequence[Exposed],
    counts: Counts,
) -> Status:
    """Take one look at a gate and its account.

    Parameters
    ----------
    gate
        Limits, breakers, halts.
    about, ts_ns, phase
        Who, when, and what it is doing.
    equity
        Settlement currency; None before the account is known.
    held
        What is held; see `exposed`.
    counts
        Orders and fills.
    """
    state = gate.halts.losses.state
    return Status(
        ts_ns=ts_ns, name=about.name, mode=about.mode, account=about.account, config_hash=about.config_hash, pid=about.pid,
        phase=phase, halted=gate.halted, latched=gate.halts.latched, equity=equity,
        day_start=state.day_start if state.day >= 0 else None, peak=state.peak, limits=uses(gate, equity, held),
        breakers=marks(gate.board), learning=gate.board.learning(),
        positions={one.instrument_id: one.net for one in held if one.net}, working=counts.working, orders=counts.orders,
        fills=counts.fills, refusals=counts.refusals,
    )  # fmt: skip


def uses(gate: RiskGate, equity: Decimal | None, held: Iterable[Exposed]) -> tuple[Use, ...]:
    """Say how much of each limit is used."""
    config, losses = gate.config, gate.halts.losses
    state = losses.state
    values = {one.instrument_id: one.worst * one.price for one in held if one.price is not None}
    gross = sum(values.values(), ZERO)
    loss = None if equity is None or state.day < 0 else max(ZERO, state.day_start - equity)
    fall = None if equity is None else max(ZERO, gate.halts.drawdown_pct(equity))
    found = [
        _use("max_order_notional_quote", None, config.max_order_notional_quote, "quote, each order"),
        _use("max_daily_loss_quote", loss, config.max_daily_loss_quote, "quote"),
        _use("max_drawdown_pct", fall, config.max_drawdown_pct, "percent"),
        *(
            _use("max_position_notional_quote", value, config.max_position_notional_quote, "quote", iid)
            for iid, value in values.items()
        ),
        _use("max_gross_leverage", gross / equity if equity else None, config.max_gross_leverage, "times"),
    ]
    if config.max_gross_notional_quote is not None:
        found.append(_use("max_gross_notional_quote", gross, config.max_gross_notional_quote, "quote"))
    if config.max_losses_in_a_row is not None:
        streak = Decimal(state.losses_in_a_row)
        found.append(_use("max_losses_in_a_row", streak, config.max_losses_in_a_row, "count"))
    return tuple(found)


def _use(limit: str, used: Decimal | None, allowed: float, unit: str, instrument_id: str = "") -> Use:
    return Use(limit=limit, instrument_id=instrument_id, used=used, allowed=Decimal(repr(allowed)), unit=unit)


class StatusFile:
    """Writes `status.json` of an account, at most once a second, each time whole.

    It never stands in the way of trading: what could not be written is counted and named, and tried again.

    Parameters
    ----------
    folder
        State of the alias.
    """

    def __init__(self, folder: Path) -> None:
        self.path = folder / FILE
        self.missed = 0
        self.problem: str | None = None
        self._next_ns = -1

    def due(self, ts_ns: int) -> bool:
        """Whether a second has passed since the last one."""
        return ts_ns >= self._next_ns

    def write(self, status: Status) -> bool:
        """Write one; False when it could not be, with the reason in `problem`."""
        self._next_ns = status.ts_ns + EVERY_NS
        staged = self.path.with_name(FILE + ".tmp")
        try:
            staged.write_text(status.model_dump_json(indent=1) + "\n", encoding="utf-8", newline="\n")
            os.replace(staged, self.path)  # noqa: PTH105 - the atomic call by its name; Windows refuses it to an open file
        except OSError as error:
            self.missed += 1
            self.problem = f"{self.path} cannot be written: {error}"
            return False
        self.problem = None
        return True


def read_status(folder: Path) -> Status | None:
    """Read the last one of an account or of a run's bound; None where there never was one.

    Raises
    ------
    CorruptData
        When it is there and not readable.
    """
    path = folder / FILE
    try:
        return Status.model_validate_json(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    except (OSError, UnicodeDecodeError, ValidationError) as error:
        raise CorruptData(f"{path} cannot be read: {str(error).splitlines()[0]}.") from error


def final(gate: RiskGate, about: About, ts_ns: int, account: Mapping[str, object], counts: Counts) -> Status:
    """Take the last look at a backtest, whose engine is gone: equity and positions come from `account.json`."""
    held = []
    positions = account["positions"]
    for iid, found in positions.items() if isinstance(positions, dict) else ():
        net = Decimal(str(found["quantity"]))
        held.append(Exposed(iid, net, abs(net), None if found.get("mid") is None else Decimal(str(found["mid"]))))
    equity = Decimal(str(account["starting_balance"])) + Decimal(str(account["net_pnl"]))
    status = take(gate, about, ts_ns, "finished", equity, held, counts)
    return status.model_copy(update={"currency": str(account["currency"])})
