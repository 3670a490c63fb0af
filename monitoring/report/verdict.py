"""The queue bracket's verdict, and the checks by which a report distrusts itself."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum

from monitoring.report.models import BoundSummary
from monitoring.report.run import ALONE

PARTICIPATION_LIMIT = 0.10
MIN_ROUND_TRIPS = 30


class Verdict(StrEnum):
    """What both queue bounds say together about the sign of the result."""

    PROFIT = "PROFIT"
    LOSS = "LOSS"
    FLAT = "FLAT"
    INCONCLUSIVE = "INCONCLUSIVE"
    ONE_BOUND = "ONE_BOUND"


@dataclass(frozen=True, slots=True)
class Doubt:
    """One check that failed: its name and a sentence with the figures."""

    name: str
    text: str


def verdict(net: Mapping[str, Decimal]) -> Verdict:
    """Compare the sign of the net P&L of the bounds; a zero beside a non-zero also differs in sign. A session stands alone."""
    if len(net) < 2 and not net.keys() & set(ALONE):
        return Verdict.ONE_BOUND
    signs = {(value > 0) - (value < 0) for value in net.values()}
    if len(signs) > 1:
        return Verdict.INCONCLUSIVE
    return {1: Verdict.PROFIT, -1: Verdict.LOSS, 0: Verdict.FLAT}[signs.pop()]


def doubts(bounds: Mapping[str, BoundSummary]) -> list[Doubt]:
    """Reasons not to believe this run, most serious first."""
    found = [doubt for bound in bounds.values() for doubt in _residual(bound)]
    found += _optimistic_only(bounds)
    headline = next(iter(bounds.values()))
    return found + _too_kind(headline) + _too_large(headline) + _too_few(headline)


def _residual(bound: BoundSummary) -> list[Doubt]:
    found = []
    if bound.residual != 0:
        found.append(Doubt("residual", f"{bound.bound}: the waterfall misses the account by {bound.residual:f}"))
    if bound.other_fees:
        named = ", ".join(f"{amount:f} {asset}" for asset, amount in bound.other_fees.items())
        found.append(Doubt("fee_currency", f"{bound.bound}: fees of {named} are not in the sums"))
    return found


def _optimistic_only(bounds: Mapping[str, BoundSummary]) -> list[Doubt]:
    nets = {name: bound.net_pnl for name, bound in bounds.items()}
    if len(nets) == 2 and nets["optimistic"] > 0 >= nets["conservative"]:
        return [Doubt("optimistic_only", "profit only in the optimistic bound: it lives on its place in the queue")]
    return []


def _too_kind(bound: BoundSummary) -> list[Doubt]:
    found = []
    if bound.orders and not bound.rejects:
        found.append(Doubt("no_rejects", f"none of {bound.orders} orders was rejected: real venues are less polite"))
    if bound.fills and bound.maker_share == 1.0:
        found.append(Doubt("all_maker", f"all {bound.fills} fills are maker fills"))
    return found


def _too_large(bound: BoundSummary) -> list[Doubt]:
    named = {"of the market's volume per minute": bound.participation, "of the displayed level": bound.size_of_level}
    return [
        Doubt("participation", f"own size is {q.p95:.1%} {what} at p95, above 10 %: a replay has no market reaction")
        for what, q in named.items()
        if q.p95 is not None and q.p95 > PARTICIPATION_LIMIT
    ]


def _too_few(bound: BoundSummary) -> list[Doubt]:
    if bound.round_trips >= MIN_ROUND_TRIPS:
        return []
    return [Doubt("few_round_trips", f"{bound.round_trips} round trips; fewer than 30 say little about skill")]
