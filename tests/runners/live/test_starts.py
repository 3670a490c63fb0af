"""A session that may not start says why in one sentence, and has sent nothing."""

from __future__ import annotations

import asyncio
import io
import os
import threading
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import replace
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, ClassVar

import pytest

from adapters.simulated_binance.server import Server
from adapters.simulated_binance.settings import Scenario
from adapters.simulated_binance.tickets import read_order
from adapters.simulated_binance.venue import Venue
from errors import HyperTradingError
from runners.config import Trust, load_live
from runners.live.session import Options, run_session
from runners.live.state import Identity, StateFolder
from runners.live.status import JsonLines
from tests.adapters.simulated_binance.support import order_params
from tests.runners.live.support import ROOT, running, written

LONG = {"positions": {"BTCUSDT": {"quantity": "0.010", "entry_price": "60000"}}}
SKEWED = [{"name": "skew", "when": {"at_secs": 0}, "do": [{"act": "skew_clock", "ms": 2000}]}]
ME = Identity("local", "127.0.0.1", "simulated-1", "0123456789ab")


def refused(
    folder: Path, *settings: str, before: Callable[[Server, Path], None] | None = None, **scenario: Any
) -> tuple[HyperTradingError, Venue]:
    """Start against a venue; return the refusal and the venue. No node is built before these checks."""

    async def whole() -> tuple[HyperTradingError, Venue]:
        async with Server(Venue(Scenario.model_validate(scenario))) as server:
            if before is not None:
                before(server, folder)
            resolved = load_live(written(folder, server.url), settings, Trust(everything=True))
            with pytest.raises(HyperTradingError) as caught:
                await run_session(resolved, Options(trust=Trust(everything=True)), JsonLines(io.StringIO()))
            return caught.value, server.venue

    return asyncio.run(asyncio.wait_for(whole(), 60))


def place_by_hand(server: Server, _: Path) -> None:
    """A person's order, without broker prefix and tag."""
    market = server.venue.exchange.markets["BTCUSDT"]
    params = order_params("BUY", "0.010", "59000.0", newClientOrderId="web_1")
    server.venue.exchange.place(
        market.contract, read_order(market.contract, params, market.feed.mark, hedge_mode=False)
    )


def pinned(_: Server, folder: Path, environment: str = "local") -> None:
    """The alias has belonged to another key, or to another environment."""
    state = StateFolder(folder / "state", "test")
    state.prepare()
    state.pin(replace(ME, environment=environment))


def changed(venue: Venue) -> list[Any]:
    """Requests that could change anything at the venue; preflight asks for the listen key, which changes nothing."""
    asked = [(row["method"], row["path"]) for row in venue.ledger.of("request") if row["method"] != "GET"]
    return [one for one in asked if one != ("POST", "/fapi/v1/listenKey")]


REFUSALS: dict[str, tuple[tuple[str, ...], dict[str, Any], int, str]] = {
    "somebody else's order": (
        (), {"before": place_by_hand}, 4, "open orders: 0 of ours, 1 not ours, the first is web_1 of BTCUSDT; cancel them by hand",
    ),
    "hedge mode": ((), {"account": {"hedge_mode": True}}, 4, "position mode: hedge mode, in which reduce-only protects"),
    "a clock that is off by 2 s": ((), {"faults": SKEWED}, 4, "), allowed are 1000; synchronise it"),
    "fees that are not the account's": (
        (), {"account": {"taker_bps": "4"}}, 4, "fees BTCUSDT: the account pays 4 bps as taker, fees.taker_bps is 5",
    ),
    "a key that may withdraw": (
        (), {"account": {"keys": [{"can_withdraw": True}]}}, 4, "withdrawal permission: the key may withdraw; switch it off",
    ),
    "no keys": (
        ("account.key_env=MY_KEY", "account.secret_env=MY_SECRET"), {}, 2, "keys: MY_KEY is not set; put it into the environment",
    ),
    "a position where none may be": (
        ("execution.on_start.positions=refuse",), {"account": LONG}, 4, "positions: BTCUSDT long 0.01; close them",
    ),
    "a position that no limit counts": (
        ("execution.on_start.positions=adopt",),
        {"symbols": {"BTCUSDT": {}, "ETHUSDT": {"base": "ETH"}},
         "account": {"positions": {"ETHUSDT": {"quantity": "-0.5", "entry_price": "60000"}}}},
        4, "positions: ETHUSDT short 0.5; no limit of this configuration counts ETHUSDT",
    ),
    "a symbol that is not there": (
        ("instruments=[NOSUCH-PERP.BINANCE]",), {}, 2, "symbol NOSUCH: 127.0.0.1 does not have it; correct instruments",
    ),
    "an alias of another key": (
        (), {"before": pinned}, 4, "identity: alias test belongs to key fingerprint 0123456789ab, this is ",
    ),
    "an alias of another environment": (
        (), {"before": partial(pinned, environment="demo")}, 4, "identity: alias test belongs to environment demo, this is local",
    ),
    "orders that the venue does not take": (
        ("strategies=[{id: s, order_id_tag: '1', class: 'tests.runners.live.seesaw:Seesaw', params: {order_notional_quote: 1}}]",),
        {}, 2, "order size BTCUSDT: order_notional_quote of s is 1",
    ),
}  # fmt: skip


