"""The order book of every instrument, kept once and read by gate, strategies and records.

The engine calls strategies before actors, whatever the order in which they were added, so the first strategy that is called for
an instrument becomes its owner and applies each batch; later calls for the same instrument change nothing. The book keeper's
call stands in while no strategy is there, and takes over when the owner has left.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from nautilus_trader.model import BookType, InstrumentId, OrderBook, OrderSide, Price

_SIZE_DIGITS = 8  # of a displayed size; Binance uses at most eight


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

    __slots__ = ("applied_ns", "book", "owner", "series", "top")

    def __init__(self, instrument_id: InstrumentId, owner: object, record: bool) -> None:
        self.book = OrderBook(instrument_id, BookType.L2_MBP)
        self.owner = owner
        self.top: Top | None = None
        self.series: TopSeries | None = TopSeries() if record else None
        self.applied_ns = -1


class Books:
    """All books of a run.

    Parameters
    ----------
    record
        Keep every change of the top for the run's ``market`` table. Off in long-running processes: it grows.
    from_quotes
        True for fidelity ``l1_trades``: quotes make the top. Otherwise depth does, and quotes, which the venue sends on a
        stream of their own that lags or leads, change nothing.
    """

    def __init__(self, *, record: bool = True, from_quotes: bool = False) -> None:
        self._record = record
        self._from_quotes = from_quotes
        self._books: dict[InstrumentId, _Book] = {}

    @property
    def from_quotes(self) -> bool:
        """True where there is no depth: the top comes from quotes."""
        return self._from_quotes

    def apply_deltas(self, deltas: Any, caller: object, *, keeper: bool = False) -> None:
        """Apply one venue message, if `caller` owns the instrument's book."""
        if self._from_quotes:
            return
        kept = self._owned(deltas, caller, keeper)
        if kept is None:
            return
        book = kept.book
        book.apply_deltas(deltas)
        bid, ask = book.best_bid_price(), book.best_ask_price()
        if bid is None or ask is None:
            kept.top = None
        else:
            digits = bid.precision  # float(Price) is off by an ulp for every second price: round it back
            self._set(kept, round(float(bid), digits), float(book.best_bid_size() or 0), round(float(ask), digits),
                      float(book.best_ask_size() or 0), deltas.ts_init)  # fmt: skip

    def apply_quote(self, quote: Any, caller: object, *, keeper: bool = False) -> None:
        """Take the top of book from a quote, where there is no depth (fidelity ``l1_trades``)."""
        if not self._from_quotes:
            return
        kept = self._owned(quote, caller, keeper)
        if kept is None:
            return
        digits = quote.bid_price.precision
        self._set(kept, round(float(quote.bid_price), digits), float(quote.bid_size),
                  round(float(quote.ask_price), digits), float(quote.ask_size), quote.ts_init)  # fmt: skip

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
        if self._from_quotes:
            return _displayed_at_top(kept.top, is_bid, price)
        best = kept.book.best_bid_price() if is_bid else kept.book.best_ask_price()
        if best is None:
            return 0.0
        taker = OrderSide.SELL if is_bid else OrderSide.BUY  # the book is asked from the side that would take the level
        return float(kept.book.get_quantity_at_level(Price(price, best.precision), taker, _SIZE_DIGITS))

    def series(self) -> dict[InstrumentId, TopSeries]:
        """Recorded changes of the top by instrument."""
        return {iid: kept.series for iid, kept in self._books.items() if kept.series is not None}

    def _owned(self, event: Any, caller: object, keeper: bool) -> _Book | None:
        kept = self._books.get(event.instrument_id)
        if kept is None:
            kept = self._books[event.instrument_id] = _Book(
                event.instrument_id, None if keeper else caller, self._record
            )
        mine = None if keeper else caller
        if kept.owner is not mine:
            if keeper and kept.applied_ns != event.ts_init:
                kept.owner = None  # the owner did not see this event: it has unsubscribed or stopped
            elif not keeper and kept.owner is None:
                kept.owner = caller  # a strategy that subscribed late is called before the keeper
            else:
                return None
        kept.applied_ns = event.ts_init
        return kept

    def _set(self, kept: _Book, bid: float, bid_size: float, ask: float, ask_size: float, ts_ns: int) -> None:
        old = kept.top
        top = Top(bid, bid_size, ask, ask_size, ts_ns)
        kept.top = top
        if kept.series is None:
            return
        if old is None or old.bid != bid or old.ask != ask or old.bid_size != bid_size or old.ask_size != ask_size:
            kept.series.add(top)


def _displayed_at_top(top: Top | None, is_bid: bool, price: float) -> float:
    if top is None:
        return 0.0
    best, size = (top.bid, top.bid_size) if is_bid else (top.ask, top.ask_size)
    return size if best == price else 0.0
