"""EXPOSED: what stood at the venue without anybody to look after it."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

from crash.judge.facts import Facts, Finding, Verdict
from crash.judge.ledger import Ledger, VenueOrder

NS = 1_000_000_000
GRACE_NS = 3 * NS
"""For timers of a venue and a node on a busy machine; what is never closed or covered is found all the same."""


def exposed(ledger: Ledger, facts: Facts, ready_ns: int | None) -> Iterator[Finding]:
    """Find orphans that outlived the countdown, and positions without their stop.

    Parameters
    ----------
    ledger, facts
        Of the run.
    ready_ns
        When the last start was ready; None where it was not.
    """
    for kill_ns in facts.kills_ns:
        yield from _orphans(ledger, facts, kill_ns)
    yield from _bare(ledger, facts, ready_ns)


def _orphans(ledger: Ledger, facts: Facts, kill_ns: int) -> Iterator[Finding]:
    limit_ns = round(facts.countdown_secs * NS) + GRACE_NS
    for order in ledger.ours(facts.tag):
        if order.is_algo or order.accepted_ns > kill_ns + limit_ns:
            continue
        closed_ns = order.closed_ns or ledger.end_ns
        since_ns = max(kill_ns, order.accepted_ns)
        if closed_ns > kill_ns and closed_ns - since_ns > limit_ns:
            secs = (closed_ns - since_ns) / NS
            text = f"order {order.logical} stood open for {secs:.1f} s after the kill, allowed are {limit_ns / NS:g}"
            yield Finding(Verdict.EXPOSED, text)


def _bare(ledger: Ledger, facts: Facts, ready_ns: int | None) -> Iterator[Finding]:
    """While a node lives, and from READY on, a position has its stop within `confirm_secs`."""
    limit_ns = round(facts.confirm_secs * NS) + GRACE_NS
    for symbol, start_ns, end_ns in _held(ledger):
        for bare_from, bare_to in _uncovered(ledger, symbol, start_ns, end_ns):
            for alive_from, alive_to in _alive(facts, ready_ns, ledger.end_ns):
                left, right = max(bare_from, alive_from), min(bare_to, alive_to)
                if right - left > limit_ns:
                    bare = f"{symbol} had a position without its stop for {(right - left) / NS:.1f} s"
                    text = f"{bare}, allowed are {limit_ns / NS:g}"
                    yield Finding(Verdict.EXPOSED, text)


def _alive(facts: Facts, ready_ns: int | None, end_ns: int) -> Iterator[tuple[int, int]]:
    """Spans in which a node answers for the account: before the first kill, and from READY on."""
    first = min(facts.kills_ns, default=end_ns)
    yield 0, first
    if ready_ns is not None:
        yield max(ready_ns, max(facts.kills_ns, default=0)), end_ns


def _held(ledger: Ledger) -> Iterator[tuple[str, int, int]]:
    """Spans in which a symbol's position was not flat and kept its side."""
    open_since: dict[str, tuple[int, Decimal]] = {}
    for ts_ns, symbol, amount in ledger.positions:
        began = open_since.get(symbol)
        if began is not None and (not amount or (amount > 0) != (began[1] > 0)):
            yield symbol, began[0], ts_ns
            del open_since[symbol]
        if amount and symbol not in open_since:
            open_since[symbol] = (ts_ns, amount)
    for symbol, (since_ns, _) in open_since.items():
        yield symbol, since_ns, ledger.end_ns


def _uncovered(ledger: Ledger, symbol: str, start_ns: int, end_ns: int) -> Iterator[tuple[int, int]]:
    """Parts of a span in which no stop that closes the position waited."""
    stops = sorted((s for s in ledger.algos.values() if s.closes and s.symbol == symbol), key=lambda s: s.accepted_ns)
    at = start_ns
    for stop in stops:
        from_ns, to_ns = _span(stop, ledger.end_ns)
        if to_ns <= at or from_ns >= end_ns:
            continue
        if from_ns > at:
            yield at, from_ns
        at = max(at, to_ns)
    if at < end_ns:
        yield at, end_ns


def _span(stop: VenueOrder, end_ns: int) -> tuple[int, int]:
    return stop.accepted_ns, end_ns if stop.closed_ns is None else stop.closed_ns
