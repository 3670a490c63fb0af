"""Account, position and stream-key endpoints."""

from __future__ import annotations

from adapters.simulated_binance.account import BPS
from adapters.simulated_binance.codes import Code, Refused, missing
from adapters.simulated_binance.rest.endpoint import Endpoint, Params, Routes, bounded
from adapters.simulated_binance.tickets import flag, need, whole
from adapters.simulated_binance.user_events import leverage_update
from adapters.simulated_binance.venue import Venue
from adapters.simulated_binance.views import account_view, balance_row, position_risk


def account(venue: Venue, params: Params) -> object:
    """Balances and positions."""
    del params
    return account_view(venue.exchange)


def balance(venue: Venue, params: Params) -> object:
    """Balances."""
    del params
    return [balance_row(venue.exchange)]


def positions(venue: Venue, params: Params) -> object:
    """Positions, flat ones too."""
    held = venue.exchange.account.positions
    name = params.get("symbol")
    if name:
        venue.exchange.market(name)
    return [position_risk(venue.exchange, position) for key, position in held.items() if name in (None, "", key)]


def open_positions(venue: Venue, params: Params) -> object:
    """Positions that are not flat, and flat ones with an open order, as v3 lists them."""
    shown = positions(venue, params)
    trading = {order.symbol for order in venue.exchange.desk.open_orders()}
    held = {name for name, position in venue.exchange.account.positions.items() if position.quantity}
    return [risk for risk in shown if risk["symbol"] in trading | held] if isinstance(shown, list) else shown


def position_mode(venue: Venue, params: Params) -> object:
    """Whether the account is in hedge mode."""
    del params
    return {"dualSidePosition": venue.exchange.account.hedge_mode}


def set_position_mode(venue: Venue, params: Params) -> object:
    """Switch hedge mode."""
    need(params, "dualSidePosition")
    wanted, own = flag(params, "dualSidePosition"), venue.exchange.account
    if wanted == own.hedge_mode:
        raise Refused(Code.NO_NEED_TO_CHANGE_POSITION_SIDE)
    if venue.exchange.desk.open_orders() or any(position.quantity for position in own.positions.values()):
        raise Refused(Code.POSITION_SIDE_CHANGE_EXISTS)
    own.hedge_mode = wanted
    return {"code": 200, "msg": "success"}


def assets_mode(venue: Venue, params: Params) -> object:
    """Whether the account is in multi-assets mode."""
    del params
    return {"multiAssetsMargin": venue.scenario.account.multi_assets}


def commission(venue: Venue, params: Params) -> object:
    """Fees of a symbol."""
    name, own = need(params, "symbol"), venue.scenario.account
    venue.exchange.market(name)
    return {
        "symbol": name,
        "makerCommissionRate": f"{own.maker_bps * BPS:.6f}",
        "takerCommissionRate": f"{own.taker_bps * BPS:.6f}",
        "rpiCommissionRate": "0.000000",
    }


def income(venue: Venue, params: Params) -> object:
    """Balance changes: profit, fees, funding, insurance."""
    name, kind = params.get("symbol"), params.get("incomeType")
    start, end = whole(params, "startTime"), whole(params, "endTime")
    chosen = [
        entry
        for entry in venue.exchange.account.income
        if name in (None, "", entry["symbol"])
        and kind in (None, "", entry["incomeType"])
        and (start is None or entry["time"] >= start)
        and (end is None or entry["time"] <= end)
    ]
    limit, page = bounded(params, "limit", 100, 1000), bounded(params, "page", 1, 10_000)
    return chosen[(page - 1) * limit : page * limit] if start is not None else chosen[-limit:]


def leverage(venue: Venue, params: Params) -> object:
    """Change the leverage of a symbol."""
    name, wanted = need(params, "symbol"), whole(params, "leverage")
    venue.exchange.market(name)
    if wanted is None or not 1 <= wanted <= 125:
        raise Refused(Code.INVALID_LEVERAGE)
    venue.exchange.account.positions[name].leverage = wanted
    venue.ledger.write("leverage", symbol=name, leverage=wanted)
    venue.exchange.outlet.user(leverage_update(name, wanted, venue.clock.ms()), name)
    return {"symbol": name, "leverage": wanted, "maxNotionalValue": "100000000"}


def margin_type(venue: Venue, params: Params) -> object:
    """Change the margin type of a symbol; positions are margined cross all the same."""
    name = need(params, "symbol")
    kind = {"ISOLATED": "isolated", "CROSSED": "cross"}.get(need(params, "marginType"))
    venue.exchange.market(name)
    if kind is None:
        raise missing("marginType")
    position = venue.exchange.account.positions[name]
    if position.margin_type == kind:
        raise Refused(Code.NO_NEED_TO_CHANGE_MARGIN_TYPE)
    position.margin_type = kind
    return {"code": 200, "msg": "success"}


