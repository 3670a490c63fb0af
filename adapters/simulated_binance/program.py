"""The venue as a program: serve until told to stop, say now and then how the account stands."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec

from adapters.simulated_binance.faults.engine import fires_on
from adapters.simulated_binance.server import Server
from adapters.simulated_binance.settings import Scenario
from adapters.simulated_binance.state import state_of
from adapters.simulated_binance.venue import Venue

Say = Callable[[str], None]


async def serve(
    scenario: Scenario,
    say: Say,
    *,
    port: int = 0,
    ledger: Path | None = None,
    status_secs: float = 10.0,
    stop_after_secs: float | None = None,
    as_json: bool = False,
) -> None:
    """Run one venue until SIGINT, SIGTERM or `stop_after_secs`.

    Raises
    ------
    UsageError
        When the port is taken.
    DataError
        When a recording is missing or unreadable.
    """
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    for number in before:
        signal.signal(number, lambda *_: loop.call_soon_threadsafe(stop.set))
    async with Server(Venue(scenario, ledger_path=ledger), port) as server:
        say(_opening(server, scenario, as_json=as_json))
        reporting = asyncio.create_task(_report(server, say, status_secs, as_json=as_json))
        stopping = asyncio.create_task(stop.wait())
        await asyncio.wait({stopping, server.driving}, timeout=stop_after_secs, return_when=asyncio.FIRST_COMPLETED)
        reporting.cancel()
        stopping.cancel()
        if server.driving.done():
            server.driving.result()  # raises what made it fail
        say(_status(state_of(server.venue), as_json=as_json))
    for number, handler in before.items():
        signal.signal(number, handler)


async def _report(server: Server, say: Say, secs: float, *, as_json: bool) -> None:
    while True:
        await server.venue.agenda.sleep(secs)
        say(_status(state_of(server.venue), as_json=as_json))


def _opening(server: Server, scenario: Scenario, *, as_json: bool) -> str:
    urls = {"rest": server.url, "streams": server.ws_url, "trading": server.trading_url}
    if as_json:
        return msgspec.json.encode({"event": "listening", **urls, "symbols": list(scenario.symbols)}).decode()
    lines = [f"simulated Binance   REST {server.url}   streams {server.ws_url}   trading {server.trading_url}"]
    lines += [f"  {name}: {symbol.market.kind} market" for name, symbol in scenario.symbols.items()]
    lines += [f"  fault {fault.name}: on {fires_on(fault.when)}" for fault in scenario.faults]
    return "\n".join([*lines, _status(state_of(server.venue), as_json=False)])


def _status(state: dict[str, Any], *, as_json: bool) -> str:
    if as_json:
        return msgspec.json.encode({"event": "status", **state}).decode()
    held = "  ".join(f"{name} {one['quantity']} @ {one['entry_price']}" for name, one in state["positions"].items())
    counts = f"{state['orders']} orders ({len(state['open_orders'])} open), {state['fills']} fills"
    clients = f"{sum(state['sockets'].values())} sockets"
    return f"wallet {state['wallet']} USDT  unrealised {state['unrealised']}  {held}  {counts}  {clients}"
