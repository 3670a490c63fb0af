"""O-6: a node is killed, and killed again while it recovers; the start after that has everything, once."""

from __future__ import annotations

import random
from decimal import Decimal
from pathlib import Path

import pytest

from adapters.simulated_binance.server import Server
from execution.journal_read import read_journal
from tests.runners.live.support import Node, lively, running, told, written
from tests.runners.live.test_stops import holds, rests

BUSY = {"size": 0.05, "hold_secs": 1.0, "patience_secs": 1.5, "beat_secs": 0.1}


async def killed(node: Node) -> None:
    """SIGKILL."""
    node.process.kill()
    await node.ended()


def in_order(server: Server, folder: Path) -> None:
    """Journal file and venue agree: every trade once, every order over but protective stops, the same position."""
    exchange, file = server.venue.exchange, read_journal(folder / "state" / "test" / "journal.sqlite")
    booked = [one.trade_id for one in file.fills]
    assert sorted(booked) == sorted({str(one.trade_id) for one in exchange.desk.fills})
    assert file.net.get("BTCUSDT", Decimal(0)) == exchange.account.positions["BTCUSDT"].amount
    assert [row for row in file.open_orders if not row.is_protective] == []
    assert exchange.desk.open_orders() == []
    ids = {row.client_order_id for row in file.orders}
    at_venue = [order.client_id.removeprefix("x-aHRE4BCj-R") for order in exchange.desk.orders.values()]
    assert set(at_venue) <= ids
    assert len(at_venue) == len(set(at_venue))


@pytest.mark.req("O-6", "O-1")
@pytest.mark.parametrize("seed", [1])
def test_a_node_that_is_killed_at_any_time_and_killed_again_while_it_recovers_starts_with_everything(
    tmp_path: Path, seed: int
) -> None:
    draw = random.Random(seed)

    async def story(server: Server) -> None:
        config = written(tmp_path, server.url, on_start="adopt", params=BUSY)
        async with running(config) as node:
            await node.until(lambda: holds(server)() or rests(server)(), "something to lose")
            enough = len(server.venue.ledger.rows) + draw.randrange(400)
            await node.until(
                lambda: len(server.venue.ledger.rows) > enough and (holds(server)() or rests(server)()),
                "some more of it, and something to recover",
            )
            await killed(node)
        async with running(config) as node:
            await node.until(lambda: bool(node.said("found") or node.said("recovery")), "a recovery at work")
            await killed(node)
        async with running(config, "--stop-after", "3") as node:
            assert await node.ended() == 0, node.story
        in_order(server, tmp_path)

    told(story, lively(behaviour={"query_lag_secs": 3}))
