"""The judge of a drill: the ledger file and the journal file, the standard library and `crash.judge`, no code of the node.

It believes nothing that the node says. What the drill did itself (kills, freezes, starts) it is told as marks; when a fault fired
is in the ledger.
"""

from __future__ import annotations

import json
import sqlite3
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any

from crash.judge.facts import Facts, Verdict
from crash.judge.journal import read_journal
from crash.judge.ledger import Ledger, read_ledger
from crash.judge.verdicts import judge as judge_crash
from runners.drills.counting import NoSuchMark, figure, matching
from runners.drills.expect import Expect, Expectation

JUDGED = (Verdict.LOST, Verdict.DOUBLED, Verdict.WRONG, Verdict.EXPOSED)
"""Of the crash matrix' verdicts; STUCK speaks of its canary, a drill says itself what must go on."""
SHOWN = 3


@dataclass(frozen=True, slots=True)
class Evidence:
    """What the judge is given.

    Attributes
    ----------
    ledger, journal
        Files of the venue and of the node.
    tag
        Of the account's client order ids.
    marks
        When the drill did what, in ns UTC.
    faults
        Names of everything that was to be broken at the venue.
    kills_ns
        When the process was killed or frozen.
    countdown_secs
        Of the configuration.
    """

    ledger: Path
    journal: Path
    tag: str
    marks: Mapping[str, int] = field(default_factory=dict)
    faults: tuple[str, ...] = ()
    kills_ns: tuple[int, ...] = ()
    countdown_secs: float = 30.0


@dataclass(frozen=True, slots=True)
class Check:
    """One sentence and whether it is true.

    Attributes
    ----------
    that, holds, seen
        What was demanded; whether it is so; what was seen.
    """

    that: str
    holds: bool
    seen: str


@dataclass(frozen=True, slots=True)
class Books:
    """What the venue's ledger says, in figures."""

    sent: int
    accepted: int
    ids: int
    most_per_id: int
    open_at_end: tuple[str, ...]
    stops_at_end: int
    trades: int
    positions: Mapping[str, str]
    countdowns_fired: int
    fees: str


@dataclass(frozen=True, slots=True)
class Judged:
    """The judgement.

    Attributes
    ----------
    books, checks
        Figures; sentences.
    """

    books: Books
    checks: tuple[Check, ...]

    @property
    def passes(self) -> bool:
        """Whether every sentence is true."""
        return all(check.holds for check in self.checks)


def rows_of(path: Path) -> list[dict[str, Any]]:
    """Lines of a ledger file; a torn last one is left out."""
    return [json.loads(line) for line in path.read_bytes().split(b"\n")[:-1]]


def fired(rows: list[dict[str, Any]]) -> dict[str, int]:
    """When each fault first fired, by its name."""
    first: dict[str, int] = {}
    for row in rows:
        if row["kind"] == "fault":
            first.setdefault(row["name"], row["ts_ns"])
    return first


def judge(evidence: Evidence, expect: Expect) -> Judged:
    """Judge one drill.

    Raises
    ------
    sqlite3.DatabaseError
        When the journal is damaged.
    """
    rows, ledger = rows_of(evidence.ledger), read_ledger(evidence.ledger)
    books = books_of(ledger, evidence.tag)
    marks = {**evidence.marks, **fired(rows)}
    checks = (
        *_broken(rows, evidence), *_always(books, expect), *_size(ledger, expect), *_verdicts(evidence, expect),
        *(_expected(one, rows, marks, evidence) for one in expect.checks),
    )  # fmt: skip
    return Judged(books, checks)


def books_of(ledger: Ledger, tag: str) -> Books:
    """Count what the ledger has of us."""
    mine = [order for order in ledger.ours(tag) if not order.is_algo]
    stops = [order for order in ledger.ours(tag) if order.is_algo and order.closed_ns is None]
    per_id = Counter(order.client_id for order in mine)
    symbols = sorted({symbol for _, symbol, _ in ledger.positions})
    return Books(
        sent=sum(one.client_id.find(tag) >= 0 for one in ledger.sent),
        accepted=len(mine),
        ids=len(per_id),
        most_per_id=max(per_id.values(), default=0),
        open_at_end=tuple(
            f"{order.logical} {order.side} ({order.status})" for order in mine if order.closed_ns is None
        ),
        stops_at_end=sum(order.closes for order in stops),
        trades=len(ledger.trades),
        positions={symbol: f"{ledger.net(symbol):f}" for symbol in symbols},
        countdowns_fired=len(ledger.countdown_fired_ns),
        fees=f"{sum((trade.fee for trade in ledger.trades), Decimal(0)):f}",
    )


