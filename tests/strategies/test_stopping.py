"""The stop of a strategy's position over any fills and prices, against an oracle that knows the whole path."""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from nautilus_trader.model import OrderSide, Quantity

from risk.view import FLAT, StrategyPosition
from strategies.intents import Enter, Exit, Side
from strategies.stopping import PositionStop
from tests.engine import FREE, IID, Stepped, book, opening, quiet, quote, run

D = Decimal
ZERO = D(0)


def held(quantity: float, price: float = 100.0, ts_ns: int = 1) -> StrategyPosition:
    return StrategyPosition(quantity, price, ts_ns)


@pytest.mark.req("B-4")
@pytest.mark.parametrize(("sign", "touch"), [(1, 95.0), (-1, 105.0)])
def test_a_stop_stands_at_its_distance_from_the_entry_and_a_touch_hits_it(sign: int, touch: float) -> None:
    stop = PositionStop(lambda _entry: 5.0)
    assert (stop.hit(FLAT, 1.0), stop.price) == (False, None)
    assert not stop.hit(held(sign), touch + 0.1 * sign)
    assert stop.price == touch
    assert stop.hit(held(sign), touch)


@pytest.mark.parametrize(("entry", "bps"), [(50_000.0, 15.0), (60_000.1, 15.0), (0.1 + 0.2, 25.0), (1.234e-5, 7.0)])
def test_a_loss_of_exactly_the_stop_counts_whatever_its_last_bit(entry: float, bps: float) -> None:
    worth, share = D(f"{entry:.12g}"), D(repr(bps)) / 10_000
    for sign in (1, -1):
        stop = PositionStop(lambda price: price * bps * 1e-4)
        at = float(worth * (1 - sign * share))
        position = held(float(sign), entry)
        assert not stop.hit(position, at * (1 + sign * 1e-9))
        assert stop.hit(position, at)


def test_a_stop_trails_the_best_price_and_a_wider_range_does_not_loosen_it() -> None:
    stop, position = PositionStop(lambda _entry: 5.0), held(1.0)
    assert not stop.hit(position, 110.0, 4.0)
    assert stop.price == 106.0
    assert not stop.hit(position, 108.0, 50.0)
    assert stop.price == 106.0
    assert not stop.hit(position, 108.0, 3.0)  # the range has shrunk: 110 - 3
    assert stop.price == 107.0
    assert stop.hit(position, 107.0, 3.0)


def test_a_stop_whose_distance_is_not_known_yet_is_placed_once_it_is() -> None:
    known = [0.0, float("nan"), 2.0]
    stop, position = PositionStop(lambda _entry: known[0]), held(1.0)
    for _ in range(2):
        assert not stop.hit(position, 1.0)
        assert stop.price is None
        known.pop(0)
    assert not stop.hit(position, 99.0)
    assert stop.price == 98.0


def test_a_turned_position_whose_distance_is_not_known_has_no_stop_rather_than_the_old_one() -> None:
    known = [5.0]
    stop = PositionStop(lambda _entry: known[0])
    stop.follow(held(1.0))
    known[0] = 0.0
    stop.follow(held(-1.0, 100.0, 1))
    assert stop.price is None
    assert not stop.hit(held(-1.0, 100.0, 1), 200.0)


def test_a_round_trip_that_nobody_saw_end_leaves_no_stop_behind() -> None:
    stop = PositionStop(lambda _entry: 5.0)
    stop.follow(held(1.0, 100.0, 1))
    assert not stop.hit(held(1.0, 80.0, 2), 90.0)  # the old one stood at 95
    assert stop.price == 75.0


@dataclass
class Oracle:
    """A position and its path since it was opened; the trigger is worked out anew from all of it each time."""

    quantity: int = 0
    entry: D = ZERO
    distance: D = ZERO
    ts_ns: int = 0
    trips: int = 0
    path: list[tuple[D, D]] = field(default_factory=list)

    def fill(self, change: int, price: D, distance: D, ts_ns: int) -> list[StrategyPosition]:
        """The positions that the engine states for a fill: a flip is an end and a beginning."""
        before, after = self.quantity, self.quantity + change
        if before * after < 0:
            return [*self.fill(-before, price, distance, ts_ns), *self.fill(after, price, distance, ts_ns)]
        self.quantity = after
        if after == 0:
            return [FLAT]
        if before == 0:
            self.entry, self.distance, self.path, self.ts_ns = price, distance, [], ts_ns
            self.trips += 1
        return [self.position()]

    def position(self) -> StrategyPosition:
        return StrategyPosition(float(self.quantity), float(self.entry), self.ts_ns) if self.quantity else FLAT

    @property
    def sign(self) -> int:
        return 1 if self.quantity > 0 else -1

    def trigger(self) -> D | None:
        if not self.quantity:
            return None
        best, levels = self.entry, [self.sign * self.entry - self.distance]
        for price, trail in self.path:
            best = max(best, price) if self.sign > 0 else min(best, price)
            levels += [self.sign * best - trail] if trail else []
        return self.sign * max(levels)

    def touched(self, price: D) -> bool:
        trigger = self.trigger()
        return trigger is not None and self.sign * (price - trigger) <= 0


