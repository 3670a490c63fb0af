"""How REST shows orders, trades, positions and the account."""

from __future__ import annotations

from decimal import Decimal

from adapters.simulated_binance.account import Position
from adapters.simulated_binance.contract import Contract
from adapters.simulated_binance.exchange import Exchange
from adapters.simulated_binance.orders import Order, Side, Status
from adapters.simulated_binance.outlet import Message
from adapters.simulated_binance.scale import plain
from adapters.simulated_binance.user_events import Fill, average_price


def order_view(contract: Contract, order: Order, *, at_acceptance: bool = False) -> Message:
    """An order; `at_acceptance` shows it as the ACK answer does, before it traded."""
    price, size = contract.price, contract.size
    filled = 0 if at_acceptance else order.filled
    quote = Decimal(0) if at_acceptance else order.quote
    average = Decimal(0) if at_acceptance else average_price(contract, order)
    return {
        "orderId": order.order_id,
        "symbol": order.symbol,
        "status": str(Status.NEW if at_acceptance else order.status),
        "clientOrderId": order.client_id,
        "price": price.text(order.price or 0),
        "avgPrice": f"{average:.{max(2, contract.settings.price_places)}f}",
        "origQty": size.text(order.quantity),
        "executedQty": size.text(filled),
        "cumQty": size.text(filled),
        "cumQuote": plain(quote),
        "timeInForce": order.tif,
        "type": order.type,
        "reduceOnly": order.reduce_only,
        "closePosition": order.close_position,
        "side": order.side.name,
        "positionSide": order.position_side,
        "stopPrice": price.text(order.stop_price),
        "workingType": order.working_type,
        "priceProtect": order.price_protect,
        "origType": order.origin_type,
        "priceMatch": "NONE",
        "selfTradePreventionMode": order.self_trade,
        "goodTillDate": order.good_till_ms,
        "time": order.time_ms,
        "updateTime": order.updated_ms,
    }


def trade_view(contract: Contract, fill: Fill) -> Message:
    """A fill as ``userTrades`` lists it."""
    value, size = contract.price.value(fill.price), contract.size.value(fill.quantity)
    return {
        "symbol": contract.name,
        "id": fill.trade_id,
        "orderId": fill.order.order_id,
        "side": fill.order.side.name,
        "price": contract.price.text(fill.price),
        "qty": contract.size.text(fill.quantity),
        "realizedPnl": plain(fill.realised),
        "quoteQty": plain(value * size),
        "commission": plain(fill.fee),
        "commissionAsset": contract.settings.quote,
        "marginAsset": contract.settings.quote,
        "time": fill.time_ms,
        "positionSide": "BOTH",
        "buyer": fill.order.side is Side.BUY,
        "maker": fill.maker,
    }


def position_risk(exchange: Exchange, position: Position) -> Message:
    """A position as ``positionRisk`` lists it."""
    contract = position.contract
    mark = exchange.markets[contract.name].feed.mark or Decimal(0)
    notional = position.amount * mark
    return {
        "symbol": contract.name,
        "positionAmt": contract.size.text(position.quantity),
        "entryPrice": plain(position.entry_price),
        "breakEvenPrice": plain(position.entry_price),
        "markPrice": plain(mark),
        "unRealizedProfit": plain(position.unrealised(mark)),
        "liquidationPrice": plain(liquidation_price(exchange, position)),
        "leverage": str(position.leverage),
        "maxNotionalValue": "100000000",
        "marginType": position.margin_type,
        "isolatedMargin": "0.00000000",
        "isAutoAddMargin": "false",
        "positionSide": "BOTH",
        "notional": plain(notional),
        "isolatedWallet": "0",
        "marginAsset": contract.settings.quote,
        "initialMargin": plain(abs(notional) / position.leverage),
        "positionInitialMargin": plain(abs(notional) / position.leverage),
        "openOrderInitialMargin": "0",
        "maintMargin": plain(abs(notional) * contract.settings.maintenance),
        "adl": 1,
        "bidNotional": "0",
        "askNotional": "0",
        "isolated": position.margin_type == "isolated",
        "updateTime": position.updated_ms,
    }


def liquidation_price(exchange: Exchange, position: Position) -> Decimal:
    """Mark price at which equity falls to the maintenance margin, other positions unchanged; 0 when there is none."""
    if position.quantity == 0:
        return Decimal(0)
    marks, rate = exchange.marks(), position.contract.settings.maintenance
    others = exchange.account.unrealised(marks) - position.unrealised(marks[position.contract.name])
    held = exchange.account.maintenance_margin(marks) - abs(position.amount) * marks[position.contract.name] * rate
    slope = position.amount - abs(position.amount) * rate
    return max(Decimal(0), (held + position.cost - exchange.account.wallet - others) / slope)


def account_view(exchange: Exchange) -> Message:
    """``/fapi/v2/account`` and ``/fapi/v3/account``."""
    asset = balance_view(exchange)
    totals = {f"total{name[0].upper()}{name[1:]}": asset[name] for name in TOTALS}
    return {
        "feeTier": 0,
        "canTrade": exchange.account.settings.can_trade,
        "canDeposit": True,
        "canWithdraw": False,
        "updateTime": 0,
        "multiAssetsMargin": exchange.account.settings.multi_assets,
        "tradeGroupId": -1,
        **totals,
        "totalUnrealizedProfit": asset["unrealizedProfit"],
        "availableBalance": asset["availableBalance"],
        "maxWithdrawAmount": asset["maxWithdrawAmount"],
        "assets": [asset],
        "positions": [_account_position(exchange, p) for p in exchange.account.positions.values()],
    }


TOTALS = (
    "initialMargin",
    "maintMargin",
    "walletBalance",
    "marginBalance",
    "positionInitialMargin",
    "openOrderInitialMargin",
    "crossWalletBalance",
    "crossUnPnl",
)


def _account_position(exchange: Exchange, position: Position) -> Message:
    risk = position_risk(exchange, position)
    risk["unrealizedProfit"] = risk["unRealizedProfit"]
    return risk


def balance_row(exchange: Exchange) -> Message:
    """The margin asset as ``/fapi/v2/balance`` lists it."""
    asset = balance_view(exchange)
    names = ("asset", "crossWalletBalance", "crossUnPnl", "availableBalance", "maxWithdrawAmount", "marginAvailable")
    row = {name: asset[name] for name in names}
    own = {"accountAlias": exchange.account.settings.alias, "balance": asset["walletBalance"]}
    return own | row | {"updateTime": asset["updateTime"]}


def balance_view(exchange: Exchange) -> Message:
    """The margin asset with everything bound in it."""
    account, marks = exchange.account, exchange.marks()
    profit, held = account.unrealised(marks), account.initial_margin(marks)
    waiting = sum(map(exchange.order_margin, exchange.desk.open_orders()), Decimal(0))
    available = plain(exchange.available())
    return {
        "asset": "USDT",
        "walletBalance": plain(account.wallet),
        "unrealizedProfit": plain(profit),
        "marginBalance": plain(account.wallet + profit),
        "maintMargin": plain(account.maintenance_margin(marks)),
        "initialMargin": plain(held + waiting),
        "positionInitialMargin": plain(held),
        "openOrderInitialMargin": plain(waiting),
        "crossWalletBalance": plain(account.wallet),
        "crossUnPnl": plain(profit),
        "availableBalance": available,
        "maxWithdrawAmount": available,
        "marginAvailable": True,
        "updateTime": exchange.clock.ms(),
    }
