"""Messages of the user stream, as Binance spells them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal

from adapters.simulated_binance.account import Account, Position
from adapters.simulated_binance.contract import Contract
from adapters.simulated_binance.orders import Order
from adapters.simulated_binance.outlet import Message
from adapters.simulated_binance.scale import plain


@dataclass(frozen=True, slots=True)
class Fill:
    """One execution of one of our orders.

    Attributes
    ----------
    price, quantity
        Units of the symbol.
    fee
        Positive when paid.
    """

    trade_id: int
    order: Order
    price: int
    quantity: int
    maker: bool
    realised: Decimal
    fee: Decimal
    time_ms: int


def average_price(contract: Contract, order: Order) -> Decimal:
    """Average price of what is filled, 0 when nothing is."""
    return order.quote / contract.size.value(order.filled) if order.filled else Decimal(0)


def order_update(contract: Contract, order: Order, execution: str, now_ms: int, fill: Fill | None = None) -> Message:
    """``ORDER_TRADE_UPDATE``; `execution` is its ``x``."""
    price, size = contract.price, contract.size
    data: Message = {
        "s": order.symbol,
        "c": order.client_id,
        "S": order.side.name,
        "o": order.type,
        "f": order.tif,
        "q": size.text(order.quantity),
        "p": price.text(order.price or 0),
        "ap": f"{average_price(contract, order):.{max(2, contract.settings.price_places)}f}",
        "sp": price.text(order.stop_price),
        "x": execution,
        "X": str(order.status),
        "i": order.order_id,
        "l": size.text(fill.quantity if fill else 0),
        "z": size.text(order.filled),
        "L": price.text(fill.price if fill else 0),
        "N": contract.settings.quote,
        "n": plain(fill.fee if fill else Decimal(0)),
        "T": now_ms,
        "t": fill.trade_id if fill else 0,
        "b": "0",
        "a": "0",
        "m": fill.maker if fill else False,
        "R": order.reduce_only,
        "wt": order.working_type,
        "ot": order.origin_type,
        "ps": order.position_side,
        "cp": order.close_position,
        "pP": order.price_protect,
        "si": 0,
        "ss": 0,
        "rp": plain(fill.realised if fill else Decimal(0)),
        "V": order.self_trade,
        "pm": "NONE",
        "gtd": order.good_till_ms,
    }
    return {"e": "ORDER_TRADE_UPDATE", "T": now_ms, "E": now_ms, "o": data}


def trade_lite(contract: Contract, fill: Fill) -> Message:
    """``TRADE_LITE``: the short form of a fill."""
    order = fill.order
    return {
        "e": "TRADE_LITE",
        "E": fill.time_ms,
        "T": fill.time_ms,
        "s": order.symbol,
        "q": contract.size.text(order.quantity),
        "p": contract.price.text(order.price or 0),
        "m": fill.maker,
        "c": order.client_id,
        "S": order.side.name,
        "L": contract.price.text(fill.price),
        "l": contract.size.text(fill.quantity),
        "t": fill.trade_id,
        "i": order.order_id,
    }


def account_update(
    account: Account,
    reason: str,
    positions: Iterable[Position],
    marks: dict[str, Decimal],
    now_ms: int,
    change: Decimal,
) -> Message:
    """``ACCOUNT_UPDATE``; `change` is the balance change that is neither fee nor profit."""
    balance = {"a": "USDT", "wb": plain(account.wallet), "cw": plain(account.wallet), "bc": plain(change)}
    shown = [_position(position, marks[position.contract.name]) for position in positions]
    return {"e": "ACCOUNT_UPDATE", "T": now_ms, "E": now_ms, "a": {"m": reason, "B": [balance], "P": shown}}


def _position(position: Position, mark: Decimal) -> Message:
    return {
        "s": position.contract.name,
        "pa": position.contract.size.text(position.quantity),
        "ep": plain(position.entry_price),
        "bep": plain(position.entry_price),
        "cr": plain(position.realised),
        "up": plain(position.unrealised(mark)),
        "mt": position.margin_type,
        "iw": "0",
        "ps": "BOTH",
    }


def margin_call(account: Account, marks: dict[str, Decimal], now_ms: int) -> Message:
    """``MARGIN_CALL`` for all open positions."""
    held = [position for position in account.positions.values() if position.quantity]
    shown = [
        {
            "s": position.contract.name,
            "ps": "BOTH",
            "pa": position.contract.size.text(position.quantity),
            "mt": position.margin_type.upper(),
            "iw": "0",
            "mp": plain(marks[position.contract.name]),
            "up": plain(position.unrealised(marks[position.contract.name])),
            "mm": plain(abs(position.amount) * marks[position.contract.name] * position.contract.settings.maintenance),
        }
        for position in held
    ]
    return {"e": "MARGIN_CALL", "E": now_ms, "cw": plain(account.wallet), "p": shown}


def leverage_update(symbol: str, leverage: int, now_ms: int) -> Message:
    """``ACCOUNT_CONFIG_UPDATE`` after a change of leverage."""
    return {"e": "ACCOUNT_CONFIG_UPDATE", "E": now_ms, "T": now_ms, "ac": {"s": symbol, "l": leverage}}


def listen_key_expired(key: str, now_ms: int) -> Message:
    """``listenKeyExpired``."""
    return {"e": "listenKeyExpired", "E": now_ms, "listenKey": key}