@pytest.mark.req("L-1", "L-6", "O-9", "M-4")
@pytest.mark.parametrize("case", REFUSALS.values(), ids=REFUSALS.keys())
def test_a_start_is_refused_in_one_sentence_and_nothing_was_sent(
    tmp_path: Path, case: tuple[tuple[str, ...], dict[str, Any], int, str]
) -> None:
    settings, scenario, code, sentence = case
    error, venue = refused(tmp_path, *settings, **scenario)
    assert sentence in str(error), str(error)
    assert str(error).startswith("preflight, ")
    assert (error.exit_code, len(str(error).splitlines())) == (code, 1)
    assert changed(venue) == []


def test_a_wrong_key_is_refused_and_not_printed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOCAL_API_KEY", "not-the-key-4711")
    monkeypatch.setenv("LOCAL_API_SECRET", "not-the-secret-4711")
    error, venue = refused(tmp_path)
    assert "127.0.0.1 refuses the key: " in str(error)
    assert "(LOCAL_API_KEY of environment)" in str(error)
    assert "4711" not in str(error)
    assert (error.exit_code, changed(venue)) == (4, [])


@pytest.mark.req("L-1")
def test_an_account_that_another_node_holds_is_refused_under_any_alias(tmp_path: Path) -> None:
    with ExitStack() as held:

        def hold(server: Server, folder: Path) -> None:
            held.enter_context(StateFolder(folder / "state", "first").lock(ME, server.url))

        error, venue = refused(tmp_path, before=hold)
    assert f"is traded by another node (process {os.getpid()}, alias first); stop that one first" in str(error)
    assert (error.exit_code, changed(venue)) == (4, [])


def started_at(folder: Path, url: str) -> HyperTradingError:
    config = load_live(written(folder, url), (), Trust(everything=True))
    with pytest.raises(HyperTradingError) as caught:
        asyncio.run(run_session(config, Options(), JsonLines(io.StringIO())))
    return caught.value


def test_a_venue_that_is_not_there_is_named(tmp_path: Path) -> None:
    error = started_at(tmp_path, "http://127.0.0.1:9")
    assert "REST: nothing answers at http://127.0.0.1:9" in str(error)
    assert "start the simulated venue" in str(error)
    assert error.exit_code == 1


def test_a_port_that_another_program_has_taken_is_named(tmp_path: Path) -> None:
    with ThreadingHTTPServer(("127.0.0.1", 0), Elsewhere) as other:
        threading.Thread(target=other.serve_forever, daemon=True).start()
        error = started_at(tmp_path, f"http://127.0.0.1:{other.server_port}")
        other.shutdown()
    assert "gives no usable answer" in str(error)
    assert "another program may hold that port" in str(error)
    assert error.exit_code == 1
    assert Elsewhere.methods == {"GET"}


class Elsewhere(BaseHTTPRequestHandler):
    """A program that is no venue."""

    methods: ClassVar[set[str]] = set()

    def do_GET(self) -> None:
        """Answer a page."""
        self.methods.add("GET")
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b"<html>a router</html>")

    def do_POST(self) -> None:
        """Remember that it was asked."""
        self.methods.add("POST")
        self.send_error(405)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.mark.req("L-1")
def test_a_limit_looser_than_the_base_is_refused_with_both_figures_before_anything_is_asked(tmp_path: Path) -> None:
    async def whole() -> tuple[str, int]:
        async with Server(Venue(Scenario())) as server:
            settings = ("--set", f"account.url={server.url}", "--set", "risk.max_daily_loss_quote=1e6")
            async with running(ROOT / "live_configs" / "binance_local.yaml", *settings) as node:
                assert await node.ended() == 2, node.story
            return node.errors, len(server.venue.ledger.of("request"))

    said, requests = asyncio.run(asyncio.wait_for(whole(), 60))
    assert "max_daily_loss_quote" in said
    assert "looser" in said
    assert len(said.strip().splitlines()) == 1
    assert requests == 0


@pytest.mark.req("L-1")
@pytest.mark.parametrize("armed", [False, True])
def test_real_money_is_echoed_and_refused_armed_or_not(tmp_path: Path, armed: bool) -> None:
    settings = ["mode=live", "account.environment=production", "account.url=null", "account.leverage=3"]
    config = load_live(written(tmp_path, "http://127.0.0.1:9"), settings, Trust(everything=True))
    with pytest.raises(HyperTradingError) as caught:
        asyncio.run(run_session(config, Options(armed=armed), JsonLines(io.StringIO())))
    said = str(caught.value)
    assert "real money: account test (production), BTCUSDT, leverage 3, orders to 50000, positions to 60000" in said
    assert "promotion ledger" in said
    assert caught.value.exit_code == 4
