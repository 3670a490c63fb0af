"""ccxt as a reader, at our own Binance."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterator
from decimal import Decimal
from typing import Any
from urllib.parse import urlsplit

import pytest
from pydantic import SecretStr

from adapters.binance.environments import DEMO, PRODUCTION, REMOTE, TESTNET, Environment, local
from adapters.binance.reading import AnotherHost, Fees, ReadingFailed, fees, reader, second_opinion, venue_rules
from adapters.simulated_binance.clock import Clock
from adapters.simulated_binance.server import Server
from adapters.simulated_binance.venue import Venue
from tests.adapters.simulated_binance.support import fault, still_scenario

KEY, SECRET = "PLANTEDKEY0123456789", "PLANTEDSECRET0123456789"
DEADLINE_SECS = 60


def addresses(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        for inner in value.values():
            yield from addresses(inner)
    else:
        yield str(value)


def read(story: Callable[[Any, Venue], None], **changes: Any) -> None:
    """Run a story of the blocking client in a thread, against a venue at wall time."""
    account = {"keys": [{"key": KEY, "secret": SECRET}]} | changes

    async def whole() -> None:
        async with Server(Venue(still_scenario(account=account), Clock())) as server:
            client = reader(local(server.url), SecretStr(KEY), SecretStr(SECRET))
            try:
                await asyncio.wait_for(asyncio.to_thread(story, client, server.venue), DEADLINE_SECS)
            finally:
                client.session.close()

    asyncio.run(whole())


@pytest.mark.req("D-4")
@pytest.mark.parametrize("one", [*REMOTE.values(), local("http://127.0.0.1:1")])
def test_every_client_waits_its_turn_and_knows_only_its_environment(one: Environment) -> None:
    client = reader(one)
    assert client.enableRateLimit is True
    allowed = {urlsplit(one.rest_url).netloc, urlsplit(one.wallet_url or one.rest_url).netloc}
    assert {urlsplit(url).netloc for url in addresses(client.urls["api"])} == allowed
    client.session.close()


@pytest.mark.req("L-1")
@pytest.mark.parametrize(("one", "other"), [(DEMO, PRODUCTION), (TESTNET, DEMO), (local("http://127.0.0.1:1"), DEMO)])
def test_no_request_reaches_another_environment_whatever_set_its_address(one: Environment, other: Environment) -> None:
    client = reader(one)
    client.urls["api"]["fapiPublic"] = f"{other.rest_url}/fapi/v1"
    with pytest.raises(AnotherHost, match=other.rest_host):
        client.fetch_time()
    client.session.close()


@pytest.mark.req("O-13")
def test_rules_and_fees_are_read() -> None:
    def story(client: Any, venue: Venue) -> None:
        rules = venue_rules(client, "BTCUSDT")
        assert (rules.tick, rules.step, rules.min_notional) == (Decimal("0.1"), Decimal("0.001"), Decimal(5))
        assert (rules.min_quantity, rules.max_quantity, rules.active) == (Decimal("0.001"), Decimal(1000), True)
        assert fees(client, "BTCUSDT") == Fees(Decimal("0.0001"), Decimal("0.0004"))
        with pytest.raises(ReadingFailed, match="does not have NOPE"):
            venue_rules(client, "NOPE")

    read(story, maker_bps=1, taker_bps=4)


@pytest.mark.req("L-7")
def test_a_second_opinion_on_the_account() -> None:
    def story(client: Any, venue: Venue) -> None:
        client.create_order("BTC/USDT:USDT", "limit", "buy", 0.01, 59000, {"clientOrderId": "x-aHRE4BCj-Rh1"})
        opinion = second_opinion(client, ["BTCUSDT"])
        assert opinion.positions == {"BTCUSDT": Decimal("-0.5")}
        assert opinion.open_orders == {"BTCUSDT": frozenset({"x-aHRE4BCj-Rh1"})}
        assert opinion.wallet == {"USDT": Decimal(10_000)}

    read(story, positions={"BTCUSDT": {"quantity": "-0.5", "entry_price": "60000"}})


@pytest.mark.req("M-4")
def test_neither_logs_nor_errors_of_ccxt_hold_secrets(caplog: pytest.LogCaptureFixture) -> None:
    def story(client: Any, venue: Venue) -> None:
        fees(client, "BTCUSDT")
        client.timeout = 300  # not before: an answer that has to come may wait for a core
        venue.arm(fault("f", {"request": "GET /fapi/v1/commissionRate"}, {"act": "drop"}))
        with pytest.raises(ReadingFailed) as caught:
            fees(client, "BTCUSDT")
        assert caught.value.__context__ is None
        texts = [record.getMessage() for record in caplog.records] + [repr(caught.value)]
        assert not any(secret in text for text in texts for secret in (KEY, SECRET, "signature="))
        assert "commissionRate" in repr(caught.value)

    with caplog.at_level(logging.DEBUG):
        read(story)
