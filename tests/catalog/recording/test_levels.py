"""The fast reader of depth messages agrees with the general one, or leaves the message to it."""

from __future__ import annotations

import json

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from catalog.recording import decode
from catalog.recording.levels import Unusual, read_depth
from catalog.recording.schemas import SCHEMAS, Stream

SCHEMA = SCHEMAS["usdm"][Stream.DEPTH]
IDS = {"E": 1, "T": 2, "U": 3, "u": 4, "pu": 5}
NUMBER = st.decimals(min_value=-1_000, max_value=10**9, places=8).map("{:f}".format) | st.sampled_from(
    ("0", "0.1", "61800.20", "-5")
)
LEVELS = st.lists(st.tuples(NUMBER, NUMBER), max_size=5)


def message(bids: object, asks: object = (), separators: tuple[str, str] = (",", ":")) -> bytes:
    return json.dumps({**IDS, "b": bids, "a": asks}, separators=separators).encode()


def generally(payloads: list[bytes]) -> list[dict[str, object]]:
    table = decode._read(payloads, SCHEMA)
    for name in ("b", "a"):
        table = decode._split_levels(table, name)
    rows: list[dict[str, object]] = table.to_pylist()
    return rows


@given(st.lists(st.tuples(LEVELS, LEVELS), min_size=1, max_size=5))
@settings(deadline=None, max_examples=150)
def test_the_fast_reader_always_agrees_with_the_json_reader(books: list[tuple[list[str], list[str]]]) -> None:
    payloads = [message(bids, asks) for bids, asks in books]
    assert read_depth(payloads, SCHEMA).to_pylist() == generally(payloads)


def test_numbers_are_exact_to_the_eighth_decimal() -> None:
    row = read_depth(
        [message([["61800.20", "0.00000001"], ["1407374.88355327", "99999999.99999999"]])], SCHEMA
    ).to_pylist()[0]
    assert row["b_price"] == [6_180_020_000_000, 140_737_488_355_327]
    assert row["b_size"] == [1, 9_999_999_999_999_999]
    assert row["a_price"] == []


@pytest.mark.parametrize(
    "payload",
    [
        message([["1", "2"]], separators=(", ", ": ")),
        message([[1, 2]]),
        message([["1", "2", "3"]]),
        message([["1"]]),
        message([["1", "2"], ["3"], ["4", "5", "6"]]),
        message([["", ""]]),
        message([["1-2", "3"]]),
        message([["1.2.3", "3"]]),
        message([["1e5", "3"]]),
        message([["100.123456789", "3"]]),
        message([["100.1234567801", "3"]]),
        message([["99999999999", "3"]]),
        message([["\\u0031", "3"]]),
        message("1"),
        message(None),
        message([[]]),
        b'{"E":1}',
        b'{"E":"1","T":2,"U":3,"u":4,"pu":5,"b":[],"a":[]}',
    ],
)
def test_anything_else_is_left_to_the_general_reader(payload: bytes) -> None:
    with pytest.raises(Unusual):
        read_depth([message([["1", "2"]]), payload], SCHEMA)


def test_messages_without_any_level_have_empty_lists() -> None:
    table = read_depth([message([]), message([])], SCHEMA)
    assert table["b_price"].to_pylist() == table["a_size"].to_pylist() == [[], []]
    assert table.schema.field("b_price").type == pa.list_(pa.int64())
