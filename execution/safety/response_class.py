"""What an answer to a request proves (`recovery.md` 3): one table, used for our own requests and for the engine's rejects.

Only listed codes are a definite refusal; everything else is UNKNOWN and is decided by a query.
"""

from __future__ import annotations

import enum
import re
from collections.abc import Mapping
from dataclasses import dataclass


class ResponseClass(enum.StrEnum):
    """What is known about a request after its answer, or after there was none.

    ACK: it took effect. REJECTED: it did not, and will not. UNKNOWN: a query decides. NOT_SENT: no byte of it was written.
    BANNED: the address is shut out; for an order also UNKNOWN.
    """

    ACK = "ACK"
    REJECTED = "REJECTED"
    UNKNOWN = "UNKNOWN"
    NOT_SENT = "NOT_SENT"
    BANNED = "BANNED"


class Consequence(enum.StrEnum):
    """What an answer asks of us beyond its class.

    BACK_OFF: no entries for a while, and one by-id query after the fence as proof. CLOCK: the clock breaker opens, the offset is
    measured anew. QUERY: ask by client id. BAN: ban mode. KEY: the key, its permissions or the secret are wrong.
    """

    NONE = "none"
    BACK_OFF = "back_off"
    CLOCK = "clock"
    QUERY = "query"
    BAN = "ban"
    KEY = "key"


@dataclass(frozen=True, slots=True)
class Finding:
    """Class and consequence of an answer."""

    response: ResponseClass
    consequence: Consequence = Consequence.NONE


ACK = Finding(ResponseClass.ACK)
REJECTED = Finding(ResponseClass.REJECTED)
UNKNOWN = Finding(ResponseClass.UNKNOWN, Consequence.QUERY)
NOT_SENT = Finding(ResponseClass.NOT_SENT)
BANNED = Finding(ResponseClass.BANNED, Consequence.BAN)
THROTTLED = Finding(ResponseClass.REJECTED, Consequence.BACK_OFF)
LATE = Finding(ResponseClass.REJECTED, Consequence.CLOCK)
KEY = Finding(ResponseClass.REJECTED, Consequence.KEY)

_MALFORMED = (-1013, -1014, -1020, *range(-1131, -1099), -1136, -4015, -4061, -4088, -4120, -4137, -4138)
_FILTERS = (*range(-4007, -4000), -4013, -4014, -4016, -4023, -4024, -4029, -4030, -4131, -4164, -4183, -4184)
_MARGIN = (-2018, -2019, -2023, -2024, -2027, -2028, -4050, -4051, -4118)
_REDUCE_ONLY = (-2022, -2026, -4130)
_NOT_TAKEN = (-2020, -2021, -2025, -4045, -4140, -4141, -5021, -5022, -5027)
_SETTINGS = (-4028, -4046, -4059, -4068)

BY_CODE: Mapping[int, Finding] = {
    **dict.fromkeys((*_MALFORMED, *_FILTERS, *_MARGIN, *_REDUCE_ONLY, *_NOT_TAKEN, *_SETTINGS), REJECTED),
    **dict.fromkeys((-1003, -1008, -1015), THROTTLED),
    **dict.fromkeys((-1021, -5028), LATE),
    **dict.fromkeys((-1002, -1022, -2014, -2015, -2017), KEY),
    # -1000, -1001, -1006, -1007: may have executed. -2010: also spot's duplicate id. -2011, -2013: prove nothing by themselves.
    # -4116: an order with this id is open.
    **dict.fromkeys((-1000, -1001, -1006, -1007, -1016, -2010, -2011, -2013, -4116), UNKNOWN),
}
"""Codes of USD-M (Binance's error page), by what they prove about the request; a code that is not here is UNKNOWN."""

BY_STATUS: Mapping[int, Finding] = {403: THROTTLED, 418: BANNED, 429: THROTTLED}
"""HTTP status that decides whatever the body says."""

_THROTTLED_AT_THE_DOOR = -1008
_CODE = re.compile(r"(?<![\w.])-\d{4}(?!\d)")
_STATUS = re.compile(r"\b(?:HTTP|status)\D{0,12}(\d{3})\b", re.IGNORECASE)


def classify(status: int, code: int | None, *, readable: bool = True) -> Finding:
    """Say what an answer proves.

    Parameters
    ----------
    status
        HTTP status.
    code
        Binance's (negative) code, None when the body has none.
    readable
        Whether the body was the JSON that it should be. An acknowledgement that cannot be read is none: a proxy's page may
        come with status 200.
    """
    if status in BY_STATUS:
        return BY_STATUS[status]
    if code == _THROTTLED_AT_THE_DOOR:  # comes with 503, and is refused before it reaches the book
        return THROTTLED
    if 200 <= status < 300:
        return ACK if readable and code is None else UNKNOWN
    if not 400 <= status < 500 or code is None:
        return UNKNOWN
    return BY_CODE.get(code, UNKNOWN)


def classify_reject(reason: str) -> Finding:
    """Say what a reject that the engine reports proves; its text names Binance's code or an HTTP status.

    The engine also rejects on answers that prove nothing (-1000 with status 400): those rows re-open as UNKNOWN.
    """
    status = next((int(found) for found in _STATUS.findall(reason)), 400)
    code = next((int(found) for found in _CODE.findall(reason)), None)
    return UNKNOWN if 200 <= status < 300 else classify(status, code)