def _broken(rows: list[dict[str, Any]], evidence: Evidence) -> Iterator[Check]:
    """A drill in which nothing broke proves nothing."""
    seen = fired(rows)
    missing = [name for name in evidence.faults if name not in seen]
    if evidence.faults:
        text = f"did not: {', '.join(missing)}" if missing else f"{len(evidence.faults)} in the ledger"
        yield Check("everything that was to break at the venue broke", not missing, text)


def _always(books: Books, expect: Expect) -> Iterator[Check]:
    enough = books.trades >= expect.min_trades
    yield Check(f"the node traded ({expect.min_trades} or more)", enough, f"{books.trades} trades")
    yield Check("no client id was accepted twice", books.most_per_id <= 1, f"{books.accepted} orders, {books.ids} ids")
    left = ", ".join(books.open_at_end) or "none"
    yield Check("no order of ours is open at the end", not books.open_at_end, left)
    held = {symbol: amount for symbol, amount in books.positions.items() if Decimal(amount)}
    shown = ", ".join(f"{symbol} {amount}" for symbol, amount in held.items()) or "flat"
    if expect.position == "flat":
        yield Check("the position is flat at the end", not held, shown)
    else:
        good = bool(held) and books.stops_at_end >= len(held)
        yield Check("the position has its stop at the venue at the end", good, f"{shown}, {books.stops_at_end} stops")


def _size(ledger: Ledger, expect: Expect) -> Iterator[Check]:
    """The position after each trade, at its price."""
    if expect.max_position_quote is None:
        return
    net: defaultdict[str, Decimal] = defaultdict(Decimal)
    largest = Decimal(0)
    for trade in ledger.trades:
        net[trade.symbol] += trade.quantity if trade.side == "BUY" else -trade.quantity
        largest = max(largest, abs(net[trade.symbol]) * trade.price)
    good = largest <= Decimal(repr(expect.max_position_quote))
    yield Check(f"no position was worth more than {expect.max_position_quote:g}", good, f"largest {largest:.2f}")


def _verdicts(evidence: Evidence, expect: Expect) -> Iterator[Check]:
    countdown = evidence.countdown_secs if expect.orphan_secs is None else expect.orphan_secs
    facts = Facts(
        evidence.tag, kills_ns=evidence.kills_ns, countdown_secs=countdown, confirm_secs=expect.bare_secs,
        canary=_first_after(evidence),
    )  # fmt: skip
    findings = judge_crash(evidence.ledger, evidence.journal, facts).findings
    for verdict in JUDGED:
        texts = [finding.text for finding in findings if finding.verdict is verdict]
        more = f" (and {len(texts) - SHOWN} more)" if len(texts) > SHOWN else ""
        yield Check(f"{verdict} 0", not texts, "; ".join(texts[:SHOWN]) + more if texts else "0")


def _first_after(evidence: Evidence) -> str:
    """Reason of the first order after the last kill: from there on the node answers for the account again."""
    last_ns = max(evidence.kills_ns, default=0)
    orders = read_journal(evidence.journal).orders.values()
    return next((order.why for order in orders if order.ts_ns > last_ns and not order.is_protective), "")


def _expected(one: Expectation, rows: list[dict[str, Any]], marks: Mapping[str, int], evidence: Evidence) -> Check:
    try:
        found = _figure(one, rows, marks, evidence)
    except (NoSuchMark, sqlite3.Error, ValueError, TypeError) as error:
        return Check(one.that, False, str(error))
    return Check(one.that, one.holds(found), f"{found:g}, wanted {one.bounds}")


def _figure(one: Expectation, rows: list[dict[str, Any]], marks: Mapping[str, int], evidence: Evidence) -> float:
    if one.ledger is not None:
        return figure(matching(rows, one.ledger, marks, evidence.tag), one.distinct, one.most_per)
    db = sqlite3.connect(f"{evidence.journal.resolve().as_uri()}?mode=ro", uri=True, timeout=2.0)
    try:
        row = db.execute(one.journal or "").fetchone()
    finally:
        db.close()
    return float(row[0] if row is not None and row[0] is not None else 0)
