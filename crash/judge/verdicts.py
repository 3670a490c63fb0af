"""The five verdicts, to the last unit."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator
from decimal import ROUND_HALF_EVEN, Decimal
from pathlib import Path

from crash.judge.exposure import exposed
from crash.judge.facts import Activity, Facts, Finding, Judgement, Verdict
from crash.judge.journal import Journal, JournalOrder, read_journal
from crash.judge.ledger import Ledger, VenueOrder, read_ledger

ZERO = Decimal(0)
UNIT = Decimal("1e-8")
CLOCKS_NS = 100_000_000
"""What a node may believe of the venue's clock."""
WALLET_MS = 1500
"""A reading of the wallet is of some instant within this of its stamp."""


def judge(ledger_path: Path, journal_path: Path, facts: Facts) -> Judgement:
    """Judge one run by its two files.

    Parameters
    ----------
    ledger_path, journal_path
        Of the venue; of the node.
    facts
        What the run knows beside them.

    Raises
    ------
    sqlite3.DatabaseError
        When the journal is damaged.
    """
    ledger, journal = read_ledger(ledger_path), read_journal(journal_path)
    canary = _canary(journal, facts)
    ready_ns = canary.ts_ns if canary is not None else None
    findings = (
        *_lost(ledger, journal, facts), *_doubled(ledger, journal, facts), *_wrong(ledger, journal, facts),
        *_stuck(ledger, facts, canary), *exposed(ledger, facts, ready_ns),
    )  # fmt: skip
    return Judgement(findings, _activity(ledger, facts))


def _activity(ledger: Ledger, facts: Facts) -> Activity:
    mine = [order for order in ledger.ours(facts.tag) if not order.is_algo]
    return Activity(
        len(mine), sum(order.was_partial for order in mine), sum(order.status == "CANCELED" for order in mine)
    )


# LOST ---------------------------------------------------------------------------------------------------------------------


def _lost(ledger: Ledger, journal: Journal, facts: Facts) -> Iterator[Finding]:
    booked = {(fill.symbol, fill.trade_id) for fill in journal.fills}
    for order in ledger.ours(facts.tag):
        if order.logical not in journal.orders:
            yield Finding(Verdict.LOST, f"order {order.logical} ({order.number}) of the venue is not in the journal")
        given_up = journal.settled.get(order.logical, order.accepted_ns)
        if given_up < order.accepted_ns:
            secs = (order.accepted_ns - given_up) / 1e9
            yield Finding(Verdict.LOST, f"order {order.logical} was given up {secs:.1f} s before the venue accepted it")
        if order.closed_ns is None and not _protects(ledger, order):
            yield Finding(Verdict.LOST, f"order {order.logical} of ours is open at the venue ({order.status})")
    for trade in ledger.trades:
        if (trade.symbol, str(trade.number)) not in booked:
            text = f"trade {trade.number} ({trade.side} {trade.quantity} of {trade.client_id}) is not in the journal"
            yield Finding(Verdict.LOST, text)
    standing = {order.logical for order in ledger.ours(facts.tag) if order.closed_ns is None}
    for row in journal.orders.values():
        if not row.is_over and not (row.client_order_id in standing and row.is_protective and ledger.net(row.symbol)):
            yield Finding(
                Verdict.LOST, f"order {row.client_order_id} ({row.why}) is not over in the journal: {row.status}"
            )


def _protects(ledger: Ledger, order: VenueOrder) -> bool:
    return order.closes and bool(ledger.net(order.symbol))


# DOUBLED ------------------------------------------------------------------------------------------------------------------


def _doubled(ledger: Ledger, journal: Journal, facts: Facts) -> Iterator[Finding]:
    mine = ledger.ours(facts.tag)
    for client_id, count in Counter(order.client_id for order in mine).items():
        if count > 1:
            yield Finding(Verdict.DOUBLED, f"{count} orders of the venue have the id {client_id}")
    executed: defaultdict[str, Decimal] = defaultdict(Decimal)
    for trade in ledger.trades:
        executed[trade.client_id] += trade.quantity
    for row in journal.orders.values():
        total = next((executed[order.client_id] for order in mine if order.logical == row.client_order_id), ZERO)
        if not row.is_protective and total > row.quantity:
            yield Finding(Verdict.DOUBLED, f"order {row.client_order_id} of {row.quantity} was executed for {total}")
        if not row.is_protective and row.filled > row.quantity:
            yield Finding(
                Verdict.DOUBLED, f"order {row.client_order_id} of {row.quantity} is booked as filled {row.filled}"
            )
    for key, count in Counter((fill.symbol, fill.trade_id) for fill in journal.fills).items():
        if count > 1:
            yield Finding(Verdict.DOUBLED, f"trade {key[1]} is booked {count} times")
    decided: defaultdict[str, set[int]] = defaultdict(set)
    for client_id, decided_ns in journal.refused:
        decided[client_id].add(decided_ns)
        known = journal.orders.get(client_id)  # the same decision, denied: it was looked at again, and did not leave
        if known is not None and (known.ts_ns, known.status) != (decided_ns, "DENIED"):
            yield Finding(Verdict.DOUBLED, f"id {client_id} was given out a second time, and refused by the gate alone")
    for client_id, times in decided.items():
        if len(times) > 1:
            yield Finding(Verdict.DOUBLED, f"id {client_id} was given out {len(times)} times, and refused each time")
    yield from _sent_late(ledger, journal, facts)


