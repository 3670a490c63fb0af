"""A preflight against a served venue; the venue's own request log tells what it heard."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from adapters.simulated_binance.server import Server
from adapters.simulated_binance.settings import Scenario
from adapters.simulated_binance.tickets import read_order
from adapters.simulated_binance.venue import Venue
from runners.config import Trust, load_live
from runners.config.live_load import LiveResolved
from runners.preflight.report import Check, Report, Result
from runners.preflight.run import preflight
from tests.adapters.simulated_binance.support import order_params

PATIENCE_SECS = 60.0
NOTHING: Mapping[str, str] = {}
ACCOUNT = {"margin_type": "isolated", "leverage": 3}
CONFIG = """\
version: 1
mode: testnet
name: looked-at
instruments: [BTCUSDT-PERP.BINANCE]
account: {{alias: test, environment: local, url: "{url}", order_tag: t1, leverage: 3}}
data: {{warmup_secs: 0}}
fees: {{maker_bps: 2.0, taker_bps: 5.0}}
safety: {{state_dir: "{folder}/state"}}
strategies:
  - id: flow-1
    order_id_tag: "001"
    class: strategies.order_flow:OrderFlow
    params: {{order_notional_quote: 500}}
risk: {{max_order_notional_quote: 500, max_position_notional_quote: 1200, max_daily_loss_quote: 20, max_drawdown_pct: 5}}
output: "{folder}/runs"
"""

type Before = Callable[[Server, Path], None]


def resolved(folder: Path, url: str, *settings: str) -> LiveResolved:
    """Write the file and load it."""
    path = folder / "live.yaml"
    path.write_text(CONFIG.format(url=url, folder=folder.as_posix()), encoding="utf-8")
    return load_live(path, settings, Trust(everything=True))


@dataclass(frozen=True)
class Looked:
    """What came out, and the venue that was asked."""

    report: Report
    venue: Venue

    def line(self, name: str) -> Check:
        """The one line of a name."""
        found = [check for check in self.report.checks if check.name == name]
        assert len(found) == 1, (name, self.report.checks)
        return found[0]

    @property
    def refusals(self) -> list[Check]:
        return self.report.of(Result.REFUSED)

    @property
    def requests(self) -> list[str]:
        """'METHOD /path' of all requests, in order."""
        return requests(self.venue)


def requests(venue: Venue) -> list[str]:
    return [f"{row['method']} {row['path']}" for row in venue.ledger.of("request")]


def changing(venue: Venue) -> list[str]:
    """Requests that could change anything."""
    return [what for what in requests(venue) if not what.startswith("GET ") and what != "POST /fapi/v1/listenKey"]


def look(
    folder: Path,
    *settings: str,
    account: Mapping[str, Any] = NOTHING,
    before: Before | None = None,
    environ: Mapping[str, str] = NOTHING,
    dot_env: Path | None = None,
    stream_secs: float = 20.0,
    **scenario: Any,
) -> Looked:
    """Look at a venue of this scenario; `account` changes its account."""

    async def whole() -> Looked:
        shape = Scenario.model_validate({"account": ACCOUNT | dict(account)} | scenario)
        async with Server(Venue(shape)) as server:
            for market in server.venue.exchange.markets.values():
                server.venue.agenda.every(
                    0.05, market.feed.publish_mark
                )  # each second would do, and take a second a test
            if before is not None:
                before(server, folder)
            report = await preflight(
                resolved(folder, server.url, *settings), environ=environ, dot_env=dot_env or folder / "no.env",
                stream_secs=stream_secs,
            )  # fmt: skip
            return Looked(report, server.venue)

    return asyncio.run(asyncio.wait_for(whole(), PATIENCE_SECS))


def look_at(folder: Path, url: str, *settings: str) -> Report:
    """Look at an address."""
    config = resolved(folder, url, *settings)
    return asyncio.run(asyncio.wait_for(preflight(config, environ=NOTHING, dot_env=folder / "no.env"), PATIENCE_SECS))


def placed(server: Server, wire_id: str) -> None:
    """Leave an order below the market, past REST."""
    market = server.venue.exchange.markets["BTCUSDT"]
    params = order_params("BUY", "0.010", "59000.0", newClientOrderId=wire_id)
    server.venue.exchange.place(
        market.contract, read_order(market.contract, params, market.feed.mark, hedge_mode=False)
    )