def brackets(venue: Venue, params: Params) -> object:
    """One bracket for each symbol."""
    name = params.get("symbol")
    bracket = {"bracket": 1, "initialLeverage": 125, "notionalCap": 100_000_000, "notionalFloor": 0, "cum": 0.0}
    return [
        {"symbol": key, "notionalCoef": 1.0}
        | {"brackets": [bracket | {"maintMarginRatio": float(contract.settings.maintenance)}]}
        for key, contract in venue.exchange.contracts.items()
        if name in (None, "", key)
    ]


def symbol_config(venue: Venue, params: Params) -> object:
    """Leverage and margin type of each symbol."""
    name = params.get("symbol")
    return [
        {"symbol": key, "marginType": "ISOLATED" if position.margin_type == "isolated" else "CROSSED"}
        | {"isAutoAddMargin": False, "leverage": position.leverage, "maxNotionalValue": "100000000"}
        for key, position in venue.exchange.account.positions.items()
        if name in (None, "", key)
    ]


def account_config(venue: Venue, params: Params) -> object:
    """Modes and permissions."""
    del params
    own = venue.exchange.account
    modes = {"dualSidePosition": own.hedge_mode, "multiAssetsMargin": own.settings.multi_assets}
    may = {"canTrade": own.settings.can_trade, "canDeposit": True, "canWithdraw": False}
    return {"feeTier": 0, **may, **modes, "updateTime": 0, "tradeGroupId": -1}


def api_restrictions(venue: Venue, params: Params) -> object:
    """Permissions of the key that asks."""
    asking = venue.key_of(params.get("__key__"))
    return {
        "ipRestrict": asking.ip_restricted,
        "createTime": 1_700_000_000_000,
        "enableReading": True,
        "enableWithdrawals": asking.can_withdraw,
        "enableInternalTransfer": asking.can_transfer,
        "enableMargin": False,
        "enableFutures": asking.can_trade,
        "permitsUniversalTransfer": asking.can_transfer,
        "enableVanillaOptions": False,
        "enableFixApiTrade": False,
        "enableFixReadOnly": False,
        "enableSpotAndMarginTrading": False,
        "enablePortfolioMarginTrading": False,
    }


def create_listen_key(venue: Venue, params: Params) -> object:
    """Give the account's listen key."""
    del params
    return {"listenKey": venue.listen_keys.create()}


def renew_listen_key(venue: Venue, params: Params) -> object:
    """Extend the listen key."""
    return {"listenKey": venue.listen_keys.renew(params.get("listenKey") or None)}


def delete_listen_key(venue: Venue, params: Params) -> object:
    """End the listen key, for every client of the account."""
    del params
    venue.listen_keys.delete()
    return {}


ROUTES: Routes = {
    "GET /fapi/v2/account": Endpoint(account, "signed"),
    "GET /fapi/v3/account": Endpoint(account, "signed"),
    "GET /fapi/v2/balance": Endpoint(balance, "signed"),
    "GET /fapi/v3/balance": Endpoint(balance, "signed"),
    "GET /fapi/v2/positionRisk": Endpoint(positions, "signed"),
    "GET /fapi/v3/positionRisk": Endpoint(open_positions, "signed"),
    "GET /fapi/v1/positionSide/dual": Endpoint(position_mode, "signed"),
    "POST /fapi/v1/positionSide/dual": Endpoint(set_position_mode, "trade"),
    "GET /fapi/v1/multiAssetsMargin": Endpoint(assets_mode, "signed"),
    "GET /fapi/v1/commissionRate": Endpoint(commission, "signed"),
    "GET /fapi/v1/income": Endpoint(income, "signed"),
    "POST /fapi/v1/leverage": Endpoint(leverage, "trade"),
    "POST /fapi/v1/marginType": Endpoint(margin_type, "trade"),
    "GET /fapi/v1/leverageBracket": Endpoint(brackets, "signed"),
    "GET /fapi/v1/symbolConfig": Endpoint(symbol_config, "signed"),
    "GET /fapi/v1/accountConfig": Endpoint(account_config, "signed"),
    "GET /sapi/v1/account/apiRestrictions": Endpoint(api_restrictions, "signed"),
    "POST /fapi/v1/listenKey": Endpoint(create_listen_key, "key"),
    "PUT /fapi/v1/listenKey": Endpoint(renew_listen_key, "key"),
    "DELETE /fapi/v1/listenKey": Endpoint(delete_listen_key, "key"),
}
