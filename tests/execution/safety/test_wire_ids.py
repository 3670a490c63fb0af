"""O-1: an id in both spellings."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from nautilus_trader.adapters.binance import decode_binance_futures_client_order_id as engine_decodes

from execution.ids import ClientOrderIds
from execution.safety.wire_ids import carries_tag, logical_id, wire_id

OURS = st.text("abcdefghijklmnopqrstuvwxyz0123456789", min_size=1, max_size=24)


@pytest.mark.req("O-1")
def test_an_id_of_ours_goes_out_with_the_engines_prefix() -> None:
    assert wire_id("h1k7q2mz00001a") == "x-aHRE4BCj-Rh1k7q2mz00001a"


@pytest.mark.req("O-1")
@settings(database=None)
@given(OURS)
def test_the_engine_and_we_read_an_id_back_alike(logical: str) -> None:
    wire = wire_id(logical)
    assert len(wire) <= 36
    assert engine_decodes(wire) == logical_id(wire) == logical


@pytest.mark.parametrize(
    "wire",
    ["web_abc", "autoclose-123", "adl_autoclose", "x-other-abc", "x-aHRE4BCj-R", "x-aHRE4BCj-h1k7", "h1k7q2mz00001a"],
)
def test_an_id_of_somebody_else_is_left_as_the_engine_leaves_it(wire: str) -> None:
    assert logical_id(wire) == engine_decodes(wire) == wire


@pytest.mark.parametrize("logical", ["", "a" * 25, "O-20240101-000000-001-001-1", "H1K7", "h1 k7", "h1/k7", "é"])
def test_an_id_that_the_engine_spells_otherwise_is_refused(logical: str) -> None:
    with pytest.raises(ValueError, match="1 to 24 characters"):
        wire_id(logical)


@pytest.mark.req("O-1")
def test_the_tag_tells_our_orders_from_other_nautilus_users() -> None:
    ours = wire_id(ClientOrderIds("h1", 7).next())
    assert carries_tag(ours, "h1")
    assert not carries_tag(ours, "h2")
    assert not carries_tag("h1k7q2mz00001a", "h1")
