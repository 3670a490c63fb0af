"""Instrument rules without a network."""

from __future__ import annotations

from decimal import Decimal

import pytest

from catalog.instruments import SPOT, USDM, build, bundled, infer_rules, instrument_id, is_inferred, split_symbol
from errors import UsageError


def test_ids_are_those_of_nautilus_own_adapter() -> None:
    assert instrument_id("usdm", "BTCUSDT") == "BTCUSDT-PERP.BINANCE"
    assert instrument_id("spot", "BTCUSDT") == "BTCUSDT.BINANCE"


def test_the_btcusdt_perpetual_has_the_venue_s_filters() -> None:
    perp = bundled("usdm", "BTCUSDT")
    assert (str(perp.price_increment), str(perp.size_increment)) == ("0.1", "0.001")
    assert (str(perp.min_notional), perp.margin_init) == ("100.00000000 USDT", Decimal("0.05"))
    assert not is_inferred(perp)


def test_spot_sizes_keep_the_eight_decimals_of_the_venue_with_today_s_step() -> None:
    spot = bundled("spot", "BTCUSDT")
    assert (spot.size_precision, spot.size_increment.as_decimal()) == (8, Decimal("0.00001"))


def test_every_bundled_symbol_builds() -> None:
    for symbol in USDM:
        assert str(bundled("usdm", symbol).id) == f"{symbol}-PERP.BINANCE"
    for symbol in SPOT:
        assert str(bundled("spot", symbol).id) == f"{symbol}.BINANCE"


def test_inferred_rules_are_one_unit_of_the_last_decimal_and_marked() -> None:
    made = build("usdm", "ABCUSDC", infer_rules(4, 0))
    assert (str(made.price_increment), str(made.size_increment)) == ("0.0001", "1")
    assert (str(made.base_currency), str(made.quote_currency)) == ("ABC", "USDC")
    assert is_inferred(made)


def test_an_unknown_symbol_is_answered_with_the_nearest() -> None:
    with pytest.raises(UsageError, match=r"no bundled rules for BTCUSDC on usdm; nearest: BTCUSDT"):
        bundled("usdm", "BTCUSDC")


@pytest.mark.parametrize("symbol", ["USDT", "BTCXYZ", ""])
def test_a_symbol_without_a_known_quote_is_refused(symbol: str) -> None:
    with pytest.raises(UsageError, match="known quote currency"):
        split_symbol(symbol)
