"""The page's sections in reading order."""

from __future__ import annotations

from dataclasses import replace

from monitoring.report import tables
from monitoring.report.figures import cost_plots, equity_plots, order_plots, timing_plots, trading_plots
from monitoring.report.figures.book_section import BookReader, order_book
from monitoring.report.figures.risk_section import risk_sections
from monitoring.report.figures.style import Section
from monitoring.report.models import Summary
from monitoring.report.run import Run
from monitoring.report.summarise import curve_of


def sections(run: Run, summary: Summary, read: BookReader | None = None) -> list[Section]:
    """Build every section; plots of one bound show the headline bound."""
    curves = {name: curve_of(run, bound) for name, bound in run.bounds.items()}
    curve, bound = curves[summary.headline], summary.bounds[summary.headline]
    return [
        Section("figures", "Key figures", "", table=tables.key_figures(summary)),
        equity_plots.equity(run, curves),
        *[trading_plots.price(run, curve, iid) for iid in run.mids],
        *[order_book(run, iid, read) for iid in run.mids],
        replace(cost_plots.waterfall(summary), table=tables.waterfall(summary)),
        Section("strategies", "By strategy", _ATTRIBUTION, table=tables.strategies(bound)),
        cost_plots.markout_curve(bound),
        equity_plots.baselines(run, curve),
        trading_plots.inventory(run, curve),
        order_plots.queue(run),
        cost_plots.latency(run),
        *timing_plots.timings(run),
        cost_plots.capacity(bound),
        equity_plots.by_clock(run, curve),
        *risk_sections(run, summary),
    ]


_ATTRIBUTION = "Each strategy's fills against the same mids; the parts add up to the netted account."
