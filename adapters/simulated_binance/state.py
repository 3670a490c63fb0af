"""The venue's own view of the account, for people and for judges."""

from __future__ import annotations

from typing import Any

from adapters.simulated_binance.desk import describe
from adapters.simulated_binance.venue import Venue


def state_of(venue: Venue) -> dict[str, Any]:
    """Wallet, positions, open orders and counts; amounts as decimal text."""
    exchange = venue.exchange
    marks = exchange.marks()
    return {
        "time_ms": venue.clock.ms(),
        "wallet": f"{exchange.account.wallet:f}",
        "unrealised": f"{exchange.account.unrealised(marks):f}",
        "positions": {
            name: {"quantity": f"{position.amount:f}", "entry_price": f"{position.entry_price:f}"}
            for name, position in exchange.account.positions.items()
        },
        "open_orders": [
            {
                key: value if value is None or isinstance(value, bool | int | str) else f"{value:f}"
                for key, value in shown
            }
            for shown in (describe(exchange.contracts[o.symbol], o).items() for o in exchange.desk.open_orders())
        ],
        "open_algo_orders": [order.view() for order in exchange.algo.open_orders()],
        "orders": len(exchange.desk.orders),
        "fills": len(exchange.desk.fills),
        "marks": {name: f"{mark:f}" for name, mark in marks.items()},
        "events": {name: background.applied for name, background in venue.backgrounds.items()},
        "listen_key": venue.listen_keys.current is not None,
        "sockets": {kind: len(venue.hub.of(kind)) for kind in ("market", "user", "trading")},
    }
