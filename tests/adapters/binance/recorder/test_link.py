"""The hand-over from one socket to its successor."""

from __future__ import annotations

from adapters.binance.recorder.link import Held
from adapters.binance.recorder.messages import Message, MessageReader


def trade(number: int) -> bytes:
    return b'{"stream":"btcusdt@trade","data":{"E":1,"t":%d}}' % number


def quote(number: int) -> bytes:
    return b'{"stream":"btcusdt@bookTicker","data":{"u":%d}}' % number


def held(*texts: bytes) -> Held:
    made = Held(MessageReader())
    for text in texts:
        made.add(1, text)
    return made


def test_a_successor_takes_over_only_when_the_old_socket_has_come_to_where_each_stream_begins() -> None:
    made = held(trade(7), quote(70), trade(8), quote(90))
    assert not made.is_reached({})
    assert not made.is_reached({"btcusdt@trade": 7})
    assert not made.is_reached({"btcusdt@trade": 9, "btcusdt@bookTicker": 69})
    assert made.is_reached({"btcusdt@trade": 7, "btcusdt@bookTicker": 70})
    assert not held().is_reached({"btcusdt@trade": 7})


def test_what_the_old_socket_has_not_delivered_is_taken_from_the_successor_once() -> None:
    taken: list[tuple[int, bytes]] = []

    def take(ts_ns: int, text: bytes, _message: Message | None) -> None:
        taken.append((ts_ns, text))

    made = held(trade(7), quote(70), trade(8), b"no message", quote(90), trade(9))
    made.replay({"btcusdt@trade": 7, "btcusdt@bookTicker": 90}, take, 500)
    assert taken == [(500, trade(8)), (500, trade(9))]
