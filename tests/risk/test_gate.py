"""The gate: which check refuses, with which reason, and what may never be refused."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from risk.config import RiskConfig
from risk.costs import FeeRates
from risk.gate import RiskGate
from risk.loss import NS_PER_DAY
from risk.policy import Policy, WaiveEdge
from risk.request import OrderRequest, Side
from risk.venue_rules import VenueRules
from risk.verdict import APPROVED, Reason, Refused
from tests.engine import FREE, KEY, WIDE, book, funding
from tests.risk.account import ETH_KEY, Account, gate, market, order

SECOND = 1_000_000_000
TIGHT = RiskConfig(
    max_order_notional_quote=1000, max_position_notional_quote=2000, max_gross_leverage=2, max_daily_loss_quote=100,
    max_drawdown_pct=5,
)  # fmt: skip


def reason(made: RiskGate, request: OrderRequest) -> Reason | None:
    verdict = made.check(request)
    return verdict.reason if isinstance(verdict, Refused) else None


def test_an_entry_within_everything_is_approved() -> None:
    assert gate().check(order()) == APPROVED


@pytest.mark.req("B-8")
def test_warm_up_ends_at_its_last_nanosecond() -> None:
    made = gate(start_ns=5 * SECOND)
    assert reason(made, order(ts_ns=5 * SECOND - 1)) is Reason.WARM_UP
    assert reason(made, order(ts_ns=5 * SECOND)) is None


def test_entries_end_when_positions_are_closed() -> None:
    made = gate(end_ns=9 * SECOND)
    assert reason(made, order(ts_ns=9 * SECOND - 1)) is None
    assert reason(made, order(ts_ns=9 * SECOND)) is Reason.AFTER_END


def test_a_halt_refuses_with_its_first_reason() -> None:
    made = gate()
    made.halt("first")
    made.halt("second")
    verdict = made.check(order())
    assert isinstance(verdict, Refused)
    assert (verdict.reason, verdict.detail) == (Reason.HALTED, "first")


def test_a_halt_that_lasts_replaces_one_of_a_day_and_not_the_other_way_round() -> None:
    account = Account(cash="10000")
    made = gate(account, risk=TIGHT)
    made.observe(0)
    account.unrealised = "-100.01"
    made.observe(SECOND)
    assert (made.halted, made.halts.latched) == ("daily loss 100.01 > 100.00", False)
    made.halt("for good")
    made.observe(2 * SECOND)
    assert (made.halted, made.halts.latched) == ("for good", True)


@pytest.mark.req("R-1")
def test_a_daily_loss_latches_where_the_configuration_says_so() -> None:
    account = Account(cash="10000")
    made = gate(account, risk=TIGHT.model_copy(update={"daily_loss_latches": True}))
    made.observe(0)
    account.unrealised = "-100.01"
    made.observe(SECOND)
    assert made.halts.latched
    assert reason(made, order(ts_ns=NS_PER_DAY)) is Reason.HALTED


@pytest.mark.req("R-8")
def test_no_book_and_a_crossed_book_are_unusable() -> None:
    assert reason(gate(book=False), order()) is Reason.BOOK_UNUSABLE
    made = gate()
    made.view.books.apply_deltas(book(1001, [(100.1, 1)]), "caller")
    verdict = made.check(order())
    assert isinstance(verdict, Refused)
    assert (verdict.reason, verdict.figures) == (Reason.BOOK_UNUSABLE, {"bid": 100.1, "ask": 100.1})


@pytest.mark.req("O-12", "R-7")
@pytest.mark.parametrize(
    ("allowed", "kinds"),
    [("post_only", (True, False, False)), ("limit", (True, True, False)), ("market", (True, True, True))],
)
def test_the_policy_names_the_most_aggressive_entry(allowed: Any, kinds: tuple[bool, ...]) -> None:
    policy = Policy(entry_order=allowed, edge=WaiveEdge(waived="a test"))
    requests = (order(), order(post_only=False), market())
    assert tuple(gate(policy=policy).check(request) == APPROVED for request in requests) == kinds


@pytest.mark.parametrize("kind", ["STOP_MARKET", "STOP_LIMIT", "MARKET_TO_LIMIT", "TRAILING_STOP_MARKET"])
def test_an_unusual_entry_counts_as_market(kind: str) -> None:
    policy = Policy(entry_order="limit", edge=WaiveEdge(waived="a test"))
    assert reason(gate(policy=policy), order(order_type=kind, post_only=False)) is Reason.ORDER_TYPE


@pytest.mark.req("O-6")
def test_an_open_entry_blocks_a_further_one() -> None:
    made = gate(policy=Policy(edge=WaiveEdge(waived="a test"), max_open_entries=2))
    for _ in range(2):
        request = order()
        assert made.check(request) == APPROVED
        made.view.add(request)
    assert reason(made, order()) is Reason.OPEN_ENTRY
    assert reason(made, order(instrument_id=ETH_KEY)) is None  # another symbol
    made.view.add(order(reduce_only=True))
    made.view.close(request.client_order_id)
    assert reason(made, order()) is None  # an exit takes no room


@pytest.mark.req("O-1")
def test_an_approved_id_is_never_approved_again() -> None:
    made, request = gate(), order()
    assert made.check(request) == APPROVED
    assert reason(made, request) is Reason.ID_REUSED
    assert reason(made, replace(request, reduce_only=True)) is Reason.ID_REUSED


@pytest.mark.req("O-1")
@pytest.mark.parametrize("order_id", ["O-20240808-000000-001-001-1", "bt", "xx000000000001", "bt00000000000001"])
def test_an_id_that_this_run_did_not_make_is_refused(order_id: str) -> None:
    assert reason(gate(), order(client_order_id=order_id)) is Reason.ID_FORM


def test_a_refused_id_may_be_used_once_the_reason_is_gone() -> None:
    made, request = gate(start_ns=2 * SECOND), order(ts_ns=1 * SECOND)
    assert reason(made, request) is Reason.WARM_UP
    assert made.check(replace(request, ts_ns=2 * SECOND)) == APPROVED


def test_unknown_instrument_and_unknown_strategy_are_unsupported() -> None:
    assert reason(gate(), order(strategy_id="other")) is Reason.UNSUPPORTED
    assert reason(gate(), order(instrument_id="SOLUSDT-PERP.BINANCE", reduce_only=True)) is Reason.UNSUPPORTED
    made = gate()
    made.view.books.apply_deltas(book(1000, [(1, 1)], [(2, 1)], snapshot=True), "caller")
    made.rules = {ETH_KEY: made.rules[ETH_KEY]}
    assert reason(made, order()) is Reason.UNSUPPORTED


@pytest.mark.req("O-13")
def test_venue_rules_count_all_strategies_orders() -> None:
    made = gate(rules=VenueRules(Decimal("0.1"), Decimal("0.001"), max_orders=1))
    made.view.add(order(strategy_id="other"))
    assert reason(made, order()) is Reason.MAX_OPEN_ORDERS
    assert reason(made, order(price="100.05")) is Reason.TICK


def test_an_account_without_equity_cannot_enter() -> None:
    assert reason(gate(Account(cash=None)), order()) is Reason.NO_PRICE


@pytest.mark.req("R-2")
def test_limits_use_net_position_resting_orders_and_other_instruments() -> None:
    made = gate(Account(net={KEY: "10"}), risk=TIGHT)
    made.view.add(order(quantity="5"))
    assert reason(made, order(quantity="4.99")) is None  # 19.99 × 100.05 = 1999.9995
    assert reason(made, order(quantity="5")) is Reason.POSITION_NOTIONAL  # 20 × 100.05 = 2001
    assert reason(made, market(quantity="9.996")) is Reason.ORDER_NOTIONAL  # 1000.0998
    elsewhere = gate(Account(cash="1000", net={ETH_KEY: "-15"}), risk=TIGHT)  # 1500.75 of at most 2000
    assert reason(elsewhere, order(quantity="4.99")) is None  # + 499.2495
    assert reason(elsewhere, order(quantity="5")) is Reason.GROSS_LEVERAGE  # + 500.25 = 2001


@pytest.mark.req("R-2")
def test_resting_orders_elsewhere_count_as_filled() -> None:
    made = gate(Account(cash="1000"), risk=TIGHT)
    made.view.add(order(quantity="15", instrument_id=ETH_KEY))
    assert reason(made, order(quantity="5")) is Reason.GROSS_LEVERAGE


@pytest.mark.req("R-7")
def test_the_edge_is_checked_with_live_fees_spread_and_funding() -> None:
    required = Policy(entry_order="market")
    made = gate(policy=required)
    assert reason(made, order(edge_bps=2.5)) is Reason.EDGE  # maker 2 + margin 0.5
    assert reason(made, order(edge_bps=2.51)) is None
    taking = 5 + 0.05 / 100.05 * 1e4 + 0.5  # 10.4975
    assert reason(made, market(edge_bps=taking - 0.001)) is Reason.EDGE
    assert reason(made, market(edge_bps=taking + 0.001)) is None
    paying = gate(Account(funding=funding(1, "0.0003", 30_000)), policy=required)  # 3 bps in 29 s
    assert reason(paying, order(edge_bps=5.5)) is Reason.EDGE
    assert reason(paying, order(edge_bps=5.51)) is None
    assert reason(paying, order(edge_bps=2.51, horizon_secs=28)) is None
    assert reason(paying, order(side=Side.SELL, price="100.1", edge_bps=-0.49)) is None  # shorts receive 3


@pytest.mark.req("R-7")
@pytest.mark.parametrize(("counted", "needed"), [("excluded", 2.5), ("maker", 4.5), ("taker", 7.5)])
def test_the_exit_fee_counts_as_configured(counted: Any, needed: float) -> None:
    risk = WIDE.model_copy(update={"edge_exit_fee": counted})
    assert reason(gate(policy=Policy(), risk=risk), order(edge_bps=needed)) is Reason.EDGE
    assert reason(gate(policy=Policy(), risk=risk), order(edge_bps=needed + 0.01)) is None


def test_an_instrument_without_fees_is_an_error_and_not_free() -> None:
    made = gate(policy=Policy())
    made.view.fees.clear()
    with pytest.raises(KeyError):
        made.check(order())


@pytest.mark.req("R-1", "R-13")
def test_a_loss_halts_while_nothing_is_sent_and_the_halt_of_a_day_ends_with_it() -> None:
    account = Account(cash="10000")
    made = gate(account, risk=TIGHT)
    made.observe(1 * SECOND)
    account.unrealised = "-100.01"
    made.observe(2 * SECOND - 1)
    assert made.halted is None  # read at most once a second
    made.observe(2 * SECOND)
    assert made.halted == "daily loss 100.01 > 100.00"
    assert reason(made, order(ts_ns=3 * SECOND)) is Reason.DAILY_LOSS
    assert reason(made, order(ts_ns=NS_PER_DAY)) is None


@pytest.mark.req("R-3")
def test_a_drawdown_halts_for_good() -> None:
    account = Account(cash="10000")
    made = gate(account, risk=TIGHT.model_copy(update={"max_daily_loss_quote": 5000}))
    made.observe(0)
    account.cash = "9499.99"
    made.observe(SECOND)
    account.cash = "20000"
    assert reason(made, order(ts_ns=5 * NS_PER_DAY)) is Reason.HALTED


def test_an_approval_is_good_for_one_sight_of_the_engine() -> None:
    made, request = gate(), order()
    assert not made.saw(request.client_order_id)
    made.check(request)
    assert made.saw(request.client_order_id)
    assert not made.saw(request.client_order_id)


@pytest.mark.req("R-14")
@settings(database=None, max_examples=200)
@given(
    st.sampled_from([Side.BUY, Side.SELL]), st.integers(1, 10**7), st.one_of(st.none(), st.integers(1, 10**6)),
    st.integers(0, 20 * SECOND), st.booleans(), st.booleans(), st.sampled_from(["0.01", "-50", "1000000"]),
)  # fmt: skip
def test_an_exit_is_never_refused_by_limits_halts_warm_up_or_book(
    side: Side, steps: int, ticks: int | None, ts_ns: int, halted: bool, has_book: bool, cash: str
) -> None:
    made = gate(Account(cash=cash), risk=TIGHT, policy=Policy(), start_ns=5 * SECOND, end_ns=9 * SECOND, book=has_book)
    if halted:
        made.halt("a test")
    request = order(
        side=side, quantity=Decimal(steps) / 1000, price=None if ticks is None else Decimal(ticks) / 10, ts_ns=ts_ns,
        order_type="MARKET" if ticks is None else "LIMIT", reduce_only=True, edge_bps=None,
    )  # fmt: skip
    assert made.check(request) == APPROVED


@pytest.mark.req("R-14")
def test_a_reducing_order_without_the_flag_is_an_entry() -> None:
    made = gate(Account(net={KEY: "1"}))
    made.halt("a test")
    assert reason(made, market(side=Side.SELL)) is Reason.HALTED
    assert reason(made, market(side=Side.SELL, reduce_only=True)) is None


def test_fees_may_be_a_rebate() -> None:
    made = gate(policy=Policy(), fees=FeeRates(-1.0, 5.0))
    assert reason(made, order(edge_bps=-0.49)) is None
    assert reason(made, order(edge_bps=-0.5)) is Reason.EDGE


def test_waived_means_no_edge_is_asked_for() -> None:
    assert reason(gate(policy=FREE), market(edge_bps=None)) is None
