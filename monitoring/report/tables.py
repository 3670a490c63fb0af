"""The parts of the page that are plain HTML: trust marks, verdict, doubts, figures."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from html import escape

from monitoring.report.models import BoundSummary, StrategySummary, Summary
from monitoring.report.risk_tables import halt_lines
from monitoring.report.run import Run
from monitoring.report.terminal import amount, percent

Cell = Callable[[BoundSummary], str]

_VERDICTS = {
    "PROFIT": ("good-text", "both queue bounds end above zero."),
    "LOSS": ("bad-text", "both queue bounds end below zero."),
    "FLAT": ("", "both queue bounds end at zero."),
    "INCONCLUSIVE": ("warn-text", "the two queue bounds differ in sign: the data cannot tell."),
    "ONE_BOUND": ("warn-text", "only one queue bound was run; the other might say otherwise."),
}


def traded(run: Run) -> str:
    """Return what was traded and when, in UTC; the warm-up is not part of it."""
    first, last = (datetime.fromtimestamp(ns // 1_000_000_000, UTC) for ns in (run.start_ns, run.end_ns))
    day = "" if first.date() == last.date() else f"{last:%Y-%m-%d} "
    span = f"{first:%Y-%m-%d %H:%M:%S} – {day}{last:%H:%M:%S} UTC"
    return f'<p class="traded">{escape(", ".join(run.mids))} · {span}</p>'


def trust(summary: Summary) -> str:
    """Trust marks as a list of chips."""
    chips = [
        f'<li class="{escape(mark.level)}"><b>{escape(mark.label)}</b>{escape(mark.text)}</li>'
        for mark in summary.trust
    ]
    return f'<ul class="marks">{"".join(chips)}</ul>'


def verdict(summary: Summary) -> str:
    """The queue bracket's verdict with a sentence that explains it."""
    style, text = _VERDICTS[summary.verdict]
    return f'<p class="verdict"><strong class="{style}">{escape(summary.verdict)}</strong> {escape(text)}</p>'


def halted(summary: Summary) -> str:
    """Why entries were shut, if they were, with a link to the details."""
    lines = "".join(f'<li><a href="#risk-edges">{escape(text)}</a></li>' for text in halt_lines(summary))
    return f'<ul class="doubts halts">{lines}</ul>' if lines else ""


def doubts(summary: Summary) -> str:
    """Failed checks, if any."""
    if not summary.doubts:
        return ""
    return '<ul class="doubts">' + "".join(f"<li>{escape(d.text)}</li>" for d in summary.doubts) + "</ul>"


def table(head: Sequence[str], rows: Sequence[Sequence[str]], total: int | None = None) -> str:
    """HTML table: the first column is a row header, `total` is the index of the bold row."""
    top = "".join(f'<th scope="col">{escape(cell)}</th>' for cell in head)
    body = "".join(_row(row, number == total) for number, row in enumerate(rows))
    return f'<div class="scroll"><table><thead><tr>{top}</tr></thead><tbody>{body}</tbody></table></div>'


def _row(cells: Sequence[str], total: bool) -> str:
    if len(cells) == 1:
        return f'<tr class="group"><th scope="colgroup" colspan="9">{escape(cells[0])}</th></tr>'
    style = ' class="total"' if total else ""
    rest = "".join(f"<td>{escape(cell)}</td>" for cell in cells[1:])
    sub = ' class="sub"' if cells[0].startswith(" ") else ""
    return f'<tr{style}><th scope="row"{sub}>{escape(cells[0].strip())}</th>{rest}</tr>'


def key_figures(summary: Summary) -> str:
    """Every figure of the summary, one column per bound."""
    bounds = list(summary.bounds.values())
    rows = [[label] if cell is None else [label, *(cell(b) for b in bounds)] for label, cell in KEY_ROWS]
    return table([summary.currency, *(b.bound for b in bounds)], rows, total=1)


def waterfall(summary: Summary) -> str:
    """The waterfall to the smallest currency unit, with rounding and residual."""
    bounds = list(summary.bounds.values())
    rows = [[label, *(_exact(cell(b)) for b in bounds)] for label, cell in WATERFALL_ROWS]
    made = table([summary.currency, *(b.bound for b in bounds)], rows, total=len(rows) - 1)
    return f'<div class="exact">{made}</div>'


def strategies(bound: BoundSummary) -> str:
    """Attribution: one column per strategy."""
    rows = [[label, *(cell(found) for found in bound.strategies)] for label, cell in STRATEGY_ROWS]
    return table([bound.currency, *(found.strategy_id for found in bound.strategies)], rows, total=5)


def _exact(value: Decimal) -> str:
    return f"{value:+,.8f}"


