"""`incident.json`: what stood and happened around one trip. The market lies beside it as a small catalog."""

from __future__ import annotations

import json
import os
from decimal import Decimal
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from errors import CorruptData

FILE, CATALOG = "incident.json", "catalog"


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Standing(_Frozen):
    """The account at one instant; a figure that nobody had is null."""

    ts_ns: int = Field(description="Instant, UTC nanoseconds")
    equity: Decimal | None = Field(default=None, description="Unrealised P&L included, settlement currency")
    day_start: Decimal | None = Field(default=None, description="Equity at the start of the UTC day")
    peak: Decimal | None = Field(default=None, description="Highest equity so far")
    positions: dict[str, Decimal] = Field(default_factory=dict, description="Signed base units by instrument id")


class Touch(_Frozen):
    """Top of one book."""

    ts_ns: int = Field(description="When it last changed")
    bid: float = Field(description="Best bid")
    bid_size: float = Field(description="Displayed there")
    ask: float = Field(description="Best ask")
    ask_size: float = Field(description="Displayed there")


class BreakerMark(_Frozen):
    """A breaker that was not closed."""

    name: str = Field(description="Its key in the configuration")
    instrument_id: str = Field(description="What it watches; empty for the account")
    state: str = Field(description="open or half_open")
    level: str = Field(description="soft or hard")
    since_ns: int = Field(description="When it left closed")
    reason: str = Field(description="Why")


class Incident(_Frozen):
    """One trip."""

    format: Literal[1] = Field(default=1, description="Format of this file")
    origin: Literal["backtest", "live"] = Field(description="What was running")
    name: str = Field(description="Name of the configuration")
    bound: str = Field(description="Queue bound of a backtest; live")
    account: str = Field(default="", description="Alias of the account; empty for a backtest")
    number: int = Field(ge=1, description="Number of the incident in its run")
    ts_ns: int = Field(description="When it tripped")
    cause: str = Field(description="kill_switch, daily_loss, or the breaker")
    instrument_id: str = Field(description="Of the breaker; empty for the account")
    reason: str = Field(description="In words")
    figures: dict[str, Any] = Field(default_factory=dict, description="Figures behind it")
    also: tuple[str, ...] = Field(default=(), description="What tripped at the same instant")
    start_ns: int = Field(description="Start of the window")
    end_ns: int = Field(description="Its end, excluded")
    market_start_ns: int = Field(
        description="Start of the market data beside this file: some of it leads to the window"
    )
    trading_start_ns: int = Field(description="Before this no entry was allowed")
    opening: Standing = Field(description="The account at the start of the window")
    trip: Standing = Field(description="The account at the trip")
    market: dict[str, Touch] = Field(default_factory=dict, description="Top of each book at the trip")
    breakers: tuple[BreakerMark, ...] = Field(default=(), description="Not closed at the trip")
    opening_breakers: tuple[BreakerMark, ...] = Field(default=(), description="Not closed at the start of the window")
    opening_halt: str = Field(
        default="", description="Why entries were shut at the start of the window; empty: they were not"
    )
    learning: tuple[str, ...] | None = Field(
        default=None, description="Breakers without enough samples; null: not known"
    )
    risk_events: tuple[dict[str, Any], ...] = Field(default=(), description="Rows of the window")
    orders: tuple[dict[str, Any], ...] = Field(default=(), description="Sent in the window, or open in it")
    order_events: tuple[dict[str, Any], ...] = Field(default=(), description="Rows of the window")
    refusals: tuple[dict[str, Any], ...] = Field(default=(), description="Rows of the window")
    fills: tuple[dict[str, Any], ...] = Field(default=(), description="Rows of the window")
    dropped: dict[str, int] = Field(default_factory=dict, description="Rows for which there was no room, by kind")
    excerpt: dict[str, dict[str, int]] = Field(
        default_factory=dict, description="Rows of the catalog beside this file, by instrument id and kind"
    )
    config_hash: str = Field(description="Of the resolved configuration")
    config: dict[str, Any] = Field(description="The resolved configuration: strategies, limits in force, execution")


def write(folder: Path, incident: Incident) -> Path:
    """Write `incident.json` into a folder, whole or not at all.

    Raises
    ------
    OSError
        When it cannot be written.
    """
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / FILE
    staged = path.with_name(FILE + ".tmp")
    try:
        staged.write_text(incident.model_dump_json(indent=1) + "\n", encoding="utf-8", newline="\n")
        os.replace(staged, path)  # noqa: PTH105 - the atomic call by its name
    finally:
        staged.unlink(missing_ok=True)
    return path


def read(folder: Path) -> Incident:
    """Read the incident of a folder.

    Raises
    ------
    CorruptData
        When there is none, or it is not what it should be.
    """
    path = folder / FILE
    try:
        return Incident.model_validate_json(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise CorruptData(f"{path} cannot be read: {error}.") from error
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"]) or "the file"
        raise CorruptData(f"{path} is not an incident of this version: {where}: {first['msg']}.") from error


def folder_name(number: int, cause: str) -> str:
    """Name of an incident's folder, such as ``1-daily_loss``."""
    return f"{number}-{cause}"


def plain_row(row: dict[str, Any]) -> dict[str, Any]:
    """Give a row of a run table as JSON holds it: decimals as text, figures as figures."""
    out = {key: f"{value.normalize():f}" if isinstance(value, Decimal) else value for key, value in row.items()}
    if isinstance(out.get("figures"), str):
        out["figures"] = json.loads(out["figures"])
    return out
