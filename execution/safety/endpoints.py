"""Requests that the safety client makes: where, how signed, and what they take from the rate limits.

Weights are Binance's for USD-M (October 2026); some are dearer without a symbol.
"""

from __future__ import annotations

from dataclasses import dataclass

from execution.safety.budget import Cost, Purpose


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One kind of request.

    Attributes
    ----------
    whole_weight
        Weight without a symbol, where that is allowed.
    wallet
        True: it lives on the wallet host, whose limits are counted apart.
    """

    method: str
    path: str
    purpose: Purpose = Purpose.QUERY
    weight: int = 1
    whole_weight: int | None = None
    orders: int = 0
    signed: bool = True
    wallet: bool = False

    @property
    def what(self) -> str:
        """'METHOD /path'."""
        return f"{self.method} {self.path}"

    def cost(self, *, has_symbol: bool) -> Cost:
        """What one such request takes."""
        whole = self.whole_weight if not has_symbol else None
        return Cost(0 if self.wallet else self.weight if whole is None else whole, self.orders)


_CANCEL, _EXIT = Purpose.CANCEL, Purpose.EXIT

TIME = Endpoint("GET", "/fapi/v1/time", signed=False)
EXCHANGE_INFO = Endpoint("GET", "/fapi/v1/exchangeInfo", signed=False)

CANCEL_ORDER = Endpoint("DELETE", "/fapi/v1/order", _CANCEL)
CANCEL_ALL = Endpoint("DELETE", "/fapi/v1/allOpenOrders", _CANCEL)
CANCEL_ALGO = Endpoint("DELETE", "/fapi/v1/algoOrder", _CANCEL)
CANCEL_ALL_ALGO = Endpoint("DELETE", "/fapi/v1/algoOpenOrders", _CANCEL)
COUNTDOWN = Endpoint("POST", "/fapi/v1/countdownCancelAll", _CANCEL, weight=10)

PLACE_ORDER = Endpoint("POST", "/fapi/v1/order", _EXIT, orders=1)
PLACE_ALGO = Endpoint("POST", "/fapi/v1/algoOrder", _EXIT, orders=1)

ORDER = Endpoint("GET", "/fapi/v1/order")
ALGO_ORDER = Endpoint("GET", "/fapi/v1/algoOrder")
OPEN_ORDERS = Endpoint("GET", "/fapi/v1/openOrders", whole_weight=40)
OPEN_ALGO_ORDERS = Endpoint("GET", "/fapi/v1/openAlgoOrders", whole_weight=40)
ALL_ORDERS = Endpoint("GET", "/fapi/v1/allOrders", weight=5)
ALL_ALGO_ORDERS = Endpoint("GET", "/fapi/v1/allAlgoOrders", weight=5)
USER_TRADES = Endpoint("GET", "/fapi/v1/userTrades", weight=5)
POSITIONS = Endpoint("GET", "/fapi/v3/positionRisk", weight=5)
BALANCES = Endpoint("GET", "/fapi/v3/balance", weight=5)
ACCOUNT = Endpoint("GET", "/fapi/v3/account", weight=5)
INCOME = Endpoint("GET", "/fapi/v1/income", weight=30)
POSITION_MODE = Endpoint("GET", "/fapi/v1/positionSide/dual", weight=30)
ASSETS_MODE = Endpoint("GET", "/fapi/v1/multiAssetsMargin", weight=30)
COMMISSION = Endpoint("GET", "/fapi/v1/commissionRate", weight=20)
SYMBOL_CONFIG = Endpoint("GET", "/fapi/v1/symbolConfig", weight=5)
BRACKETS = Endpoint("GET", "/fapi/v1/leverageBracket")
KEY_PERMISSIONS = Endpoint("GET", "/sapi/v1/account/apiRestrictions", wallet=True)
