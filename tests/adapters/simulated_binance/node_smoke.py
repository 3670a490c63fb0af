"""A real rc6 node against the venue: run as a program by the test, with the port and "http" or "ws" for its orders.

Buys 0.010 at the market, closes with a reduce-only order, sees both fills, and stops. Prints one JSON line of what it saw.
"""

from __future__ import annotations

import json
import sys
from typing import Any

from nautilus_trader.adapters.binance import (
    BinanceDataClientConfig,
    BinanceDataClientFactory,
    BinanceExecutionClientConfig,
    BinanceExecutionClientFactory,
    BinanceInstrumentProviderConfig,
    BinanceProductType,
)
from nautilus_trader.common import Environment
from nautilus_trader.live import LiveExecutionEngineConfig, LiveNode
from nautilus_trader.model import AccountId, BookType, InstrumentId, OrderSide, Quantity, StrategyId, TraderId
from nautilus_trader.trading import Strategy, StrategyConfig

INSTRUMENT = InstrumentId.from_str("BTCUSDT-PERP.BINANCE")
SEEN: dict[str, Any] = {"deltas": 0, "accepted": 0, "fills": [], "trades": 0, "marks": 0, "errors": []}


class Smoke(Strategy):
    """Trades once in each direction."""

    def __new__(cls, config: StrategyConfig) -> Smoke:
        return super().__new__(cls, config)  # type: ignore[call-arg]

    def on_start(self) -> None:
        self.subscribe_book_deltas(INSTRUMENT, BookType.L2_MBP)
        self.subscribe_trades(INSTRUMENT)
        self.subscribe_quotes(INSTRUMENT)
        self.subscribe_mark_prices(INSTRUMENT)
        self.sent = 0

    def on_book_deltas(self, deltas: Any) -> None:
        SEEN["deltas"] += 1

    def on_trade(self, trade: Any) -> None:
        SEEN["trades"] += 1

    def on_mark_price(self, mark: Any) -> None:
        SEEN["marks"] += 1

    def on_quote(self, quote: Any) -> None:
        if self.sent == 0 and SEEN["deltas"] >= 5 and SEEN["trades"] >= 1:
            self.sent = 1
            self.trade(OrderSide.BUY, reduce_only=False)

    def trade(self, side: Any, *, reduce_only: bool) -> None:
        order = self.order_factory.market(INSTRUMENT, side, Quantity.from_str("0.010"), reduce_only=reduce_only)
        self.submit_order(order)

    def on_order_accepted(self, event: Any) -> None:
        SEEN["accepted"] += 1

    def on_order_rejected(self, event: Any) -> None:
        SEEN["errors"].append(str(event.reason))
        HANDLE.stop()

    def on_order_filled(self, event: Any) -> None:
        SEEN["fills"].append(
            [str(event.trade_id), str(event.order_side), str(event.last_qty), str(event.last_px), str(event.commission)]
        )
        filled = sum(float(fill[2]) for fill in SEEN["fills"])
        if self.sent == 1 and filled > 0.0099:
            self.sent = 2
            self.trade(OrderSide.SELL, reduce_only=True)
        elif self.sent == 2 and filled > 0.0199:
            HANDLE.stop()


def build(port: int, *, use_ws_trading: bool) -> LiveNode:
    """Make the node as docs/nautilus.md says a live node is made."""
    http, ws = f"http://127.0.0.1:{port}", f"ws://127.0.0.1:{port}/ws"
    provider = BinanceInstrumentProviderConfig(load_all=True)
    data = BinanceDataClientConfig(
        product_type=BinanceProductType.USD_M,
        base_url_http=http,
        base_url_ws=ws,
        instrument_status_poll_secs=0,
        instrument_provider=provider,
    )
    execution = BinanceExecutionClientConfig(
        account_id=AccountId("BINANCE-001"),
        product_type=BinanceProductType.USD_M,
        base_url_http=http,
        base_url_ws=ws,
        base_url_ws_trading=f"ws://127.0.0.1:{port}/ws-fapi/v1",
        use_ws_trading=use_ws_trading,
        api_key="local-key",
        api_secret="local-secret",
        instrument_provider=provider,
    )
    builder = LiveNode.builder("SMOKE-1", TraderId("HT-001"), Environment.LIVE)
    builder = builder.with_delay_post_stop_secs(0).with_exec_engine_config(
        LiveExecutionEngineConfig(reconciliation=True)
    )
    builder = builder.add_data_client(None, BinanceDataClientFactory(), data)
    return builder.add_exec_client(None, BinanceExecutionClientFactory(), execution).build()


if __name__ == "__main__":
    node = build(int(sys.argv[1]), use_ws_trading=sys.argv[2:] == ["ws"])
    HANDLE = node.handle()
    node.add_strategy(Smoke(StrategyConfig(strategy_id=StrategyId("SMOKE-001"))))
    node.run()
    sys.stdout.write("SEEN " + json.dumps(SEEN) + "\n")
