"""The order book of every instrument, kept once and read by gate, strategies and records.

The engine calls strategies before actors, whatever the order in which they were added, so whoever is called first for an
instrument becomes its owner and applies each batch; later calls for the same instrument change nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from nautilus_trader.model import BookType, InstrumentId, OrderBook


@dataclass(frozen=True, slots=True)
class Top:
    """Best bid and ask with their displayed sizes, quote and base units.

    Attributes
    ----------
    bid, bid_size, ask, ask_size
        Best levels.
    ts_ns
        Receipt time of the update that made it.
    """

    bid: float
    bid_size: float
    ask: float
    ask_size: float
    ts_ns: int

    @property
    def mid(self) -> float:
        """(bid + ask) / 2."""
        return (self.bid + self.ask) / 2.0

    @property
    def is_crossed(self) -> bool:
        """True when the bid is at or above the ask: no price can be trusted."""
        return self.bid >= self.ask


@dataclass(slots=True)
class TopSeries:
    """Every change of the top of one book, as columns ready for Arrow."""

    ts_ns: list[int] = field(default_factory=list)
    bid: list[float] = field(default_factory=list)
    bid_size: list[float] = field(default_factory=list)
    ask: list[float] = field(default_factory=list)
    ask_size: list[float] = field(default_factory=list)

    def add(self, top: Top) -> None:
        """Append one row."""
        self.ts_ns.append(top.ts_ns)
        self.bid.append(top.bid)
        self.bid_size.append(top.bid_size)
        self.ask.append(top.ask)
        self.ask_size.append(top.ask_size)


class _Book:
    """One instrument's book with its owner."""

    __slots__ = ("book", "owner", "pending", "series", "top")

    def __init__(self, instrument_id: InstrumentId, owner: object, record: bool) -> None:
        self.book = OrderBook(instrument_id, BookType.L2_MBP)
        self.owner = owner
        self.top: Top | None = None
        self.series: TopSeries | None = TopSeries() if record else None
        self.pending: list[Callable[[], None]] = []


class Books:
    """All books of a run.

    Parameters
    ----------
    record
        Keep every change of the top for the run's ``market`` table. Off in long-running processes: it grows.
    """

    def __init__(self, *, record: bool = True) -> None:
        self._record = record
        self._books: dict[InstrumentId, _Book] = {}

    def apply_deltas(self, deltas: Any, caller: object) -> None:
        """Apply one venue message, if `caller` owns the instrument's book (the first caller does)."""
        kept = self._owned(deltas.instrument_id, caller)
        if kept is None:
            return
        book = kept.book
        book.apply_deltas(deltas)
        bid, ask = book.best_bid_price(), book.best_ask_price()
        if bid is None or ask is None:
            kept.top = None
        else:
            self._set(kept, float(bid), float(book.best_bid_size() or 0), float(ask), float(book.best_ask_size() or 0),
                      deltas.ts_init)  # fmt: skip
        self._settle(kept)

    def apply_quote(self, quote: Any, caller: object) -> None:
        """Take the top of book from a quote, where there is no depth (fidelity ``l1_trades``)."""
        kept = self._owned(quote.instrument_id, caller)
        if kept is None:
            return
        self._set(kept, float(quote.bid_price), float(quote.bid_size), float(quote.ask_price), float(quote.ask_size),
                  quote.ts_init)  # fmt: skip
        self._settle(kept)

    def top(self, instrument_id: InstrumentId) -> Top | None:
        """Best bid and ask now; None before the first snapshot and while the book is cleared."""
        kept = self._books.get(instrument_id)
        return kept.top if kept is not None else None

    def book(self, instrument_id: InstrumentId) -> OrderBook | None:
        """The live L2 book; read it, never change it."""
        kept = self._books.get(instrument_id)
        return kept.book if kept is not None else None

    def displayed(self, instrument_id: InstrumentId, is_bid: bool, price: float) -> float:
        """Displayed size at `price` on one side, base units; 0 where there is no such level."""
        kept = self._books.get(instrument_id)
        if kept is None:
            return 0.0
        for level in kept.book.bids() if is_bid else kept.book.asks():
            level_price = float(level.price)
            if level_price == price:
                return float(level.size())
            if (level_price < price) == is_bid:
                break
        return 0.0

    def after_next_update(self, instrument_id: InstrumentId, callback: Callable[[], None]) -> None:
        """Run `callback` once the batch that the venue has just processed is in the book.

        Order events of a batch reach strategies before the batch itself does.
        """
        kept = self._books.get(instrument_id)
        if kept is None:
            callback()
        else:
            kept.pending.append(callback)

    def series(self) -> dict[InstrumentId, TopSeries]:
        """Recorded changes of the top by instrument."""
        return {iid: kept.series for iid, kept in self._books.items() if kept.series is not None}

    def _owned(self, instrument_id: InstrumentId, caller: object) -> _Book | None:
        kept = self._books.get(instrument_id)
        if kept is None:
            kept = self._books[instrument_id] = _Book(instrument_id, caller, self._record)
        return kept if kept.owner is caller else None

    def _set(self, kept: _Book, bid: float, bid_size: float, ask: float, ask_size: float, ts_ns: int) -> None:
        old = kept.top
        top = Top(bid, bid_size, ask, ask_size, ts_ns)
        kept.top = top
        if kept.series is None:
            return
        if old is None or old.bid != bid or old.ask != ask or old.bid_size != bid_size or old.ask_size != ask_size:
            kept.series.add(top)

    @staticmethod
    def _settle(kept: _Book) -> None:
        if kept.pending:
            due, kept.pending = kept.pending, []
            for callback in due:
                callback()
