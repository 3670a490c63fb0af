"""Every limit through the gate: just below, at and above it, with figures worked out by hand.

The books stand at 100.0 / 100.1: the mid is 100.05. The account holds 10,000; a perpetual's initial margin is 5 %.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from risk.config import DrawdownThrottle, RiskConfig
from risk.gate import RiskGate
from risk.request import OrderRequest, Side
from risk.throttles import ThrottleConfig
from risk.verdict import Reason, Refused
from tests.engine import KEY, WIDE, book
from tests.risk.account import ETH_KEY, Account, gate, market, order

SECOND = 1_000_000_000
NO_THROTTLES = {
    "max_orders_per_sec": None,
    "max_identical_orders": None,
    "collar_mid_bps": None,
    "collar_mark_bps": None,
}


def limited(**limits: Any) -> RiskConfig:
    return WIDE.model_copy(update=limits)


def throttled(**limits: Any) -> RiskConfig:
    return limited(throttles=ThrottleConfig.model_validate({**NO_THROTTLES, **limits}))


def refusal(made: RiskGate, request: OrderRequest) -> Refused | None:
    verdict = made.check(request)
    return verdict if isinstance(verdict, Refused) else None


def reason(made: RiskGate, request: OrderRequest) -> Reason | None:
    found = refusal(made, request)
    return None if found is None else found.reason


def resting(made: RiskGate, **changes: Any) -> None:
    made.view.add(order(**changes))


class Marked(Account):
    """An account on a venue that sends a mark price."""

    def mark_price(self, _iid: object) -> Any:
        return self if self.mark is not None else None

    @property
    def value(self) -> Any:
        return self

    def as_decimal(self) -> Decimal | None:
        return self.mark


@pytest.mark.req("R-2")
@pytest.mark.parametrize(
    ("quantity", "expected"), [("1.999", None), ("2", None), ("2.001", Reason.ORDER_QUANTITY)]
)  # fmt: skip
def test_order_quantity(quantity: str, expected: Reason | None) -> None:
    assert reason(gate(risk=limited(max_order_quantity=2.0)), order(quantity=quantity)) is expected


@pytest.mark.req("R-2")
@pytest.mark.parametrize(
    ("quantity", "expected"), [("9.999", None), ("10", None), ("10.001", Reason.ORDER_NOTIONAL)]
)  # fmt: skip
def test_order_notional(quantity: str, expected: Reason | None) -> None:
    made = gate(risk=limited(max_order_notional_quote=1000.5))  # 10 × 100.05
    assert reason(made, order(quantity=quantity)) is expected


@pytest.mark.req("R-2")
@pytest.mark.parametrize(
    ("quantity", "expected"), [("4.999", None), ("5", None), ("5.001", Reason.POSITION_NOTIONAL)]
)  # fmt: skip
def test_position_notional_to_the_last_step(quantity: str, expected: Reason | None) -> None:
    made = gate(Account(net={KEY: "10"}), risk=limited(max_position_notional_quote=2001.0))  # 20 × 100.05
    resting(made, quantity="5")
    assert reason(made, order(quantity=quantity)) is expected


def test_a_position_refusal_shows_both_figures() -> None:
    found = refusal(gate(risk=limited(max_position_notional_quote=2001.0)), order(quantity="20.001"))
    assert found is not None
    assert found.figures == {"value": "2001.10005", "limit": "2001"}


@pytest.mark.req("R-2")
@pytest.mark.parametrize(
    ("quantity", "expected"), [("4.999", None), ("5", None), ("5.001", Reason.GROSS_NOTIONAL)]
)  # fmt: skip
def test_gross_notional_adds_long_and_short_and_what_rests(quantity: str, expected: Reason | None) -> None:
    made = gate(Account(net={ETH_KEY: "-10"}), risk=limited(max_gross_notional_quote=2001.0))  # (12 + 3 + 5) × 100.05
    resting(made, instrument_id=ETH_KEY, side=Side.SELL, quantity="2")
    resting(made, quantity="3")
    assert reason(made, order(quantity=quantity)) is expected


@pytest.mark.req("R-2")
@pytest.mark.parametrize(
    ("quantity", "expected"), [("14.999", None), ("15", None), ("15.001", Reason.NET_NOTIONAL)]
)  # fmt: skip
def test_net_notional_lets_a_short_offset_a_long(quantity: str, expected: Reason | None) -> None:
    made = gate(Account(net={ETH_KEY: "-10"}), risk=limited(max_net_notional_quote=700.35))  # (−10 + 2 + 15) × 100.05
    resting(made, quantity="2")
    resting(made, instrument_id=ETH_KEY, side=Side.SELL, quantity="5")  # need not fill: the worst case is without it
    assert reason(made, order(quantity=quantity)) is expected


@pytest.mark.req("R-2")
@pytest.mark.parametrize(
    ("quantity", "expected"), [("6.999", None), ("7", None), ("7.001", Reason.NET_NOTIONAL)]
)  # fmt: skip
def test_reducing_a_hedge_counts_as_net_exposure(quantity: str, expected: Reason | None) -> None:
    made = gate(Account(net={KEY: "10", ETH_KEY: "-10"}), risk=limited(max_net_notional_quote=700.35))  # 7 × 100.05
    assert reason(made, order(side=Side.SELL, price="100.1", quantity=quantity)) is expected


def test_a_sale_that_brings_net_exposure_down_passes_also_above_the_limit() -> None:
    made = gate(Account(net={KEY: "20"}), risk=limited(max_net_notional_quote=700.35))
    assert reason(made, order(side=Side.SELL, price="100.1", quantity="1")) is None
    assert reason(made, order(quantity="1")) is Reason.NET_NOTIONAL


@pytest.mark.req("R-2")
@pytest.mark.parametrize(
    ("quantity", "expected"), [("9.999", None), ("10", None), ("10.001", Reason.MARGIN_FLOOR)]
)  # fmt: skip
def test_margin_floor_counts_every_instrument(quantity: str, expected: Reason | None) -> None:
    # (10 + 10) × 100.05 × 5 % = 100.05 of 10,005: 99 % stay free
    made = gate(Account(cash="10005", net={ETH_KEY: "-10"}), risk=limited(min_free_margin_pct=99.0))
    assert reason(made, order(quantity=quantity)) is expected


@pytest.mark.req("R-2")
@pytest.mark.parametrize(
    ("quantity", "expected"), [("9.999", None), ("10", None), ("10.001", Reason.GROSS_LEVERAGE)]
)  # fmt: skip
def test_gross_leverage(quantity: str, expected: Reason | None) -> None:
    made = gate(Account(cash="1000.5"), risk=limited(max_gross_leverage=1.0))
    assert reason(made, order(quantity=quantity)) is expected


@pytest.mark.req("R-2")
@pytest.mark.parametrize(("open_now", "expected"), [(1, None), (2, Reason.OPEN_ENTRIES), (3, Reason.OPEN_ENTRIES)])
def test_entries_per_symbol_count_every_strategy_and_no_exit(open_now: int, expected: Reason | None) -> None:
    made = gate(risk=limited(max_open_entries_per_symbol=2))
    resting(made, reduce_only=True, side=Side.SELL)
    resting(made, instrument_id=ETH_KEY)
    for _ in range(open_now):
        resting(made, strategy_id="other")
    assert reason(made, order()) is expected


SHRINK = limited(drawdown_throttle=DrawdownThrottle(start_pct=Decimal(2), stop_pct=Decimal(6)))


@pytest.mark.req("R-3")
@pytest.mark.parametrize(
    ("cash", "factor"), [("10000", 1.0), ("9800", 1.0), ("9700", 0.75), ("9600", 0.5), ("9400.4", 0.001), ("9400", 0.0)]
)  # fmt: skip
def test_entries_shrink_in_a_straight_line_of_the_drawdown(cash: str, factor: float) -> None:
    account = Account(cash="10000")
    made = gate(account, risk=SHRINK)
    made.observe(0)  # the peak
    account.cash = cash
    made.view.refresh()
    assert made.size_factor(KEY) == pytest.approx(factor, abs=1e-12)


@pytest.mark.req("R-3")
@pytest.mark.parametrize(("asked", "expected"), [(0.499, None), (0.5, None), (0.501, Reason.SIZE_FACTOR)])
def test_an_entry_of_more_than_its_share_is_refused(asked: float, expected: Reason | None) -> None:
    account = Account(cash="10000")
    made = gate(account, risk=SHRINK)
    made.observe(0)
    account.cash = "9600"  # 4 % down: half of what lies between 2 and 6
    made.view.refresh()
    assert reason(made, order(size_factor=asked)) is expected
    assert reason(made, order(size_factor=1.0, reduce_only=True)) is None


@pytest.mark.req("R-9")
@pytest.mark.parametrize(
    ("ts_ns", "expected"), [(70 * SECOND - 1, Reason.LOSS_STREAK), (70 * SECOND, None), (70 * SECOND + 1, None)]
)  # fmt: skip
def test_a_loss_streak_pauses_to_the_nanosecond(ts_ns: int, expected: Reason | None) -> None:
    made = gate(risk=limited(max_losses_in_a_row=2, loss_pause_secs=60))
    made.halts.losses.round_trip(9 * SECOND, Decimal("-0.01"))
    assert reason(made, order(ts_ns=9 * SECOND)) is None
    made.halts.losses.round_trip(10 * SECOND, Decimal("-0.01"))
    assert reason(made, order(ts_ns=ts_ns)) is expected
    assert reason(made, order(ts_ns=ts_ns, reduce_only=True)) is None


@pytest.mark.req("R-9")
@pytest.mark.parametrize(
    ("price", "expected"),
    [("99.8", None), ("99.7", None), ("99.6", Reason.PRICE_COLLAR), ("100.3", None), ("100.4", Reason.PRICE_COLLAR)],
)
def test_collar_around_the_mid(price: str, expected: Reason | None) -> None:
    made = gate(risk=throttled(collar_mid_bps=Decimal(30)))  # 99.7 to 100.3
    made.view.books.apply_deltas(book(1001, [(100.0, 0)]), "caller")  # 99.9 / 100.1: the mid is 100
    assert reason(made, order(price=price)) is expected


@pytest.mark.req("R-9")
@pytest.mark.parametrize(
    ("price", "expected"), [("99.7", None), ("99.5", None), ("99.4", Reason.PRICE_COLLAR), ("100.6", Reason.PRICE_COLLAR)]
)  # fmt: skip
def test_collar_around_the_mark(price: str, expected: Reason | None) -> None:
    made = gate(Marked(mark=Decimal(100)), risk=throttled(collar_mark_bps=Decimal(50)))  # 99.5 to 100.5
    assert reason(made, order(price=price)) is expected


def test_a_market_entry_is_held_against_the_collar_by_the_price_that_it_would_take() -> None:
    narrow = throttled(collar_mark_bps=Decimal(20))  # 99.8 to 100.2 around a mark of 100
    assert reason(gate(Marked(mark=Decimal(100)), risk=narrow), market()) is None  # 100.1
    assert reason(gate(Marked(mark=Decimal("99.8")), risk=narrow), market()) is Reason.PRICE_COLLAR  # 0.3 > 0.1996


@pytest.mark.req("R-9")
@pytest.mark.parametrize(
    ("ts_ns", "expected"), [(2 * SECOND - 1, Reason.ORDER_RATE), (2 * SECOND, None), (2 * SECOND + 1, None)]
)  # fmt: skip
def test_entries_per_second(ts_ns: int, expected: Reason | None) -> None:
    made = gate(risk=throttled(max_orders_per_sec=2))
    assert [reason(made, order(ts_ns=at)) for at in (SECOND, SECOND + 1)] == [None, None]
    assert reason(made, order(ts_ns=SECOND + 2, reduce_only=True)) is None  # exits need no allowance and use none
    assert reason(made, order(ts_ns=ts_ns)) is expected


@pytest.mark.req("R-9")
@pytest.mark.parametrize(("cancels", "expected"), [(3, None), (4, None), (5, Reason.CANCEL_RATIO)])
def test_cancels_per_fill(cancels: int, expected: Reason | None) -> None:
    made = gate(risk=throttled(max_cancels_per_fill=2, min_cancels=4, cancel_window_secs=60))
    for _ in range(2):
        made.throttles.on_fill(SECOND, "s")
    for _ in range(cancels):
        made.throttles.on_cancel(SECOND, "s")
    assert reason(made, order(ts_ns=2 * SECOND)) is expected


@pytest.mark.req("R-9")
@pytest.mark.parametrize(
    ("ts_ns", "expected"), [(11 * SECOND - 1, Reason.REPEATED_ORDER), (11 * SECOND, None), (11 * SECOND + 1, None)]
)  # fmt: skip
def test_identical_entries(ts_ns: int, expected: Reason | None) -> None:
    made = gate(risk=throttled(max_identical_orders=1, identical_window_secs=10))
    assert reason(made, order(ts_ns=SECOND)) is None
    assert reason(made, order(ts_ns=SECOND, quantity="1.001")) is None
    assert reason(made, order(ts_ns=ts_ns)) is expected


@pytest.mark.req("R-9")
@pytest.mark.parametrize(
    ("ts_ns", "expected"), [(31 * SECOND - 1, Reason.REENTRY), (31 * SECOND, None), (31 * SECOND + 1, None)]
)  # fmt: skip
def test_reentry_waits_on_the_symbol_that_went_flat(ts_ns: int, expected: Reason | None) -> None:
    made = gate(risk=throttled(reentry_cooldown_secs=30))
    made.throttles.on_flat(SECOND, "s", KEY)
    assert reason(made, order(ts_ns=ts_ns)) is expected
    assert reason(made, order(ts_ns=ts_ns, instrument_id=ETH_KEY)) is None
    assert reason(made, order(ts_ns=ts_ns, reduce_only=True)) is None
