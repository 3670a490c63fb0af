"""One backtest from a resolved configuration to a finished run directory."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from execution.ids import seeded_epoch
from monitoring import report
from risk.costs import FeeRates
from risk.halts import Halts
from runners import wiring
from runners.collar import check_collar
from runners.config import Resolved, Trust, to_yaml
from runners.engine_venue import VenuePlan, third_wall, with_margins
from runners.host import Outcome, replay
from runners.incidents.after_run import AfterRun
from runners.latency import LatencyPlan, plan_latency
from runners.manifest import manifest
from runners.market import CHUNK_EVENTS, Market, open_market
from runners.run_directory import RunDirectory, check_free
from runners.status_file import About, Counts, Status, final

FLATTEN_MARGIN_NS = 1_000_000_000
BOUNDS = ("conservative", "optimistic")


@dataclass(frozen=True, slots=True)
class Options:
    """What the command line adds to a configuration.

    Attributes
    ----------
    output
        The run directory itself; None makes one under the configured folder.
    accept_grade
        Worst certificate grade accepted this once.
    trust
        Whose code may be imported.
    max_chunk_events
        Rows a chunk aims to hold; results do not depend on it.
    """

    output: Path | None = None
    accept_grade: str | None = None
    trust: Trust = field(default_factory=Trust)
    max_chunk_events: int = CHUNK_EVENTS


type Progress = Callable[[str, float], None]


def backtest(
    resolved: Resolved, options: Options, progress: Progress = lambda _stage, _fraction: None
) -> tuple[Path, report.Summary]:
    """Run every queue bound and write the results.

    Parameters
    ----------
    resolved
        The configuration.
    options
        From the command line.
    progress
        Called with a stage name and the finished fraction of it.

    Returns
    -------
    tuple of Path and Summary
        The run directory, complete, and its summary.

    Raises
    ------
    HyperTradingError
        As the steps do; then there is no run directory.
    """
    started = time.perf_counter()
    place = _final(resolved, options)
    check_free(place)
    latency = plan_latency(resolved.config.venue)
    market = open_market(
        resolved.config, accept_grade=options.accept_grade, progress=lambda done: progress("sample", done)
    )
    check_collar(resolved, market)
    outcomes = run_bounds(resolved, market, latency, options, progress)
    with RunDirectory(place) as directory:
        _write_run(directory, place.name, resolved, market, latency, outcomes, time.perf_counter() - started)
        summary = _write_report(directory, resolved, market, outcomes)
        return directory.publish(), summary


def run_bounds(
    resolved: Resolved, market: Market, latency: LatencyPlan, options: Options, progress: Progress
) -> Mapping[str, Outcome]:
    """Run one engine after the other: two alive in one thread do not work."""
    queue = resolved.config.venue.queue
    start, span = market.period.start_ns, market.period.end_ns - market.period.start_ns
    outcomes: dict[str, Outcome] = {}
    for bound in BOUNDS if queue == "both" else (queue,):
        first = next(iter(outcomes.values()), None)

        def step(ts_ns: int, bound: str = bound) -> None:
            progress(bound, (ts_ns - start) / span)

        venue, package = prepare(resolved, market, latency, options.trust, bound, record_tops=first is None)
        chunks = market.chunks(options.max_chunk_events)
        outcome = replay(venue, package, chunks, tops=first.tops if first else None, progress=step)
        outcomes[bound] = replace(outcome, final=_final_status(resolved, market, package, outcome))
    return outcomes


def _final_status(resolved: Resolved, market: Market, package: wiring.Package, outcome: Outcome) -> Status:
    journal = package.journal
    counts = Counts(orders=len(journal.orders), fills=len(journal.fills), refusals=len(journal.refusals))
    about = About(resolved.config.name, "backtest", resolved.hash)
    return final(package.services.gate, about, market.period.end_ns, outcome.account, counts)


def prepare(
    resolved: Resolved, market: Market, latency: LatencyPlan, trust: Trust, bound: str, *, record_tops: bool,
    halts: Halts | None = None,
) -> tuple[VenuePlan, wiring.Package]:  # fmt: skip
    """Make the venue and the strategies of one queue bound: new objects, for one replay; `halts` where it begins with losses."""
    venue = _venue(resolved, market, latency, bound)
    return venue, _package(resolved, market, latency, venue, trust, record_tops=record_tops, halts=halts)


def _venue(resolved: Resolved, market: Market, latency: LatencyPlan, bound: str) -> VenuePlan:
    config = resolved.config
    instruments = {iid: with_margins(found, config.venue.leverage) for iid, found in market.instruments().items()}
    return VenuePlan(
        config.venue,
        instruments,
        latency,
        top_only=config.data.fidelity != "l2",
        queue_position=bound == "conservative",
        wall=third_wall(config.risk, instruments),
    )


def _package(
    resolved: Resolved, market: Market, latency: LatencyPlan, venue: VenuePlan, trust: Trust, *, record_tops: bool,
    halts: Halts | None,
) -> wiring.Package:  # fmt: skip
    config = resolved.config
    fees = FeeRates(config.venue.fees.maker_bps, config.venue.fees.taker_bps)
    end = market.period.end_ns - latency.longest_ns - FLATTEN_MARGIN_NS
    plan = wiring.Plan(
        instruments=venue.instruments,
        fees=dict.fromkeys(venue.instruments, fees),
        risk=config.risk,
        trading_start_ns=market.trading_start_ns,
        trading_end_ns=end if config.venue.close_at_end == "flatten" else None,
        epoch=seeded_epoch(config.seed),
        from_quotes=venue.top_only,
        latency=latency.sampler(config.seed),
        insert_ns=min(latency.insert_ns),
        cancel_ns=min(latency.cancel_ns),
        trusted=trust.everything,
        workspace=trust.workspace,
        record_tops=record_tops,
        care=config.execution,
        replayed=True,
        halts=halts,
    )
    return wiring.build(config.strategies, plan)


def _final(resolved: Resolved, options: Options) -> Path:
    if options.output is not None:
        return options.output
    config = resolved.config
    stamp = datetime.now(UTC).strftime("%Y%m%dT%H%M%SZ")
    name = f"{stamp}-{config.name}-{resolved.hash[:8]}"
    folder, number = Path(config.output), 1
    while (folder / (name if number == 1 else f"{name}-{number}")).exists():
        number += 1
    return folder / (name if number == 1 else f"{name}-{number}")


def _write_run(
    directory: RunDirectory, run_id: str, resolved: Resolved, market: Market, latency: LatencyPlan,
    outcomes: Mapping[str, Outcome], wall_seconds: float,
) -> None:  # fmt: skip
    first = next(iter(outcomes.values()))
    status = "halted" if any(outcome.status == "halted" for outcome in outcomes.values()) else "completed"
    about: dict[str, Any] = manifest(
        run_id, resolved, market, latency, events=first.events, status=status, wall_seconds=round(wall_seconds, 3)
    )
    directory.text("config.yaml", to_yaml(resolved.config))
    directory.json("manifest.json", about)
    if first.market is not None and first.volume is not None:
        directory.table("market.parquet", first.market)
        directory.table("volume.parquet", first.volume)
    for bound, outcome in outcomes.items():
        for name, table in outcome.tables.items():
            directory.table(f"{bound}/{name}.parquet", table)
        directory.json(f"{bound}/account.json", outcome.account)
        if outcome.final is not None:
            directory.text(f"{bound}/status.json", outcome.final.model_dump_json(indent=1) + "\n")


def _write_report(
    directory: RunDirectory, resolved: Resolved, market: Market, outcomes: Mapping[str, Outcome]
) -> report.Summary:
    run = report.load(directory.path)
    for bound in outcomes:
        directory.table(f"{bound}/equity.parquet", report.equity_table(run, bound))
    summary = report.summarise(run)
    directory.text("summary.json", summary.model_dump_json(indent=2) + "\n")
    report.write_html(directory.path, summary)
    if resolved.config.black_box is not None:
        AfterRun(resolved, market, run, resolved.config.black_box).write(directory.path, outcomes)
    return summary
