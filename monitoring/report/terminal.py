"""The table that the terminal prints after every run."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from pathlib import Path

from rich.console import Group, RenderableType
from rich.markup import escape
from rich.table import Table
from rich.text import Text

from monitoring.report.models import BoundSummary, Summary
from monitoring.report.risk_tables import breakers_line, halt_lines
from monitoring.report.trust import WOULD_BE

_STYLES = {"plain": "", "warn": "yellow", "bad": "bold red"}
_VERDICTS = {"PROFIT": "green", "LOSS": "red", "INCONCLUSIVE": "bold yellow"}


def terminal(summary: Summary, path: Path) -> RenderableType:
    """Build the table: figures per queue bound, verdict, doubts, trust marks, path of the report.

    Parameters
    ----------
    path
        The run directory; the report is `report.html` in it.
    """
    parts: list[RenderableType] = [_figures(summary), *_risk(summary), _verdict(summary)]
    parts += [Text.from_markup(f"[yellow]! {escape(doubt.text)}[/]") for doubt in summary.doubts]
    return Group(*parts, _marks(summary), Text(f"Report: {path / 'report.html'}", overflow="fold"))


def _figures(summary: Summary) -> Table:
    table = Table(title=f"{summary.run_id} · {summary.status}", title_justify="left")
    table.add_column(" · ".join([*watermarks(summary), summary.currency]))
    for name in summary.bounds:
        table.add_column(name, justify="right")
    for label, cell in ROWS.items():
        table.add_row(label, *(cell(bound) for bound in summary.bounds.values()))
    return table


def watermarks(summary: Summary) -> list[str]:
    """Words that stand over everything: a generated market, fills that no venue has seen."""
    return (["SYNTHETIC"] if summary.synthetic else []) + ([summary.mode.upper()] if summary.mode in WOULD_BE else [])


def _verdict(summary: Summary) -> Text:
    style = _VERDICTS.get(summary.verdict, "")
    return Text.assemble(("Verdict: ", ""), (summary.verdict, style), (f"  (headline: {summary.headline})", "dim"))


def _risk(summary: Summary) -> list[Text]:
    halts = [Text(text, style="bold red") for text in halt_lines(summary)]
    return [*halts, Text(f"Breakers: {breakers_line(summary.bounds[summary.headline])}", overflow="fold")]


def _marks(summary: Summary) -> Table:
    table = Table.grid(padding=(0, 2))
    for mark in summary.trust:
        table.add_row(Text(mark.label, style="dim"), Text(mark.text, style=_STYLES[mark.level]))
    return table


def amount(value: Decimal | float, signed: bool = True) -> str:
    """Money to the cent, with a sign."""
    return f"{value:+,.2f}" if signed else f"{value:,.2f}"


def percent(value: float | None, reason: str = "–") -> str:
    """Share as a percentage, or a dash."""
    return reason if value is None else f"{value:.1%}"


def _sharpe(bound: BoundSummary) -> str:
    if bound.sharpe is None or bound.sharpe_se is None:
        return f"null ({bound.sharpe_reason})"
    return f"{bound.sharpe:.2f} ± {bound.sharpe_se:.2f}"


def _flips(bound: BoundSummary) -> str:
    rate = bound.conduct.flips_per_hour
    return f"{bound.conduct.flips}" + ("" if rate is None else f" ({rate:.1f} / h)")


def _cooldown(bound: BoundSummary) -> str:
    found = bound.conduct
    if not found.cooldown_secs:
        return "none asked for"
    shortest = "" if found.shortest_secs is None else f", shortest {found.shortest_secs:.1f} s"
    return f"{found.reentries - found.reentries_early} of {found.reentries} kept {found.cooldown_secs:g} s{shortest}"


def _refused(bound: BoundSummary) -> str:
    top = list(bound.refusals_by_reason.items())[:3]
    return "\n".join([str(bound.refusals), *(f"{reason} {count}" for reason, count in top)])


ROWS: dict[str, Callable[[BoundSummary], str]] = {
    "Net P&L": lambda b: amount(b.net_pnl),
    "  spread captured": lambda b: amount(b.waterfall.spread),
    "  markout": lambda b: amount(b.waterfall.markout),
    "  inventory": lambda b: amount(b.waterfall.inventory),
    "  fees": lambda b: amount(-b.fees),
    "  funding": lambda b: amount(b.funding),
    "  residual": lambda b: f"{b.residual:.8f}",
    "Net per turnover": lambda b: "–" if b.net_bps is None else f"{b.net_bps:+.2f} bps",
    "Max drawdown": lambda b: f"{b.max_drawdown_quote:,.2f} ({b.max_drawdown:.2%})",
    "Sharpe": _sharpe,
    "Orders / fills": lambda b: f"{b.orders:,} / {b.fills:,}",
    "Maker share": lambda b: percent(b.maker_share),
    "Fill ratio": lambda b: percent(b.fill_ratio),
    "Round trips (hit rate)": lambda b: f"{b.round_trips} ({percent(b.hit_rate)})",
    "Position flips": _flips,
    "Re-entry cool-down": _cooldown,
    "Turnover": lambda b: amount(b.turnover, signed=False),
    "Refused (top reasons)": _refused,
}