def _sent_late(ledger: Ledger, journal: Journal, facts: Facts) -> Iterator[Finding]:
    """An intent decided before a crash that was signed after it."""
    decided = {order.client_order_id: order.ts_ns for order in journal.orders.values()}
    counted = Counter(one.client_id for one in ledger.sent)
    for client_id, times in counted.items():
        if client_id and times > 1:
            yield Finding(Verdict.DOUBLED, f"{client_id} was sent {times} times")
    logical = {order.client_id: order.logical for order in ledger.ours(facts.tag)}
    for one in ledger.sent:
        known = decided.get(logical.get(one.client_id, one.client_id.rpartition("R")[2]))
        late = next(
            (k for k in facts.kills_ns if known is not None and known < k < one.signed_ms * 1_000_000 - CLOCKS_NS), None
        )
        if late is not None:
            secs = (one.signed_ms * 1_000_000 - late) / 1e9
            yield Finding(
                Verdict.DOUBLED, f"{one.client_id} was decided before the crash and signed {secs:.2f} s after it"
            )


# WRONG --------------------------------------------------------------------------------------------------------------------


def _wrong(ledger: Ledger, journal: Journal, facts: Facts) -> Iterator[Finding]:
    known = {(trade.symbol, str(trade.number)): trade for trade in ledger.trades}
    for fill in journal.fills:
        trade = known.get((fill.symbol, fill.trade_id))
        if trade is None:
            yield Finding(Verdict.WRONG, f"fill {fill.trade_id} ({fill.side} {fill.quantity}) is no trade of the venue")
        elif (trade.side, trade.price, trade.quantity, trade.fee) != (fill.side, fill.price, fill.quantity, fill.fee):
            yield Finding(
                Verdict.WRONG,
                f"trade {fill.trade_id}: venue {trade.side} {trade.quantity} @ {trade.price} fee {trade.fee}, "
                f"journal {fill.side} {fill.quantity} @ {fill.price} fee {fill.fee}",
            )
    for symbol in sorted({name for _, name, _ in ledger.positions}):
        if ledger.net(symbol) != journal.net(symbol):
            text = f"position of {symbol}: venue {ledger.net(symbol)}, journal {journal.net(symbol)}"
            yield Finding(Verdict.WRONG, text)
        last = next((f.position_after for f in reversed(journal.fills) if f.symbol == symbol), ZERO)
        if last != journal.net(symbol):
            text = f"position of {symbol}: the journal's fills sum to {journal.net(symbol)}, its last row says {last}"
            yield Finding(Verdict.WRONG, text)
    yield from _orders_differ(ledger, journal, facts)
    yield from _money_differs(ledger, journal)


def _orders_differ(ledger: Ledger, journal: Journal, facts: Facts) -> Iterator[Finding]:
    for order in ledger.ours(facts.tag):
        row = journal.orders.get(order.logical)
        if row is None or order.is_algo:
            continue
        if row.reduce_only and not order.reduce_only:
            yield Finding(
                Verdict.WRONG, f"order {order.logical} may only reduce, says the journal; at the venue it could open"
            )
        if not row.is_over:
            continue
        if row.filled != order.filled or not _same_end(row, order):
            yield Finding(
                Verdict.WRONG,
                f"order {order.logical}: venue {order.status} filled {order.filled}, journal {row.status} filled {row.filled}",
            )


def _same_end(row: JournalOrder, order: VenueOrder) -> bool:
    alike = {"EXPIRED_IN_MATCH": {"EXPIRED"}, "CANCELED": {"CANCELED"}, "EXPIRED": {"EXPIRED", "CANCELED"}}
    return order.closed_ns is None or row.status in alike.get(order.status, {order.status})


