"""What the columns of Tardis' CSV files are, and what a row must look like.

Times are microseconds since 1970, UTC: ``timestamp`` is the exchange's, ``local_timestamp`` the receipt. An ``amount`` in a
book file is the level's new size, 0 removes the level.
"""

from __future__ import annotations

import enum
import re
from collections.abc import Sequence
from pathlib import Path

import pyarrow as pa

from catalog.instruments import Market
from catalog.recording.schemas import PLACES
from errors import DataError


class FileKind(enum.StrEnum):
    """A kind of file that we read, by Tardis' own name."""

    BOOK = "incremental_book_L2"
    TRADES = "trades"
    TICKER = "book_ticker"


EXCHANGES: dict[Market, str] = {"usdm": "binance-futures", "spot": "binance"}
SIDES = {FileKind.BOOK: ("bid", "ask"), FileKind.TRADES: ("buy", "sell")}
FIRST_US, LAST_US = 1_262_304_000_000_000, 4_102_444_800_000_000  # 2010 and 2100: other units fall outside

Whole, Flag, Number = pa.int64(), pa.bool_(), pa.decimal128(28, PLACES)
Word = pa.dictionary(pa.int32(), pa.string())
_EVERY = {"exchange": Word, "symbol": Word, "timestamp": Whole, "local_timestamp": Whole}
COLUMNS: dict[FileKind, dict[str, pa.DataType]] = {
    FileKind.BOOK: {**_EVERY, "is_snapshot": Flag, "side": Word, "price": Number, "amount": Number},
    FileKind.TRADES: {**_EVERY, "id": Whole, "side": Word, "price": Number, "amount": Number},
    FileKind.TICKER: {
        **_EVERY,
        **dict.fromkeys(("bid_price", "bid_amount", "ask_price", "ask_amount"), Number),
    },
}
_WHOLE = re.compile(r"-?[0-9]{1,18}")
_NUMBER = re.compile(r"-?[0-9]{1,10}(\.[0-9]{1,8}0*)?|[0-9](\.[0-9]+)?[eE]-?[0-9]{1,2}")


def kind_of(path: Path, header: Sequence[str]) -> FileKind:
    """Tell which kind of file has this header.

    Raises
    ------
    DataError
        When it is none that is read.
    """
    for kind, columns in COLUMNS.items():
        if set(columns) <= set(header):
            return kind
    raise DataError(
        f"{path} line 1 is no header of a Tardis file that is read here ({', '.join(FileKind)}); "
        f"it begins with {','.join(header)[:80]!r}."
    )


def fault(kind: FileKind, row: dict[str, str]) -> str | None:
    """Say what is wrong with a row, or None."""
    for name, wanted in COLUMNS[kind].items():
        text = row.get(name) or ""
        if wanted == Whole and not _WHOLE.fullmatch(text):
            return f"{name} {text!r} is not a whole number"
        if name.endswith("timestamp") and not FIRST_US <= int(text) < LAST_US:
            return f"{name} {text} is not a time in microseconds since 1970"
        if wanted == Flag and text not in {"true", "false"}:
            return f"{name} {text!r} is neither true nor false"
        if wanted == Number and not _NUMBER.fullmatch(text):
            return f"{name} {text!r} is not a number with at most {PLACES} decimals"
        if name == "side" and text not in SIDES[kind]:
            return f"side {text!r} is neither {' nor '.join(SIDES[kind])}"
    return None
