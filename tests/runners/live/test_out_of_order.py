"""An order event that overtakes another of its order: Binance promises that none does, and rc6's position is wrong after it."""

from __future__ import annotations

from pathlib import Path

import pytest

from adapters.simulated_binance.server import Server
from tests.runners.live.support import AT_MARKET, LIVELY, PATIENT, lively, running, told, written
from tests.runners.live.test_session import table
from tests.runners.live.test_stops import armed

LATE = {"event": "user/ORDER_TRADE_UPDATE/TRADE"}
"""The first fill of an order that has several: it comes after the one that says FILLED."""
THIN = {"BTCUSDT": {"market": LIVELY | {"levels": 20, "level_quantity": "0.05"}}}
"""An order of 0.4 surely takes several levels: one in a million is so large, and all of them hold seven times as much."""


@pytest.mark.req("O-8")
def test_a_fill_that_comes_after_the_end_of_its_order_ends_the_session_flat_and_with_every_trade_booked(
    tmp_path: Path,
) -> None:
    async def story(server: Server) -> None:
        await armed(server, {"name": "late", "when": LATE, "do": [{"act": "delay", "secs": 1.0}]})
        config = written(tmp_path, server.url, on_stop="flatten", params={"hold_secs": 600, "size": 0.4})
        async with running(config, *AT_MARKET, program=PATIENT) as node:
            assert await node.ended() == 1, node.story
        why = node.said("stopping")[0]["text"]
        assert why.startswith("stopping: the engine holds "), node.story
        assert "our trades and the venue's list make it" in why
        exchange = server.venue.exchange
        assert len({fill.trade_id for fill in exchange.desk.fills if not fill.order.reduce_only}) > 1
        assert (exchange.account.positions["BTCUSDT"].quantity, exchange.desk.open_orders()) == (0, [])
        booked = {row["trade_id"] for row in table(node.directory, "fills")}
        assert booked == {str(one.trade_id) for one in exchange.desk.fills}, node.story

    told(story, lively(symbols=THIN))
