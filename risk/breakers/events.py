"""What the breakers are fed: plain values, named tuples because one is made for every market event."""

from __future__ import annotations

import enum
from typing import NamedTuple


class BookUpdate(NamedTuple):
    """One venue message applied to a book.

    Attributes
    ----------
    ts_ns, ts_event_ns
        Receipt and exchange time; clock offset taken out of the receipt time.
    instrument_id
        As a string.
    bid, ask
        Best prices after the update, quote units; 0 where a side is empty.
    gap
        The message does not follow the one before it.
    snapshot
        The message replaced the whole book.
    """

    ts_ns: int
    ts_event_ns: int
    instrument_id: str
    bid: float
    ask: float
    gap: bool = False
    snapshot: bool = False


class Print(NamedTuple):
    """One market trade.

    Attributes
    ----------
    ts_ns, ts_event_ns, instrument_id
        As in `BookUpdate`.
    price
        Quote units.
    """

    ts_ns: int
    ts_event_ns: int
    instrument_id: str
    price: float


class OrderAnswer(enum.StrEnum):
    """How the venue answered an order."""

    ACCEPTED = "accepted"
    FILLED = "filled"
    REJECTED = "rejected"
    POST_ONLY_REFUSED = "post_only_refused"


class OrderNews(NamedTuple):
    """An answer of the venue to one of our orders.

    Attributes
    ----------
    ts_ns, instrument_id, client_order_id
        When and of what.
    answer
        See `OrderAnswer`; our own gate's refusals are not news of the venue.
    detail
        The venue's words.
    """

    ts_ns: int
    instrument_id: str
    client_order_id: str
    answer: OrderAnswer
    detail: str = ""


class FillNews(NamedTuple):
    """A fill with what was known when its order was decided.

    Attributes
    ----------
    ts_ns, instrument_id, client_order_id
        When and of what.
    side
        +1 bought, -1 sold.
    price
        Quote units.
    decision_mid
        Mid when the order was decided, quote units; None where it is not known.
    """

    ts_ns: int
    instrument_id: str
    client_order_id: str
    side: int
    price: float
    decision_mid: float | None


class ClockReading(NamedTuple):
    """Both clocks of the machine, and the venue's where it was asked.

    Attributes
    ----------
    ts_ns
        Wall clock, UTC.
    monotonic_ns
        Monotonic clock.
    offset_ms
        Our clock minus the venue's, milliseconds; None where this reading did not ask.
    """

    ts_ns: int
    monotonic_ns: int
    offset_ms: float | None = None


class ApiUse(NamedTuple):
    """Budget use as the venue's answer headers state it.

    Attributes
    ----------
    ts_ns
        When.
    budget
        Which one, such as ``weight_1m`` or ``orders_10s``.
    used, limit
        In the budget's own unit; `limit` above 0.
    """

    ts_ns: int
    budget: str
    used: int
    limit: int
