"""Binance's error codes as this venue answers them: one constructor per refusal."""

from __future__ import annotations

from collections.abc import Mapping
from enum import IntEnum

from errors import Recoverable


class Code(IntEnum):
    """Codes that the venue uses, named as Binance's documentation names them."""

    UNKNOWN = -1000
    DISCONNECTED = -1001
    TOO_MANY_REQUESTS = -1003
    UNEXPECTED_RESP = -1006
    TIMEOUT = -1007
    SERVER_BUSY = -1008
    INVALID_TIMESTAMP = -1021
    INVALID_SIGNATURE = -1022
    ILLEGAL_CHARS = -1100
    MANDATORY_PARAM_EMPTY_OR_MALFORMED = -1102
    BAD_PRECISION = -1111
    INVALID_TIF = -1115
    INVALID_ORDER_TYPE = -1116
    INVALID_SIDE = -1117
    BAD_INTERVAL = -1120
    BAD_SYMBOL = -1121
    INVALID_LISTEN_KEY = -1125
    CANCEL_REJECTED = -2011
    NO_SUCH_ORDER = -2013
    BAD_API_KEY_FMT = -2014
    REJECTED_MBX_KEY = -2015
    MARGIN_NOT_SUFFICIENT = -2019
    ORDER_WOULD_IMMEDIATELY_TRIGGER = -2021
    REDUCE_ONLY_REJECT = -2022
    MAX_OPEN_ORDER_EXCEEDED = -2025
    PRICE_LESS_THAN_ZERO = -4001
    QTY_LESS_THAN_ZERO = -4003
    QTY_LESS_THAN_MIN_QTY = -4004
    QTY_GREATER_THAN_MAX_QTY = -4005
    PRICE_LESS_THAN_MIN_PRICE = -4013
    PRICE_NOT_INCREASED_BY_TICK_SIZE = -4014
    INVALID_CL_ORD_ID_LEN = -4015
    PRICE_HIGHER_THAN_MULTIPLIER_UP = -4016
    QTY_NOT_INCREASED_BY_STEP_SIZE = -4023
    PRICE_LOWER_THAN_MULTIPLIER_DOWN = -4024
    INVALID_LEVERAGE = -4028
    MAX_STOP_ORDER_EXCEEDED = -4045
    NO_NEED_TO_CHANGE_MARGIN_TYPE = -4046
    NO_NEED_TO_CHANGE_POSITION_SIDE = -4059
    POSITION_SIDE_NOT_MATCH = -4061
    POSITION_SIDE_CHANGE_EXISTS = -4068
    MARKET_ORDER_REJECT = -4131
    DUPLICATED_CLIENT_TRAN_ID = -4116
    STOP_ORDER_SWITCH_ALGO = -4120
    CLOSE_POSITION_EXISTS = -4130
    SYMBOL_NOT_OPEN = -4140
    MIN_NOTIONAL = -4164
    FOK_ORDER_REJECT = -5021
    GTX_ORDER_REJECT = -5022
    NOT_CHANGED = -5027
    ME_RECVWINDOW_REJECT = -5028


