"""Arrow tables in Nautilus' shape."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
from hypothesis import given
from hypothesis import strategies as st
from nautilus_trader.model import (
    AggressorSide,
    Bar,
    BarType,
    BookAction,
    BookOrder,
    InstrumentId,
    MarkPriceUpdate,
    OrderBookDelta,
    OrderSide,
    Price,
    Quantity,
    QuoteTick,
    TradeId,
    TradeTick,
)
from nautilus_trader.persistence import ParquetDataCatalog

from catalog.kinds import Kind
from catalog.tables import SCHEMAS, decimals, scaled

IID = InstrumentId.from_str("BTCUSDT-PERP.BINANCE")
BAR_TYPE = BarType.from_str(f"{IID}-1-MINUTE-LAST-EXTERNAL")
PRICE, SIZE = Price.from_str("100.1"), Quantity.from_str("0.001")


@given(st.lists(st.integers(-(10**15), 10**15) | st.integers(0, 2**31), max_size=20), st.integers(0, 8))
def test_integers_survive_the_way_to_decimals_and_back(values: list[int], places: int) -> None:
    column = decimals(np.array(values, np.int64), places)
    assert [Fraction(number) for number in column.to_pylist()] == [Fraction(value, 10**places) for value in values]
    assert scaled(column, places).tolist() == values


def test_a_price_is_stored_exactly() -> None:
    assert decimals(np.array([618_002, -5, 0]), 1).to_pylist() == [Decimal("61800.2"), Decimal("-0.5"), Decimal(0)]


def test_schemas_are_those_that_nautilus_writes(tmp_path: Path) -> None:
    catalog = ParquetDataCatalog(str(tmp_path))
    order = BookOrder(OrderSide.BUY, PRICE, SIZE, 0)
    written = {
        Kind.DELTAS: catalog.write_order_book_deltas([OrderBookDelta(IID, BookAction.ADD, order, 128, 1, 1, 1)]),
        Kind.TRADES: catalog.write_trade_ticks([TradeTick(IID, PRICE, SIZE, AggressorSide.BUY, TradeId("1"), 1, 1)]),
        Kind.QUOTES: catalog.write_quote_ticks([QuoteTick(IID, PRICE, PRICE, SIZE, SIZE, 1, 1)]),
        Kind.MARK: catalog.write_mark_price_updates([MarkPriceUpdate(IID, PRICE, 1, 1)]),
        Kind.BARS: catalog.write_bars([Bar(BAR_TYPE, PRICE, PRICE, PRICE, PRICE, SIZE, 1, 1)]),
    }
    for kind, name in written.items():
        schema = pq.read_schema(tmp_path / name)
        assert schema.equals(SCHEMAS[kind]), kind
        assert Path(name).parts[1] == kind.folder
        assert schema.metadata[b"type_name"].decode() == kind.type_name
