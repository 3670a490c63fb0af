"""Tables of the risk part of the page, and its lines for the terminal."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from html import escape

from monitoring.report.models import BoundSummary, Summary
from monitoring.report.risk_lanes import Lane
from monitoring.report.risk_models import BreakerSummary, HaltSummary, LimitSummary, RefusalSummary

NAMED = 3
"""Breakers that the terminal's line names."""
MOST_EDGES = 200
"""Rows of the table of halts and hard edges."""


def clock(ts_ns: int | None, *, day: bool = False) -> str:
    """UTC time of day, with its date where a run spans several."""
    if ts_ns is None:
        return "–"
    form = "%Y-%m-%d %H:%M:%S" if day else "%H:%M:%S"
    return datetime.fromtimestamp(ts_ns // 1_000_000_000, UTC).strftime(form)


def share(value: float) -> str:
    """Fraction as a percentage that never hides something behind 0.0 %."""
    return "< 0.1 %" if 0.0 < value < 0.0005 else f"{100 * value:.1f} %"


def breakers_line(bound: BoundSummary) -> str:
    """Breakers in one line, longest shut first: `spread_multiple 63× (5.2 % of the time)`."""
    risk = bound.risk
    if not risk.recorded:
        return "not recorded"
    if not risk.breakers:
        return "all closed all the time"
    several = len({b.instrument_id for b in risk.breakers} - {""}) > 1
    parts = [_breaker(b, several, " of the time" if n == 0 else "") for n, b in enumerate(risk.breakers[:NAMED])]
    more = len(risk.breakers) - NAMED
    return ", ".join(parts + ([f"{more} more"] if more > 0 else []))


def halt_lines(summary: Summary) -> list[str]:
    """One line per halt with its reason, bounds that agree together; a run that halted without saying why says so."""
    bounds: dict[tuple[str, str], list[str]] = {}
    for name, bound in summary.bounds.items():
        for halt in _halts(bound):
            bounds.setdefault(halt, []).append(name)
    found = [f"{word} ({', '.join(names)}) {text}" for (word, text), names in bounds.items()]
    if not found and summary.status == "halted":
        return ["HALTED: the run recorded no reason"]
    return found


def _halts(bound: BoundSummary) -> list[tuple[str, str]]:
    return [
        ("HALTED" if halt.until_ns is None else "Halted for the day",
         f"at {clock(halt.ts_ns, day=True)} UTC: {halt.reason}" + "".join(f"; {p}" for p in halt.problems))
        for halt in bound.risk.halts
    ]  # fmt: skip


def _breaker(found: BreakerSummary, several: bool, words: str) -> str:
    name = f"{found.name} {_symbol(found.instrument_id)}".rstrip() if several else found.name
    return f"{name} {found.opened}× ({share(found.shut_share)}{words})"


def breakers(bound: BoundSummary) -> str:
    """Openings and time with entries shut, one row per breaker."""
    risk = bound.risk
    if risk.shut_secs is None or risk.shut_share is None:
        return ""
    reduced = any(b.reduced_secs > 0.0 for b in risk.breakers)
    head = ["Breaker", "watches", "opened", "hard", "entries shut", "of the time", "longest"]
    rows = [
        [b.name, _symbol(b.instrument_id) or "account", f"{b.opened:,}", f"{b.hard:,}", _secs(b.shut_secs),
         share(b.shut_share), _secs(b.longest_secs), _secs(b.reduced_secs)]
        for b in risk.breakers
    ]  # fmt: skip
    halted = sum(halt.shut_secs for halt in risk.halts)
    of_time = share(halted / risk.trading_secs if risk.trading_secs > 0 else 0.0)
    rows += [["halts", "account", f"{len(risk.halts):,}", "", _secs(halted), of_time, "", ""]] if risk.halts else []
    rows += [["all together", "", "", "", _secs(risk.shut_secs), share(risk.shut_share), "", ""]]
    columns = 8 if reduced else 7
    return _table([*head, "entries reduced"][:columns], [row[:columns] for row in rows], text={1})


def refusals(found: Sequence[RefusalSummary], *, day: bool) -> str:
    """Counts and times; under each reason the sentences of a typical and of the worst refusal."""
    rows: list[list[str]] = []
    for r in found:
        rows.append([r.reason, f"{r.count:,}", share(r.share), clock(r.first_ns, day=day), clock(r.last_ns, day=day)])
        rows.append([f"typical: {r.typical}{_ranked(r.measure, r.measure_median)}"])
        if r.extreme is not None and r.count > 1:
            rows.append([f"furthest beyond: {r.extreme}{_ranked(r.measure, r.measure_max)}"])
    return _table(["Reason", "count", "share", "first", "last"], rows, text=set()) if rows else ""


def _ranked(measure: str | None, value: float | None) -> str:
    return "" if measure is None or value is None else f" ({measure}: {value:,.4g})"


def limits(bounds: Sequence[BoundSummary], *, day: bool) -> str:
    """Each limit with its peak use per bound; the time is the first bound's."""
    head = ["Limit", "value", *(f"peak {b.bound}" for b in bounds), "when"]
    rows = []
    for number, first in enumerate(bounds[0].risk.limits):
        cells = [_use(b.risk.limits[number]) for b in bounds]
        rows.append([first.name, f"{first.limit:,.10g}", *cells, clock(first.at_ns, day=day)])
    return _table(head, rows, text=set()) if rows else ""


def _use(found: LimitSummary) -> str:
    whole = found.peak == int(found.peak)
    peak = f"{found.peak:,.0f}" if whole else f"{found.peak:,.4g}" if found.peak < 100 else f"{found.peak:,.2f}"
    return f"{peak} ({share(found.use)})"


def edges(halts: Sequence[tuple[str, HaltSummary]], lanes: Sequence[tuple[str, Lane]], *, day: bool) -> str:
    """Every halt and every edge to a hard limit, by time; one row for what was the same in every bound.

    Parameters
    ----------
    halts, lanes
        With the bound they belong to.
    """
    found: dict[tuple[int, str, str, str], list[str]] = {}
    bounds = {bound for bound, _ in [*halts, *lanes]}
    for bound, halt in halts:
        found.setdefault(_halt_row(halt), []).append(bound)
    for bound, lane in lanes:
        for row in _hard_rows(lane):
            found.setdefault(row, []).append(bound)
    rows = [
        [clock(ts, day=day), what if len(seen) == len(bounds) else f"{what} ({', '.join(seen)})", why, lasted]
        for (ts, what, why, lasted), seen in sorted(found.items())
    ]
    left = [["", f"{len(rows) - MOST_EDGES:,} more", "", ""]] if len(rows) > MOST_EDGES else []
    return _table(["When", "what", "why", "lasted"], rows[:MOST_EDGES] + left, text={1, 2}) if rows else ""


def _halt_row(halt: HaltSummary) -> tuple[int, str, str, str]:
    until = f"{_secs(halt.shut_secs)}, to the {'end of the day' if halt.until_ns is not None else 'end'}"
    return halt.ts_ns, f"HALT {halt.name}", "; ".join([halt.reason, *halt.problems]), until


def _hard_rows(lane: Lane) -> list[tuple[int, str, str, str]]:
    what = f"{lane.name} {_symbol(lane.instrument_id)}".rstrip() + " hard"
    return [
        (s.start_ns, what, s.reason, _secs((s.end_ns - s.start_ns) / 1e9))
        for s in lane.segments
        if s.level == "hard" and s.state == "open"
    ]


def _symbol(instrument_id: str) -> str:
    return instrument_id.split(".", maxsplit=1)[0]


def _secs(value: float) -> str:
    return f"{value:,.1f} s"


def _table(head: Sequence[str], rows: Sequence[Sequence[str]], text: set[int]) -> str:
    """HTML table: the first column is a row header, those in `text` are read, not compared; one cell fills a whole row."""
    top = "".join(_cell("th", 'scope="col"', number in text, name) for number, name in enumerate(head))
    body = "".join(f"<tr>{_row(row, len(head), text)}</tr>" for row in rows)
    return f'<div class="scroll"><table class="risk"><thead><tr>{top}</tr></thead><tbody>{body}</tbody></table></div>'


def _row(row: Sequence[str], columns: int, text: set[int]) -> str:
    if len(row) == 1:
        return f'<td class="text said" colspan="{columns}">{escape(row[0])}</td>'
    first = f'<th scope="row">{escape(row[0])}</th>'
    return first + "".join(_cell("td", "", n in text, content) for n, content in enumerate(row[1:], start=1))


def _cell(tag: str, scope: str, read: bool, content: str) -> str:
    shown = content if read or tag == "th" else content.replace(" ", "\N{NO-BREAK SPACE}")
    marks = " ".join(part for part in (scope, 'class="text"' if read else "") if part)
    return f"<{tag}{' ' if marks else ''}{marks}>{escape(shown)}</{tag}>"
