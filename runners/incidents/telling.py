"""An incident as a person reads it: the story, the timeline, the limits, and what a replay gave."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from itertools import groupby
from typing import Any

from rich.console import RenderableType
from rich.markup import escape
from rich.table import Table

from monitoring.incidents.record import Incident, Standing
from runners.incidents.finding import Found
from runners.incidents.matching import Verdict
from runners.incidents.replaying import Replayed

SHOWN_ROWS = 40
_LIMITS = (
    "max_daily_loss_quote", "max_drawdown_pct", "max_order_notional_quote", "max_position_notional_quote",
    "max_gross_leverage", "max_losses_in_a_row",
)  # fmt: skip


def list_table(found: Sequence[Found]) -> Table:
    """One row per incident."""
    table = Table("id", "when (UTC)", "cause", "instrument", "what", "where")
    for one in found:
        if one.incident is None:
            table.add_row(one.id, "–", "unreadable", "–", escape(one.problem), escape(one.where))
            continue
        it = one.incident
        table.add_row(
            one.id,
            clock(it.ts_ns, date=True),
            it.cause,
            it.instrument_id or "account",
            escape(it.reason),
            escape(one.where),
        )
    return table


def story(found: Found, incident: Incident) -> Iterator[RenderableType]:
    """What happened, top to bottom."""
    yield f"[bold]{escape(incident.cause)}[/] · {clock(incident.ts_ns, date=True)} UTC · {escape(found.where)} · id {found.id}"
    for line in sentences(incident):
        yield f"  {escape(line)}"
    yield timeline(incident)
    yield limits(incident)
    yield f"Folder: {escape(found.place.as_posix())}\nReplay: python -m runners incident replay {found.id}"


def sentences(incident: Incident) -> Iterator[str]:
    """The story in sentences."""
    what = {
        "kill_switch": "The kill switch tripped",
        "daily_loss": "The daily loss halted entries",
        "loss_streak": "A streak of losses paused entries",
        "halted": "Entries were shut for the life of the process",
    }.get(incident.cause, f"The breaker {incident.cause} opened hard")
    of = f" on {incident.instrument_id}" if incident.instrument_id else ""
    yield f"{what}{of}: {incident.reason}."
    if incident.also:
        yield f"At the same instant: {'; '.join(incident.also)}."
    if incident.opening_halt:
        yield f"Entries had been shut before the window began: {incident.opening_halt}."
    for iid, top in incident.market.items():
        spread = (top.ask - top.bid) / ((top.ask + top.bid) / 2) * 1e4
        age = (incident.ts_ns - top.ts_ns) / 1e9
        quotes = f"{top.bid:,} × {top.bid_size:g} | {top.ask:,} × {top.ask_size:g}"
        yield f"{iid} stood at {quotes}, {spread:.2f} bps wide, {age:.1f} s old."
    began = _money(incident.opening.equity)
    valued = "at mid" if incident.origin == "backtest" else "at the mark"
    yield f"Equity {_money(incident.trip.equity)} {valued}, at the start of the window {began}; {_held(incident.trip)}."
    secs, after = (incident.ts_ns - incident.start_ns) / 1e9, (incident.end_ns - incident.ts_ns) / 1e9
    counts = f"{len(incident.orders)} orders, {len(incident.fills)} fills, {len(incident.refusals)} refusals"
    yield f"In the {secs:,.0f} s before it and {after:,.0f} s after: {counts}, {_edges(incident)}."
    names = ", ".join(f"{mark.name} ({mark.level}, {mark.state})" for mark in incident.breakers)
    yield f"Breakers not closed then: {names or 'none'}."
    if incident.learning:
        yield f"Breakers still learning then: {', '.join(incident.learning)}."
    if incident.dropped:
        lost = ", ".join(f"{count} {name}" for name, count in incident.dropped.items() if count)
        yield f"There was no room for: {lost}." if lost else "Everything of the window is here."


def _edges(incident: Incident) -> str:
    count = sum(1 for row in incident.risk_events if row["kind"] == "breaker")
    return f"{count} edge{'' if count == 1 else 's'} of breakers"


def _held(standing: Standing) -> str:
    held = ", ".join(
        f"{iid} {'+' if quantity > 0 else ''}{_plain(quantity)}" for iid, quantity in standing.positions.items()
    )
    return f"held {held}" if held else "flat"


def timeline(incident: Incident) -> Table:
    """Last orders, fills, refusals and edges before the trip, and what followed."""
    table = Table("s to the trip", "UTC", "what", "of", "detail")
    rows = list(_folded(sorted(_rows(incident), key=lambda row: (row[0], row[1]))))
    at = next((i for i, row in enumerate(rows) if row[0] >= incident.ts_ns), len(rows))
    first = max(0, at - (SHOWN_ROWS * 3) // 4)
    if first:
        table.add_row("…", "", f"{first} earlier rows", "", "in incident.json")
    shown = rows[first : first + SHOWN_ROWS]
    for ts, _, what, of, detail in shown:
        style = "bold red" if ts == incident.ts_ns and what.startswith(("halt", incident.cause)) else ""
        secs = f"{(ts - incident.ts_ns) / 1e9:+.3f}"
        table.add_row(secs, clock(ts), escape(what), escape(of), escape(detail), style=style)
    left = len(rows) - first - len(shown)
    if left:
        table.add_row("…", "", f"{left} later rows", "", "in incident.json")
    return table


type _Row = tuple[int, int, str, str, str]


def _rows(incident: Incident) -> Iterator[_Row]:
    for row in incident.risk_events:
        what = f"halt {row['name']}" if row["kind"] == "halt" else f"{row['name']} {row['state']}"
        yield row["ts_ns"], 0, what, row["instrument_id"] or "account", row["detail"]
    for row in incident.orders:
        if row["ts_ns"] >= incident.start_ns:
            kind = f"{row['side']} {row['order_type']}{' reduce-only' if row['reduce_only'] else ''}"
            price = f" @ {_plain(row['price'])}" if row["price"] is not None else ""
            yield (
                row["ts_ns"],
                2,
                f"order {kind}",
                row["strategy_id"],
                f"{_plain(row['quantity'])}{price}: {row['why']}",
            )
    for row in incident.fills:
        detail = f"{_plain(row['quantity'])} @ {_plain(row['price'])} {row['liquidity']}"
        after = f"position then {_plain(row['position_after'])}"
        yield row["ts_ns"], 1, f"fill {row['side']}", row["strategy_id"], f"{detail}, {after}"
    for row in incident.refusals:
        detail = f"{row['side']} {_plain(row['quantity'])}: {row['detail']}"
        yield row["ts_ns"], 3, f"refused {row['reason']}", row["strategy_id"], detail
    for row in incident.order_events:
        if row["event"] in ("OrderCanceled", "OrderRejected", "OrderExpired", "OrderDenied", "Cared"):
            yield row["ts_ns"], 1, row["event"], row["client_order_id"], row["detail"]


def _folded(rows: Sequence[_Row]) -> Iterator[_Row]:
    """The same refusal over and over is one row."""
    for _, same in groupby(rows, key=lambda row: row[2:4] if row[2].startswith("refused") else row):
        run = list(same)
        ts, rank, what, of, detail = run[0]
        yield ts, rank, what if len(run) == 1 else f"{what} × {len(run)}", of, detail


def limits(incident: Incident) -> Table:
    """Limits in force, and where they stood at the trip."""
    table = Table("limit", "in force", "at the trip")
    risk = incident.config.get("risk", {})
    for name in _LIMITS:
        if risk.get(name) is not None:
            table.add_row(name, f"{risk[name]:,g}", _used(name, incident))
    return table


def _used(name: str, incident: Incident) -> str:
    figures, trip = incident.figures, incident.trip
    if name == "max_daily_loss_quote":
        if "loss" in figures:
            return f"{Decimal(str(figures['loss'])):,.2f}"
        return "–" if trip.equity is None or trip.day_start is None else f"{trip.day_start - trip.equity:,.2f}"
    if name == "max_drawdown_pct":
        if "drawdown_pct" in figures:
            return f"{Decimal(str(figures['drawdown_pct'])):,.2f}"
        return "–" if trip.equity is None or not trip.peak else f"{(trip.peak - trip.equity) / trip.peak * 100:,.3f}"
    if name == "max_position_notional_quote":
        mids = {iid: (top.bid + top.ask) / 2 for iid, top in incident.market.items()}
        values = [abs(float(q)) * mids[iid] for iid, q in trip.positions.items() if iid in mids]
        return f"{max(values, default=0.0):,.2f}"
    return ""


def replay_parts(incident: Incident, found: Replayed) -> Iterator[RenderableType]:
    """Recorded events beside those of the replay, and what to make of it."""
    table = Table("s to the trip", "event", "recorded", "replayed", "came again?")
    for pair in found.matches:
        event = pair.recorded or pair.replayed
        if event is None:
            continue
        style = "green" if pair.came_again else "yellow" if pair.verdict is not Verdict.EXTRA else ""
        table.add_row(
            f"{(pair.ts_ns - incident.ts_ns) / 1e9:+.3f}", f"{event.name} {event.state} {event.level}",
            escape(_detail(pair.recorded)), escape(_detail(pair.replayed)), pair.text, style=style,
        )  # fmt: skip
    yield table
    for line in verdicts(incident, found):
        yield escape(line)


def verdicts(incident: Incident, found: Replayed) -> Iterator[str]:
    """The outcome in sentences."""
    recorded = [pair for pair in found.matches if pair.recorded is not None]
    again = sum(1 for pair in recorded if pair.came_again)
    yield f"{again} of {len(recorded)} recorded risk events came again."
    trip = found.trip(incident)
    yield f"The trip itself ({incident.cause}): {trip.text if trip is not None else 'not among the recorded rows'}."
    yield f"Orders {len(incident.orders)} recorded, {found.orders} replayed; fills {len(incident.fills)} and {found.fills}."
    if found.never_ready:
        yield f"Still learning when the excerpt ended: {', '.join(found.never_ready)}."
    for remark in found.remarks:
        yield f"{remark[:1].upper()}{remark[1:]}."


def _detail(event: Any) -> str:
    return "–" if event is None else str(event.detail)


def _money(value: Decimal | None) -> str:
    return "not known" if value is None else f"{value:,.2f}"


def _plain(value: object) -> str:
    text = str(value)
    return text.rstrip("0").rstrip(".") if "." in text else text


def clock(ts_ns: int, *, date: bool = False) -> str:
    """UTC, to the millisecond."""
    when = datetime.fromtimestamp(ts_ns // 1_000_000_000, UTC)
    return f"{when:%Y-%m-%d %H:%M:%S}" if date else f"{when:%H:%M:%S}.{ts_ns // 1_000_000 % 1000:03d}"


def as_json(found: Found) -> Mapping[str, Any]:
    """One line of the list as plain values."""
    it = found.incident
    head = {"id": found.id, "path": found.place.as_posix(), "where": found.where, "problem": found.problem}
    if it is None:
        return head
    return {**head, "ts_ns": it.ts_ns, "cause": it.cause, "instrument_id": it.instrument_id, "reason": it.reason}