TEXT: Mapping[Code, str] = {
    Code.UNKNOWN: "An unknown error occurred while processing the request.",
    Code.DISCONNECTED: "Internal error; unable to process your request. Please try again.",
    Code.TOO_MANY_REQUESTS: "Too many requests; current limit is exceeded.",
    Code.UNEXPECTED_RESP: "An unexpected response was received from the message bus. Execution status unknown.",
    Code.TIMEOUT: "Timeout waiting for response from backend server. Send status unknown; execution status unknown.",
    Code.SERVER_BUSY: "Server is currently overloaded with other requests. Please try again in a few minutes.",
    Code.INVALID_TIMESTAMP: "Timestamp for this request is outside of the recvWindow.",
    Code.INVALID_SIGNATURE: "Signature for this request is not valid.",
    Code.ILLEGAL_CHARS: "Illegal characters found in a parameter.",
    Code.MANDATORY_PARAM_EMPTY_OR_MALFORMED: "A mandatory parameter was not sent, was empty/null, or malformed.",
    Code.BAD_PRECISION: "Precision is over the maximum defined for this asset.",
    Code.INVALID_TIF: "Invalid timeInForce.",
    Code.INVALID_ORDER_TYPE: "Invalid orderType.",
    Code.INVALID_SIDE: "Invalid side.",
    Code.BAD_INTERVAL: "Invalid interval.",
    Code.BAD_SYMBOL: "Invalid symbol.",
    Code.INVALID_LISTEN_KEY: "This listenKey does not exist.",
    Code.CANCEL_REJECTED: "Unknown order sent.",
    Code.NO_SUCH_ORDER: "Order does not exist.",
    Code.BAD_API_KEY_FMT: "API-key format invalid.",
    Code.REJECTED_MBX_KEY: "Invalid API-key, IP, or permissions for action.",
    Code.MARGIN_NOT_SUFFICIENT: "Margin is insufficient.",
    Code.ORDER_WOULD_IMMEDIATELY_TRIGGER: "Order would immediately trigger.",
    Code.REDUCE_ONLY_REJECT: "ReduceOnly Order is rejected.",
    Code.MAX_OPEN_ORDER_EXCEEDED: "Reach max open order limit.",
    Code.PRICE_LESS_THAN_ZERO: "Price less than 0.",
    Code.QTY_LESS_THAN_ZERO: "Quantity less than or equal to zero.",
    Code.QTY_LESS_THAN_MIN_QTY: "Quantity less than min quantity.",
    Code.QTY_GREATER_THAN_MAX_QTY: "Quantity greater than max quantity.",
    Code.PRICE_LESS_THAN_MIN_PRICE: "Price less than min price.",
    Code.PRICE_NOT_INCREASED_BY_TICK_SIZE: "Price not increased by tick size.",
    Code.INVALID_CL_ORD_ID_LEN: "Client order id length should be less than 36 chars.",
    Code.PRICE_HIGHER_THAN_MULTIPLIER_UP: "Limit price can't be higher than the multiplier cap of the mark price.",
    Code.QTY_NOT_INCREASED_BY_STEP_SIZE: "Quantity not increased by step size.",
    Code.PRICE_LOWER_THAN_MULTIPLIER_DOWN: "Limit price can't be lower than the multiplier floor of the mark price.",
    Code.INVALID_LEVERAGE: "Leverage is not valid.",
    Code.MAX_STOP_ORDER_EXCEEDED: "Reach max stop order limit.",
    Code.NO_NEED_TO_CHANGE_MARGIN_TYPE: "No need to change margin type.",
    Code.NO_NEED_TO_CHANGE_POSITION_SIDE: "No need to change position side.",
    Code.POSITION_SIDE_NOT_MATCH: "Order's position side does not match user's setting.",
    Code.POSITION_SIDE_CHANGE_EXISTS: "Position side cannot be changed if there exists position or open orders.",
    Code.MARKET_ORDER_REJECT: "The counterparty's best price does not meet the PERCENT_PRICE filter limit.",
    Code.DUPLICATED_CLIENT_TRAN_ID: "ClientOrderId is duplicated.",
    Code.STOP_ORDER_SWITCH_ALGO: (
        "Order type not supported for this endpoint. Please use the Algo Order API endpoints instead."
    ),
    Code.CLOSE_POSITION_EXISTS: (
        "An open stop or take profit order with GTE and closePosition in the direction is existing."
    ),
    Code.SYMBOL_NOT_OPEN: "Invalid symbol status for opening position.",
    Code.MIN_NOTIONAL: "Order's notional must be no smaller than the minimum (unless you choose reduce only).",
    Code.FOK_ORDER_REJECT: "Due to the order could not be filled immediately, the FOK order has been rejected.",
    Code.GTX_ORDER_REJECT: ("Due to the order could not be executed as maker, the Post Only order will be rejected."),
    Code.NOT_CHANGED: "No need to modify the order.",
    Code.ME_RECVWINDOW_REJECT: "Timestamp for this request is outside of the ME recvWindow.",
}

STATUS: Mapping[Code, int] = {
    Code.TOO_MANY_REQUESTS: 429,
    Code.REJECTED_MBX_KEY: 401,
    Code.BAD_API_KEY_FMT: 401,
    Code.SERVER_BUSY: 503,
    Code.TIMEOUT: 408,
}
"""HTTP status of a code; 400 for all others."""


class Refused(Recoverable):
    """What the venue answers instead of a result.

    Attributes
    ----------
    code
        Binance's (negative) code.
    text
        Binance's ``msg``.
    status
        HTTP status.
    """

    def __init__(self, code: int, text: str | None = None, status: int | None = None) -> None:
        known = Code(code) if code in Code._value2member_map_ else None
        self.code = int(code)
        self.text = text if text is not None else TEXT.get(known, "") if known is not None else ""
        self.status = status if status is not None else STATUS.get(known, 400) if known is not None else 400
        super().__init__(f"{self.code} {self.text}")

    def body(self) -> dict[str, object]:
        """Answer body."""
        return {"code": self.code, "msg": self.text}


def missing(name: str) -> Refused:
    """Refuse a request that lacks a parameter."""
    return Refused(
        Code.MANDATORY_PARAM_EMPTY_OR_MALFORMED,
        f"Mandatory parameter '{name}' was not sent, was empty/null, or malformed.",
    )
