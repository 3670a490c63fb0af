"""O-3: the life of an order as an explicit table.

``NEW → ACK → PARTIALLY_FILLED → FILLED | CANCELED``, beside PENDING_CANCEL, REJECTED, EXPIRED, UNKNOWN and NOT_EXECUTED. Nothing is
terminal on local evidence alone: what only we believe becomes UNKNOWN and counts fully in exposure until the venue has spoken.
An event that the table does not allow changes nothing and is returned as a record.
"""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal

ZERO = Decimal(0)


class Status(enum.StrEnum):
    """State of an order."""

    NEW = "NEW"
    ACK = "ACK"
    PARTIALLY_FILLED = "PARTIALLY_FILLED"
    PENDING_CANCEL = "PENDING_CANCEL"
    UNKNOWN = "UNKNOWN"
    FILLED = "FILLED"
    CANCELED = "CANCELED"
    REJECTED = "REJECTED"
    EXPIRED = "EXPIRED"
    NOT_EXECUTED = "NOT_EXECUTED"


class Happening(enum.StrEnum):
    """What happened to an order; fills come through `OrderLife.fill`."""

    ACCEPTED = "accepted"
    CANCEL_SENT = "cancel_sent"
    CANCEL_REFUSED = "cancel_refused"
    CANCELED = "canceled"
    REJECTED = "rejected"
    EXPIRED = "expired"
    NO_ANSWER = "no_answer"
    ABSENT = "absent"


class Evidence(enum.StrEnum):
    """Who says so.

    LOCAL is the engine or we; STREAM the venue's answer or user stream, which may repeat and reorder; QUERY the venue's answer
    to a question about this order, asked now.
    """

    LOCAL = "local"
    STREAM = "stream"
    QUERY = "query"


TERMINAL = frozenset({Status.FILLED, Status.CANCELED, Status.REJECTED, Status.EXPIRED, Status.NOT_EXECUTED})
OPEN = frozenset(Status) - TERMINAL

_S, _H = Status, Happening
_ENDS = {_H.CANCELED: _S.CANCELED, _H.EXPIRED: _S.EXPIRED}
_LIVE = (_S.ACK, _S.PARTIALLY_FILLED, _S.PENDING_CANCEL)

STREAM: Mapping[tuple[Status, Happening], Status] = {
    (_S.NEW, _H.ACCEPTED): _S.ACK,
    (_S.UNKNOWN, _H.ACCEPTED): _S.ACK,
    (_S.ACK, _H.ACCEPTED): _S.ACK,
    (_S.PARTIALLY_FILLED, _H.ACCEPTED): _S.PARTIALLY_FILLED,
    (_S.PENDING_CANCEL, _H.ACCEPTED): _S.PENDING_CANCEL,
    (_S.NEW, _H.REJECTED): _S.REJECTED,
    (_S.UNKNOWN, _H.REJECTED): _S.REJECTED,
    (_S.PENDING_CANCEL, _H.REJECTED): _S.REJECTED,
    (_S.PENDING_CANCEL, _H.CANCEL_REFUSED): _S.UNKNOWN,
    (_S.UNKNOWN, _H.CANCEL_REFUSED): _S.UNKNOWN,
    **{(state, _H.CANCEL_REFUSED): state for state in TERMINAL},
    (_S.FILLED, _H.ACCEPTED): _S.FILLED,
    (_S.CANCELED, _H.CANCELED): _S.CANCELED,
    (_S.EXPIRED, _H.EXPIRED): _S.EXPIRED,
    (_S.REJECTED, _H.REJECTED): _S.REJECTED,
    **{(state, end): _ENDS[end] for state in (_S.NEW, _S.UNKNOWN, *_LIVE) for end in _ENDS},
}
"""What the venue's answers and its stream may do. A refused cancel proves nothing: a query decides (`recovery.md` 4). Repeats,
a cancel that crossed a fill, and an acceptance that arrives after the fill change nothing."""

LOCAL: Mapping[tuple[Status, Happening], Status] = {
    **{(state, _H.CANCEL_SENT): _S.PENDING_CANCEL for state in OPEN},
    **{(state, _H.NO_ANSWER): _S.UNKNOWN for state in (_S.NEW, _S.ACK, _S.PENDING_CANCEL, _S.UNKNOWN)},
    (_S.PARTIALLY_FILLED, _H.NO_ANSWER): _S.UNKNOWN,
    **{(state, end): _S.UNKNOWN for state in OPEN for end in (_H.CANCELED, _H.REJECTED, _H.EXPIRED)},
}
"""What we or the engine may claim: never an end."""

QUERY: Mapping[tuple[Status, Happening], Status] = {
    **{key: to for key, to in STREAM.items() if key != (_S.FILLED, _H.ACCEPTED)},
    **{(state, _H.ACCEPTED): _S.ACK for state in (_S.CANCELED, _S.REJECTED, _S.EXPIRED, _S.NOT_EXECUTED)},
    (_S.NEW, _H.ABSENT): _S.NOT_EXECUTED,
    (_S.UNKNOWN, _H.ABSENT): _S.NOT_EXECUTED,
    (_S.PENDING_CANCEL, _H.ABSENT): _S.NOT_EXECUTED,
}
"""What a query proves: also that an order that we thought over is open (false terminal). FILLED but open
at the venue is a mismatch that no transition can mend."""

_TABLES = {Evidence.LOCAL: LOCAL, Evidence.STREAM: STREAM, Evidence.QUERY: QUERY}


