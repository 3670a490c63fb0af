"""L-8: a session outlives closed sockets and an expired listen key, and knows every fill afterwards."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from adapters.simulated_binance.server import Server
from tests.runners.live.support import Node, running, told, written
from tests.runners.live.test_session import agreed
from tests.runners.live.test_stops import armed, holds

BREAKS: tuple[dict[str, Any], ...] = (
    {"act": "close_sockets", "which": "market"},
    {"act": "close_sockets", "which": "user"},
    {"act": "expire_listen_key"},
)


async def trades_again(server: Server, node: Node) -> None:
    """Wait for one more entry that fills: books and private stream are back."""
    fills = server.venue.exchange.desk.fills

    def entries() -> int:
        return len({fill.order.order_id for fill in fills if not fill.order.reduce_only})

    before = entries()
    await node.until(lambda: entries() >= before + 1, "another entry")


async def broken(server: Server, node: Node, action: dict[str, Any]) -> None:
    """Break something, and wait until the node has opened a socket again."""
    sockets = server.venue.ledger.of("socket")
    await armed(server, {"name": str(action), "when": {"at_secs": 0}, "do": [action]})
    await node.until(lambda: len(server.venue.ledger.of("socket")) > len(sockets), "a new socket")


@pytest.mark.req("L-8", "D-1")
def test_after_each_break_the_session_trades_on_and_all_accounts_agree_at_the_end(tmp_path: Path) -> None:
    async def story(server: Server) -> None:
        params = {"hold_secs": 0.5, "size": 0.02}
        async with running(written(tmp_path, server.url, on_stop="flatten", params=params)) as node:
            await node.until(holds(server), "a position")
            for action in BREAKS:
                await broken(server, node, action)
                await trades_again(server, node)
            node.interrupt()
            assert await node.ended() == 5, node.story
        agreed(server, node.directory)

    told(story)
