"""O-1: client order ids are unique, short, and never the engine's own."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from execution.ids import ClientOrderIds, encode, random_epoch, seeded_epoch


@pytest.mark.req("O-1")
@settings(database=None, max_examples=30)
@given(st.integers(0, 2**30 - 1), st.integers(1, 300))
def test_ids_are_unique_and_fourteen_characters_and_begin_with_tag_and_epoch(epoch: int, count: int) -> None:
    ids = ClientOrderIds("h1", epoch)
    made = [ids.next() for _ in range(count)]
    assert len(set(made)) == count
    assert {len(order_id) for order_id in made} == {14}
    assert all(order_id.startswith("h1" + encode(epoch)) for order_id in made)
    assert made == sorted(made)


@pytest.mark.req("O-1")
@settings(database=None)
@given(st.integers(0, 2**30 - 1), st.integers(0, 2**30 - 1))
def test_two_epochs_never_share_an_id(one: int, other: int) -> None:
    first, second = (ClientOrderIds("h1", epoch) for epoch in (one, other))
    assert (first.next() == second.next()) is (one == other)


@pytest.mark.parametrize("tag", ["", "h", "h12", "H1", "h-", "é1"])
def test_a_tag_of_another_form_is_refused(tag: str) -> None:
    with pytest.raises(ValueError, match="must be two characters"):
        ClientOrderIds(tag, 0)


@pytest.mark.parametrize(("value", "text"), [(0, "000000"), (31, "00000z"), (33, "000011"), (2**30 - 1, "zzzzzz")])
def test_numbers_in_base_32(value: int, text: str) -> None:
    assert encode(value) == text


@pytest.mark.parametrize("value", [-1, 2**30])
def test_a_number_that_does_not_fit_is_refused_and_not_shortened(value: int) -> None:
    with pytest.raises(ValueError, match="does not fit"):
        encode(value)


def test_the_same_seed_gives_the_same_epoch_and_a_live_start_another_one() -> None:
    assert seeded_epoch(7) == seeded_epoch(7) != seeded_epoch(8)
    assert len({random_epoch() for _ in range(20)}) > 15
