"""What the journal of a live node adds to what it is given: how an order leaves, how a session begins, tables in two parts."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from dataclasses import replace

import pyarrow as pa

from errors import SafetyRefusal
from execution import journal_chain, journal_venue, journal_writes
from execution.journal_venue import STRATEGIES, Whose
from execution.journal_writes import Handed, Run
from execution.safety.wire_ids import wire_id
from risk.request import OrderRequest

CONDITIONAL = frozenset({
    "STOP_MARKET", "STOP_LIMIT", "TRAILING_STOP_MARKET", "TRAILING_STOP_LIMIT", "MARKET_IF_TOUCHED", "LIMIT_IF_TOUCHED",
})  # fmt: skip
"""Types that go to the venue's service of conditional orders."""


def handed_of(request: OrderRequest, signed_ms: int) -> Handed:
    """What recovery needs to ask about an order; ids that are not of our form have no known spelling on the wire."""
    conditional = request.order_type in CONDITIONAL
    try:
        wire: str | None = wire_id(request.client_order_id)
    except ValueError:
        wire = None
    return Handed(wire, signed_ms, is_protective=conditional and request.reduce_only, is_algo=conditional)


def begin_run(run: Run, whose: Whose | None, draw: Callable[[], int], db: sqlite3.Connection) -> Run:
    """Write account, session and epoch: one that this file has never had.

    Raises
    ------
    SafetyRefusal
        When the file is another account's, or the end of its record was changed.
    """
    broken = next(journal_chain.tail_breaks(db), None)
    if broken is not None:
        raise SafetyRefusal(
            f"the journal was changed: {broken}; look at all of it with python -m runners.journal verify."
        )
    if whose is not None:
        journal_venue.claim(db, whose, run.started_ns)
    begun = replace(run, epoch=journal_venue.free_epoch(db, draw))
    journal_writes.begin(db, begun)
    journal_venue.draw_epoch(db, run.run_id, STRATEGIES, run.started_ns, lambda: begun.epoch)
    return begun


def joined(first: pa.Table, second: pa.Table) -> pa.Table:
    """One table behind the other, numbered through."""
    whole = pa.concat_tables([first, second])
    place = whole.schema.get_field_index("seq")
    return whole.set_column(place, whole.schema.field(place), pa.array(range(whole.num_rows), pa.int64()))
