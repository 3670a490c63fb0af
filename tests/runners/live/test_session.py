"""End to end: the venue's ledger, the node's journal and the engine's positions agree to the last unit."""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from adapters.simulated_binance.server import Server
from tests.runners.live.support import running, told, written

REDUCING = {"reduceOnly": "true"}
FORGETFUL = """
from pathlib import Path
from execution.journal_forgetting import ForgettingJournal
from runners._cli import run
from runners.live import forgetting
from runners.live.__main__ import app
forgetting.KEPT_NS, forgetting.EVERY_SECS = 0, 0.05
recall = ForgettingJournal.recall
def told(journal):
    gone = journal.order_count - len(journal.orders), journal.fill_count - len(journal.fills)
    with Path("{path}").open("a") as file:
        print(*gone, file=file)
    return recall(journal)
ForgettingJournal.recall = told
run(app, prog="live")
"""
"""The command, but what is over leaves memory at once; says in a file how many orders and fills were on disk alone at the end."""


def traded_in_parts(server: Server) -> bool:
    """Whether an order was filled in more than one part, and a reduce-only order has closed a position since."""
    fills = server.venue.exchange.desk.fills
    parts = [fill.order.order_id for fill in fills if not fill.order.reduce_only]
    in_parts = len(parts) > len(set(parts))
    closed = [fill for fill in fills if fill.order.reduce_only]
    return in_parts and len(closed) >= 2


def table(directory: Path, name: str) -> list[dict[str, Any]]:
    """Rows of one table of a session."""
    rows: list[dict[str, Any]] = pq.read_table(directory / "live" / f"{name}.parquet").to_pylist()
    return rows


@pytest.mark.req("P-1", "P-2", "O-10", "X-2")
def test_orders_queue_fill_in_parts_and_leave_reduce_only_and_all_three_accounts_agree(tmp_path: Path) -> None:
    """Also where memory has let go of everything that is over."""
    gone = tmp_path / "gone"

    async def story(server: Server) -> None:
        config = written(tmp_path, server.url, on_stop="flatten")
        async with running(config, program=FORGETFUL.format(path=gone.as_posix())) as node:
            await node.until(lambda: traded_in_parts(server), "a fill in parts and two exits")
            (tmp_path / "state" / "test" / "STOP").touch()
            assert await node.ended() == 5, node.story
        agreed(server, node.directory)
        assert any(row["queue_ahead"] for row in table(node.directory, "orders"))  # it waited behind others
        assert [line["holds"] for line in node.said("position")] == [True]
        orders, fills = map(int, gone.read_text(encoding="utf-8").split()[:2])
        assert min(orders, fills) >= 1

    told(story)


def agreed(server: Server, directory: Path, status: str = "completed") -> None:
    """Hold the venue's own books against the session's tables."""
    exchange, fills = server.venue.exchange, table(directory, "fills")
    assert {(row["trade_id"], row["price"], row["quantity"], row["fee"]) for row in fills} == {
        (str(f.trade_id), exact(server, f.price, "price"), exact(server, f.quantity, "size"), f.fee)
        for f in exchange.desk.fills
    }
    assert exchange.desk.open_orders() == []
    assert exchange.account.positions["BTCUSDT"].quantity == 0
    rows = {row["client_order_id"]: row for row in table(directory, "orders")}
    stops = {name: row for name, row in rows.items() if row["source"] == "protective"}
    conditional = {
        order.client_id.removeprefix("x-aHRE4BCj-R"): order.status for order in exchange.algo.orders.values()
    }
    assert {name: row["status"] for name, row in stops.items()} == conditional
    orders = {name: row for name, row in rows.items() if name not in stops}
    venue = {order.client_id.removeprefix("x-aHRE4BCj-R"): order for order in exchange.desk.orders.values()}
    assert set(venue) == {
        name for name, row in orders.items() if row["status"] not in ("DENIED", "REJECTED") or name in venue
    }
    for name, order in venue.items():
        assert orders[name]["filled_quantity"] == exact(server, order.filled, "size"), name
        assert orders[name]["status"] == str(order.status).removesuffix("_IN_MATCH"), name
        assert orders[name]["reduce_only"] == order.reduce_only
    account = json.loads((directory / "live" / "account.json").read_text(encoding="utf-8"))
    assert Decimal(account["ending_balance"]) == exchange.account.wallet
    summary = json.loads((directory / "summary.json").read_text(encoding="utf-8"))
    assert (summary["status"], float(summary["residual"])) == (status, 0.0)
    assert (directory / "report.html").stat().st_size > 10_000


def exact(server: Server, units: int, kind: str) -> Decimal:
    """A figure of the venue, which counts in units, as a decimal."""
    scale = getattr(server.venue.exchange.markets["BTCUSDT"].contract, kind)
    value: Decimal = scale.value(units)
    return value
