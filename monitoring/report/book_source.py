"""Read the order book of a window back from the catalog that a run replayed."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

from nautilus_trader.model import BookAction, OrderBookDeltas, OrderSide

from catalog.store import Catalog, Kind, Period
from monitoring.report.book_grid import LevelChange


def read_levels(catalog: Path, instrument_id: str, start_ns: int, end_ns: int) -> Iterator[LevelChange]:
    """Yield the level changes of a window, the whole book at its start first.

    Raises
    ------
    CatalogMissing, InstrumentMissing, CorruptData
        When the catalog is not what it was during the run.
    """
    period = Period(start_ns, end_ns + 1)
    for chunk in Catalog(catalog).chunks([instrument_id], period, kinds=frozenset({Kind.DELTAS})):
        yield from level_changes(chunk)


def level_changes(batches: Iterable[OrderBookDeltas]) -> Iterator[LevelChange]:
    """Turn venue messages into level changes in the order in which they apply."""
    for batch in batches:
        for delta in batch.deltas:
            if delta.action == BookAction.CLEAR:
                yield LevelChange(batch.ts_init, is_bid=True, price=0.0, size=0.0, clear=True)
            else:
                size = 0.0 if delta.action == BookAction.DELETE else delta.order.size.as_double()
                is_bid = delta.order.side == OrderSide.BUY
                yield LevelChange(batch.ts_init, is_bid, delta.order.price.as_double(), size)
