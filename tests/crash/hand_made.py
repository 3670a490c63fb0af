"""Ledgers and journals made by hand: a story of one order, as both sides would have written it."""

from __future__ import annotations

import json
import sqlite3
from pathlib import Path
from typing import Any

from execution.journal_schema import migrate

S = 1_000_000_000
T0 = 1_000 * S
"""When the story begins."""
PREFIX = "x-aHRE4BCj-R"


class Story:
    """Both files of one run.

    Parameters
    ----------
    folder
        Where they are written.
    """

    def __init__(self, folder: Path) -> None:
        self.ledger, self.journal = folder / "ledger.jsonl", folder / "journal.sqlite"
        self.lines: list[dict[str, Any]] = []
        self.db = sqlite3.connect(self.journal, isolation_level=None)
        migrate(self.db)
        self.insert("runs", run_id="r", started_ns=T0, mode="testnet", account="a", config_hash="h", epoch=1)
        self.line(T0, "balance", wallet="1000", asset="USDT", change="1000", reason="START")
        self.line(T0, "position", symbol="BTCUSDT", quantity="0", reason="START")

    # The venue's side -------------------------------------------------------------------------------------------------

    def line(self, ts_ns: int, kind: str, **fields: Any) -> None:
        """One line of the ledger."""
        self.lines.append({"seq": len(self.lines) + 1, "ts_ns": ts_ns, "kind": kind, **fields})

    def order(self, ts_ns: int, number: int, order_id: str, status: str, filled: str = "0", **fields: Any) -> None:
        """One step of an order."""
        given = {"symbol": "BTCUSDT", "side": "BUY", "quantity": "0.1", "reduce_only": False, "by": "api"} | fields
        self.line(ts_ns, "order", order_id=number, client_id=PREFIX + order_id, status=status, filled=filled, **given)

    def trade(self, ts_ns: int, trade_id: int, number: int, order_id: str, **fields: Any) -> None:
        """One trade."""
        given = {"symbol": "BTCUSDT", "side": "BUY", "price": "60000", "quantity": "0.1", "fee": "3", "realised": "0"}
        self.line(ts_ns, "trade", trade_id=trade_id, order_id=number, client_id=PREFIX + order_id, **(given | fields))

    def position(self, ts_ns: int, quantity: str) -> None:
        """The position after something."""
        self.line(ts_ns, "position", symbol="BTCUSDT", quantity=quantity, reason="ORDER")

    def sent(self, ts_ns: int, order_id: str) -> None:
        """A request that places an order, signed when it came."""
        params = {"newClientOrderId": PREFIX + order_id, "timestamp": str(ts_ns // 1_000_000)}
        self.line(ts_ns, "request", id=1, method="POST", path="/fapi/v1/order", params=params)

    def stop(self, ts_ns: int, number: int, order_id: str, status: str) -> None:
        """One step of a protective stop."""
        self.line(ts_ns, "algo_order", algoId=number, clientAlgoId=PREFIX + order_id, symbol="BTCUSDT", side="SELL",
                  quantity="0", algoStatus=status, closePosition=True)  # fmt: skip

    # The journal's side -----------------------------------------------------------------------------------------------

    def insert(self, table: str, **row: Any) -> None:
        """One row of the journal."""
        marks = ", ".join("?" for _ in row)
        self.db.execute(f"INSERT INTO {table} ({', '.join(row)}) VALUES ({marks})", tuple(row.values()))

    def row(self, ts_ns: int, order_id: str, status: str, filled: str = "0", **fields: Any) -> None:
        """An order's row."""
        given = {
            "run_id": "r", "client_order_id": order_id, "ts_ns": ts_ns, "strategy_id": "s", "side": "BUY",
            "instrument_id": "BTCUSDT-PERP.BINANCE", "order_type": "LIMIT", "quantity": "0.1", "filled_quantity": filled,
            "post_only": 0, "reduce_only": 0, "time_in_force": "GTC", "status": status, "why": "target", "source": "strategy",
        }  # fmt: skip
        self.insert("orders", **(given | fields))

    def fill(self, ts_ns: int, trade_id: str, order_id: str, after: str, **fields: Any) -> None:
        """A fill's row."""
        given = {
            "run_id": "r", "instrument_id": "BTCUSDT-PERP.BINANCE", "trade_id": trade_id, "ts_ns": ts_ns, "strategy_id": "s",
            "client_order_id": order_id, "side": "BUY", "price": "60000", "quantity": "0.1", "liquidity": "TAKER",
            "fee": "3", "fee_asset": "USDT", "position_after": after, "ts_decision": ts_ns,
        }  # fmt: skip
        self.insert("fills", **(given | fields))

    # Both -------------------------------------------------------------------------------------------------------------

    def round_trip(self, ts_ns: int, name: str, why: str, trade: int) -> None:
        """Buy 0.1 and sell it a second later, protected meanwhile, told by both sides alike."""
        number, leave, stop = 10 * trade, f"{name}x", f"{name}p"
        self.sent(ts_ns, name)
        self.order(ts_ns, number, name, "NEW")
        self.trade(ts_ns, trade, number, name)
        self.position(ts_ns, "0.1")
        self.order(ts_ns, number, name, "FILLED", "0.1")
        self.stop(ts_ns, number + 1, stop, "NEW")
        self.sent(ts_ns + S, leave)
        self.order(ts_ns + S, number + 2, leave, "NEW", side="SELL", reduce_only=True)
        self.trade(ts_ns + S, trade + 1, number + 2, leave, side="SELL", price="60010", realised="1.00000000")
        self.position(ts_ns + S, "0")
        self.order(ts_ns + S, number + 2, leave, "FILLED", "0.1", side="SELL", reduce_only=True)
        self.stop(ts_ns + S, number + 1, stop, "CANCELED")
        self.row(ts_ns, name, "FILLED", "0.1", why=why)
        self.fill(ts_ns, str(trade), name, "0.1")
        self.row(
            ts_ns, stop, "CANCELED", side="SELL", is_protective=1, reduce_only=1, source="protective", why="protects"
        )
        self.row(ts_ns + S, leave, "FILLED", "0.1", side="SELL", reduce_only=1, why="leave")
        self.fill(ts_ns + S, str(trade + 1), leave, "0", side="SELL", price="60010")

    def end(self, ts_ns: int) -> None:
        """Write the ledger."""
        self.line(ts_ns, "stop", wallet="1000")
        self.ledger.write_text("".join(json.dumps(line) + "\n" for line in self.lines), encoding="utf-8")
        self.db.close()