def _money_differs(ledger: Ledger, journal: Journal) -> Iterator[Finding]:
    fees = sum((t.fee for t in ledger.trades), ZERO), sum((f.fee for f in journal.fills), ZERO)
    if fees[0] != fees[1]:
        yield Finding(Verdict.WRONG, f"fees: venue {fees[0]}, journal {fees[1]}")
    realised = sum((t.realised for t in ledger.trades), ZERO), realised_of(journal)
    if realised[0] != realised[1]:
        yield Finding(Verdict.WRONG, f"realised P&L: venue {realised[0]}, journal {realised[1]}")
    last_start = max(journal.started.values(), default=0)
    for number, amount, ts_ns in ledger.funding:
        if ts_ns > last_start:
            continue  # of the session that still ran: it is booked when that ends
        if journal.funding.get(number) != amount:
            yield Finding(Verdict.WRONG, f"funding {number}: venue {amount}, journal {journal.funding.get(number)}")
    for ts_ms, balance in journal.wallets:
        if balance not in _wallets_about(ledger, ts_ms):
            yield Finding(
                Verdict.WRONG, f"wallet at {ts_ms}: the journal says {balance}, the venue had no such balance then"
            )


def _wallets_about(ledger: Ledger, ts_ms: int) -> set[Decimal]:
    low, high = (ts_ms - WALLET_MS) * 1_000_000, (ts_ms + WALLET_MS) * 1_000_000
    found = {amount for ts_ns, amount in ledger.wallets if low <= ts_ns <= high}
    before = next((amount for ts_ns, amount in reversed(ledger.wallets) if ts_ns < low), None)
    return found if before is None else found | {before}


def realised_of(journal: Journal) -> Decimal:
    """Realised profit of all fills: average cost, what a closing trade releases rounded to 1e-8, as the venue books it."""
    held: dict[str, Decimal] = {}
    cost: dict[str, Decimal] = {}
    total = ZERO
    for fill in sorted(journal.fills, key=_venue_order):
        sign = 1 if fill.side == "BUY" else -1
        amount, spent = held.get(fill.symbol, ZERO), cost.get(fill.symbol, ZERO)
        closing = min(fill.quantity, abs(amount)) if amount * sign < 0 else ZERO
        if closing:
            whole = closing == abs(amount)
            released = spent if whole else _money(spent * closing / abs(amount))
            total += _money(-sign * closing * fill.price - released)
            spent -= released
        opening = fill.quantity - closing
        held[fill.symbol], cost[fill.symbol] = amount + sign * fill.quantity, spent + sign * opening * fill.price
    return total


def _venue_order(fill: object) -> tuple[int, str]:
    """Trades in the venue's order: its numbers rise."""
    trade_id = str(getattr(fill, "trade_id", ""))
    return (int(trade_id), "") if trade_id.isdecimal() else (0, trade_id)


def _money(value: Decimal) -> Decimal:
    return value.quantize(UNIT, ROUND_HALF_EVEN)


# STUCK --------------------------------------------------------------------------------------------------------------------


def _canary(journal: Journal, facts: Facts) -> JournalOrder | None:
    """The canary after the last kill."""
    last_ns = max(facts.kills_ns, default=0)
    return next((o for o in journal.orders.values() if o.ts_ns > last_ns and o.why == facts.canary), None)


def _stuck(ledger: Ledger, facts: Facts, canary: JournalOrder | None) -> Iterator[Finding]:
    if facts.expects == "refuse" and not any(name in facts.refused for name in facts.names):
        said = facts.refused or "it did not"
        yield Finding(Verdict.STUCK, f"the start should have refused ({' or '.join(facts.names)}): {said}")
    if facts.refusal is not None:
        yield Finding(Verdict.STUCK, f"the start refused, though nothing stands against it: {facts.refusal}")
    elif not facts.canary:
        return  # a session without a crash has none
    elif canary is None:
        yield Finding(Verdict.STUCK, "no canary was decided within the time: the start was never ready")
    else:
        yield from _canary_traded(ledger, facts, canary)


def _canary_traded(ledger: Ledger, facts: Facts, canary: JournalOrder) -> Iterator[Finding]:
    found = [order for order in ledger.ours(facts.tag) if order.logical == canary.client_order_id]
    traded = sum((order.filled for order in found), ZERO)
    if len(found) != 1 or traded != canary.quantity:
        yield Finding(
            Verdict.STUCK,
            f"the canary {canary.client_order_id} of {canary.quantity} traded {traded} in {len(found)} orders of the venue",
        )


def judge_dead(ledger_path: Path, journal_path: Path, tag: str, at_ns: int) -> tuple[Finding, ...]:
    """Judge what a dead process has left behind: nothing may be over in the journal that is open at the venue (I2).

    Parameters
    ----------
    ledger_path, journal_path
        Of the venue; of the process that has ended.
    tag, at_ns
        Of our orders; when it ended.
    """
    ledger, journal = read_ledger(ledger_path), read_journal(journal_path)
    found = []
    for order in ledger.ours(tag):
        row = journal.orders.get(order.logical)
        stood = order.accepted_ns < at_ns and (order.closed_ns is None or order.closed_ns > at_ns)
        if row is not None and row.is_over and stood and not order.is_algo:
            text = f"order {order.logical} was over in the journal ({row.status}) while it was open at the venue ({order.status})"
            found.append(Finding(Verdict.LOST, text))
    return tuple(found)
