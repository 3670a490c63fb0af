"""A conditional order: what it is, how it is shown, how its request is read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

from adapters.simulated_binance.codes import Code, Refused
from adapters.simulated_binance.contract import Contract
from adapters.simulated_binance.orders import Order, Side
from adapters.simulated_binance.outlet import Message
from adapters.simulated_binance.tickets import (
    CONDITIONAL,
    Ticket,
    check_position_side,
    flag,
    need,
    read_client_id,
    read_side,
    whole,
)

SUPPORTED = CONDITIONAL - {"TRAILING_STOP_MARKET"}


@dataclass(slots=True, eq=False)
class AlgoOrder:
    """A conditional order.

    Attributes
    ----------
    trigger, price
        Units of the symbol; price None for the market kinds.
    child
        The order it became, None until it triggers.
    """

    algo_id: int
    client_id: str
    contract: Contract
    ticket: Ticket
    created_ms: int
    status: str = "NEW"
    updated_ms: int = 0
    triggered_ms: int = 0
    child: Order | None = None

    @property
    def rises(self) -> bool:
        """Whether it triggers when the price rises to its trigger."""
        stop = self.ticket.type.startswith("STOP")
        return (self.ticket.side is Side.BUY) is stop

    def reached(self, price: Decimal) -> bool:
        """Whether a price triggers it."""
        trigger = self.contract.price.value(self.ticket.stop_price)
        return price >= trigger if self.rises else price <= trigger

    def view(self) -> Message:
        """As REST shows it."""
        ticket, price = self.ticket, self.contract.price
        child = self.child
        return {
            "algoId": self.algo_id,
            "clientAlgoId": self.client_id,
            "algoType": "CONDITIONAL",
            "orderType": ticket.type,
            "symbol": self.contract.name,
            "side": ticket.side.name,
            "positionSide": "BOTH",
            "timeInForce": ticket.tif,
            "quantity": self.contract.size.text(ticket.quantity),
            "algoStatus": self.status,
            "triggerPrice": price.text(ticket.stop_price),
            "price": price.text(ticket.price or 0),
            "workingType": ticket.working_type,
            "priceMatch": "NONE",
            "closePosition": ticket.close_position,
            "priceProtect": ticket.price_protect,
            "reduceOnly": ticket.reduce_only,
            "createTime": self.created_ms,
            "updateTime": self.updated_ms or self.created_ms,
            "triggerTime": self.triggered_ms,
            "goodTillDate": ticket.good_till_ms,
            "actualOrderId": str(child.order_id) if child is not None else "",
        }

    def update(self, now_ms: int) -> Message:
        """``ALGO_UPDATE``."""
        ticket, contract, child = self.ticket, self.contract, self.child
        filled = child.filled if child is not None else 0
        average = child.quote / contract.size.value(filled) if child is not None and filled else Decimal(0)
        data = {
            "caid": self.client_id,
            "aid": self.algo_id,
            "at": "CONDITIONAL",
            "o": ticket.type,
            "s": contract.name,
            "S": ticket.side.name,
            "ps": "BOTH",
            "f": ticket.tif,
            "q": contract.size.text(ticket.quantity),
            "X": self.status,
            "ai": str(child.order_id) if child is not None else "",
            "ap": f"{average:.5f}",
            "aq": contract.size.text(filled),
            "act": child.type if child is not None else "0",
            "tp": contract.price.text(ticket.stop_price),
            "p": contract.price.text(ticket.price or 0),
            "V": "EXPIRE_MAKER",
            "wt": ticket.working_type,
            "pm": "NONE",
            "cp": ticket.close_position,
            "pP": ticket.price_protect,
            "R": ticket.reduce_only,
            "tt": self.triggered_ms,
            "gtd": ticket.good_till_ms,
        }
        return {"e": "ALGO_UPDATE", "T": now_ms, "E": now_ms, "o": data}


def read_conditional(contract: Contract, params: Mapping[str, str], *, hedge_mode: bool) -> Ticket:
    """Read the parameters of ``POST /fapi/v1/algoOrder``.

    Raises
    ------
    Refused
        With Binance's code for what is wrong with it.
    """
    side, kind = read_side(params), params.get("type") or need(params, "orderType")
    if kind not in SUPPORTED:
        raise Refused(Code.INVALID_ORDER_TYPE)
    check_position_side(params, hedge_mode=hedge_mode)
    close_position, market = flag(params, "closePosition"), kind.endswith("MARKET")
    if close_position and not market:
        raise Refused(Code.INVALID_ORDER_TYPE)
    quantity = 0 if close_position else contract.read_quantity(need(params, "quantity"), market=market)
    return Ticket(
        side,
        kind,
        params.get("timeInForce", "GTC"),
        None if market else contract.read_price(need(params, "price"), side, None),
        quantity,
        read_client_id(params, "clientAlgoId"),
        reduce_only=flag(params, "reduceOnly"),
        close_position=close_position,
        good_till_ms=whole(params, "goodTillDate") or 0,
        working_type=params.get("workingType", "CONTRACT_PRICE"),
        price_protect=flag(params, "priceProtect"),
        stop_price=contract.read_price(need(params, "triggerPrice"), side, None),
    )
