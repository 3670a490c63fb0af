"""`account.json`: what the engine's own account says at the end of a run.

Nothing here is folded from our own fills, so that the report's waterfall can disagree with it.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from nautilus_trader.model import InstrumentId, Price

from risk.valuation import unfloated
from runners.engine_venue import VenuePlan, bps
from runners.funding import Payment

ZERO = Decimal(0)


def account_figures(
    plan: VenuePlan, cache: Any, portfolio: Any, tops: Mapping[str, tuple[float, float]], paid: list[Payment]
) -> dict[str, Any]:
    """Read the account.

    Parameters
    ----------
    plan
        Venue and instruments.
    cache, portfolio
        Of the engine, after its end and before it is disposed of.
    tops
        Last bid and ask by instrument id.
    paid
        Funding that the engine booked.

    Returns
    -------
    dict
        Decimals as strings; the keys of the run directory's ``account.json``.
    """
    account = cache.account_for_venue(plan.venue)
    starting = account.starting_balances()[plan.currency].as_decimal()
    held = {iid: _held(cache, portfolio, instrument, tops.get(iid)) for iid, instrument in plan.instruments.items()}
    ending = account.balance_total(plan.currency).as_decimal()
    if plan.config.market == "spot":  # cash holds what was bought: book it at cost, so that unrealised is on top
        ending += sum((Decimal(h["quantity"]) * Decimal(h["avg_price"] or 0) for h in held.values()), ZERO)
    unrealised = sum((Decimal(h.pop("unrealised")) for h in held.values()), ZERO)
    taker = bps(plan.config.fees.taker_bps)
    to_close = sum((abs(Decimal(h["quantity"])) * Decimal(h["mid"] or 0) * taker for h in held.values()), ZERO)
    return {
        "currency": plan.currency.code,
        "starting_balance": _text(starting),
        "ending_balance": _text(ending),
        "unrealised_at_mid": _text(unrealised),
        "net_pnl": _text(ending - starting + unrealised),
        "fees": _text(_fees(cache, plan)),
        "funding": _text(sum((payment.amount for payment in paid), ZERO)),
        "fee_to_close": _text(to_close),
        "positions": {iid: h for iid, h in held.items() if Decimal(h["quantity"])},
    }


def _held(cache: Any, portfolio: Any, instrument: Any, top: tuple[float, float] | None) -> dict[str, Any]:
    iid: InstrumentId = instrument.id
    quantity = unfloated(Decimal(portfolio.net_position(iid)), instrument.size_precision)
    if top is None:
        return {"quantity": _text(quantity), "avg_price": None, "mid": None, "unrealised": "0"}
    mid = (Decimal(repr(top[0])) + Decimal(repr(top[1]))) / 2
    exact = Price.from_str(f"{mid:.{instrument.price_precision + 1}f}")
    opened = cache.positions_open(None, iid)
    unrealised = sum((position.unrealized_pnl(exact).as_decimal() for position in opened), ZERO)
    cost = sum((Decimal(repr(p.signed_qty)) * Decimal(repr(p.avg_px_open)) for p in opened), ZERO)
    average = _text(cost / quantity) if quantity else None
    return {"quantity": _text(quantity), "avg_price": average, "mid": _text(mid), "unrealised": _text(unrealised)}


def _fees(cache: Any, plan: VenuePlan) -> Decimal:
    positions = [*cache.position_snapshots(), *cache.positions()]
    own = [fee for position in positions for fee in position.commissions() if fee.currency == plan.currency]
    return sum((fee.as_decimal() for fee in own), ZERO)


def _text(value: Decimal) -> str:
    return f"{value:f}"
