"""R-7: an entry must expect to earn more than it costs."""

from __future__ import annotations

import math
from dataclasses import dataclass

from risk.costs import FeeRates, Funding, funding_due_bps, half_spread_bps
from risk.policy import AssumeEdge, Policy, WaiveEdge
from risk.request import OrderRequest
from risk.verdict import APPROVED, Reason, Refused, Verdict


@dataclass(frozen=True, slots=True)
class EntryCost:
    """Every term of the cost that an entry must earn, basis points.

    Attributes
    ----------
    entry_fee
        Fee of the intended liquidity side.
    exit_fee
        Fee of the exit, where `risk.edge_exit_fee` counts it.
    spread
        Half-spread, when taking.
    slippage
        Expected beyond the spread, configured.
    funding
        Due before the horizon, signed.
    margin
        Configured safety margin.
    """

    entry_fee: float
    exit_fee: float
    spread: float
    slippage: float
    funding: float
    margin: float

    @property
    def total(self) -> float:
        """The edge that is needed."""
        return self.entry_fee + self.exit_fee + self.spread + self.slippage + self.funding + self.margin


def entry_cost(
    request: OrderRequest, bid: float, ask: float, fees: FeeRates, funding: Funding | None,
    slippage_bps: float, margin_bps: float, exit_fee_bps: float = 0.0,
) -> EntryCost:  # fmt: skip
    """Cost of `request` against the mid: fee + slippage + half-spread if taking + funding + margin.

    Only a post-only order is sure to make; every other one is charged as a taker.
    """
    makes = request.post_only
    return EntryCost(
        entry_fee=fees.maker_bps if makes else fees.taker_bps,
        exit_fee=exit_fee_bps,
        spread=0.0 if makes else half_spread_bps(bid, ask),
        slippage=slippage_bps,
        funding=funding_due_bps(funding, int(request.side), request.ts_ns, request.purpose.horizon_secs),
        margin=margin_bps,
    )


def check_edge(request: OrderRequest, policy: Policy, cost: EntryCost) -> Verdict:
    """Compare the stated or assumed edge with the cost; the refusal shows each term."""
    if isinstance(policy.edge, WaiveEdge):
        return APPROVED
    edge = policy.edge.assume_bps if isinstance(policy.edge, AssumeEdge) else request.purpose.edge_bps
    if edge is None:
        return Refused(Reason.EDGE_MISSING, "the entry states no edge and the policy neither assumes nor waives one")
    if not math.isfinite(edge):
        return Refused(Reason.EDGE_MISSING, f"the stated edge {edge} is not a number")
    if edge > cost.total:
        return APPROVED
    detail = (
        f"edge {edge:.2f} bps <= {cost.total:.2f} = entry fee {cost.entry_fee:.2f} + exit fee {cost.exit_fee:.2f}"
        f" + spread {cost.spread:.2f} + slippage {cost.slippage:.2f} + funding {cost.funding:.2f} + margin {cost.margin:.2f}"
    )
    figures = {
        "edge_bps": round(edge, 4), "cost_bps": round(cost.total, 4), "entry_fee_bps": cost.entry_fee,
        "exit_fee_bps": cost.exit_fee, "spread_bps": round(cost.spread, 4), "slippage_bps": cost.slippage,
        "funding_bps": round(cost.funding, 4), "margin_bps": cost.margin,
    }  # fmt: skip
    return Refused(Reason.EDGE, detail, figures)
