"""The directory of a session: that of a backtest, with one bound that is called live, or by its mode where nothing is sent."""

from __future__ import annotations

import platform
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from decimal import Decimal
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pyarrow as pa

from execution.safety.rows import PositionRow
from monitoring import report
from runners.config import LiveConfig, LiveResolved, to_yaml
from runners.live.closes import instrument_of
from runners.live.settling import Agreement
from runners.live.starting import Opening
from runners.manifest import PACKAGES, code_version, instrument_mark
from runners.run_directory import RunDirectory

ZERO = Decimal(0)


@dataclass(frozen=True, slots=True)
class Closing:
    """What a session leaves to be written.

    Attributes
    ----------
    opening
        Where it began.
    wallet, transfers
        Wallet at the end; what was paid in (out: negative) meanwhile.
    held
        Positions at the venue at the end, by symbol.
    agreements
        Venue, journal and engine, per instrument.
    tables
        Of the journal, by name.
    market
        Tables ``market`` and ``volume``.
    last
        Last bid and ask by instrument id.
    events, wall_seconds
        Market messages; length.
    status
        ``completed``, ``halted`` or ``failed``.
    start_ns, trading_start_ns, end_ns
        First message, end of warm-up, end.
    remarks
        What a reader must know, one line each.
    exit_code
        Of the command.
    latency
        Of a simulated account, for the manifest; None where the venue answered.
    unrealised
        At the mid, where positions of several strategies stand against each other; None: that of `held`.
    timings
        Measured latencies, as `execution.latency.timing_rows` gives them.
    """

    opening: Opening
    wallet: Decimal
    transfers: Decimal
    held: Mapping[str, PositionRow]
    agreements: list[Agreement]
    tables: Mapping[str, pa.Table]
    market: Mapping[str, pa.Table]
    last: Mapping[str, tuple[float, float]]
    events: int
    wall_seconds: float
    status: str
    start_ns: int
    trading_start_ns: int
    end_ns: int
    remarks: tuple[str, ...]
    exit_code: int
    latency: Mapping[str, Any] | None = None
    unrealised: Decimal | None = None
    timings: Sequence[Mapping[str, Any]] = ()


def bound_of(config: LiveConfig) -> str:
    """Name of the one bound: ``live``, or ``shadow`` and ``paper``, whose fills are simulated."""
    return "live" if config.sends else config.mode


def session_place(config_output: str, name: str, config_hash: str, now: datetime) -> Path:
    """Where a session's directory goes: ``runs/<utc>-<name>-<mode and config hash>``, a name that is free."""
    stem = f"{now.astimezone(UTC):%Y%m%dT%H%M%SZ}-{name}-{config_hash[:8]}"
    folder, number = Path(config_output), 1
    while (folder / (stem if number == 1 else f"{stem}-{number}")).exists():
        number += 1
    return folder / (stem if number == 1 else f"{stem}-{number}")


def write_session(
    final: Path, resolved: LiveResolved, instruments: Mapping[str, Any], closing: Closing
) -> tuple[Path, report.Summary | None]:
    """Write tables, account, manifest, summary and report page.

    Returns
    -------
    tuple of Path and Summary
        The directory, and its summary; None where the session saw no market, so that nothing can be valued.

    Raises
    ------
    RunFailed
        When it cannot be written; then there is no directory.
    """
    bound = bound_of(resolved.config)
    with RunDirectory(final) as directory:
        directory.text("config.yaml", to_yaml(resolved.config))
        directory.json("manifest.json", session_manifest(final.name, resolved, instruments, closing))
        for name, table in closing.market.items():
            directory.table(f"{name}.parquet", table)
        for name, table in closing.tables.items():
            directory.table(f"{bound}/{name}.parquet", table)
        directory.json(f"{bound}/account.json", account_figures(resolved, closing))
        directory.json(f"{bound}/timings.json", {"timings": list(closing.timings)})
        summary = _report(directory, bound) if closing.market["market"].num_rows else None
        return directory.publish(), summary


