"""L-1: hosts that belong together are pinned together."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import urlsplit

import ccxt
import pytest
from nautilus_trader.adapters.binance import BinanceEnvironment

from adapters.binance.environments import DEMO, PRODUCTION, REMOTE, TESTNET, Environment, environment, local
from adapters.binance.streams import endpoints
from errors import ConfigError


def hosts(one: Environment) -> set[str]:
    urls = [one.rest_url, one.public_ws_url, one.market_ws_url, one.user_ws_url, one.wallet_url or one.rest_url]
    return {urlsplit(url).hostname or "" for url in urls}


@pytest.mark.req("L-1")
def test_no_host_serves_two_environments() -> None:
    every = [hosts(one) for one in REMOTE.values()]
    assert len(set.union(*every)) == sum(map(len, every))


@pytest.mark.req("L-1")
def test_only_production_moves_real_money() -> None:
    assert [one.name for one in REMOTE.values() if one.real_money] == ["production"]
    assert not local("http://127.0.0.1:8800").real_money


@pytest.mark.parametrize(("one", "table"), [(PRODUCTION, "api"), (DEMO, "demo"), (TESTNET, "test")])
def test_rest_hosts_are_those_that_ccxt_knows(one: Environment, table: str) -> None:
    assert ccxt.binance().urls[table]["fapiPrivate"] == f"{one.rest_url}/fapi/v1"


@pytest.mark.parametrize("one", [*REMOTE.values(), local("http://localhost:1")])
def test_the_engine_knows_every_environment(one: Environment) -> None:
    assert hasattr(BinanceEnvironment, one.engine)


@pytest.mark.parametrize("one", REMOTE.values())
def test_every_remote_address_is_encrypted(one: Environment) -> None:
    urls = [one.rest_url, one.public_ws_url, one.market_ws_url, one.user_ws_url, one.trading_ws_url]
    assert {urlsplit(url).scheme for url in urls} == {"https", "wss"}


def test_a_local_venue_is_on_this_machine() -> None:
    one = environment("local", "http://127.0.0.1:8800/")
    assert (one.rest_url, one.user_ws_url) == ("http://127.0.0.1:8800", "ws://127.0.0.1:8800/ws")
    assert (one.trading_ws_url, one.wallet_url) == ("ws://127.0.0.1:8800/ws-fapi/v1", "http://127.0.0.1:8800")
    assert environment("local", "http://[::1]:8800").rest_url == "http://[::1]:8800"


@pytest.mark.req("L-1")
@pytest.mark.parametrize("url", ["https://fapi.binance.com", "http://10.0.0.1:80", "http://127.0.0.1", "127.0.0.1:80"])
def test_no_other_host_can_be_given_by_hand(url: str) -> None:
    with pytest.raises(ConfigError, match=r"http://127\.0\.0\.1:8800"):
        environment("local", url)


@pytest.mark.parametrize(
    ("name", "url", "text"),
    [
        ("live", None, "use production, demo, testnet, local"),
        ("demo", "http://127.0.0.1:1", "for no other"),
        ("local", None, "for the local venue"),
    ],
)
def test_a_wrong_pairing_is_refused(name: str, url: str | None, text: str) -> None:
    with pytest.raises(ConfigError, match=text):
        environment(name, url)


@pytest.mark.req("L-1")
def test_hosts_stand_in_one_table_and_in_no_other_module() -> None:
    root = Path(__file__).parents[3]
    folders = ("adapters", "catalog", "execution", "monitoring", "risk", "runners", "strategies")
    files = [path for folder in folders for path in (root / folder).rglob("*.py")]
    named = [
        path.name for path in files if "binance.com" in (text := path.read_text("utf-8")) or "binancefuture.com" in text
    ]
    assert named == ["environments.py"]
    assert endpoints("usdm").rest == PRODUCTION.rest_url
    assert PRODUCTION.public_ws_url.startswith(endpoints("usdm").socket)
    assert endpoints("spot").rest == PRODUCTION.wallet_url
