"""A snapshot that is slower than the updates which continue it: the engine hands these out after it, timed before it."""

from __future__ import annotations

import json
from itertools import pairwise
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from adapters.simulated_binance.server import Server
from tests.runners.live.support import RESTING, running, told, written
from tests.runners.live.test_stops import armed, rests


@pytest.mark.req("D-1", "L-8")
def test_updates_that_waited_for_a_late_snapshot_cost_the_session_neither_book_nor_directory(tmp_path: Path) -> None:
    async def story(server: Server) -> None:
        late = {"request": "GET /fapi/v1/depth", "times": None}
        await armed(server, {"name": "late", "when": late, "do": [{"act": "delay_answer", "secs": 1}]})
        async with running(written(tmp_path, server.url, params=RESTING)) as node:
            await node.until(rests(server), "a resting order")
            node.interrupt()
            assert await node.ended() == 5, node.story
        stamps = pq.read_table(node.directory / "market.parquet").column("ts_ns").to_pylist()
        assert all(before <= after for before, after in pairwise(stamps))
        summary = json.loads((node.directory / "summary.json").read_text(encoding="utf-8"))
        assert summary["status"] == "completed"

    told(story)
