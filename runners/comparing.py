"""Two runs side by side: configuration, waterfall, and where their orders part."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

from errors import CorruptData
from runners.differences import Difference, differences

DECIDED = (
    "ts_ns", "strategy_id", "instrument_id", "side", "order_type", "price", "quantity", "post_only", "reduce_only",
    "time_in_force",
)  # fmt: skip
FILLED = ("ts_ns", "strategy_id", "instrument_id", "side", "price", "quantity", "liquidity")
MARKS = (
    "code_version",
    "data_source",
    "fidelity",
    "period",
    "trading_start_ns",
    "certificates",
    "latency",
    "fees",
    "packages",
)
WATERFALL = ("spread", "markout", "inventory", "fees", "funding", "net")
"""Keys of a summary's waterfall, in the order in which they are shown."""


@dataclass(frozen=True, slots=True)
class Parting:
    """The first row at which two tables differ; a side that has ended has None.

    Attributes
    ----------
    index
        Row number, from 0: so many rows are equal.
    fields
        Names of the columns that differ.
    a, b
        The two rows.
    """

    index: int
    fields: tuple[str, ...]
    a: dict[str, Any] | None
    b: dict[str, Any] | None


@dataclass(frozen=True, slots=True)
class BoundComparison:
    """One queue bound of both runs."""

    waterfall: dict[str, tuple[float, float]]
    residual: tuple[float, float]
    counts: dict[str, tuple[int, int]]
    orders: Parting | None
    fills: Parting | None


@dataclass(frozen=True, slots=True)
class Comparison:
    """Everything that `runs compare` shows."""

    a: str
    b: str
    config: list[Difference]
    origin: list[Difference]
    bounds: dict[str, BoundComparison]
    missing: list[str]


def compare(a: Path, b: Path) -> Comparison:
    """Compare two run directories.

    Raises
    ------
    CorruptData
        When a file of theirs cannot be read.
    """
    left, right = _json(a, "summary.json"), _json(b, "summary.json")
    one, two = _json(a, "manifest.json"), _json(b, "manifest.json")
    return Comparison(
        a=left["run_id"], b=right["run_id"], config=differences(one["config"], two["config"]),
        origin=differences({key: one.get(key) for key in MARKS}, {key: two.get(key) for key in MARKS}),
        bounds={name: _bound(a, b, name, left, right) for name in left["bounds"] if name in right["bounds"]},
        missing=sorted(set(left["bounds"]) ^ set(right["bounds"])),
    )  # fmt: skip


def parting(a: list[dict[str, Any]], b: list[dict[str, Any]], columns: tuple[str, ...]) -> Parting | None:
    """Find the first row at which two lists differ; None when they are equal."""
    for index in range(max(len(a), len(b))):
        left, right = (rows[index] if index < len(rows) else None for rows in (a, b))
        if left is None or right is None:
            return Parting(index, (), left, right)
        changed = tuple(name for name in columns if left[name] != right[name])
        if changed:
            return Parting(index, changed, left, right)
    return None


def rows(path: Path, columns: tuple[str, ...]) -> list[dict[str, Any]]:
    """Read some columns of a run's table.

    Raises
    ------
    CorruptData
        When it cannot be read.
    """
    try:
        with pq.ParquetFile(path) as file:
            found: list[dict[str, Any]] = file.read(columns=list(columns)).to_pylist()
            return found
    except (OSError, ValueError) as error:
        raise CorruptData(f"{path} is missing or is not a table of a run.") from error


def _bound(a: Path, b: Path, name: str, left: Any, right: Any) -> BoundComparison:
    one, two = left["bounds"][name], right["bounds"][name]
    orders = _parting(a / name / "orders.parquet", b / name / "orders.parquet", DECIDED)
    fills = _parting(a / name / "fills.parquet", b / name / "fills.parquet", FILLED)
    return BoundComparison(
        waterfall={key: (one["waterfall"][key], two["waterfall"][key]) for key in WATERFALL},
        residual=(one["residual"], two["residual"]),
        counts={key: (one[key], two[key]) for key in ("orders", "fills", "refusals", "round_trips")},
        orders=orders, fills=fills,
    )  # fmt: skip


def _parting(a: Path, b: Path, columns: tuple[str, ...]) -> Parting | None:
    return parting(rows(a, columns), rows(b, columns), columns)


def _json(run: Path, name: str) -> dict[str, Any]:
    try:
        found: dict[str, Any] = json.loads((run / name).read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise CorruptData(f"{run / name} is missing or is not JSON.") from error
    return found
