"""R-7: the edge of an entry against each term of its cost."""

from __future__ import annotations

import math

import pytest

from risk.costs import FeeRates, Funding, funding_due_bps, half_spread_bps
from risk.edge import EntryCost, check_edge, entry_cost
from risk.policy import AssumeEdge, Policy, WaiveEdge
from risk.request import Side
from risk.verdict import APPROVED, Reason, Refused
from tests.risk.account import market, order

HOUR = 3_600_000_000_000
FEES = FeeRates(maker_bps=2.0, taker_bps=5.0)
REQUIRED = Policy()


def cost(total: float) -> EntryCost:
    return EntryCost(total, 0.0, 0.0, 0.0, 0.0, 0.0)


@pytest.mark.req("R-7")
@pytest.mark.parametrize(("edge", "passes"), [(7.0, False), (7.01, True), (6.99, False), (-1.0, False)])
def test_the_edge_must_be_above_the_cost_and_equal_is_not_enough(edge: float, passes: bool) -> None:
    assert (check_edge(order(edge_bps=edge), REQUIRED, cost(7.0)) == APPROVED) is passes


@pytest.mark.req("R-7")
def test_a_maker_pays_the_maker_fee_and_no_spread() -> None:
    made = entry_cost(order(), 99.99, 100.01, FEES, None, slippage_bps=0.5, margin_bps=1.0)
    assert (made.entry_fee, made.spread, made.slippage, made.margin, made.funding, made.exit_fee) == (
        2,
        0,
        0.5,
        1,
        0,
        0,
    )
    assert made.total == 3.5


@pytest.mark.req("R-7")
def test_a_taker_pays_the_taker_fee_and_half_the_spread() -> None:
    made = entry_cost(market(), 99.99, 100.01, FEES, None, slippage_bps=0.5, margin_bps=1.0, exit_fee_bps=2.0)
    assert made.spread == pytest.approx(1.0)  # 0.01 of 100
    assert made.total == pytest.approx(5.0 + 1.0 + 0.5 + 1.0 + 2.0)


def test_a_limit_that_may_take_is_charged_as_a_taker() -> None:
    assert entry_cost(order(post_only=False), 99.99, 100.01, FEES, None, 0, 0).entry_fee == 5.0


@pytest.mark.req("R-7")
@pytest.mark.parametrize(
    ("side", "due_in_secs", "expected"),
    [
        (Side.BUY, 60, 10.0),  # due at the very end of the horizon
        (Side.BUY, 61, 0.0),
        (Side.BUY, 0, 0.0),  # being settled now: a position opened now does not pay
        (Side.SELL, 30, -10.0),  # shorts receive
    ],
)
def test_funding_counts_when_it_is_due_within_the_horizon(side: Side, due_in_secs: int, expected: float) -> None:
    funding = Funding(10.0, 1_000 + due_in_secs * 1_000_000_000)
    assert funding_due_bps(funding, int(side), 1_000, 60.0) == expected


@pytest.mark.req("R-7")
@pytest.mark.parametrize(
    ("now", "horizon_hours", "payments"),
    [(0, 7, 0), (0, 8, 1), (0, 15.9, 1), (0, 16, 2), (0, 24, 3), (8 * HOUR, 8, 1), (9 * HOUR, 8, 1), (9 * HOUR, 6, 0)],
)
def test_a_long_horizon_pays_every_funding_time(now: int, horizon_hours: float, payments: int) -> None:
    funding = Funding(1.0, 8 * HOUR, 8 * HOUR)
    assert funding_due_bps(funding, 1, now, horizon_hours * 3600) == payments


@pytest.mark.req("R-7")
def test_a_required_edge_that_is_not_stated_is_refused() -> None:
    verdict = check_edge(order(edge_bps=None), REQUIRED, cost(0.0))
    assert isinstance(verdict, Refused)
    assert verdict.reason is Reason.EDGE_MISSING


@pytest.mark.req("R-7")
@pytest.mark.parametrize("edge", [math.nan, math.inf, -math.inf])
def test_an_edge_that_is_not_a_number_is_refused(edge: float) -> None:
    verdict = check_edge(order(edge_bps=edge), REQUIRED, cost(0.0))
    assert isinstance(verdict, Refused)
    assert verdict.reason is Reason.EDGE_MISSING


@pytest.mark.req("R-7")
def test_an_assumed_edge_replaces_the_stated_one() -> None:
    policy = Policy(edge=AssumeEdge(assume_bps=8.0))
    assert check_edge(order(edge_bps=0.0), policy, cost(7.9)) == APPROVED
    assert isinstance(check_edge(order(edge_bps=100.0), policy, cost(8.0)), Refused)


@pytest.mark.req("R-7")
def test_a_waived_edge_passes_and_its_reason_is_kept() -> None:
    policy = Policy(edge=WaiveEdge(waived="market making"))
    assert check_edge(order(edge_bps=None), policy, cost(99.0)) == APPROVED
    assert policy.waiver == "market making"


@pytest.mark.req("R-7", "R-11")
def test_the_refusal_shows_every_term() -> None:
    verdict = check_edge(order(edge_bps=6.5), REQUIRED, EntryCost(2.0, 1.0, 0.5, 0.25, 3.0, 0.5))
    assert isinstance(verdict, Refused)
    assert verdict.detail == (
        "edge 6.50 bps <= 7.25 = entry fee 2.00 + exit fee 1.00 + spread 0.50 + slippage 0.25 + funding 3.00 + margin 0.50"
    )
    assert verdict.figures["cost_bps"] == 7.25
    assert verdict.figures["funding_bps"] == 3.0


def test_a_rebate_and_received_funding_lower_the_cost() -> None:
    rebate = FeeRates(-0.5, 5.0)
    made = entry_cost(order(side=Side.SELL), 99.99, 100.01, rebate, Funding(1.0, 30_000_000_000), 0.0, 0.5)
    assert made.total == pytest.approx(-0.5 - 1.0 + 0.5)


def test_half_the_spread_of_two_hundredths_at_one_hundred_is_one_basis_point() -> None:
    assert half_spread_bps(99.99, 100.01) == pytest.approx(1.0)
