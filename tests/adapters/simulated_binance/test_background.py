"""The market that others make: recorded or made up."""

from __future__ import annotations

import gzip
import itertools
import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from adapters.simulated_binance.clock import Clock, ManualTime
from adapters.simulated_binance.contract import Contract
from adapters.simulated_binance.market import recording, synthetic
from adapters.simulated_binance.market.background import LevelChanges, MarketOrder
from adapters.simulated_binance.orders import Side, Status
from adapters.simulated_binance.settings import Scenario, SymbolSettings, SyntheticSettings
from adapters.simulated_binance.tickets import read_order
from adapters.simulated_binance.venue import Venue
from errors import DataError
from tests.adapters.simulated_binance.support import START_NS, Ear, still_scenario

BTC = Contract("BTCUSDT", SymbolSettings())
SECOND = 10**9


def write(path: Path, lines: list[tuple[float, dict[str, Any]]]) -> Path:
    with gzip.open(path, "wb") as file:
        for secs, message in lines:
            file.write(f"{round(secs * SECOND)} {json.dumps(message)}\n".encode())
    return path


def depth(first: int, last: int, bids: list[list[str]], asks: list[list[str]]) -> dict[str, Any]:
    return {"stream": "x", "data": {"e": "depthUpdate", "s": "BTCUSDT", "U": first, "u": last, "b": bids, "a": asks}}


def print_(price: str, quantity: str, *, sold: bool, kind: str = "MARKET") -> dict[str, Any]:
    return {"stream": "x", "data": {"e": "trade", "s": "BTCUSDT", "p": price, "q": quantity, "m": sold, "X": kind}}


SNAPSHOT = {"lastUpdateId": 10, "bids": [["100.00", "1.000"]], "asks": [["100.10", "2.000"]]}


def small(tmp_path: Path) -> Path:
    lines = [
        (1.0, depth(1, 9, [["99.00", "7.000"]], [])),  # older than the snapshot: left out
        (1.1, depth(10, 12, [["99.90", "3.000"]], [])),  # held until the snapshot
        (2.0, SNAPSHOT),
        (2.5, print_("100.00", "0.400", sold=True)),
        (2.6, print_("100.00", "9.000", sold=True, kind="INSURANCE_FUND")),
        (3.0, depth(13, 14, [["100.00", "0.600"]], [])),
    ]
    return write(tmp_path / "r.gz", lines)


def test_a_recording_starts_at_its_snapshot_and_keeps_its_pace(tmp_path: Path) -> None:
    events = list(recording.play(small(tmp_path), BTC, loop=False))
    assert events == [
        (0.0, LevelChanges(((10000, 1000),), ((10010, 2000),), snapshot=True)),
        (0.0, LevelChanges(((9990, 3000),), ())),
        (0.5, MarketOrder(Side.SELL, 10000, 400)),
        (1.0, LevelChanges(((10000, 600),), ())),
    ]


def test_a_recording_starts_over_where_it_is_told_to(tmp_path: Path) -> None:
    times = [secs for secs, _ in itertools.islice(recording.play(small(tmp_path), BTC, loop=True), 8)]
    assert times == [0.0, 0.0, 0.5, 1.0, 2.0, 2.0, 2.5, 3.0]


def test_a_truncated_recording_is_played_as_far_as_it_goes(tmp_path: Path) -> None:
    path = small(tmp_path)
    path.write_bytes(path.read_bytes()[:-9])
    assert len(list(recording.play(path, BTC, loop=False))) >= 1


