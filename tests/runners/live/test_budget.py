"""R-9 in the node: entries stop at four fifths of the venue's order count, and a cancel-all goes out at once all the same."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import pytest

from adapters.simulated_binance.server import Server
from tests.runners.live.support import Node, lively, running, told, written
from tests.runners.live.test_clocks import refusals

PER_10_SECS, OF_ENTRIES = 10, 8  # so few that a busy machine still asks for more
HASTY = {"offset_ticks": 8, "size": 0.01, "beat_secs": 0.05, "patience_secs": 0.05}
FREE = (
    "--set", "risk.throttles={max_identical_orders: null, max_orders_per_sec: 100}",
    "--set", "risk.breakers.api_budget_pct=null",  # the breaker would shut entries in its own words, sooner or later
)  # fmt: skip
WINDOW_NS = 10_000_000_000
LATE_NS = 2_000_000_000
"""By so much an order may come later than it was counted: the venue is this process, which may have to wait for a core."""
AT_ONCE_NS = 5_000_000_000
"""Generous: `benchmarks.cancel_all` measures it."""


def requests(server: Server, method: str, path: str) -> list[dict[str, Any]]:
    """Requests of one kind, with their answers."""
    answers = {row["id"]: row["status"] for row in server.venue.ledger.of("response")}
    asked = [row for row in server.venue.ledger.of("request") if row["method"] == method]
    return [row | {"status": answers.get(row["id"])} for row in asked if row["path"] == f"/fapi/v1/{path}"]


def saturated(node: Node) -> bool:
    """Whether many entries have been refused."""
    return any(line["refusals"] > 20 for line in node.said("status"))


def most_within(times: list[int], span_ns: int) -> int:
    """Most of the times that lie within one span."""
    return max(sum(start <= ts < start + span_ns for ts in times) for start in times)


@pytest.mark.req("R-9", "L-8", "O-10")
def test_with_entries_at_their_share_of_the_budget_a_cancel_all_goes_out_at_once(tmp_path: Path) -> None:
    scenario = lively(limits={"orders_per_10_secs": PER_10_SECS, "ban_after": 10_000})
    asked: list[int] = []

    async def story(server: Server) -> None:
        async with running(written(tmp_path, server.url, params=HASTY), *FREE) as node:
            await node.until(lambda: saturated(node), "entries that are refused")
            asked.append(time.time_ns())
            node.interrupt()
            assert await node.ended() == 5, node.story
        assert refusals(node, "the rest of the venue's budget is for cancels, queries and exits (orders)") > 0
        placed = requests(server, "POST", "order")
        times = [row["ts_ns"] for row in placed]
        assert most_within(times, WINDOW_NS - LATE_NS) <= OF_ENTRIES <= most_within(times, WINDOW_NS + LATE_NS)
        assert {row["status"] for row in placed} == {200}
        cancel = next(row for row in requests(server, "DELETE", "allOpenOrders") if row["ts_ns"] >= asked[0])
        assert (cancel["status"], cancel["ts_ns"] - asked[0] < AT_ONCE_NS) == (200, True)
        assert server.venue.exchange.desk.open_orders() == []

    told(story, scenario)
