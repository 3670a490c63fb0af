"""The order book of every instrument, kept once and read by gate, strategies and records.

The engine calls the subscribers of a message in an order of its own, which differs from run to run. So whoever is called first for
a message applies it, before anybody acts on it; for the others it has been done. The book keeper is a subscriber like any other and
makes sure that there is one.

In a replay the tops are known ahead (`preload`): then a call only counts the message, and a real order book is built when one is
asked for. Live, or when the messages are not those that were announced, every message is applied to a real book.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from nautilus_trader.model import BookType, InstrumentId, OrderBook, OrderSide, Price

from risk.foreseen import Foreseen, Stretch
from risk.quiet import Quiet

NO_PRICES = (0.0, 0.0)
_SIZE_DIGITS = 8  # of a displayed size; Binance uses at most eight


class Top(NamedTuple):
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

    def extend(self, stretch: Stretch, rows: list[int]) -> None:
        """Append rows of a stretch."""
        self.ts_ns.extend(map(stretch.ts_ns.__getitem__, rows))
        self.bid.extend(map(stretch.bid.__getitem__, rows))
        self.bid_size.extend(map(stretch.bid_size.__getitem__, rows))
        self.ask.extend(map(stretch.ask.__getitem__, rows))
        self.ask_size.extend(map(stretch.ask_size.__getitem__, rows))


class KeptBook:
    """One instrument's book and the message that it stands at.

    Attributes
    ----------
    name
        The instrument's id as text.
    ts_ns
        Receipt time of the last message; -1 before the first.
    """

    __slots__ = (
        "before", "book", "foreseen", "instrument_id", "leader", "name", "others", "quiet", "seen", "sequence", "series",
        "surprised", "top", "ts_ns",
    )  # fmt: skip

    def __init__(self, instrument_id: InstrumentId, record: bool, quiet: Quiet) -> None:
        self.instrument_id, self.name, self.quiet = instrument_id, str(instrument_id), quiet
        self.book: OrderBook | None = None
        self.top: Top | None = None
        self.series: TopSeries | None = TopSeries() if record else None
        self.ts_ns, self.sequence = -1, -1  # of the last message
        self.leader: object = None  # who was called first for it
        self.others: list[object] = []  # and who after that
        self.foreseen: Foreseen | None = None
        self.seen = 0  # messages of `foreseen` for which `top` was made
        self.before: Top | None = None  # the top with which `foreseen` begins
        self.surprised = False  # something came that was not foreseen: never trust a stretch again

    def preload(self, stretch: Stretch) -> None:
        """Take the next stretch; refused unless everything so far was foreseen and has happened."""
        if self.foreseen is not None:
            if not self.foreseen.is_over:
                self.surprise()
            self.drain()
            self.before = self.current()
        if not self.surprised:
            self.foreseen, self.seen = Foreseen(stretch), 0

    def takes(self, ts_ns: int, sequence: int, caller: object) -> bool:
        """Note a call; True if it is the first for its message.

        The same subscriber called again means the next message, even one of the same time and sequence number.
        """
        again = caller is not self.leader and self.ts_ns == ts_ns and self.sequence == sequence
        if again and not any(caller is other for other in self.others):
            self.others.append(caller)
            return False
        self.ts_ns, self.sequence, self.leader = ts_ns, sequence, caller
        if self.others:
            self.others = []
        return True

    def apply(self, deltas: Any) -> None:
        """Take one message, of which `ts_ns` and `sequence` are set already."""
        foreseen = self.foreseen
        if foreseen is not None:
            if foreseen.step(self.ts_ns, self.sequence):
                if self.book is not None:
                    self.book.apply_deltas(deltas)
                return
            self.surprise()
        self.surprised = True
        book = self.live()
        book.apply_deltas(deltas)
        bid, ask = book.best_bid_price(), book.best_ask_price()
        if bid is None or ask is None:
            self.top = None
        else:
            digits = bid.precision  # float(Price) is off by an ulp for every second price: round it back
            self.set(Top(round(float(bid), digits), float(book.best_bid_size() or 0), round(float(ask), digits),
                         float(book.best_ask_size() or 0), self.ts_ns))  # fmt: skip

    def set(self, top: Top) -> None:
        """Take a top that was not foreseen."""
        old, self.top = self.top, top
        if self.series is not None and not _same(old, top):
            self.series.add(top)

    def live(self) -> OrderBook:
        """Return the real order book; from the first call on every message is applied to it."""
        if self.book is None:
            self.quiet.end()
            self.book = OrderBook(self.instrument_id, BookType.L2_MBP)
            if self.foreseen is not None:
                self.book.apply_deltas(self.foreseen.stretch.opening())
                for deltas in self.foreseen.stretch.batches[: self.foreseen.done]:
                    self.book.apply_deltas(deltas)
        return self.book

    def surprise(self) -> None:
        """Go on with a real book that holds what has been delivered."""
        self.live()
        self.current()
        self.drain()
        self.foreseen, self.surprised = None, True

    def current(self) -> Top | None:
        """Return the top now."""
        foreseen = self.foreseen
        if foreseen is not None and foreseen.done != self.seen:
            self.seen = foreseen.done
            self.top = _top(foreseen.stretch, self.seen - 1)
        return self.top

    def best(self) -> tuple[float, float]:
        """Best bid and ask now, (0, 0) where there is no top; cheaper than `current`, which also carries sizes."""
        foreseen = self.foreseen
        if foreseen is None:
            return (self.top.bid, self.top.ask) if self.top is not None else NO_PRICES
        row, stretch = foreseen.done - 1, foreseen.stretch
        if row < 0:
            return (self.before.bid, self.before.ask) if self.before is not None else NO_PRICES
        return (stretch.bid[row], stretch.ask[row]) if stretch.valid[row] else NO_PRICES

    def drain(self) -> None:
        """Record the changes among the messages delivered since the last call."""
        foreseen = self.foreseen
        if foreseen is None or self.series is None:
            return
        stretch = foreseen.stretch
        rows = stretch.changes(foreseen.drained, foreseen.done)
        if rows and rows[0] == 0 and (first := _top(stretch, 0)) is not None and _same(self.before, first):
            rows = rows[1:]
        self.series.extend(stretch, rows)
        foreseen.drained = foreseen.done


def _top(stretch: Stretch, row: int) -> Top | None:
    if not stretch.valid[row]:
        return None
    made = stretch.bid[row], stretch.bid_size[row], stretch.ask[row], stretch.ask_size[row], stretch.ts_ns[row]
    return tuple.__new__(Top, made)  # the hot path: the constructor of a named tuple is a call more


def _same(old: Top | None, new: Top) -> bool:
    return old is not None and (
        old.bid == new.bid and old.ask == new.ask and old.bid_size == new.bid_size and old.ask_size == new.ask_size
    )


class Books:
    """All books of a run.

    Parameters
    ----------
    record
        Keep every change of the top for the run's ``market`` table. Off in long-running processes: it grows.
    from_quotes
        True for fidelity ``l1_trades``: quotes make the top. Otherwise depth does, and quotes, which the venue sends on a
        stream of their own that lags or leads, change nothing.

    Attributes
    ----------
    quiet
        Messages of a replay that only have to be counted.
    """

    def __init__(self, *, record: bool = True, from_quotes: bool = False) -> None:
        self.quiet = Quiet()
        self._record = record
        self._from_quotes = from_quotes
        self._books: dict[InstrumentId, KeptBook] = {}
        self._named: dict[str, KeptBook] = {}

    @property
    def from_quotes(self) -> bool:
        """True where there is no depth: the top comes from quotes."""
        return self._from_quotes

    def preload(self, stretches: Iterable[Stretch]) -> None:
        """Say which messages come next and what they do to the book; the tops are then read from there as they come."""
        if self._from_quotes:
            return
        for stretch in stretches:
            (self._books.get(stretch.instrument_id) or self._new(stretch.instrument_id)).preload(stretch)

    def apply_deltas(self, deltas: Any, caller: object) -> KeptBook | None:
        """Apply one venue message; return the book if `caller` is the first that was called for it."""
        if self._from_quotes:
            return None
        if self.quiet.left:
            self.quiet.end()
        kept, ts_ns, sequence = self._books.get(deltas.instrument_id), deltas.ts_init, deltas.sequence
        if kept is None:
            kept = self._new(deltas.instrument_id)
        if not kept.takes(ts_ns, sequence, caller):
            return None
        foreseen = kept.foreseen
        if foreseen is None or kept.book is not None or not foreseen.step(ts_ns, sequence):
            kept.apply(deltas)  # everything but the hot path: a foreseen message of a book that nobody asks for
        return kept

    def apply_quote(self, quote: Any, caller: object) -> KeptBook | None:
        """Take the top from a quote, where there is no depth (fidelity ``l1_trades``); return as `apply_deltas` does."""
        if not self._from_quotes:
            return None
        kept = self._books.get(quote.instrument_id) or self._new(quote.instrument_id)
        if not kept.takes(quote.ts_init, 0, caller):
            return None
        digits = quote.bid_price.precision
        kept.set(Top(round(float(quote.bid_price), digits), float(quote.bid_size), round(float(quote.ask_price), digits),
                     float(quote.ask_size), kept.ts_ns))  # fmt: skip
        return kept

    def top(self, instrument_id: InstrumentId) -> Top | None:
        """Best bid and ask now; None before the first snapshot and while the book is cleared."""
        kept = self._books.get(instrument_id)
        return kept.current() if kept is not None else None

    def top_of(self, name: str) -> Top | None:
        """Return the same by the instrument's id as text, which is found sooner."""
        kept = self._named.get(name)
        return kept.current() if kept is not None else None

    def book(self, instrument_id: InstrumentId) -> OrderBook | None:
        """The live L2 book; read it, never change it."""
        kept = self._books.get(instrument_id)
        return kept.live() if kept is not None else None

    def displayed(self, instrument_id: InstrumentId, is_bid: bool, price: float) -> float:
        """Displayed size at `price` on one side, base units; 0 where there is no such level."""
        kept = self._books.get(instrument_id)
        if kept is None:
            return 0.0
        if self._from_quotes:
            return _displayed_at_top(kept.top, is_bid, price)
        if kept.foreseen is not None:
            return kept.foreseen.stretch.displayed(kept.foreseen.done, is_bid, price)
        book = kept.live()
        best = book.best_bid_price() if is_bid else book.best_ask_price()
        if best is None:
            return 0.0
        taker = OrderSide.SELL if is_bid else OrderSide.BUY  # the book is asked from the side that would take the level
        return float(book.get_quantity_at_level(Price(price, best.precision), taker, _SIZE_DIGITS))

    def series(self) -> dict[InstrumentId, TopSeries]:
        """Recorded changes of the top by instrument."""
        for kept in self._books.values():
            kept.drain()
        return {iid: kept.series for iid, kept in self._books.items() if kept.series is not None}

    def _new(self, instrument_id: InstrumentId) -> KeptBook:
        kept = self._books[instrument_id] = KeptBook(instrument_id, self._record, self.quiet)
        self._named[kept.name] = kept
        return kept


def _displayed_at_top(top: Top | None, is_bid: bool, price: float) -> float:
    if top is None:
        return 0.0
    best, size = (top.bid, top.bid_size) if is_bid else (top.ask, top.ask_size)
    return size if best == price else 0.0
