"""What a fault can do: to a request, to a stream event, to the venue. Documented in docs/simulated-binance.md."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field


class Piece(BaseModel):
    """Base of all pieces: unknown keys are errors."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Delay(Piece):
    """Let a request wait before the venue sees it, or an event before it is sent."""

    act: Literal["delay"]
    secs: float = Field(gt=0)


class DelayAnswer(Piece):
    """Execute at once, answer later."""

    act: Literal["delay_answer"]
    secs: float = Field(gt=0)


class Drop(Piece):
    """Lose it: a request is not executed and its connection closes; an event is not sent."""

    act: Literal["drop"]


class DropAnswer(Piece):
    """Execute the request and close the connection without an answer (a cancel's lost ack)."""

    act: Literal["drop_answer"]


class Hang(Piece):
    """Never answer, with the connection open."""

    act: Literal["hang"]
    execute: bool = Field(False, description="Whether the request is executed.")


class Answer(Piece):
    """Answer an error; `execute` decides whether the request took effect all the same."""

    act: Literal["answer"]
    status: int = Field(400, ge=200, le=599, description="HTTP status.")
    code: int | None = Field(None, description="Binance's code; None: a body that is no JSON.")
    msg: str | None = Field(None, description="Binance's text; None: the usual one of the code.")
    retry_after_secs: int | None = Field(None, ge=0, description="Retry-After header.")
    execute: bool = Field(False, description="True: executed, though the answer says otherwise.")


class AcceptLate(Piece):
    """The request reaches the book `secs` later; the caller hears `answer` at once (None: waits for the outcome)."""

    act: Literal["accept_late"]
    secs: float = Field(gt=0)
    answer: Answer | None = Field(None, description="What the caller is told meanwhile.")
    lose_connection: bool = Field(False, description="Close the connection at once instead of answering.")
    enforce_window: bool = Field(True, description="False: accepted even outside the receive window.")


class Truncate(Piece):
    """Send only the first part of the answer or event."""

    act: Literal["truncate"]
    keep: float = Field(0.5, ge=0, lt=1, description="Share of the bytes that is sent.")


class Corrupt(Piece):
    """Overwrite a byte of the answer or event so that it is no JSON."""

    act: Literal["corrupt"]


class Duplicate(Piece):
    """Send an event again."""

    act: Literal["duplicate"]
    copies: int = Field(1, ge=1, le=1000)


class Reorder(Piece):
    """Hold an event back until the next one of the same stream has been sent."""

    act: Literal["reorder"]


class Stall(Piece):
    """Hold an event back, and everything that follows it on its stream: late, and in order."""

    act: Literal["stall"]
    secs: float = Field(gt=0)


class CloseSockets(Piece):
    """Close web sockets."""

    act: Literal["close_sockets"]
    which: Literal["market", "user", "trading", "all"] = "all"


class SilenceSockets(Piece):
    """Send nothing on open sockets for a while; what happens meanwhile is lost."""

    act: Literal["silence_sockets"]
    which: Literal["market", "user", "trading", "all"] = "all"
    secs: float | None = Field(None, gt=0, description="None: until the socket is opened anew.")


class RefuseConnections(Piece):
    """Close the listener and every connection; open it again after `secs`, at `port` if given."""

    act: Literal["refuse_connections"]
    secs: float = Field(gt=0)
    port: int | None = Field(None, ge=1, le=65535, description="Where the listener opens again; None: same port.")


class Outage(Piece):
    """Answer every request with `status` for `secs`."""

    act: Literal["outage"]
    secs: float = Field(gt=0)
    status: int = Field(503, ge=500, le=599)
    code: int | None = Field(None, description="Binance's code; None: a body that is no JSON.")
    sockets: bool = Field(True, description="Also close all sockets and refuse new ones.")


class Ban(Piece):
    """Answer 418 to every request for `secs`."""

    act: Literal["ban"]
    secs: float = Field(gt=0)


