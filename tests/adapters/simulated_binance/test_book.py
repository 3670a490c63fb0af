"""Price-time priority and the queue of others, as properties and as worked numbers."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from adapters.simulated_binance.book import Book
from adapters.simulated_binance.orders import Order, Side

PRICES = st.integers(min_value=95, max_value=105)
SIZES = st.integers(min_value=1, max_value=50)
SIDES = st.sampled_from([Side.BUY, Side.SELL])


def order(number: int, side: Side, price: int, quantity: int) -> Order:
    return Order(number, f"id{number}", "BTCUSDT", side, "LIMIT", "GTC", price, quantity, 0, 0)


def test_an_order_waits_behind_what_was_there_and_trades_before_what_comes_later() -> None:
    book, ours = Book(), order(1, Side.BUY, 100, 7)
    book.set_others(Side.BUY, 100, 10)
    book.rest(ours)
    book.set_others(Side.BUY, 100, 15)
    assert book.queue_ahead(ours) == 10
    assert [(m.quantity, m.maker) for m in (book.take(Side.SELL, 50) for _ in range(3))] == [
        (10, None),
        (7, ours),
        (5, None),
    ]


def test_a_cancel_of_others_leaves_from_the_end_of_the_queue() -> None:
    book, ours = Book(), order(1, Side.BUY, 100, 7)
    book.set_others(Side.BUY, 100, 10)
    book.rest(ours)
    book.set_others(Side.BUY, 100, 14)
    book.set_others(Side.BUY, 100, 10)
    assert book.queue_ahead(ours) == 10
    book.set_others(Side.BUY, 100, 3)
    assert book.queue_ahead(ours) == 3


def test_shrinking_an_order_keeps_its_place() -> None:
    book, ours = Book(), order(1, Side.SELL, 100, 7)
    book.rest(ours)
    book.set_others(Side.SELL, 100, 10)
    book.shrink(ours, 2)
    assert book.queue_ahead(ours) == 0
    assert book.quantity(Side.SELL, 100) == 12


def test_a_removed_order_leaves_nothing_behind() -> None:
    book, ours = Book(), order(1, Side.SELL, 100, 7)
    book.rest(ours)
    book.remove(ours)
    book.remove(ours)
    assert book.best(Side.SELL) is None
    assert list(book.orders()) == []


@given(st.lists(st.tuples(SIDES, PRICES, st.integers(min_value=0, max_value=50)), max_size=60))
def test_others_levels_are_always_what_was_set_last(changes: list[tuple[Side, int, int]]) -> None:
    book, expected = Book(), {}
    for side, price, quantity in changes:
        book.set_others(side, price, quantity)
        expected[side, price] = quantity
    for side in Side:
        wanted = sorted((p, q) for (s, p), q in expected.items() if s is side and q)
        assert book.other_levels(side) == wanted
        assert book.best(side) == (None if not wanted else (wanted[-1] if side is Side.BUY else wanted[0])[0])


@given(st.lists(st.tuples(PRICES, SIZES, st.booleans()), min_size=1, max_size=30), st.lists(SIZES, max_size=30))
def test_trades_always_follow_price_then_time(entries: list[tuple[int, int, bool]], takes: list[int]) -> None:
    book, arrived = Book(), []
    for number, (price, quantity, is_ours) in enumerate(entries):
        if is_ours:
            ours = order(number, Side.SELL, price, quantity)
            book.rest(ours)
            arrived.append((price, number, ours))
        else:
            book.set_others(Side.SELL, price, book.others(Side.SELL, price) + quantity)
    total = sum(quantity for _, quantity, _ in entries)
    traded, last_price, done = 0, 0, []
    for quantity in takes:
        if book.best(Side.SELL) is None:
            break
        match = book.take(Side.BUY, quantity)
        assert 0 < match.quantity <= quantity
        assert match.price >= last_price
        last_price, traded = match.price, traded + match.quantity
        if match.maker is not None:
            match.maker.filled += match.quantity
            assert match.maker.left >= 0
            if match.maker.left == 0:
                done.append((match.price, match.maker.order_id))
    assert done == sorted(done)
    assert sum(size for _, size in book.depth(Side.SELL, 1000)) == total - traded


@given(
    st.lists(
        st.one_of(
            st.tuples(st.just("others"), SIDES, PRICES, st.integers(min_value=0, max_value=50)),
            st.tuples(st.just("rest"), SIDES, PRICES, SIZES),
            st.tuples(st.just("take"), SIDES, PRICES, SIZES),
            st.tuples(st.just("remove"), SIDES, PRICES, SIZES),
        ),
        max_size=80,
    )
)
def test_no_level_is_ever_negative_and_totals_add_up(steps: list[tuple[str, Side, int, int]]) -> None:
    book, resting = Book(), []
    for number, (what, side, price, quantity) in enumerate(steps):
        if what == "others":
            book.set_others(side, price, quantity)
        elif what == "rest":
            resting.append(order(number, side, price, quantity))
            book.rest(resting[-1])
        elif what == "take" and (front := book.front(side, None)) is not None:
            match = book.take(side, min(quantity, front[2]))
            if match.maker is not None:
                match.maker.filled += match.quantity
        elif what == "remove" and resting:
            book.remove(resting.pop(0))
        live = [one for one in resting if one.left and one in list(book.orders())]
        for ladder in Side:
            for level, shown in book.depth(ladder, 1000):
                ours = sum(one.left for one in live if one.price == level and one.side is ladder)
                assert shown == book.others(ladder, level) + ours > 0
