"""Spot: a venue that plays back a recording of the real one, recorded again."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from aiohttp import web

from catalog.recording.ingest import ingest_recording
from tests.adapters.binance.recorder.support import lines_of, recording, run

LINES = 3_000


@asynccontextmanager
async def playback(bodies: list[bytes]) -> AsyncIterator[str]:
    """Send what was recorded, waiting at the order book until somebody has asked for it."""
    asked = asyncio.Event()
    (book,) = (body for body in bodies if body.startswith(b'{"lastUpdateId"'))

    async def depth(request: web.Request) -> web.Response:
        assert request.path_qs == "/api/v3/depth?symbol=BTCUSDT&limit=1000"
        asked.set()
        return web.Response(body=book)

    async def stream(request: web.Request) -> web.WebSocketResponse:
        assert request.query["streams"] == "btcusdt@depth@100ms/btcusdt@bookTicker/btcusdt@trade"
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        for body in bodies:
            if body is book:
                await asked.wait()
            else:
                await socket.send_str(body.decode())
        await socket.receive()
        return socket

    app = web.Application()
    app.add_routes([web.get("/api/v3/depth", depth), web.get("/stream", stream)])
    runner = web.AppRunner(app, shutdown_timeout=0.2)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    try:
        yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()


@pytest.mark.req("D-7")
def test_a_real_spot_market_recorded_again_is_the_same_market(spot_recording: Path, tmp_path: Path) -> None:
    original = lines_of(spot_recording)[:LINES]
    bodies = [line.partition(b" ")[2] for line in original]
    (tmp_path / "original").write_bytes(b"\n".join(original) + b"\n")

    async def story() -> None:
        async with playback(bodies) as url, recording(url, tmp_path / "raw", {"market": "spot"}) as watched:
            await watched.until(lambda: watched.lines == LINES)
        assert watched.told("gap") == []
        recorded = sorted(line.partition(b" ")[2] for line in lines_of(watched.finished[0]))
        assert recorded == sorted(bodies)
        files = {"again": watched.finished[0], "first": tmp_path / "original"}
        days = {
            name: ingest_recording(file, market="spot", symbol="BTCUSDT", catalog=tmp_path / name).certificates
            for name, file in files.items()
        }
        counts = {
            name: [(d.grade, d.measures.gaps, d.measures.trades, d.measures.quotes) for d in days[name]]
            for name in days
        }
        assert counts["again"] == counts["first"] != []
        again = days["again"][0].measures
        assert again.tops_compared == again.tops_equal > 200

    run(story)