class RateLimit(Piece):
    """Answer 429 to every request for `secs`."""

    act: Literal["rate_limit"]
    secs: float = Field(gt=0)


class LagQueries(Piece):
    """By-id queries answer -2013 for `lag_secs` after acceptance, during `secs`."""

    act: Literal["lag_queries"]
    lag_secs: float = Field(gt=0)
    secs: float | None = Field(None, gt=0, description="None: from now on.")


class ExpireListenKey(Piece):
    """End the listen key with a `listenKeyExpired` event."""

    act: Literal["expire_listen_key"]


class DeleteListenKey(Piece):
    """End the listen key as another client's DELETE does: without a word, sockets stay open."""

    act: Literal["delete_listen_key"]


class SkewClock(Piece):
    """Set the venue's clock `ms` ahead of real time."""

    act: Literal["skew_clock"]
    ms: int


class SkipDepth(Piece):
    """Lose the next depth updates of a symbol, so that `pu` does not continue."""

    act: Literal["skip_depth"]
    symbol: str
    count: int = Field(1, ge=1)


class CrossBook(Piece):
    """Publish a depth update whose best bid is above the best ask; the next update mends it."""

    act: Literal["cross_book"]
    symbol: str
    ticks: int = Field(5, ge=1)


class GapPrice(Piece):
    """Move the whole background market of a symbol at once."""

    act: Literal["gap_price"]
    symbol: str
    bps: Decimal = Field(description="Signed distance in basis points of the mid.")


class PersonTrade(Piece):
    """A person trades by hand on our account."""

    act: Literal["person_trade"]
    symbol: str
    side: Literal["BUY", "SELL"]
    quantity: Decimal = Field(gt=0)


class PersonOrder(Piece):
    """A person rests a limit order on our account."""

    act: Literal["person_order"]
    symbol: str
    side: Literal["BUY", "SELL"]
    quantity: Decimal = Field(gt=0)
    price: Decimal = Field(gt=0)


class PersonCancel(Piece):
    """A person cancels all open orders of a symbol, algo orders too."""

    act: Literal["person_cancel"]
    symbol: str


class ForcedClose(Piece):
    """The venue closes our position: liquidation, auto-deleveraging or settlement."""

    act: Literal["forced_close"]
    symbol: str
    how: Literal["liquidation", "adl", "settlement"] = "liquidation"
    fraction: Decimal = Field(Decimal(1), gt=0, le=1, description="Share of the position.")


class SettleFunding(Piece):
    """Settle funding now."""

    act: Literal["settle_funding"]
    symbol: str
    rate: Decimal | None = Field(None, description="None: the symbol's rate.")


class SetStatus(Piece):
    """Change the trading status of a symbol."""

    act: Literal["set_status"]
    symbol: str
    status: Literal["TRADING", "BREAK", "HALT", "PRE_TRADING"]


class SetHedgeMode(Piece):
    """Switch the account's position mode as a person would."""

    act: Literal["set_hedge_mode"]
    on: bool


RequestAction = Delay | DelayAnswer | Drop | DropAnswer | Hang | Answer | AcceptLate | Truncate | Corrupt
EventAction = Delay | Drop | Truncate | Corrupt | Duplicate | Reorder | Stall
VenueAction = (
    CloseSockets
    | SilenceSockets
    | RefuseConnections
    | Outage
    | Ban
    | RateLimit
    | LagQueries
    | ExpireListenKey
    | DeleteListenKey
    | SkewClock
    | SkipDepth
    | CrossBook
    | GapPrice
    | PersonTrade
    | PersonOrder
    | PersonCancel
    | ForcedClose
    | SettleFunding
    | SetStatus
    | SetHedgeMode
)
Action = Annotated[RequestAction | EventAction | VenueAction, Field(discriminator="act")]
REQUEST_ACTS = (Delay, DelayAnswer, Drop, DropAnswer, Hang, Answer, AcceptLate, Truncate, Corrupt)
EVENT_ACTS = (Delay, Drop, Truncate, Corrupt, Duplicate, Reorder, Stall)
