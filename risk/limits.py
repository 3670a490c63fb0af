"""R-2: limits on orders, positions, exposure and margin. Pure checks; equality passes, beyond is refused."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from risk.config import RiskConfig
from risk.exact import exact
from risk.loss import check_margin_floor
from risk.request import OrderRequest
from risk.verdict import APPROVED, Reason, Refused, Verdict, plain

ZERO = Decimal(0)


@dataclass(frozen=True, slots=True)
class Exposure:
    """What the account would risk if everything resting filled.

    Attributes
    ----------
    net
        Net position before the order, signed base units.
    resting_same_side
        Open entries on the order's side, base units; those whose fate is unknown count fully.
    price
        Reference price, quote units.
    gross_elsewhere
        Worst-case notional of all other instruments, quote units.
    worst_here
        Worst-case position of this instrument before the order, base units; never below |net|.
    equity
        Account equity, quote units.
    net_elsewhere
        Longs less shorts of all other instruments if what rests on the order's side filled, signed quote units.
    margin_elsewhere
        Initial margin of the worst case of all other instruments, quote units.
    margin_rate
        Initial margin of this instrument per notional; 0 for a pair.
    open_entries
        Entry orders of all strategies that are open on this instrument.
    """

    net: Decimal
    resting_same_side: Decimal
    price: Decimal
    gross_elsewhere: Decimal
    worst_here: Decimal
    equity: Decimal
    net_elsewhere: Decimal = ZERO
    margin_elsewhere: Decimal = ZERO
    margin_rate: Decimal = ZERO
    open_entries: int = 0


def check_exposure(request: OrderRequest, exposure: Exposure, config: RiskConfig) -> Verdict:
    """Size of an order, then what the account would hold if it and everything resting filled."""
    price = max(exposure.price, request.price) if request.price is not None else exposure.price
    verdict = _check_order(request, price * request.quantity, exposure, config)
    if isinstance(verdict, Refused):
        return verdict
    after = exposure.net + int(request.side) * (exposure.resting_same_side + request.quantity)
    if after * exposure.net >= 0 and abs(after) < abs(exposure.net):
        return _check_net(after, after - int(request.side) * request.quantity, price, exposure, config)
    limit = exact(config.max_position_notional_quote)
    if abs(after) * price > limit:
        return _refuse(
            Reason.POSITION_NOTIONAL, "position notional if everything resting fills", abs(after) * price, limit
        )
    return _check_account(after, price, exposure, config)


def _check_order(request: OrderRequest, notional: Decimal, exposure: Exposure, config: RiskConfig) -> Verdict:
    most = config.max_order_quantity
    if most is not None and request.quantity > exact(most):
        return _refuse(Reason.ORDER_QUANTITY, "order quantity", request.quantity, exact(most))
    limit = exact(config.max_order_notional_quote)
    if notional > limit:
        return _refuse(Reason.ORDER_NOTIONAL, "order notional", notional, limit)
    entries = config.max_open_entries_per_symbol
    if entries is not None and exposure.open_entries >= entries and not request.closes_own:
        return _refuse(
            Reason.OPEN_ENTRIES, "entries on the symbol", Decimal(exposure.open_entries + 1), Decimal(entries)
        )
    return APPROVED


def _check_net(after: Decimal, before: Decimal, price: Decimal, exposure: Exposure, config: RiskConfig) -> Verdict:
    """Only net exposure can grow where a position shrinks, since the others stay: refusing the rest would keep the excess."""
    net = _net(after, price, exposure)
    if config.max_net_notional_quote is None or net <= _net(before, price, exposure):
        return APPROVED
    limit = exact(config.max_net_notional_quote)
    return _net_refusal(net, limit) if net > limit else APPROVED


def _check_account(after: Decimal, price: Decimal, exposure: Exposure, config: RiskConfig) -> Verdict:
    here = max(exposure.worst_here, abs(after)) * price
    gross, net = exposure.gross_elsewhere + here, _net(after, price, exposure)
    if config.max_gross_notional_quote is not None and gross > (limit := exact(config.max_gross_notional_quote)):
        return _refuse(Reason.GROSS_NOTIONAL, "gross notional if everything resting fills", gross, limit)
    if config.max_net_notional_quote is not None and net > (limit := exact(config.max_net_notional_quote)):
        return _net_refusal(net, limit)
    limit = exact(config.max_gross_leverage) * exposure.equity
    if gross > limit:
        return _refuse(Reason.GROSS_LEVERAGE, "gross notional if everything resting fills", gross, limit)
    if exposure.margin_rate > ZERO:
        breach = check_margin_floor(
            exposure.equity, exposure.margin_elsewhere + here * exposure.margin_rate, ZERO, Decimal(1),
            exact(config.min_free_margin_pct),
        )  # fmt: skip
        if breach is not None:
            return Refused.of(breach)
    return APPROVED


def _net(position: Decimal, price: Decimal, exposure: Exposure) -> Decimal:
    """Net notional at the reference and at the order's price: against the other instruments either can be the worse."""
    return max(abs(exposure.net_elsewhere + position * at) for at in (exposure.price, price))


def _net_refusal(net: Decimal, limit: Decimal) -> Refused:
    return _refuse(Reason.NET_NOTIONAL, "net notional if everything on this side fills", net, limit)


def _refuse(reason: Reason, what: str, value: Decimal, limit: Decimal) -> Refused:
    return Refused(reason, f"{what} {plain(value)} > {plain(limit)}", {"value": plain(value), "limit": plain(limit)})
