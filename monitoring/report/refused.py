"""Refusals by reason: how many, when, and the figures of a typical and of the worst one."""

from __future__ import annotations

import json
import math
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import pyarrow as pa

from monitoring.report.risk_models import RefusalSummary

_MEASURES = (
    ("cost − edge, bps", "cost_bps", "edge_bps", "-"),
    ("value / limit", "value", "limit", "/"),
    ("loss / limit", "loss", "limit", "/"),
    ("drawdown / limit", "drawdown_pct", "limit", "/"),
    ("sent / limit", "sent", "limit", "/"),
    ("limit − free margin, %", "limit", "free_pct", "-"),
    ("off / allowed", "off", "allowed", "/"),
    ("asked / allowed", "asked", "allowed", "/"),
    ("seconds left", "seconds_left", "", ""),
)
"""How far beyond a refusal was: the first whose figures are all there."""


def refusal_stats(refusals: pa.Table) -> list[RefusalSummary]:
    """Count refusals by reason, most frequent first, and pick the sentences that stand for them."""
    by_reason: dict[str, list[dict[str, Any]]] = {}
    for row in refusals.to_pylist():
        by_reason.setdefault(row["reason"], []).append(row)
    found = [_stats(reason, rows, refusals.num_rows) for reason, rows in by_reason.items()]
    return sorted(found, key=lambda r: (-r.count, r.reason))


def measure(figures: Mapping[str, Any]) -> tuple[str, float] | None:
    """Name and value of how far beyond its limit a refusal was; None where its figures do not say."""
    for name, first, second, sign in _MEASURES:
        if first in figures and (not second or second in figures):
            value, against = _number(figures[first]), _number(figures[second]) if second else 0.0
            if sign == "/" and against == 0.0:
                return None
            found = value / against if sign == "/" else value - against
            return (name, found) if math.isfinite(found) else None
    return None


def _number(value: Any) -> float:
    try:
        return float(value)
    except (TypeError, ValueError):
        return math.nan


def _stats(reason: str, rows: Sequence[dict[str, Any]], total: int) -> RefusalSummary:
    times = [int(row["ts_ns"]) for row in rows]
    figures = [json.loads(row["figures"]) for row in rows]
    found = [measure(each) for each in figures]
    known = [(m[1], i) for i, m in enumerate(found) if m is not None]
    names = {m[0] for m in found if m is not None}
    ranked = len(known) == len(rows) and len(names) == 1
    order = [i for _, i in sorted(known)] if ranked else _alike(figures)
    middle = order[(len(order) - 1) // 2]
    return RefusalSummary(
        reason=reason, count=len(rows), share=len(rows) / total, first_ns=min(times), last_ns=max(times),
        typical=_sentence(rows[middle]), extreme=_sentence(rows[order[-1]]) if ranked else None,
        measure=names.pop() if ranked else None,
        measure_median=sorted(known)[(len(known) - 1) // 2][0] if ranked else None,
        measure_max=max(known)[0] if ranked else None,
    )  # fmt: skip


def _alike(figures: Sequence[Mapping[str, Any]]) -> list[int]:
    """Rows whose figures are the most frequent ones, in order of time."""
    shown = [json.dumps(each, sort_keys=True) for each in figures]
    commonest = max(Counter(shown).items(), key=lambda item: item[1])[0]
    return [i for i, each in enumerate(shown) if each == commonest]


def _sentence(row: Mapping[str, Any]) -> str:
    return str(row["detail"] or row["reason"])
