"""A real rc6 live node trades at the venue. In a subprocess: its release build aborts the process when it panics."""

from __future__ import annotations

import asyncio
import json
import sys
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from adapters.simulated_binance.server import Server
from adapters.simulated_binance.settings import Scenario
from adapters.simulated_binance.venue import Venue

ROOT = Path(__file__).resolve().parents[3]
PROGRAM = Path(__file__).with_name("node_smoke.py")
DEADLINE_SECS = 120


def trade_once(*options: str, **changes: Any) -> tuple[dict[str, Any], Venue]:
    """Let the node run its round trip; return what it saw, and the venue."""

    async def whole() -> tuple[dict[str, Any], Venue]:
        async with Server(Venue(Scenario.model_validate({"seed": 5} | changes))) as server:
            command = [sys.executable, str(PROGRAM), str(server.port), *options]
            node = await asyncio.create_subprocess_exec(
                *command, cwd=ROOT, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT
            )
            try:
                output, _ = await asyncio.wait_for(node.communicate(), DEADLINE_SECS)
            finally:
                if node.returncode is None:
                    node.kill()
                    await node.wait()
            assert node.returncode == 0, output.decode()[-4000:]
            seen = next(line for line in output.decode().splitlines() if line.startswith("SEEN "))
            decoded: dict[str, Any] = json.loads(seen.removeprefix("SEEN "))
            return decoded, server.venue

    return asyncio.run(whole())


@pytest.mark.req("X-2")
@pytest.mark.parametrize("transport", ["http", "ws"])
def test_a_node_subscribes_trades_and_sees_its_fills(transport: str) -> None:
    seen, venue = trade_once(transport)
    assert seen["errors"] == []
    assert seen["accepted"] == 2
    assert seen["deltas"] >= 5
    assert seen["trades"] >= 1
    ours = venue.exchange.desk.fills
    assert [fill[0] for fill in seen["fills"]] == [str(fill.trade_id) for fill in ours]
    assert list(dict.fromkeys(fill[1] for fill in seen["fills"])) == ["BUY", "SELL"]  # in parts where a level is thin
    fees = [Decimal(fill[4].removesuffix(" USDT")) for fill in seen["fills"]]
    assert fees == [fill.fee for fill in ours]
    assert venue.exchange.account.positions["BTCUSDT"].quantity == 0
    assert all(order.client_id.startswith("x-aHRE4BCj-") for order in venue.exchange.desk.orders.values())
    assert {row["transport"] for row in venue.ledger.of("request") if row["path"] == "/fapi/v1/order"} == {transport}
    assert [row for row in venue.ledger.of("response") if row["status"] != 200] == []


def test_a_node_survives_lost_and_doubled_messages_of_the_venue() -> None:
    faults = [
        {"name": "twice", "when": {"event": "user/ORDER_TRADE_UPDATE/*", "times": None}, "do": [{"act": "duplicate"}]},
        {"name": "gap", "when": {"event": "btcusdt@depth@0ms", "nth": 3}, "do": [{"act": "drop"}]},
        {"name": "unknown", "when": {"request": "POST /fapi/v1/order"}, "do": [UNKNOWN]},
    ]
    seen, venue = trade_once(faults=faults)
    assert seen["errors"] == []
    ours = venue.exchange.desk.fills
    assert [fill[0] for fill in seen["fills"]] == [str(fill.trade_id) for fill in ours]  # once each
    assert len(venue.exchange.desk.orders) == 2
    assert venue.exchange.account.positions["BTCUSDT"].quantity == 0
    assert {row["name"] for row in venue.ledger.of("fault")} == {"twice", "gap", "unknown"}


UNKNOWN = {"act": "answer", "status": 503, "code": -1007, "execute": True}
