"""D9: what is placed and what goes, for every way in which a position and its stops can stand to each other."""

from __future__ import annotations

from decimal import Decimal

import pytest

from execution.deadman.protection import Held, Place, Remove, Standing, plan, trigger_price

TICKS = {"BTCUSDT": Decimal("0.1"), "ETHUSDT": Decimal("0.01")}
LONG = Held("BTCUSDT", Decimal("0.3"), Decimal(60000))
SHORT = Held("BTCUSDT", Decimal("-0.3"), Decimal(60000))
SELL, BUY = Standing("BTCUSDT", "SELL", 1), Standing("BTCUSDT", "BUY", 2)
TURNED, CLOSED = "the position has turned", "the position is closed"


def planned(held: Held | None, *stops: Standing) -> list[Place | Remove]:
    return list(plan({} if held is None else {held.symbol: held}, stops, 5, TICKS))


@pytest.mark.req("X-4", "O-10")
def test_a_position_without_a_stop_gets_one_on_its_closing_side_at_the_distance() -> None:
    assert planned(LONG) == [Place("BTCUSDT", "SELL", Decimal(57000), Decimal("0.3"))]
    assert planned(SHORT) == [Place("BTCUSDT", "BUY", Decimal(63000), Decimal("0.3"))]


@pytest.mark.req("X-4")
def test_a_stop_on_the_right_side_stays_whatever_the_size_and_the_entry_price_become() -> None:
    assert planned(LONG, SELL) == []
    assert planned(Held("BTCUSDT", Decimal(5), Decimal(70000)), SELL) == []


@pytest.mark.req("X-4")
def test_when_the_side_turns_the_new_stop_comes_before_the_old_one_goes() -> None:
    assert planned(SHORT, SELL) == [
        Place("BTCUSDT", "BUY", Decimal(63000), Decimal("0.3")),
        Remove("BTCUSDT", 1, TURNED),
    ]
    assert planned(SHORT, SELL, BUY) == [Remove("BTCUSDT", 1, TURNED)]


@pytest.mark.req("X-4")
def test_a_flat_symbol_loses_its_stops_and_a_double_one_loses_the_younger() -> None:
    assert planned(None, SELL, BUY) == [Remove("BTCUSDT", 1, CLOSED), Remove("BTCUSDT", 2, CLOSED)]
    twice = Standing("BTCUSDT", "SELL", 9)
    assert planned(LONG, twice, SELL) == [Remove("BTCUSDT", 9, "another stop closes the position")]


@pytest.mark.req("X-4", "O-9")
def test_what_others_placed_protects_as_well_and_is_never_cancelled() -> None:
    theirs = Standing("BTCUSDT", "SELL", 3, ours=False)
    assert planned(LONG, theirs) == []
    assert planned(None, theirs) == []
    partial = Standing("BTCUSDT", "SELL", 4, protects=False)  # a stop with a size does not close the position
    assert planned(LONG, partial) == [Place("BTCUSDT", "SELL", Decimal(57000), Decimal("0.3"))]


@pytest.mark.req("O-9")
def test_a_position_on_a_symbol_that_is_not_configured_is_left_alone() -> None:
    assert list(plan({"XRPUSDT": Held("XRPUSDT", Decimal(1), Decimal(1))}, (), 5, TICKS)) == []


@pytest.mark.parametrize(
    ("amount", "entry", "pct", "expected"),
    [
        ("1", "60000.05", 5, "57000.1"),
        ("-1", "60000.05", 5, "63000.0"),
        ("1", "100", 0.333, "99.7"),
        ("-1", "100", 0.333, "100.3"),
    ],
)
def test_the_trigger_is_on_the_tick_that_is_nearer_to_the_entry(
    amount: str, entry: str, pct: float, expected: str
) -> None:
    held = Held("BTCUSDT", Decimal(amount), Decimal(entry))
    assert trigger_price(held, pct, Decimal("0.1")) == Decimal(expected)
