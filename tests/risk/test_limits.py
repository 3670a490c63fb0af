"""R-2, R-1, R-3: exposure and losses at, below and above each limit."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from pydantic import ValidationError

from risk.config import RiskConfig
from risk.limits import Exposure, check_exposure
from risk.request import Side
from risk.verdict import Reason, Refused
from tests.risk.account import market, order

LIMITS = RiskConfig(
    max_order_notional_quote=1000, max_position_notional_quote=2000, max_gross_leverage=2, max_daily_loss_quote=100,
    max_drawdown_pct=5,
)  # fmt: skip


def exposure(**changes: Any) -> Exposure:
    values = {"net": 0, "resting_same_side": 0, "price": 100, "gross_elsewhere": 0, "worst_here": 0, "equity": 10_000}
    entries = int(changes.pop("open_entries", 0))
    decimals = {name: Decimal(str(value)) for name, value in (values | changes).items()}
    return Exposure(**decimals, open_entries=entries)


def reason(quantity: str, side: Side = Side.BUY, price: str = "100.0", **changes: Any) -> Reason | None:
    verdict = check_exposure(order(quantity=quantity, side=side, price=price), exposure(**changes), LIMITS)
    return verdict.reason if isinstance(verdict, Refused) else None


@pytest.mark.req("R-2")
@pytest.mark.parametrize(("quantity", "expected"), [("9.999", None), ("10", None), ("10.001", Reason.ORDER_NOTIONAL)])
def test_notional_per_order(quantity: str, expected: Reason | None) -> None:
    assert reason(quantity) == expected


@pytest.mark.req("R-2")
def test_a_buy_above_the_market_is_measured_at_its_own_price() -> None:
    assert reason("9.6", price="104.0") is None  # 998.40
    assert reason("9.7", price="104.0") == Reason.ORDER_NOTIONAL  # 1008.80
    assert reason("10.001", price="90.0") == Reason.ORDER_NOTIONAL  # never below the reference


@pytest.mark.req("R-2")
@pytest.mark.parametrize(
    ("net", "resting", "side", "quantity", "expected"),
    [
        ("10", "5", Side.BUY, "5", None),  # 20 × 100 = 2000
        ("10", "5", Side.BUY, "5.001", Reason.POSITION_NOTIONAL),
        ("-10", "5", Side.SELL, "5.001", Reason.POSITION_NOTIONAL),
        ("-10", "0", Side.BUY, "10", None),
        ("-25", "0", Side.BUY, "5", None),  # over the limit already, and this only reduces it
        ("-25", "0", Side.SELL, "0.001", Reason.POSITION_NOTIONAL),
        ("25", "46", Side.SELL, "1", Reason.POSITION_NOTIONAL),  # would flip to 22 short
    ],
)
def test_position_counts_what_rests(net: str, resting: str, side: Side, quantity: str, expected: Reason | None) -> None:
    assert reason(quantity, side, net=net, resting_same_side=resting, worst_here=net.strip("-")) == expected


@pytest.mark.req("R-2")
@pytest.mark.parametrize(
    ("elsewhere", "worst_here", "quantity", "expected"),
    [
        (19_000, 0, "10", None),  # 19,000 + 1,000 = 2 × 10,000
        (19_000, 0, "10.000", None),
        (19_000.1, 0, "10", Reason.GROSS_LEVERAGE),
        (19_000, 11, "10", Reason.GROSS_LEVERAGE),  # orders on the other side of this book could fill instead
    ],
)
def test_gross_leverage_counts_every_instrument(
    elsewhere: float, worst_here: float, quantity: str, expected: Reason | None
) -> None:
    assert reason(quantity, gross_elsewhere=elsewhere, worst_here=worst_here) == expected


@pytest.mark.req("R-2", "R-11")
def test_a_refusal_carries_value_and_limit() -> None:
    verdict = check_exposure(market(quantity="10.001"), exposure(price="100.05"), LIMITS)
    assert isinstance(verdict, Refused)
    assert verdict.detail == "order notional 1000.60005 > 1000"
    assert verdict.figures == {"value": "1000.60005", "limit": "1000"}


def test_an_order_larger_than_the_position_limit_is_a_mistake_in_the_file() -> None:
    with pytest.raises(ValidationError, match="an order that large could never be sent"):
        RiskConfig(
            max_order_notional_quote=2001, max_position_notional_quote=2000, max_daily_loss_quote=1, max_drawdown_pct=1
        )
