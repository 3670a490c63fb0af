"""One contract: scales, filters, and what they refuse."""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal

from adapters.simulated_binance.codes import Code, Refused
from adapters.simulated_binance.orders import Side
from adapters.simulated_binance.scale import Scale
from adapters.simulated_binance.settings import SymbolSettings

ORDER_TYPES = ("LIMIT", "MARKET", "STOP", "STOP_MARKET", "TAKE_PROFIT", "TAKE_PROFIT_MARKET", "TRAILING_STOP_MARKET")
TIMES_IN_FORCE = ("GTC", "IOC", "FOK", "GTX", "GTD")


@dataclass(slots=True)
class Contract:
    """A symbol with its filters in units.

    Attributes
    ----------
    status
        Trading status; a fault may change it.
    price, size
        Scales of prices and quantities.
    """

    name: str
    settings: SymbolSettings
    status: str = field(init=False)
    price: Scale = field(init=False)
    size: Scale = field(init=False)

    def __post_init__(self) -> None:
        self.status = self.settings.status
        self.price = Scale(self.settings.price_places)
        self.size = Scale(self.settings.quantity_places)

    @property
    def tick(self) -> int:
        """Tick in price units."""
        return int(self.settings.tick.scaleb(self.settings.price_places))

    @property
    def step(self) -> int:
        """Step in quantity units."""
        return int(self.settings.step.scaleb(self.settings.quantity_places))

    def read_price(self, text: str, side: Side, mark: Decimal | None) -> int:
        """Read a limit price and hold it against PRICE_FILTER and PERCENT_PRICE.

        Binance caps what a buyer may bid and floors what a seller may ask; the other direction is free.

        Raises
        ------
        Refused
            -1111, -4001, -4013, -4014, -4016, -4024 or -1102.
        """
        units = _units(self.price, text, "price")
        if units <= 0:
            raise Refused(Code.PRICE_LESS_THAN_ZERO)
        value = self.price.value(units)
        if value < self.settings.min_price:
            raise Refused(Code.PRICE_LESS_THAN_MIN_PRICE)
        if units % self.tick:
            raise Refused(Code.PRICE_NOT_INCREASED_BY_TICK_SIZE)
        cap = self.settings.max_price
        if side is Side.BUY and mark is not None:
            cap = min(cap, mark * (1 + self.settings.percent_price))
        if value > cap:
            raise Refused(Code.PRICE_HIGHER_THAN_MULTIPLIER_UP)
        if side is Side.SELL and mark is not None and value < mark * (1 - self.settings.percent_price):
            raise Refused(Code.PRICE_LOWER_THAN_MULTIPLIER_DOWN)
        return units

    def read_quantity(self, text: str, *, market: bool) -> int:
        """Read a quantity and hold it against LOT_SIZE or MARKET_LOT_SIZE.

        Raises
        ------
        Refused
            -1111, -4003, -4004, -4005, -4023 or -1102.
        """
        units = _units(self.size, text, "quantity")
        if units <= 0:
            raise Refused(Code.QTY_LESS_THAN_ZERO)
        if units < self.step:
            raise Refused(Code.QTY_LESS_THAN_MIN_QTY)
        maximum = self.settings.market_max_quantity if market else self.settings.max_quantity
        if self.size.value(units) > maximum:
            raise Refused(Code.QTY_GREATER_THAN_MAX_QTY)
        if units % self.step:
            raise Refused(Code.QTY_NOT_INCREASED_BY_STEP_SIZE)
        return units

    def check_notional(self, price: Decimal, quantity: int, *, reduce_only: bool) -> None:
        """Hold price × quantity against MIN_NOTIONAL.

        Raises
        ------
        Refused
            -4164.
        """
        if not reduce_only and price * self.size.value(quantity) < self.settings.min_notional:
            raise Refused(Code.MIN_NOTIONAL)

    def describe(self) -> dict[str, object]:
        """Entry of ``exchangeInfo``."""
        own = self.settings
        places, tick = own.price_places, f"{own.tick:.{own.price_places}f}"
        step = f"{own.step:.{own.quantity_places}f}"
        return {
            "symbol": self.name,
            "pair": self.name,
            "contractType": "PERPETUAL",
            "deliveryDate": 4133404800000,
            "onboardDate": 1569398400000,
            "status": self.status,
            "maintMarginPercent": "2.5000",
            "requiredMarginPercent": "5.0000",
            "baseAsset": own.base,
            "quoteAsset": own.quote,
            "marginAsset": own.quote,
            "pricePrecision": places,
            "quantityPrecision": own.quantity_places,
            "baseAssetPrecision": 8,
            "quotePrecision": 8,
            "underlyingType": "COIN",
            "underlyingSubType": ["PoW"],
            "triggerProtect": "0.0500",
            "liquidationFee": f"{own.liquidation_fee:f}",
            "marketTakeBound": f"{own.percent_price:f}",
            "maxMoveOrderLimit": 10000,
            "filters": [
                {"filterType": "PRICE_FILTER", "minPrice": f"{own.min_price:f}", "maxPrice": f"{own.max_price:f}"}
                | {"tickSize": tick},
                {"filterType": "LOT_SIZE", "minQty": step, "maxQty": f"{own.max_quantity:f}", "stepSize": step},
                {"filterType": "MARKET_LOT_SIZE", "minQty": step, "maxQty": f"{own.market_max_quantity:f}"}
                | {"stepSize": step},
                {"filterType": "MAX_NUM_ORDERS", "limit": own.max_orders},
                {"filterType": "MAX_NUM_ALGO_ORDERS", "limit": own.max_algo_orders},
                {"filterType": "MIN_NOTIONAL", "notional": f"{own.min_notional:f}"},
                {"filterType": "PERCENT_PRICE", "multiplierUp": f"{1 + own.percent_price:f}"}
                | {"multiplierDown": f"{1 - own.percent_price:f}", "multiplierDecimal": "4"},
            ],
            "orderTypes": list(ORDER_TYPES),
            "timeInForce": list(TIMES_IN_FORCE),
        }


def _units(scale: Scale, text: str, name: str) -> int:
    try:
        Decimal(text)
    except ArithmeticError as error:
        raise Refused(Code.ILLEGAL_CHARS, f"Illegal characters found in parameter '{name}'.") from error
    try:
        return scale.units(text)
    except ValueError as error:
        raise Refused(Code.BAD_PRECISION) from error
