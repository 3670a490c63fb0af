"""Stream names and addresses."""

from __future__ import annotations

import pytest

from adapters.binance.streams import endpoints, streams_of
from errors import UsageError


def test_usdm_streams_are_asked_for_on_the_route_that_carries_them() -> None:
    streams = streams_of("usdm", "BTCUSDT", "both")
    assert list(endpoints("usdm").sockets(streams)) == [
        (
            "wss://fstream.binance.com/public/stream?streams=btcusdt@depth@0ms/btcusdt@bookTicker/btcusdt@trade",
            ("btcusdt@depth@0ms", "btcusdt@bookTicker", "btcusdt@trade"),
        ),
        (
            "wss://fstream.binance.com/market/stream?streams=btcusdt@aggTrade/btcusdt@markPrice@1s",
            ("btcusdt@aggTrade", "btcusdt@markPrice@1s"),
        ),
    ]
    assert (
        endpoints("usdm").snapshot_url("BTCUSDT") == "https://fapi.binance.com/fapi/v1/depth?symbol=BTCUSDT&limit=1000"
    )


def test_spot_has_one_socket_and_no_mark_price() -> None:
    ((url, streams),) = endpoints("spot").sockets(streams_of("spot", "ETHUSDT"))
    assert url.startswith("wss://stream.binance.com:9443/stream?streams=")
    assert streams == ("ethusdt@depth@100ms", "ethusdt@bookTicker", "ethusdt@trade")
    assert endpoints("spot").snapshot_url("ETHUSDT") == "https://api.binance.com/api/v3/depth?symbol=ETHUSDT&limit=1000"


def test_another_venue_is_named_by_its_rest_address() -> None:
    local = endpoints("usdm", "http://127.0.0.1:8800/")
    assert (local.rest, local.socket) == ("http://127.0.0.1:8800", "ws://127.0.0.1:8800")


def test_a_demo_has_its_streams_on_another_host_and_without_routes() -> None:
    demo = endpoints("usdm", "https://demo-fapi.binance.com", "wss://demo-fstream.binance.com", routed=False)
    ((url, streams),) = demo.sockets(streams_of("usdm", "BTCUSDT"))
    assert url.startswith("wss://demo-fstream.binance.com/stream?streams=btcusdt@depth@0ms/")
    assert len(streams) == 4


@pytest.mark.parametrize("url", ["127.0.0.1:8800", "ws://127.0.0.1:8800", "http://"])
def test_an_address_that_is_none_is_refused(url: str) -> None:
    with pytest.raises(UsageError, match=r"should read http://127.0.0.1:8800"):
        endpoints("usdm", url)