def _bps(value: float | None) -> str:
    return "–" if value is None else f"{value:+.3f} bps"


def _share(value: float | None) -> str:
    return "< 0.1%" if value is not None and 0.0 < value < 0.0005 else percent(value)


def _secs(value: float | None) -> str:
    return "–" if value is None else f"{value:,.1f} s"


def _sharpe(bound: BoundSummary) -> str:
    if bound.sharpe is None or bound.sharpe_se is None:
        return f"none: {bound.sharpe_reason}"
    return f"{bound.sharpe:.2f} ± {bound.sharpe_se:.2f}"


KEY_ROWS: list[tuple[str, Cell | None]] = [
    ("Result", None),
    ("Net P&L", lambda b: amount(b.net_pnl)),
    ("Gross P&L (prices alone)", lambda b: amount(b.gross_pnl)),
    ("Fee to close what is open (not in net)", lambda b: amount(-b.fee_to_close)),
    ("Net per turnover", lambda b: _bps(b.net_bps)),
    ("Turnover", lambda b: f"{amount(b.turnover, signed=False)} ({b.turnover_multiple:.2f}× balance)"),
    ("Max drawdown", lambda b: f"{b.max_drawdown_quote:,.2f} ({b.max_drawdown:.2%})"),
    ("Sharpe", _sharpe),
    ("Winning days", lambda b: f"{percent(b.winning_days)} of {len(b.pnl_by_day)}"),
    ("Orders", None),
    ("Orders sent / rejected", lambda b: f"{b.orders:,} / {b.rejects:,}"),
    ("Refused by our gate", lambda b: f"{b.refusals:,}"),
    ("Fills", lambda b: f"{b.fills:,}"),
    ("Maker share of notional", lambda b: percent(b.maker_share)),
    ("Fill ratio", lambda b: percent(b.fill_ratio)),
    ("Round trips", None),
    ("Closed / open", lambda b: f"{b.round_trips:,} / {b.round_trips_open:,}"),
    ("Hit rate", lambda b: percent(b.hit_rate)),
    ("Holding time, median / mean", lambda b: f"{_secs(b.holding_secs_median)} / {_secs(b.holding_secs_mean)}"),
    ("Costs against the decision mid", None),
    ("Implementation shortfall", lambda b: _bps(b.shortfall.total_bps)),
    (" delay", lambda b: _bps(b.shortfall.delay_bps)),
    (" spread and impact", lambda b: _bps(b.shortfall.spread_impact_bps)),
    (" fills without a decision mid", lambda b: f"{b.shortfall.excluded:,}"),
    ("Exposure and size", None),
    ("Exposure, mean / largest", lambda b: f"{b.exposure.mean_quote:,.0f} / {b.exposure.max_quote:,.0f}"),
    ("Leverage, mean / largest", lambda b: f"{b.exposure.mean_leverage:.2f}× / {b.exposure.max_leverage:.2f}×"),
    ("Time in market", lambda b: percent(b.exposure.time_in_market)),
    (
        "Own / market volume per minute, p50 / p95",
        lambda b: f"{_share(b.participation.p50)} / {_share(b.participation.p95)}",
    ),
    (
        "Order / displayed size, p50 / p95",
        lambda b: f"{_share(b.size_of_level.p50)} / {_share(b.size_of_level.p95)}",
    ),
]

WATERFALL_ROWS: list[tuple[str, Callable[[BoundSummary], Decimal]]] = [
    ("Spread captured", lambda b: b.waterfall.spread),
    ("Markout", lambda b: b.waterfall.markout),
    ("Inventory", lambda b: b.waterfall.inventory),
    ("Fees", lambda b: -b.fees),
    ("Funding", lambda b: b.funding),
    ("Rounding by the engine", lambda b: b.rounding),
    ("Residual", lambda b: b.residual),
    ("Net, from the account", lambda b: b.net_pnl),
]

STRATEGY_ROWS: list[tuple[str, Callable[[StrategySummary], str]]] = [
    ("Spread captured", lambda s: amount(s.waterfall.spread)),
    ("Markout", lambda s: amount(s.waterfall.markout)),
    ("Inventory", lambda s: amount(s.waterfall.inventory)),
    ("Fees", lambda s: amount(-s.waterfall.fees)),
    ("Funding", lambda s: amount(s.waterfall.funding)),
    ("Net", lambda s: amount(s.waterfall.net)),
    ("Turnover", lambda s: amount(s.turnover, signed=False)),
    ("Fills", lambda s: f"{s.fills:,}"),
    ("Round trips (hit rate)", lambda s: f"{s.round_trips:,} ({percent(s.hit_rate)})"),
]
