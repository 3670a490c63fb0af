"""A session that may not start says why in one sentence, and has sent nothing."""

from __future__ import annotations

import asyncio
import io
from pathlib import Path
from typing import Any

import pytest

from adapters.simulated_binance.server import Server
from adapters.simulated_binance.settings import Scenario
from adapters.simulated_binance.tickets import read_order
from adapters.simulated_binance.venue import Venue
from errors import HyperTradingError
from runners.config import Trust, load_live
from runners.live.session import Options, run_session
from runners.live.status import JsonLines
from tests.adapters.simulated_binance.support import order_params
from tests.runners.live.support import written

LONG = {"positions": {"BTCUSDT": {"quantity": "0.010", "entry_price": "60000"}}}
SKEWED = [{"name": "skew", "when": {"at_secs": 0}, "do": [{"act": "skew_clock", "ms": 5000}]}]


def refused(folder: Path, *settings: str, **scenario: Any) -> tuple[HyperTradingError, Venue]:
    """Start against a venue; return the refusal and the venue. No node is built before these checks."""

    async def whole() -> tuple[HyperTradingError, Venue]:
        async with Server(Venue(Scenario.model_validate(scenario))) as server:
            if "foreign" in settings:
                place_by_hand(server)
            resolved = load_live(
                written(folder, server.url), [text for text in settings if "=" in text], Trust(everything=True)
            )
            with pytest.raises(HyperTradingError) as caught:
                await run_session(resolved, Options(trust=Trust(everything=True)), JsonLines(io.StringIO()))
            return caught.value, server.venue

    return asyncio.run(asyncio.wait_for(whole(), 60))


def place_by_hand(server: Server) -> None:
    """A person's order, without broker prefix and tag."""
    market = server.venue.exchange.markets["BTCUSDT"]
    params = order_params("BUY", "0.010", "59000.0", newClientOrderId="web_1")
    server.venue.exchange.place(
        market.contract, read_order(market.contract, params, market.feed.mark, hedge_mode=False)
    )


def changed(venue: Venue) -> list[Any]:
    """Requests that changed anything at the venue."""
    return [row["path"] for row in venue.ledger.of("request") if row["method"] != "GET"]


REFUSALS: dict[str, tuple[tuple[str, ...], dict[str, Any], int, str]] = {
    "somebody else's order": (("foreign",), {}, 4, "1 open orders are not ours, the first is order web_1 BTCUSDT BUY"),
    "hedge mode": ((), {"account": {"hedge_mode": True}}, 4, "hedge mode"),
    "a clock that is off": ((), {"faults": SKEWED}, 4, "ms off the venue's, allowed are 1000"),
    "fees that are not the account's": (
        (), {"account": {"taker_bps": "4"}}, 4, "pays 4 bps as taker of BTCUSDT, fees.taker_bps is 5",
    ),
    "a position where none may be": (
        ("execution.on_start.positions=refuse",), {"account": LONG}, 4, "the account holds BTCUSDT long 0.010",
    ),
    "a position that no limit counts": (
        ("execution.on_start.positions=adopt",),
        {"symbols": {"BTCUSDT": {}, "ETHUSDT": {"base": "ETH"}},
         "account": {"positions": {"ETHUSDT": {"quantity": "-0.5", "entry_price": "60000"}}}},
        4, "the account holds ETHUSDT, which no limit",
    ),
    "a symbol that is not there": (
        ("instruments=[NOSUCH-PERP.BINANCE]",), {}, 1, "has no NOSUCH-PERP.BINANCE",
    ),
}  # fmt: skip


@pytest.mark.req("L-1", "O-9")
@pytest.mark.parametrize("case", REFUSALS.values(), ids=REFUSALS.keys())
def test_a_start_is_refused_in_one_sentence_and_nothing_was_sent(
    tmp_path: Path, case: tuple[tuple[str, ...], dict[str, Any], int, str]
) -> None:
    settings, scenario, code, sentence = case
    error, venue = refused(tmp_path, *settings, **scenario)
    assert sentence in str(error), str(error)
    assert (error.exit_code, len(str(error).splitlines())) == (code, 1)
    assert changed(venue) == []


def test_a_wrong_key_is_refused_and_not_printed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOCAL_API_KEY", "not-the-key-4711")
    monkeypatch.setenv("LOCAL_API_SECRET", "not-the-secret-4711")
    error, venue = refused(tmp_path)
    assert "refuses the key LOCAL_API_KEY of environment" in str(error)
    assert "4711" not in str(error)
    assert (error.exit_code, changed(venue)) == (4, [])


def test_a_venue_that_is_not_there_is_named(tmp_path: Path) -> None:
    config = load_live(written(tmp_path, "http://127.0.0.1:9"), (), Trust(everything=True))
    with pytest.raises(HyperTradingError, match=r"127\.0\.0\.1 does not answer") as caught:
        asyncio.run(run_session(config, Options(), JsonLines(io.StringIO())))
    assert caught.value.exit_code == 1


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
