"""O-4: only listed codes are a refusal."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adapters.simulated_binance.codes import Code
from execution.safety.response_class import BY_CODE, Consequence, ResponseClass, classify, classify_reject

C, R = Consequence, ResponseClass
TABLE = [
    # 2xx
    (200, None, R.ACK, C.NONE),
    (201, None, R.ACK, C.NONE),
    # a body that refuses under a status that does not
    (200, -2019, R.UNKNOWN, C.QUERY),
    # filters, margin, reduce-only, post-only
    *[
        (400, code, R.REJECTED, C.NONE)
        for code in (-1013, -1111, -2018, -2019, -2022, -4003, -4014, -4164, -5021, -5022)
    ],
    (400, -1021, R.REJECTED, C.CLOCK),
    (400, -5028, R.REJECTED, C.CLOCK),
    # throttled
    (503, -1008, R.REJECTED, C.BACK_OFF),
    (400, -1008, R.REJECTED, C.BACK_OFF),
    (429, -1003, R.REJECTED, C.BACK_OFF),
    (429, -1015, R.REJECTED, C.BACK_OFF),
    (429, None, R.REJECTED, C.BACK_OFF),
    (403, None, R.REJECTED, C.BACK_OFF),
    # an order with this id is open
    (400, -4116, R.UNKNOWN, C.QUERY),
    # shut out
    (418, -1003, R.BANNED, C.BAN),
    (418, None, R.BANNED, C.BAN),
    # nothing is proved
    *[(400, code, R.UNKNOWN, C.QUERY) for code in (-1000, -1001, -1006, -1007, -2010, -2011, -2013, -9999)],
    *[(status, -1007, R.UNKNOWN, C.QUERY) for status in (408, 500, 502, 503, 504)],
    (503, -2019, R.UNKNOWN, C.QUERY),
    (502, None, R.UNKNOWN, C.QUERY),
    (400, None, R.UNKNOWN, C.QUERY),
    (404, None, R.UNKNOWN, C.QUERY),
    (302, None, R.UNKNOWN, C.QUERY),
    # the key
    (401, -2015, R.REJECTED, C.KEY),
    (400, -1022, R.REJECTED, C.KEY),
]


@pytest.mark.req("O-4")
@pytest.mark.parametrize(("status", "code", "response", "consequence"), TABLE)
def test_an_answer_proves_what_the_table_says(
    status: int, code: int | None, response: ResponseClass, consequence: Consequence
) -> None:
    finding = classify(status, code)
    assert (finding.response, finding.consequence) == (response, consequence)


@pytest.mark.req("O-4")
def test_an_acknowledgement_that_cannot_be_read_is_none() -> None:
    assert classify(200, None, readable=False).response is R.UNKNOWN


@pytest.mark.req("O-4")
@settings(database=None)
@given(st.integers(400, 599), st.integers(-9999, -1))
def test_a_code_that_is_not_listed_is_never_a_reject(status: int, code: int) -> None:
    response = classify(status, code).response
    if code not in BY_CODE and status not in (403, 418, 429):
        assert response is R.UNKNOWN
    if status >= 500 and code != -1008:
        assert response is R.UNKNOWN


@pytest.mark.req("O-4")
@settings(database=None)
@given(st.integers(300, 599), st.one_of(st.none(), st.integers(-9999, -1)))
def test_only_a_success_is_an_ack(status: int, code: int | None) -> None:
    assert classify(status, code).response is not R.ACK


@pytest.mark.req("O-4")
@pytest.mark.parametrize(
    ("reason", "response"),
    [
        # as rc6 words them over REST and over the trading socket
        ("submit-order-error: Binance error -2019 (HTTP 400): Margin is insufficient.", R.REJECTED),
        ("code=-2019: Margin is insufficient.", R.REJECTED),
        ("submit-order-error: Binance error -1000 (HTTP 400): An unknown error occurred.", R.UNKNOWN),
        ("submit-order-error: Binance error -2019 (HTTP 503): made up", R.UNKNOWN),
        ("submit-order-error: Binance error -1003 (HTTP 418): Too many requests.", R.BANNED),
        ("code=-4116: ClientOrderId is duplicated.", R.UNKNOWN),
        ("INFLIGHT_TIMEOUT", R.UNKNOWN),
        ("order 2024-1013 was refused", R.UNKNOWN),
        ("", R.UNKNOWN),
    ],
)
def test_an_engine_reject_counts_only_when_its_code_is_listed(reason: str, response: ResponseClass) -> None:
    assert classify_reject(reason).response is response


def test_what_our_venue_refuses_orders_with_is_listed() -> None:
    undecided = {Code.UNKNOWN, Code.DISCONNECTED, Code.UNEXPECTED_RESP, Code.TIMEOUT, Code.CANCEL_REJECTED}
    undecided |= {Code.NO_SUCH_ORDER, Code.DUPLICATED_CLIENT_TRAN_ID}
    assert {code for code in Code if classify(400, int(code)).response is R.UNKNOWN} == undecided