@pytest.mark.parametrize("content", [None, b"no gzip", gzip.compress(b"1 {}\n", mtime=0)], ids=["none", "text", "gzip"])
def test_a_file_that_is_no_recording_is_refused(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "r.gz"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(DataError, match=r"r\.gz"):
        list(recording.play(path, BTC, loop=False))


def venue_of(market: dict[str, Any], seed: int = 1) -> tuple[Venue, ManualTime]:
    time = ManualTime(START_NS)
    venue = Venue(still_scenario(symbol={"market": market}, seed=seed), Clock(time))
    venue.start()
    return venue, time


def go(venue: Venue, time: ManualTime, secs: float) -> None:
    end = time.now_ns + round(secs * SECOND)
    while (due := venue.agenda.next_due()) is not None and due <= end:
        time.now_ns = max(due, time.now_ns)
        venue.advance()
    time.now_ns = end


def test_a_recording_can_run_faster_than_life(tmp_path: Path) -> None:
    venue, time = venue_of({"kind": "recording", "path": str(small(tmp_path)), "speed": 10, "loop": False})
    book = venue.exchange.markets["BTCUSDT"].book
    assert book.others(Side.BUY, 10000) == 1000
    go(venue, time, 0.05)
    assert book.others(Side.BUY, 10000) == 600
    go(venue, time, 10)
    assert venue.backgrounds["BTCUSDT"].applied == 4


def test_a_recording_can_begin_in_the_middle(tmp_path: Path) -> None:
    venue, _ = venue_of({"kind": "recording", "path": str(small(tmp_path)), "skip_secs": 0.7, "loop": False})
    assert venue.backgrounds["BTCUSDT"].applied == 3


def test_the_recorded_market_is_shown_as_it_was(usdm_recording: Path) -> None:
    venue, time = venue_of({"kind": "recording", "path": str(usdm_recording), "speed": 1, "loop": False})
    market = venue.exchange.markets["BTCUSDT"]
    go(venue, time, 20)
    truth: dict[Side, dict[int, int]] = {Side.BUY: {}, Side.SELL: {}}
    for secs, event in recording.play(usdm_recording, BTC, loop=False):
        if secs > 20:
            break
        if isinstance(event, LevelChanges):
            for side, levels in ((Side.BUY, event.bids), (Side.SELL, event.asks)):
                truth[side] |= dict(levels)
    bid, ask = (max(p for p, q in truth[Side.BUY].items() if q), min(p for p, q in truth[Side.SELL].items() if q))
    # Trades of the last moments take from the book before the recorded depth shows it.
    assert abs((market.book.best(Side.BUY) or 0) - bid) <= 2 * BTC.tick
    assert abs((market.book.best(Side.SELL) or 0) - ask) <= 2 * BTC.tick
    far = [p for p, q in truth[Side.BUY].items() if q and p < bid - 100 * BTC.tick]
    assert len(far) > 100
    assert all(market.book.others(Side.BUY, price) == truth[Side.BUY][price] for price in far)


def test_an_order_in_a_recorded_market_queues_and_fills(usdm_recording: Path) -> None:
    venue, time = venue_of({"kind": "recording", "path": str(usdm_recording), "speed": 1, "loop": False})
    market = venue.exchange.markets["BTCUSDT"]
    go(venue, time, 5)
    best = market.book.best(Side.BUY) or 0
    params = {"side": "BUY", "type": "LIMIT", "timeInForce": "GTX", "quantity": "0.500"}
    ticket = read_order(market.contract, params | {"price": market.contract.price.text(best)}, None, hedge_mode=False)
    order = venue.exchange.place(market.contract, ticket)
    ahead = market.book.queue_ahead(order)
    assert ahead > 0
    go(venue, time, 30)
    assert order.status is Status.FILLED
    assert venue.exchange.account.positions["BTCUSDT"].amount == Decimal("0.500")
    assert all(fill.maker and fill.price == best for fill in venue.exchange.desk.fills)


def test_the_made_up_market_is_the_same_for_the_same_seed() -> None:
    def first(seed: int) -> list[Any]:
        return list(itertools.islice(synthetic.play(SyntheticSettings(), BTC, seed), 500))

    assert first(3) == first(3) != first(4)
    secs = [moment for moment, _ in first(3)]
    assert secs == sorted(secs)
    assert 10 < secs[-1] < 40  # 25 events a second


def test_the_made_up_market_never_crosses_and_always_has_both_sides() -> None:
    settings = {"kind": "synthetic", "mid": "60000", "volatility_ticks": 10}
    venue, time = venue_of(settings)
    market = venue.exchange.markets["BTCUSDT"]
    ear = Ear()
    venue.hub.add(_socket(ear))
    go(venue, time, 60)
    quotes = ear.of("bookTicker")
    assert len(quotes) > 500
    assert all(Decimal(quote["b"]) < Decimal(quote["a"]) for quote in quotes)
    assert len({quote["b"] for quote in quotes}) > 20
    assert len(market.feed.trades) > 200


def _socket(ear: Ear) -> Any:
    from adapters.simulated_binance.hub import Socket

    return Socket(ear, "market", ["btcusdt@bookTicker"])


def test_two_runs_of_one_scenario_write_the_same_ledger() -> None:
    def ledger(seed: int) -> list[dict[str, Any]]:
        venue, time = venue_of({"kind": "synthetic", "trades_per_sec": 20}, seed)
        market = venue.exchange.markets["BTCUSDT"]
        for _ in range(20):
            bid = market.contract.price.text(market.book.best(Side.BUY) or 0)
            params = {"side": "BUY", "type": "LIMIT", "timeInForce": "GTC", "quantity": "0.010", "price": bid}
            venue.exchange.place(market.contract, read_order(market.contract, params, None, hedge_mode=False))
            go(venue, time, 1)
        return venue.ledger.rows

    assert ledger(1) == ledger(1)
    assert ledger(1) != ledger(2)
    assert any(row["kind"] == "trade" for row in ledger(1))


def test_a_scenario_may_have_several_symbols() -> None:
    market = {"kind": "synthetic", "mid": "3000"}
    scenario = Scenario.model_validate({"symbols": {"BTCUSDT": {}, "ETHUSDT": {"base": "ETH", "market": market}}})
    venue = Venue(scenario, Clock(ManualTime(START_NS)))
    venue.start()
    assert venue.exchange.marks() == {"BTCUSDT": Decimal("60000.05"), "ETHUSDT": Decimal("3000.05")}
