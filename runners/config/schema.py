"""JSON Schemas of backtest and live files, for editors."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from runners.config.live import LiveConfig
from runners.config.models import BacktestConfig

PROJECT = Path(__file__).resolve().parents[2]
SCHEMA_FILE = PROJECT / "backtest_configs" / "schema.json"
LIVE_SCHEMA_FILE = PROJECT / "live_configs" / "schema.json"
INHERITED = frozenset({"name", "instruments", "strategies", "fees", "risk"})
"""Keys of a live file that its base may give."""


def schema_text() -> str:
    """JSON Schema of `BacktestConfig`, as the file holds it."""
    return _text(BacktestConfig.model_json_schema(by_alias=True, mode="validation"))


def live_schema_text() -> str:
    """JSON Schema of `LiveConfig` as it is written: what a base may give is not required."""
    schema = LiveConfig.model_json_schema(by_alias=True, mode="validation")
    schema["required"] = [key for key in schema["required"] if key not in INHERITED]
    schema["$defs"]["RiskConfig"].pop("required", None)
    return _text(schema)


def _text(schema: dict[str, Any]) -> str:
    return json.dumps(schema, indent=2, ensure_ascii=False, sort_keys=True) + "\n"


def write_schema(path: Path = SCHEMA_FILE, live_path: Path = LIVE_SCHEMA_FILE) -> None:
    """Write the schemas beside the configurations."""
    path.write_text(schema_text(), encoding="utf-8", newline="\n")
    live_path.write_text(live_schema_text(), encoding="utf-8", newline="\n")


if __name__ == "__main__":
    from runners.drills.schema import write_drill_schema  # drills read configurations, not the other way round

    write_schema()
    write_drill_schema()
