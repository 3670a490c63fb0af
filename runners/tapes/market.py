"""The market on a tape held against the node's own recording, message by message, by the venue's own numbers.

The recorder has sockets of its own, so one of the two may lack what the other has; what both have must be the same. Depth messages
go by their last update id, prints by their aggregate trade id. Order books that were fetched have no counterpart: each asked for
its own.
"""

from __future__ import annotations

import gzip
from collections.abc import Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any

import msgspec

from errors import DataError
from execution.tape.file import read_tape

type Key = tuple[str, str, int]
"""Kind, symbol and number."""

_SNAPSHOT = 32


@dataclass(slots=True)
class Compared:
    """What came out.

    Attributes
    ----------
    equal
        Messages that are in both, with the same content.
    missing
        Messages of the tape that the recording does not have.
    books
        Order books that the node fetched.
    unkeyed
        Messages that have no number.
    differing
        First messages that are not the same, in words.
    """

    equal: int = 0
    missing: int = 0
    books: int = 0
    unkeyed: int = 0
    differing: list[str] = field(default_factory=list)

    def lines(self) -> Iterator[str]:
        """For a person."""
        total = self.equal + self.missing + len(self.differing)
        yield (
            f"{self.equal:,} of {total:,} market messages of the tape stand in the recording with the same content; "
            f"{self.missing:,} are not in it, {len(self.differing):,} differ"
        )
        yield f"  {self.books:,} order books were fetched for the node alone"
        yield from (f"  differs: {text}" for text in self.differing[:5])
        if self.unkeyed:
            yield f"  {self.unkeyed:,} messages have no number of the venue's and were not compared"

    def as_json(self) -> dict[str, Any]:
        """For a script."""
        return {
            "equal": self.equal, "missing": self.missing, "differing": self.differing, "books": self.books,
            "unkeyed": self.unkeyed,
        }  # fmt: skip


def read_market(place: Path) -> dict[Key, Any]:
    """Read depth messages and aggregate trades of a recording: a file, or every file of a folder.

    Raises
    ------
    DataError
        When there is none.
    """
    paths = sorted([*place.glob("*.gz"), *place.glob("*.gz.open")]) if place.is_dir() else [place]
    if not paths or not all(path.is_file() for path in paths):
        raise DataError(f"there is no recording in {place}: name the folder of data.record, or one of its files.")
    found: dict[Key, Any] = {}
    for path in paths:
        try:
            with gzip.open(path, "rb") as file:
                found.update(pair for line in file if (pair := _keyed(line)) is not None)
        except EOFError:
            continue  # its writer was killed: everything up to there has been read
        except OSError as error:
            raise DataError(f"{path} is no recording: {error}.") from error
    return found


def _keyed(line: bytes) -> tuple[Key, Any] | None:
    try:
        message = msgspec.json.decode(line.partition(b" ")[2])
    except msgspec.DecodeError:
        return None
    data = message.get("data") if isinstance(message, dict) else None
    if not isinstance(data, dict):
        return None
    if data.get("e") == "depthUpdate":
        levels = {(side, Decimal(price)): Decimal(size) for side in "ba" for price, size in data[side]}
        return ("depth", data["s"], data["u"]), levels
    if data.get("e") == "aggTrade":
        return ("print", data["s"], data["a"]), (Decimal(data["p"]), Decimal(data["q"]), bool(data["m"]))
    return None


def market_of(tape: Path, recorded: dict[Key, Any]) -> Compared:
    """Hold every market message of a tape against a recording."""
    result = Compared()
    for row in read_tape(tape):
        if row[0] == "d":
            _depth(row[2], recorded, result)
        elif row[0] == "m" and row[2][0] == "TradeTick":
            content = row[2][1]
            given = (
                Decimal(content["price"]),
                Decimal(content["size"]),
                content["aggressor_side"] in ("SELLER", "SELL"),
            )
            _hold(("print", _symbol(content["instrument_id"]), int(content["trade_id"])), given, recorded, result)
        elif row[0] == "m":
            result.unkeyed += 1
    return result


def _depth(row: list[Any], recorded: dict[Key, Any], result: Compared) -> None:
    iid, sequence, _, _, levels = row
    if any(level[5] & _SNAPSHOT for level in levels):
        result.books += 1
        return
    given = {("b" if side == "BUY" else "a", Decimal(price)): Decimal(size) for _, side, price, size, _, _ in levels}
    _hold(("depth", _symbol(iid), sequence), given, recorded, result)


def _hold(key: Key, given: Any, recorded: dict[Key, Any], result: Compared) -> None:
    there = recorded.get(key)
    if there is None:
        result.missing += 1
    elif there == given:
        result.equal += 1
    else:
        result.differing.append(f"{key[0]} {key[2]} of {key[1]}: taped {_shown(given)}, recorded {_shown(there)}")


def _shown(content: Any) -> str:
    if isinstance(content, dict):
        return ", ".join(f"{side} {price:f} × {size:f}" for (side, price), size in list(content.items())[:4])
    return f"{content[0]:f} × {content[1]:f}"


def _symbol(instrument_id: str) -> str:
    return instrument_id.partition("-")[0].partition(".")[0]
