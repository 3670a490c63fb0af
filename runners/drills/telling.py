"""A drill in words: what was broken, what the system did, what the venue's ledger says, and the verdict."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from runners.drills.judge import Judged
from runners.drills.model import Drill
from runners.drills.stage import Played

NS = 1_000_000_000
UNTOLD = ("warning: preflight", "override:", "notice:", "keys:", "account:")
"""What a node says at every start, and is no part of a story."""
TRAFFIC = "traffic"
TOLD_STEPS = {"NEW": "orders accepted", "CANCELED": "cancelled", "EXPIRED": "expired"}


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the story."""

    secs: float
    who: str
    text: str


@dataclass(frozen=True, slots=True)
class Outcome:
    """One drill that was played and judged.

    Attributes
    ----------
    drill, played, judged
        What it was; what happened; what the judge says. `judged` is None where there was nothing to judge.
    lines
        The story.
    secs
        How long it took.
    kept
        Folder with ledger, journal and sessions; None: removed.
    """

    drill: Drill
    played: Played
    judged: Judged | None
    lines: tuple[Line, ...]
    secs: float
    kept: Path | None

    @property
    def passes(self) -> bool:
        """Whether it went as written and everything is true."""
        return self.played.trouble is None and self.judged is not None and self.judged.passes

    @property
    def reasons(self) -> list[str]:
        """Why it fails."""
        found = [] if self.played.trouble is None else [self.played.trouble]
        if self.judged is not None:
            found += [f"{check.that}: {check.seen}" for check in self.judged.checks if not check.holds]
        return found


def story(played: Played, rows: Sequence[Mapping[str, Any]]) -> tuple[Line, ...]:
    """Drill, node and venue in the order of time; what comes again at once, and what was traded in between, is told in one line."""
    start = min((one.at_ns for one in played.happenings), default=0)
    told = [(one.at_ns, str(one.who), one.text) for one in played.happenings if not one.text.startswith(UNTOLD)]
    lines: list[tuple[Line, int]] = []
    between: Counter[str] = Counter()
    last = 0.0
    for at_ns, who, text in sorted([*told, *_venue(rows)], key=lambda one: one[0]):
        secs = (at_ns - start) / NS
        if who == TRAFFIC:
            between[text] += 1
            last = secs
            continue
        if between:
            lines.append((Line(last, "venue", _traffic(between)), 1))
            between = Counter()
        if lines and (lines[-1][0].who, lines[-1][0].text) == (who, text):
            lines[-1] = (lines[-1][0], lines[-1][1] + 1)
        else:
            lines.append((Line(secs, who, text), 1))
    return tuple(one if n == 1 else replace(one, text=f"{one.text} ({n} times)") for one, n in lines)


def _venue(rows: Sequence[Mapping[str, Any]]) -> Iterator[tuple[int, str, str]]:
    for row in rows:
        kind, at_ns = row["kind"], row["ts_ns"]
        if kind == "fault":
            yield at_ns, "venue", f"fault: {row['name']}"
        elif kind == "countdown" and row["fired"]:
            yield at_ns, "venue", f"countdown of {row['symbol']} fired, {row['cancelled']} orders cancelled"
        elif kind == "trade":
            yield at_ns, TRAFFIC, "trades"
        elif kind == "order" and row["step"] in TOLD_STEPS:
            yield at_ns, TRAFFIC, TOLD_STEPS[row["step"]]


def _traffic(between: Mapping[str, int]) -> str:
    """Such as ``orders accepted 2, trades 1``."""
    return ", ".join(f"{what} {between[what]}" for what in (*TOLD_STEPS.values(), "trades") if between[what])


def shown(outcome: Outcome) -> RenderableType:
    """Everything of one drill."""
    drill = outcome.drill
    parts: list[RenderableType] = [
        Text(f"{drill.name}: {drill.title}", style="bold"),
        Text(f"broken   {drill.broken}"),
        Text(f"right    {drill.right}"),
        Text("\nwhat happened", style="bold"),
        _happened(outcome),
    ]
    if outcome.judged is not None:
        parts += [Text("\nwhat the venue's ledger says", style="bold"), _books(outcome.judged), _checks(outcome.judged)]
    return Group(*parts, _verdict(outcome))


def _happened(outcome: Outcome) -> Table:
    table = Table.grid(padding=(0, 2))
    table.add_column(justify="right", no_wrap=True)
    table.add_column(no_wrap=True)
    table.add_column()
    for line in outcome.lines:
        table.add_row(f"{line.secs:.1f} s", line.who, Text(line.text))
    return table


def _books(judged: Judged) -> Text:
    books = judged.books
    held = ", ".join(f"{symbol} {amount}" for symbol, amount in books.positions.items()) or "none"
    lines = (
        f"orders sent {books.sent}, accepted {books.accepted} under {books.ids} client ids (most per id: {books.most_per_id})",
        f"trades {books.trades}, fees {books.fees} USDT, countdowns fired {books.countdowns_fired}",
        f"open at the end: {', '.join(books.open_at_end) or 'none'}; stops {books.stops_at_end}; position {held}",
    )
    return Text("\n".join(lines))


def _checks(judged: Judged) -> Table:
    table = Table.grid(padding=(0, 2))
    table.add_column(no_wrap=True)
    table.add_column()
    table.add_column(style="dim")
    for check in judged.checks:
        mark = Text("yes", style="green") if check.holds else Text("NO", style="bold red")
        table.add_row(mark, Text(check.that), Text(check.seen))
    return table


def _verdict(outcome: Outcome) -> Text:
    if outcome.passes:
        return Text(f"\nPASS {outcome.drill.name} in {outcome.secs:.0f} s\n", style="bold green")
    text = f"\nFAIL {outcome.drill.name} in {outcome.secs:.0f} s: {'; '.join(outcome.reasons)}\n"
    return Text(
        text + ("" if outcome.kept is None else f"ledger, journal and sessions: {outcome.kept}\n"), style="bold red"
    )


def closing(outcomes: Sequence[Outcome]) -> RenderableType:
    """Table of many drills, and the last line."""
    table = Table("drill", "verdict", "s", "orders", "trades", "most per id", "why", box=None, padding=(0, 2, 0, 0))
    for one in outcomes:
        books = None if one.judged is None else one.judged.books
        figures = ("", "", "") if books is None else (str(books.accepted), str(books.trades), str(books.most_per_id))
        verdict = Text("PASS", style="green") if one.passes else Text("FAIL", style="bold red")
        table.add_row(one.drill.name, verdict, f"{one.secs:.0f}", *figures, Text("; ".join(one.reasons)))
    return Group(table, Text(last_line(outcomes), style="bold"))


def last_line(outcomes: Sequence[Outcome]) -> str:
    """Such as ``13 of 13``."""
    return f"{sum(one.passes for one in outcomes)} of {len(outcomes)}"


def as_json(outcome: Outcome) -> dict[str, Any]:
    """One drill for machines."""
    return {
        "drill": outcome.drill.name, "title": outcome.drill.title, "broken": outcome.drill.broken,
        "right": outcome.drill.right, "verdict": "PASS" if outcome.passes else "FAIL", "reasons": outcome.reasons,
        "secs": round(outcome.secs, 1), "story": [asdict(line) for line in outcome.lines],
        "ledger": None if outcome.judged is None else asdict(outcome.judged.books),
        "checks": [] if outcome.judged is None else [asdict(check) for check in outcome.judged.checks],
        "kept": None if outcome.kept is None else str(outcome.kept),
    }  # fmt: skip