def _report(directory: RunDirectory, bound: str) -> report.Summary:
    run = report.load(directory.path)
    directory.table(f"{bound}/equity.parquet", report.equity_table(run, bound))
    summary = report.summarise(run)
    directory.text("summary.json", summary.model_dump_json(indent=2) + "\n")
    report.write_html(directory.path, summary)
    return summary


def account_figures(resolved: LiveResolved, closing: Closing) -> dict[str, Any]:
    """Figures of the account as the venue states them: nothing here is folded from our own fills but the fees."""
    starting = closing.opening.equity + closing.transfers
    positions, unrealised, to_close = {}, ZERO, ZERO
    for symbol, row in closing.held.items():
        mid = _mid(closing.last.get(instrument_of(symbol)), row)
        unrealised += row.amount * (mid - row.entry_price)
        to_close += abs(row.amount) * mid * Decimal(repr(resolved.config.fees.taker_bps)) / 10_000
        positions[instrument_of(symbol)] = {
            "quantity": f"{row.amount:f}", "avg_price": f"{row.entry_price:f}", "mid": f"{mid:f}",
        }  # fmt: skip
    unrealised = unrealised if closing.unrealised is None else closing.unrealised
    fees = sum((fill["fee"] for fill in closing.tables["fills"].to_pylist() if fill["fee_asset"] == "USDT"), ZERO)
    funding = sum((row["amount"] for row in closing.tables["funding"].to_pylist()), ZERO)
    figures = {
        "starting_balance": starting, "ending_balance": closing.wallet, "unrealised_at_mid": unrealised,
        "net_pnl": closing.wallet - starting + unrealised, "fees": fees, "funding": funding, "fee_to_close": to_close,
    }  # fmt: skip
    return {"currency": "USDT", **{name: f"{value:f}" for name, value in figures.items()}, "positions": positions}


def _mid(top: tuple[float, float] | None, row: PositionRow) -> Decimal:
    return row.mark_price if top is None else (Decimal(repr(top[0])) + Decimal(repr(top[1]))) / 2


def session_manifest(
    run_id: str, resolved: LiveResolved, instruments: Mapping[str, Any], closing: Closing
) -> dict[str, Any]:
    """Collect what the report says about where its figures came from; the keys of a backtest's manifest, and `live`."""
    config = resolved.config
    return {
        "schema_version": 1,
        "run_id": run_id,
        "config_hash": resolved.hash,
        "code_version": code_version(),
        "packages": {"python": platform.python_version(), **{name: version(name) for name in PACKAGES}},
        "status": closing.status,
        "synthetic": config.account.environment == "local",
        "data_source": f"live streams, environment {config.account.environment}",
        "fidelity": "l2",
        "period": {"start_ns": closing.start_ns, "end_ns": closing.end_ns},
        "trading_start_ns": closing.trading_start_ns,
        "warmup_secs": config.data.warmup_secs,
        "certificates": [],
        "latency": _latency(closing),
        "fees": {**config.fees.model_dump(), "source": _fees_source(config)},
        "waived": [
            {"strategy_id": entry.id, "reason": entry.policy.waiver}
            for entry in config.strategies
            if entry.policy.waiver is not None
        ],
        "code": [asdict(mark) for mark in resolved.code],
        "instruments": {iid: instrument_mark(found) for iid, found in instruments.items()},
        "events": closing.events,
        "wall_seconds": round(closing.wall_seconds, 3),
        "config": config.model_dump(mode="json", by_alias=True),
        "live": {
            "mode": config.mode,
            "environment": config.account.environment,
            "alias": config.account.alias,
            "exit_code": closing.exit_code,
            "clock_offset_ms": round(closing.opening.offset_ms, 3),
            "found": list(closing.opening.done),
            "remarks": list(closing.remarks),
            "positions": [{name: str(value) for name, value in asdict(found).items()} for found in closing.agreements],
        },
    }


def _latency(closing: Closing) -> Mapping[str, Any]:
    if closing.latency is None:
        return {"insert_ms": None, "cancel_ms": None, "source": "as the venue answered"}
    return {**closing.latency, "source": f"simulated: {closing.latency['source']}"}


def _fees_source(config: LiveConfig) -> str:
    return "config; booked as the venue charged them" if config.sends else "config; no account was asked"
