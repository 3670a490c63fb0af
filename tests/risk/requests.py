"""Order requests for tests."""

from __future__ import annotations

from decimal import Decimal

from risk.request import OrderRequest, Side
from risk.venue_rules import VenueRules

BTC = "BTCUSDT-PERP.BINANCE"
RULES = VenueRules(
    tick=Decimal("0.1"), step=Decimal("0.001"), min_quantity=Decimal("0.001"), max_quantity=Decimal(1000),
    min_notional=Decimal(100),
)  # fmt: skip


def request(
    ts_ns: int = 0, *, side: Side = Side.BUY, quantity: str = "0.01", price: str | None = "60000",
    reduce_only: bool = False, order_id: str = "h1", strategy_id: str = "flow-1", instrument_id: str = BTC,
) -> OrderRequest:  # fmt: skip
    """Return an entry, or an exit with `reduce_only`."""
    return OrderRequest(
        strategy_id=strategy_id, instrument_id=instrument_id, client_order_id=order_id, side=side,
        order_type="MARKET" if price is None else "LIMIT", quantity=Decimal(quantity),
        price=None if price is None else Decimal(price), post_only=price is not None and not reduce_only,
        reduce_only=reduce_only, time_in_force="GTC", ts_ns=ts_ns,
    )  # fmt: skip
