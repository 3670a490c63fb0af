"""Decisions as lines for a person."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from runners.comparing import Parting


def moment(ts_ns: int) -> str:
    """UTC to the microsecond."""
    seconds, rest = divmod(ts_ns, 1_000_000_000)
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%d %H:%M:%S}.{rest // 1000:06d}"


def row_text(row: Mapping[str, Any] | None) -> str:
    """One order, fill or decision on a line."""
    if row is None:
        return "nothing"
    price = "" if row["price"] is None else f" @ {row['price'].normalize():f}"
    words = [moment(row["ts_ns"]), row["strategy_id"], row["side"], f"{row['quantity'].normalize():f}{price}"]
    words += [row.get("order_type") or row.get("liquidity") or "", "post-only" if row.get("post_only") else ""]
    words += ["reduce-only" if row.get("reduce_only") else "", row["instrument_id"]]
    outcome = row.get("outcome")
    words += [f"({outcome if outcome == 'sent' else f'refused: {outcome}'})" if outcome else ""]
    return " ".join(word for word in words if word)


def decision_text(found: Parting, a: str, b: str) -> str:
    """Both sides of a parting, with the columns that differ."""
    width = max(len(a), len(b))
    what = f"  differs in {', '.join(found.fields)}\n" if found.fields else ""
    return f"{what}  {a:<{width}}  {row_text(found.a)}\n  {b:<{width}}  {row_text(found.b)}"