TENTHS = st.integers(1, 80).map(lambda n: D(n) / 10)
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("fill"), st.integers(-4, 4).filter(bool), TENTHS),
        st.tuples(st.just("price"), st.integers(-60, 60), st.just(D(0)) | TENTHS),
    ),
    max_size=80,
)


@pytest.mark.req("B-4")
@settings(max_examples=300)
@given(STEPS, st.booleans(), st.booleans())
def test_any_path_of_fills_and_prices_has_the_stop_of_its_own_round_trip(
    steps: list[tuple[str, int, D]], told: bool, same_instant: bool
) -> None:
    """Partial fills, add-ons, flips, reductions and new trips; told of each event, or only asked with the next price."""
    oracle, distance, price, last = Oracle(), [0.0], D(100), (0, 0.0)
    stop = PositionStop(lambda _entry: distance[0])
    for ts_ns, (what, change, width) in enumerate(steps, start=1):
        if what == "fill":
            distance[0] = float(width)
            for position in oracle.fill(change, price, width, 1 if same_instant and told else ts_ns):
                if told:
                    stop.follow(position)
            if not told:
                stop.follow(oracle.position())
        else:
            price = max(D(1), price + D(change) / 10)
            expected = oracle.touched(price)
            assert stop.hit(oracle.position(), float(price), float(width)) is expected
            if oracle.quantity and not expected:
                oracle.path.append((price, width))
        trigger = oracle.trigger()
        assert stop.price == (None if trigger is None else float(trigger))
        if trigger is not None:
            if last[0] == oracle.trips:
                assert oracle.sign * (float(trigger) - last[1]) >= 0.0  # never widens
            last = (oracle.trips, float(trigger))


# In the engine ------------------------------------------------------------------------------------------------------------


class Stopping(Stepped):
    """Has a stop 5 behind each entry and notes where it stands after each message."""

    def on_ready(self) -> None:
        super().on_ready()
        self.stood: dict[int, float | None] = {}
        self.hits: dict[int, bool] = {}
        self.place_stops(lambda _entry: 5.0)

    def at(self, number: int) -> None:
        top = self.top()
        self.hits[number] = top is not None and self.stop_hit(top.mid)
        self.do(number)
        self.stood[number] = self.stop_price

    def do(self, number: int) -> None:
        """Act."""

    def market(self, side: OrderSide, size: float) -> None:
        self.submit_order(self.order_factory.market(IID, side, Quantity(size, 3)))


@pytest.mark.req("B-4")
def test_in_the_engine_an_add_on_leaves_the_stop_and_a_flip_within_one_instant_places_another() -> None:
    class Flipping(Stopping):
        def do(self, number: int) -> None:
            if number == 2:
                self.market(OrderSide.BUY, 1.0)  # at 100.1
            if number == 4:
                self.market(OrderSide.BUY, 2.0)  # adds at 100.1 … 100.2
            if number == 6:
                self.market(OrderSide.SELL, 4.0)  # through zero: short 1 from 100.0
            if number == 8:
                self.market(OrderSide.BUY, 1.0)
            if number == 10:  # out and in again without a price in between
                self.market(OrderSide.SELL, 0.5)
                self.market(OrderSide.BUY, 0.5)
                self.market(OrderSide.SELL, 0.3)

    ran = run(Flipping, quiet(14), policy=FREE)
    assert not ran.faults.count, ran.faults.trace
    stood = ran.strategy.stood
    assert (stood[1], stood[3], stood[5], stood[7], stood[9]) == (None, 95.1, 95.1, 105.0, None)
    assert stood[11] == 105.0
    assert not any(ran.strategy.hits.values())


@pytest.mark.req("B-4", "O-12")
def test_a_handler_of_ones_own_that_forgets_super_loses_no_stop() -> None:
    class Own(Stopping):
        def on_position_event(self, event: Any) -> None:
            """Without `super()`."""

        def do(self, number: int) -> None:
            if number == 2:
                self.act([Enter(Side.BUY, 1.0, None, 1, "in")])
            if self.hits[number]:
                self.act([Exit("stop")])

    falling = [book(1000 + 100 * k, [(100.0, 0), (94.0 - k, 9)], [(94.1 - k, 9)], snapshot=True) for k in range(4, 9)]
    data = [quote(1000, 100.0, 100.1), opening(1000), *(book(1000 + 100 * k, [(90.0, k)]) for k in (1, 2, 3)), *falling]
    ran = run(Own, data, policy=FREE)
    assert not ran.faults.count, ran.faults.trace
    rows = ran.rows("orders")
    assert [(row["side"], row["why"]) for row in rows] == [("BUY", "in"), ("SELL", "stop")]
    assert rows[1]["ts_ns"] == 1_400_000_000  # with the first message below 95.1
    assert ran.net == 0


@pytest.mark.req("B-4")
def test_a_stop_is_placed_with_the_fill_and_not_with_the_next_look_at_a_price() -> None:
    class Widening(Stopping):
        def on_ready(self) -> None:
            super().on_ready()
            self.place_stops(lambda _entry: 5.0 if self.count < 4 else 50.0)

        def at(self, number: int) -> None:
            if number == 2:
                self.market(OrderSide.BUY, 1.0)  # at 100.1, when the distance is 5
            if number >= 4:
                super().at(number)

    ran = run(Widening, quiet(6), policy=FREE)
    assert not ran.faults.count, ran.faults.trace
    assert ran.strategy.stood[4] == 95.1
