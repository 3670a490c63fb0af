"""A run directory in memory: the only place of the report that reads a run's files."""

from __future__ import annotations

import json
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from errors import CorruptData
from monitoring.report.columns import Fills, Funding, Orders, read_fills, read_funding, read_orders
from monitoring.report.mids import Mids, read_mids
from monitoring.report.timings import Timing

ALONE = ("live", "shadow", "paper")
"""Bounds of a session, which has one: filled by the venue, or simulated on its live data."""
BOUNDS = (*ALONE, "conservative", "optimistic")
"""Folders of a run: both queue bounds of a backtest, or the one of a session."""


class _Lenient(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")


class Latency(_Lenient):
    """Configured latency, decision to book."""

    insert_ms: float | None = Field(default=None, description="New orders, milliseconds.")
    cancel_ms: float | None = Field(default=None, description="Cancels, milliseconds.")
    source: str = Field(default="not recorded", description="Where the figures came from.")


class Fees(_Lenient):
    """Configured fee rates."""

    maker_bps: float | None = Field(default=None, description="Maker fee in basis points; negative is a rebate.")
    taker_bps: float | None = Field(default=None, description="Taker fee in basis points.")
    source: str = Field(default="not recorded", description="Where the figures came from.")


class CertificateMark(_Lenient):
    """Grade of one instrument and day."""

    instrument_id: str
    day: str
    grade: str
    sha: str = ""


class Waiver(_Lenient):
    """A strategy whose edge check is waived."""

    strategy_id: str
    reason: str


class InstrumentMark(_Lenient):
    """Precisions of one instrument."""

    price_precision: int
    size_precision: int
    tick: float
    step: float


class Span(_Lenient):
    """Replayed period, end excluded, ns."""

    start_ns: int
    end_ns: int


class LiveMark(_Lenient):
    """What a session says of itself."""

    mode: str = "live"


class Manifest(_Lenient):
    """`manifest.json` as the report needs it; unknown keys are left alone."""

    run_id: str
    config_hash: str
    code_version: str
    synthetic: bool
    data_source: str
    fidelity: str
    period: Span
    trading_start_ns: int
    certificates: list[CertificateMark] = []
    warmup_secs: float = 0.0
    latency: Latency = Latency()
    fees: Fees = Fees()
    waived: list[Waiver] = []
    instruments: dict[str, InstrumentMark] = {}
    catalog: str | None = None
    config: dict[str, Any] = {}
    status: str = "completed"
    events: int = 0
    wall_seconds: float = 0.0
    live: LiveMark | None = None

    @property
    def mode(self) -> str:
        """Mode of the run: ``backtest`` where it was no session."""
        return "backtest" if self.live is None else self.live.mode

    @property
    def reentry_cooldown_secs(self) -> float:
        """Least time from flat to the next entry, as configured."""
        throttles = (self.config.get("risk") or {}).get("throttles") or {}
        return float(throttles.get("reentry_cooldown_secs") or 0.0)


class HeldPosition(_Lenient):
    """What the engine's portfolio held at the end."""

    quantity: Decimal
    avg_price: Decimal | None = None
    mid: Decimal | None = None


class Account(_Lenient):
    """`account.json`: figures of the engine's own account."""

    currency: str
    starting_balance: Decimal
    ending_balance: Decimal
    unrealised_at_mid: Decimal
    net_pnl: Decimal
    fees: Decimal
    funding: Decimal
    fee_to_close: Decimal = Decimal(0)
    positions: dict[str, HeldPosition] = {}


class ReportOptions(_Lenient):
    """The `report:` section of a run's config."""

    equity_sample_secs: int = 60
    markout_secs: tuple[float, ...] = (0.1, 1.0, 10.0, 60.0, 300.0)
    waterfall_markout_secs: float = 60.0
    annualise_min_days: int = 30


class _Timings(_Lenient):
    timings: tuple[Timing, ...] = ()


@dataclass(frozen=True, slots=True)
class Bound:
    """What happened under one queue model."""

    name: str
    orders: Orders
    fills: Fills
    funding: Funding
    refusals: pa.Table
    account: Account
    risk_events: pa.Table | None = None
    """None: the run was made before risk events were recorded."""
    timings: tuple[Timing, ...] | None = None
    """None: a backtest, which measures no latency."""


@dataclass(frozen=True, slots=True)
class Run:
    """One run directory: manifest, market, and one or two queue bounds."""

    path: Path
    manifest: Manifest
    options: ReportOptions
    mids: dict[str, Mids]
    volume: pa.Table
    bounds: dict[str, Bound]

    @property
    def start_ns(self) -> int:
        """First instant at which orders were allowed."""
        return self.manifest.trading_start_ns

    @property
    def end_ns(self) -> int:
        """Last instant at which anything happened: the T of the definitions."""
        own = [int(ts.max()) for b in self.bounds.values() for ts in (b.fills.ts, b.funding.ts) if len(ts)]
        return max([self.start_ns, *own, *(market.end_ns for market in self.mids.values())])

    @property
    def headline(self) -> Bound:
        """The conservative bound, or the only one there is."""
        return next(iter(self.bounds.values()))


def load(run_dir: Path) -> Run:
    """Read a run directory.

    Parameters
    ----------
    run_dir
        A directory with the tables of the contract; `summary.json` and `report.html` are not needed.

    Raises
    ------
    CorruptData
        When a file is missing or unreadable; the message names it.
    """
    manifest = _model(Manifest, run_dir / "manifest.json")
    found = {name: _bound(run_dir / name) for name in BOUNDS if (run_dir / name).is_dir()}
    if not found:
        raise CorruptData(f"{run_dir} holds none of the folders {', '.join(BOUNDS)}.")
    try:
        options = ReportOptions.model_validate(manifest.config.get("report") or {})
    except ValidationError as error:
        raise CorruptData(f"{run_dir / 'manifest.json'}: the report section of the config is not readable.") from error
    mids = read_mids(
        _table(run_dir / "market.parquet"), {iid: mark.price_precision for iid, mark in manifest.instruments.items()}
    )
    unpriced = {iid for bound in found.values() for iid in bound.fills.instrument} - set(mids)
    if unpriced:
        raise CorruptData(f"{run_dir / 'market.parquet'} has no two-sided row for {', '.join(sorted(unpriced))}.")
    volume = _table(run_dir / "volume.parquet")
    return Run(path=run_dir, manifest=manifest, options=options, mids=mids, volume=volume, bounds=found)


def _bound(folder: Path) -> Bound:
    return Bound(
        name=folder.name,
        orders=read_orders(_table(folder / "orders.parquet")),
        fills=read_fills(_table(folder / "fills.parquet")),
        funding=read_funding(_table(folder / "funding.parquet")),
        refusals=_table(folder / "refusals.parquet"),
        account=_model(Account, folder / "account.json"),
        risk_events=_table(risk) if (risk := folder / "risk_events.parquet").is_file() else None,
        timings=_timings(times) if (times := folder / "timings.json").is_file() else None,
    )


def _timings(path: Path) -> tuple[Timing, ...]:
    return _model(_Timings, path).timings


def _table(path: Path) -> pa.Table:
    try:
        with pq.ParquetFile(path) as file:  # read_table would import pyarrow.dataset, which imports pandas
            return file.read()
    except (OSError, pa.ArrowInvalid) as error:
        raise CorruptData(f"{path} is missing or is not a Parquet file.") from error


def _model[M: BaseModel](model: type[M], path: Path) -> M:
    try:
        return model.model_validate(json.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError) as error:
        raise CorruptData(f"{path} is missing or does not hold what it should: {_first_line(error)}.") from error


def _first_line(error: Exception) -> str:
    if isinstance(error, ValidationError):
        first = error.errors()[0]
        return f"{'.'.join(str(p) for p in first['loc'])} {first['msg'].lower()}"
    return str(error).splitlines()[0]
