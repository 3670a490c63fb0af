"""Runs a package of strategies in a `BacktestEngine`, chunk by chunk."""

from __future__ import annotations

import traceback
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import pyarrow as pa
from nautilus_trader.backtest import BacktestEngine
from nautilus_trader.model import AccountId, FundingRateUpdate

from catalog.stretch import Chunk
from errors import HyperTradingError, RunFailed
from runners.account import account_figures
from runners.engine_venue import VenuePlan, build_engine
from runners.funding import Payment, SettledRates, payments
from runners.opening_quote import OpeningQuotes
from runners.status_file import Status
from runners.tables import TopRecorder, VolumeRecorder
from runners.wiring import Package

type Progress = Callable[[int], None]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What one engine run produced.

    Attributes
    ----------
    tables
        Orders, events, fills, refusals and funding, by name.
    account
        The engine's account, decimals as strings.
    market, volume
        The market that was replayed; None where they were not recorded.
    tops
        Last bid and ask by instrument id.
    events
        Events replayed.
    status
        ``completed``, or ``halted`` when a limit stopped entries.
    final
        Limits, breakers and halts at the end; None where nobody asked for it.
    """

    tables: dict[str, pa.Table]
    account: dict[str, Any]
    market: pa.Table | None
    volume: pa.Table | None
    tops: Mapping[str, tuple[float, float]]
    events: int
    status: str
    final: Status | None = None


@dataclass(slots=True)
class Recorders:
    """Collectors of the market; the second queue bound replays the same one and needs none."""

    tops: TopRecorder
    volume: VolumeRecorder

    @classmethod
    def new(cls, instruments: Mapping[str, Any]) -> Recorders:
        """Make empty ones."""
        return cls(TopRecorder(instruments), VolumeRecorder())


def replay(
    plan: VenuePlan,
    package: Package,
    chunks: Iterable[list[Any]],
    *,
    tops: Mapping[str, tuple[float, float]] | None = None,
    progress: Progress = lambda _ts_ns: None,
) -> Outcome:
    """Run to the end of the data, or to the first fault.

    Parameters
    ----------
    plan
        The venue.
    package
        Strategies and actors, new for this run.
    chunks
        Market events in order of ``ts_init``.
    tops
        Last bid and ask by instrument id, where an earlier run over the same market has recorded it.
    progress
        Called with the time reached after each chunk.

    Raises
    ------
    RunFailed
        When a strategy raised or nothing was replayed.
    """
    engine = build_engine(plan)
    try:
        return _run(
            engine,
            plan,
            package,
            chunks,
            Recorders.new(plan.instruments) if tops is None else None,
            tops or {},
            progress,
        )
    finally:
        engine.dispose()


def _run(
    engine: BacktestEngine, plan: VenuePlan, package: Package, chunks: Iterable[list[Any]], market: Recorders | None,
    tops: Mapping[str, tuple[float, float]], progress: Progress,
) -> Outcome:  # fmt: skip
    cache, portfolio = engine.cache, engine.portfolio  # properties raise during the run, these references do not
    package.attach(
        portfolio=portfolio, cache=cache, account_id=AccountId(f"{plan.venue}-001"), settlement=plan.currency
    )
    package.install(engine)
    rates = SettledRates()
    opening = OpeningQuotes(instrument.id for instrument in plan.instruments.values())
    events = 0
    for chunk in chunks:
        events += len(chunk)
        if isinstance(chunk, Chunk):
            package.services.view.books.preload(chunk.stretches)
        _feed(engine, chunk, rates, opening)
        if market is not None:
            market.tops.drain(package.services.view.books)
            market.volume.add(chunk)
        if package.services.faults.first is not None:
            break
        if chunk:
            progress(chunk[-1].ts_init)
    _check_replayed(events)
    engine.end()
    package.settle(cache)
    _check_faults(package)
    last = market.tops.last() if market is not None else tops
    paid = payments(cache, rates)
    _journal_funding(package, paid)
    return Outcome(
        tables=package.journal.tables(), account=account_figures(plan, cache, portfolio, last, paid),
        market=market.tops.table() if market else None, volume=market.volume.table() if market else None, tops=last,
        events=events, status="completed" if package.services.gate.halted is None else "halted",
    )  # fmt: skip


def _feed(engine: BacktestEngine, chunk: list[Any], rates: SettledRates, opening: OpeningQuotes) -> None:
    if FundingRateUpdate in set(map(type, chunk)):  # most chunks have none: not looked through in Python
        for event in chunk:
            if type(event) is FundingRateUpdate:
                rates.add(event)
    if chunk:
        engine.add_data(opening.of(chunk) + chunk, validate=False, sort=True)
        engine.run(streaming=True)
        engine.clear_data()


def _check_replayed(events: int) -> None:
    if events == 0:
        raise RunFailed("nothing was replayed: the data source gave no event, so there is no result.")


def _check_faults(package: Package) -> None:
    faults = package.services.faults
    if faults.first is None:
        return
    if isinstance(faults.first, HyperTradingError):
        raise faults.first  # already one sentence for a person
    frames = traceback.extract_tb(faults.first.__traceback__)
    place = f" ({frames[-1].filename}:{frames[-1].lineno})" if frames else ""
    raise RunFailed(f"the run was stopped by its first error: {faults.where}{place}.") from faults.first


def _journal_funding(package: Package, paid: list[Payment]) -> None:
    names = {str(strategy.strategy_id): strategy.desk.strategy_id for strategy in package.strategies}  # type: ignore[attr-defined]
    for payment in paid:
        name = names.get(payment.strategy_id, payment.strategy_id)
        package.journal.funding(
            payment.ts_ns, payment.instrument_id, name, payment.position, payment.rate, Decimal(payment.amount)
        )