@dataclass(frozen=True, slots=True)
class Step:
    """What one event did.

    Attributes
    ----------
    ts_ns, client_order_id
        When and to what.
    from_status, to_status
        Equal where nothing changed.
    what
        The happening, or ``fill``.
    evidence
        Who said so.
    legal
        False: the event was refused and changed nothing; record it and alert.
    alert
        Legal, but a person should know: a false terminal, a late fill, an overfill.
    detail
        Why, in words.
    """

    ts_ns: int
    client_order_id: str
    from_status: Status
    to_status: Status
    what: str
    evidence: Evidence
    legal: bool = True
    alert: bool = False
    detail: str = ""


@dataclass(slots=True)
class OrderLife:
    """One order and what is known of it.

    Attributes
    ----------
    client_order_id, quantity, is_exit
        Fixed; base units; whether it carries `reduceOnly`.
    sent_ns
        When it left.
    status, filled
        Now; base units booked.
    changed_ns, acked_ns, first_fill_ns, last_fill_ns
        When the state last changed; first acknowledged; fills. 0 where not yet.
    is_protective
        A venue-side protective stop, which never goes stale.
    """

    client_order_id: str
    quantity: Decimal
    sent_ns: int
    is_exit: bool = False
    is_protective: bool = False
    status: Status = Status.NEW
    filled: Decimal = ZERO
    changed_ns: int = 0
    acked_ns: int = 0
    first_fill_ns: int = 0
    last_fill_ns: int = 0
    _trades: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.changed_ns = self.changed_ns or self.sent_ns

    @property
    def leaves(self) -> Decimal:
        """Base units that can still fill; an UNKNOWN order counts fully."""
        return max(ZERO, self.quantity - self.filled) if self.status in OPEN else ZERO

    def apply(
        self, ts_ns: int, what: Happening, evidence: Evidence, *, definite: bool = True, after_fence: bool = False
    ) -> Step:
        """Take one event that is not a fill.

        Parameters
        ----------
        ts_ns
            When.
        what, evidence
            What happened and who says so.
        definite
            For REJECTED: the code is on the allow-list of definite refusals. Otherwise the order becomes UNKNOWN.
        after_fence
            For ABSENT: venue time is past the fence; before it, "not found" proves nothing.
        """
        if what is Happening.REJECTED and not definite:
            evidence = Evidence.LOCAL
        to = _TABLES[evidence].get((self.status, what))
        if what is Happening.ABSENT and evidence is Evidence.QUERY and not after_fence:
            return self._refused(ts_ns, what, evidence, "not found before the fence proves nothing")
        if to is None:
            return self._refused(ts_ns, what, evidence, f"{what} by {evidence} is not possible in {self.status}")
        if to in (Status.REJECTED, Status.NOT_EXECUTED) and self.filled > ZERO:
            return self._refused(ts_ns, what, evidence, f"{what} but {self.filled} is filled")
        reopened = self.status in TERMINAL and to in OPEN
        if to is Status.ACK and self.filled > ZERO:
            to = Status.PARTIALLY_FILLED
        if what is Happening.ACCEPTED and not self.acked_ns:
            self.acked_ns = ts_ns
        return self._moved(ts_ns, to, str(what), evidence, reopened, "it was thought to be over" if reopened else "")

    def fill(self, ts_ns: int, trade_id: str, quantity: Decimal, evidence: Evidence = Evidence.STREAM) -> Step:
        """Book one trade, once by its id; legal in every state, since the venue alone knows what was executed."""
        if evidence is Evidence.LOCAL:
            return self._refused(ts_ns, "fill", evidence, "only the venue reports fills")
        if quantity <= ZERO:
            return self._refused(ts_ns, "fill", evidence, f"a fill of {quantity} is none")
        if trade_id in self._trades:
            return Step(
                ts_ns, self.client_order_id, self.status, self.status, "fill", evidence, detail="already booked"
            )
        self._trades.add(trade_id)
        self.filled += quantity
        self.first_fill_ns, self.last_fill_ns = self.first_fill_ns or ts_ns, ts_ns
        self.acked_ns = self.acked_ns or ts_ns
        late, over = self.status in TERMINAL, self.filled > self.quantity
        detail = "more than ordered" if over else ("after it was thought to be over" if late else "")
        return self._moved(ts_ns, self._after_fill(), "fill", evidence, late or over, detail)

    def _after_fill(self) -> Status:
        if self.filled >= self.quantity:
            return Status.FILLED
        if self.status in (Status.REJECTED, Status.NOT_EXECUTED):
            return Status.UNKNOWN  # it was executed after all: only a query can say whether the rest is open
        if self.status in (Status.NEW, Status.ACK, Status.UNKNOWN):
            return Status.PARTIALLY_FILLED
        return self.status

    def _moved(self, ts_ns: int, to: Status, what: str, evidence: Evidence, alert: bool, detail: str) -> Step:
        came_from, self.status = self.status, to
        if came_from is not to:
            self.changed_ns = ts_ns
        return Step(ts_ns, self.client_order_id, came_from, to, what, evidence, alert=alert, detail=detail)

    def _refused(self, ts_ns: int, what: str, evidence: Evidence, detail: str) -> Step:
        return Step(
            ts_ns,
            self.client_order_id,
            self.status,
            self.status,
            str(what),
            evidence,
            legal=False,
            alert=True,
            detail=detail,
        )
