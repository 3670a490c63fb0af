"""`manifest.json`: what produced a run, in enough detail to produce it again."""

from __future__ import annotations

import hashlib
import platform
import tomllib
from dataclasses import asdict
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import Any

from runners.config import Resolved
from runners.latency import LatencyPlan
from runners.market import Market

PROJECT = Path(__file__).resolve().parents[1]
PACKAGES = ("nautilus_trader", "numpy", "pandas", "pyarrow", "pydantic")
CODE = ("adapters", "catalog", "execution", "monitoring", "research", "risk", "runners", "strategies")


@cache
def code_version() -> str:
    """Version of the project and eight hex digits of its sources, so that a change without a release shows.

    The sources are read at the first call: a session asks at its start, and what changes on the disk while it runs is not what ran.
    """
    project = tomllib.loads((PROJECT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    digest = hashlib.sha256()
    for folder in CODE:
        for path in sorted((PROJECT / folder).rglob("*.py")):
            digest.update(path.relative_to(PROJECT).as_posix().encode() + b"\0" + path.read_bytes() + b"\0")
    return f"{project['version']}+{digest.hexdigest()[:8]}"


def manifest(
    run_id: str,
    resolved: Resolved,
    market: Market,
    latency: LatencyPlan,
    *,
    events: int,
    status: str,
    wall_seconds: float,
) -> dict[str, Any]:
    """Collect everything that a report says about where its figures came from."""
    config = resolved.config
    return {
        "schema_version": 1,
        "run_id": run_id,
        "config_hash": resolved.hash,
        "code_version": code_version(),
        "packages": {"python": platform.python_version(), **{name: version(name) for name in PACKAGES}},
        "status": status,
        "synthetic": market.synthetic,
        "data_source": market.source,
        "catalog": market.catalog.path.as_posix(),
        "fidelity": config.data.fidelity,
        "period": {"start_ns": market.period.start_ns, "end_ns": market.period.end_ns},
        "trading_start_ns": market.trading_start_ns,
        "warmup_secs": config.data.warmup_secs,
        "certificates": [_certificate(found) for found in market.certificates],
        "latency": latency.marks(),
        "fees": {**config.venue.fees.model_dump(), "source": "config"},
        "waived": [
            {"strategy_id": entry.id, "reason": entry.policy.waiver}
            for entry in config.strategies
            if entry.policy.waiver is not None
        ],
        "code": [asdict(mark) for mark in resolved.code],
        "instruments": {iid: instrument_mark(found) for iid, found in market.instruments().items()},
        "events": events,
        "wall_seconds": wall_seconds,
        "config": config.model_dump(mode="json", by_alias=True),
    }


def _certificate(found: Any) -> dict[str, Any]:
    sha = hashlib.sha256(found.model_dump_json().encode()).hexdigest()
    return {"instrument_id": found.instrument_id, "day": found.day, "grade": str(found.grade), "sha": sha}


def instrument_mark(found: Any) -> dict[str, Any]:
    """Precisions and increments of an instrument, for the report."""
    return {
        "price_precision": found.price_precision,
        "size_precision": found.size_precision,
        "tick": float(found.price_increment),
        "step": float(found.size_increment),
    }
