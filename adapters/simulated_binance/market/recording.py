"""A raw recording as a source: depth updates behind its REST snapshot, and trades."""

from __future__ import annotations

import gzip
import itertools
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec

from adapters.simulated_binance.contract import Contract
from adapters.simulated_binance.market.background import LevelChanges, Levels, MarketOrder, Timed
from adapters.simulated_binance.orders import Side
from errors import DataError

WANTED = (b"depthUpdate", b'"trade"', b"lastUpdateId")


def play(path: Path, contract: Contract, *, loop: bool) -> Iterator[Timed]:
    """Read a recording as events, from its snapshot on.

    Parameters
    ----------
    path
        Gzip of ``<receipt ns> <json>`` lines.
    contract
        Whose symbol is wanted, and its scales.
    loop
        Start over at the end, a second after the last event.

    Raises
    ------
    DataError
        When the file is missing, is no recording, or has no depth snapshot.
    """
    offset, rounds = 0.0, itertools.count() if loop else range(1)
    for _ in rounds:
        last = 0.0
        for last, event in _once(path, contract):
            yield offset + last, event
        if last == 0.0:
            raise DataError(f"recording {path.name} has no depth snapshot with events after it")
        offset += last + 1.0


def _once(path: Path, contract: Contract) -> Iterator[Timed]:
    start: int | None = None
    early: list[dict[str, Any]] = []
    for received_ns, message in _messages(path, contract.name):
        if start is None and "lastUpdateId" not in message:
            early.append(message)
            continue
        if start is None:
            start = received_ns
            yield 0.0, _levels(contract, message["bids"], message["asks"], snapshot=True)
            held = (m for m in early if m["e"] == "depthUpdate" and m["u"] >= message["lastUpdateId"])
            yield from ((0.0, _event(contract, one)) for one in held)
            continue
        if message.get("e") == "trade" and message.get("X", "MARKET") != "MARKET":
            continue
        if "lastUpdateId" not in message:
            yield (received_ns - start) / 1e9, _event(contract, message)


def _messages(path: Path, symbol: str) -> Iterator[tuple[int, dict[str, Any]]]:
    try:
        with gzip.open(path, "rb") as file:
            for line in file:
                if any(word in line for word in WANTED):
                    stamp, _, text = line.partition(b" ")
                    message = msgspec.json.decode(text)
                    data = message.get("data", message)
                    if data.get("s", symbol) == symbol:
                        yield int(stamp), data
    except FileNotFoundError as error:
        raise DataError(f"recording {path} does not exist") from error
    except EOFError:
        return  # a recorder that was killed leaves a truncated last member: what is readable counts
    except (OSError, ValueError, msgspec.DecodeError) as error:
        raise DataError(f"recording {path} cannot be read: {error}") from error


def _event(contract: Contract, message: dict[str, Any]) -> LevelChanges | MarketOrder:
    if message["e"] == "trade":
        side = Side.SELL if message["m"] else Side.BUY
        return MarketOrder(side, contract.price.nearest(message["p"]), contract.size.nearest(message["q"]))
    return _levels(contract, message["b"], message["a"])


def _levels(
    contract: Contract, bids: list[list[str]], asks: list[list[str]], *, snapshot: bool = False
) -> LevelChanges:
    price, size = contract.price.nearest, contract.size.nearest

    def read(levels: list[list[str]]) -> Levels:
        return tuple((price(p), size(q)) for p, q in levels)

    return LevelChanges(read(bids), read(asks), snapshot)
