"""L-8: a session outlives closed sockets and an expired listen key, and knows every fill afterwards.

Orders fill here when a test moves the price, and not while a stream is down: a fill of which no stream tells ends a session
(`test_engine_faults`).
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from adapters.simulated_binance.server import Server
from tests.runners.live.support import LIVELY, RESTING, Node, lively, running, told, written
from tests.runners.live.test_session import agreed
from tests.runners.live.test_stops import armed, holds, rests

BREAKS: tuple[dict[str, Any], ...] = (
    {"act": "close_sockets", "which": "market"},
    {"act": "close_sockets", "which": "user"},
    {"act": "expire_listen_key"},
)
UNMOVED = {"BTCUSDT": {"market": LIVELY | {"trades_per_sec": 0, "volatility_ticks": 0}}}
"""Sizes change, prices do not, and nobody trades."""
FALL = {"act": "gap_price", "symbol": "BTCUSDT", "bps": "-2"}


async def waits(server: Server, node: Node) -> None:
    """Wait until an entry rests and nothing else is under way."""
    await node.until(lambda: rests(server)() and not holds(server)(), "an entry that waits")


async def trades_again(server: Server, node: Node, number: int) -> None:
    """Let an entry fill, and wait until the position is closed again: books and private stream are back."""
    await waits(server, node)
    exits = sum(fill.order.reduce_only for fill in server.venue.exchange.desk.fills)
    await armed(server, {"name": f"fall {number}", "when": {"at_secs": 0}, "do": [FALL]})
    await node.until(
        lambda: sum(fill.order.reduce_only for fill in server.venue.exchange.desk.fills) > exits, "an exit of it"
    )


def opened(server: Server, kind: str) -> int:
    """How many sockets of a kind were ever opened."""
    return sum((row["step"], row["socket"]) == ("opened", kind) for row in server.venue.ledger.of("socket"))


async def broken(server: Server, node: Node, action: dict[str, Any]) -> None:
    """Break something, and wait until the node has as many new sockets as it has lost."""
    await waits(server, node)
    kind = "market" if action.get("which") == "market" else "user"
    wanted = opened(server, kind) + len(server.venue.hub.of(kind))
    await armed(server, {"name": str(action), "when": {"at_secs": 0}, "do": [action]})
    await node.until(lambda: opened(server, kind) >= wanted, "its new sockets")


@pytest.mark.req("L-8", "D-1")
def test_after_each_break_the_session_trades_on_and_all_accounts_agree_at_the_end(tmp_path: Path) -> None:
    async def story(server: Server) -> None:
        params = RESTING | {"offset_ticks": 0, "hold_secs": 0.5, "size": 0.02}
        async with running(written(tmp_path, server.url, on_stop="flatten", params=params)) as node:
            await trades_again(server, node, 0)
            for number, action in enumerate(BREAKS, 1):
                await broken(server, node, action)
                await trades_again(server, node, number)
            node.interrupt()
            assert await node.ended() == 5, node.story
        agreed(server, node.directory)

    told(story, lively(symbols=UNMOVED))
