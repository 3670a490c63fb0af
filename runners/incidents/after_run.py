"""The incidents of a finished backtest: rows from its tables, the market cut from its own catalog. The run itself pays nothing."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np

from catalog.excerpt import cut, write_excerpt
from catalog.kinds import Kind
from catalog.store import Period
from execution.journal import RiskEvent
from monitoring.blackbox import BlackBoxConfig
from monitoring.incidents import record
from monitoring.incidents.record import Incident, Standing, Touch
from monitoring.incidents.rows import breakers_at, halt_at, of_window, positions_at, risk_events
from monitoring.incidents.triggers import Trip, all_trips
from monitoring.report.equity import Curve
from monitoring.report.run import Run
from monitoring.report.summarise import curve_of
from risk.loss import NS_PER_DAY
from runners.config import Resolved
from runners.host import Outcome
from runners.market import Market

FOLDER = "incidents"
CENT = Decimal("0.00000001")


@dataclass(slots=True)
class AfterRun:
    """Writes the incidents of one run.

    Parameters
    ----------
    resolved, market
        What was run, on what.
    run
        Its tables, loaded.
    config
        What is kept.
    """

    resolved: Resolved
    market: Market
    run: Run
    config: BlackBoxConfig
    _cuts: dict[Period, tuple[Path, dict[str, dict[str, int]]]] = field(default_factory=dict)

    def write(self, directory: Path, outcomes: Mapping[str, Outcome]) -> int:
        """Write them under ``<directory>/<bound>/incidents/``; return how many.

        Raises
        ------
        OSError, DataError, RunFailed
            When one cannot be written.
        """
        written = 0
        for bound, outcome in outcomes.items():
            events = risk_events(outcome.tables["risk_events"])
            found = all_trips(self.config, events)
            curve = curve_of(self.run, self.run.bounds[bound]) if found else None
            for trip in found:
                folder = directory / bound / FOLDER / record.folder_name(trip.number, trip.cause)
                self._one(folder, bound, trip, events, outcome, curve)
                written += 1
        return written

    def _one(
        self, folder: Path, bound: str, trip: Trip, events: list[RiskEvent], outcome: Outcome, curve: Curve | None
    ) -> None:
        event, config = trip.event, self.config
        period = self._period(event.ts_ns)
        lead = Period(max(self.market.period.start_ns, period.start_ns - config.lead_ns), period.end_ns)
        rows, dropped = of_window(outcome.tables, period.start_ns, period.end_ns, config)
        fills = outcome.tables["fills"]
        record.write(folder, Incident(
            origin="backtest", name=self.resolved.config.name, bound=bound, number=trip.number, ts_ns=event.ts_ns,
            cause=trip.cause, instrument_id=event.instrument_id, reason=event.detail, figures=dict(event.figures),
            also=trip.also, start_ns=period.start_ns, end_ns=period.end_ns, market_start_ns=lead.start_ns,
            trading_start_ns=self.market.trading_start_ns,
            opening=_standing(curve, fills, period.start_ns), trip=_standing(curve, fills, event.ts_ns),
            market=self._touches(event.ts_ns), breakers=breakers_at(events, event.ts_ns),
            opening_breakers=breakers_at(events, period.start_ns), **rows, dropped=dropped,
            opening_halt=halt_at(events, period.start_ns), excerpt=self._excerpt(folder / record.CATALOG, lead),
            config_hash=self.resolved.hash,
            config=self.resolved.config.model_dump(mode="json", by_alias=True),
        ))  # fmt: skip

    def _period(self, ts_ns: int) -> Period:
        """The window, and on to the first market event after the trip: without one, a replay would never reach it."""
        start = max(self.market.period.start_ns, ts_ns - self.config.window_ns)
        stamps = [mids.ts for mids in self.run.mids.values()]
        nexts = [int(ts[row]) for ts in stamps if (row := int(np.searchsorted(ts, ts_ns, side="right"))) < len(ts)]
        end = max([ts_ns + self.config.after_ns, *([min(nexts)] if nexts else [])]) + 1
        return Period(start, min(end, self.market.period.end_ns))

    def _touches(self, ts_ns: int) -> dict[str, Touch]:
        found = {}
        for iid, mids in self.run.mids.items():
            row = int(np.searchsorted(mids.ts, ts_ns, side="right")) - 1
            if row >= 0:
                values: dict[str, Any] = {
                    n: float(getattr(mids, n)[row]) for n in ("bid", "bid_size", "ask", "ask_size")
                }
                found[iid] = Touch(ts_ns=int(mids.ts[row]), **values)
        return found

    def _excerpt(self, target: Path, period: Period) -> dict[str, dict[str, int]]:
        """Cut once per window: the other queue bound often trips at the same instant."""
        if period in self._cuts:
            made, rows = self._cuts[period]
            shutil.copytree(made, target)
            return rows
        config = self.resolved.config
        depth = Kind.DELTAS if config.data.fidelity == "l2" else Kind.QUOTES
        kinds = frozenset({depth, Kind.TRADES, Kind.MARK, Kind.FUNDING})
        parts = cut(self.market.catalog, config.instruments, period, kinds)
        rows = write_excerpt(target, parts, f"excerpt of {self.market.source}") if parts else {}
        if parts:
            self._cuts[period] = target, rows
        return rows


def _standing(curve: Curve | None, fills: Any, ts_ns: int) -> Standing:
    """Equity at mid, as the report values it; before trading began it is what the account began with."""
    held = positions_at(fills, ts_ns)
    if curve is None:
        return Standing(ts_ns=ts_ns, positions=held)
    upto = max(1, int(np.searchsorted(curve.ts, ts_ns, side="right")))
    midnight = ts_ns // NS_PER_DAY * NS_PER_DAY
    first = min(int(np.searchsorted(curve.ts, midnight)), upto - 1)
    values = {"equity": curve.equity[upto - 1], "day_start": curve.equity[first], "peak": curve.equity[:upto].max()}
    figures = {name: Decimal(repr(float(value))).quantize(CENT) for name, value in values.items()}
    return Standing(ts_ns=ts_ns, positions=held, **figures)
