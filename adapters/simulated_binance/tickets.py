"""Reading an order request: parameters to a checked ticket, before anything happens at the book."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

from adapters.simulated_binance.codes import Code, Refused, missing
from adapters.simulated_binance.contract import ORDER_TYPES, TIMES_IN_FORCE, Contract
from adapters.simulated_binance.orders import Side

CLIENT_ID = re.compile(r"^[\.A-Z\:/a-z0-9_-]{1,36}$")
CONDITIONAL = frozenset({"STOP", "STOP_MARKET", "TAKE_PROFIT", "TAKE_PROFIT_MARKET", "TRAILING_STOP_MARKET"})
Params = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Ticket:
    """A request to place an order, read and held against the filters.

    Attributes
    ----------
    price
        Units; None for market orders.
    quantity
        Units; 0 when a closePosition order will find it out.
    full_answer
        Whether ``newOrderRespType=RESULT`` was asked for.
    """

    side: Side
    type: str
    tif: str
    price: int | None
    quantity: int
    client_id: str | None
    reduce_only: bool = False
    close_position: bool = False
    good_till_ms: int = 0
    position_side: str = "BOTH"
    working_type: str = "CONTRACT_PRICE"
    price_protect: bool = False
    stop_price: int = 0
    full_answer: bool = False
    self_trade: str | None = None


def need(params: Params, name: str) -> str:
    """Value of a mandatory parameter.

    Raises
    ------
    Refused
        -1102 when it is absent or empty.
    """
    value = params.get(name, "")
    if not value:
        raise missing(name)
    return value


def whole(params: Params, name: str) -> int | None:
    """Value of an optional integer parameter.

    Raises
    ------
    Refused
        -1100 when it is no integer.
    """
    value = params.get(name, "")
    if not value:
        return None
    try:
        return int(value)
    except ValueError as error:
        raise Refused(Code.ILLEGAL_CHARS, f"Illegal characters found in parameter '{name}'.") from error


def flag(params: Params, name: str) -> bool:
    """Value of an optional boolean parameter."""
    return params.get(name, "false").lower() == "true"


def read_side(params: Params) -> Side:
    """BUY or SELL."""
    text = need(params, "side")
    if text not in Side.__members__:
        raise Refused(Code.INVALID_SIDE)
    return Side[text]


def read_client_id(params: Params, name: str) -> str | None:
    """Client id in Binance's alphabet, at most 36 characters."""
    text = params.get(name)
    if text is None:
        return None
    if not CLIENT_ID.match(text):
        raise Refused(Code.INVALID_CL_ORD_ID_LEN)
    return text


def read_order(contract: Contract, params: Params, mark: Decimal | None, *, hedge_mode: bool) -> Ticket:
    """Read a regular order.

    Raises
    ------
    Refused
        With Binance's code for what is wrong with it.
    """
    side, kind = read_side(params), need(params, "type")
    if kind not in ORDER_TYPES:
        raise Refused(Code.INVALID_ORDER_TYPE)
    if kind in CONDITIONAL:
        raise Refused(Code.STOP_ORDER_SWITCH_ALGO)
    market = kind == "MARKET"
    tif = "GTC" if market else need(params, "timeInForce")
    if tif not in TIMES_IN_FORCE:
        raise Refused(Code.INVALID_TIF)
    check_position_side(params, hedge_mode=hedge_mode)
    reduce_only = flag(params, "reduceOnly")
    quantity = contract.read_quantity(need(params, "quantity"), market=market)
    price = None if market else contract.read_price(need(params, "price"), side, mark)
    reference = mark if price is None else contract.price.value(price)
    if reference is not None:
        contract.check_notional(reference, quantity, reduce_only=reduce_only)
    return Ticket(
        side,
        kind,
        tif,
        price,
        quantity,
        read_client_id(params, "newClientOrderId"),
        reduce_only=reduce_only,
        good_till_ms=(whole(params, "goodTillDate") or 0) if tif == "GTD" else 0,
        working_type=params.get("workingType", "CONTRACT_PRICE"),
        full_answer=params.get("newOrderRespType") == "RESULT",
        self_trade=params.get("selfTradePreventionMode"),
    )


def check_position_side(params: Params, *, hedge_mode: bool) -> None:
    """Hold positionSide against the account's mode; this venue trades one-way only.

    Raises
    ------
    Refused
        -4061.
    """
    if hedge_mode or params.get("positionSide", "BOTH") != "BOTH":
        raise Refused(Code.POSITION_SIDE_NOT_MATCH)
