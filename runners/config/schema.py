"""JSON Schema of a backtest file, for editors."""

from __future__ import annotations

import json
from pathlib import Path

from runners.config.models import BacktestConfig

SCHEMA_FILE = Path(__file__).resolve().parents[2] / "backtest_configs" / "schema.json"


def schema_text() -> str:
    """JSON Schema of `BacktestConfig`, as the file holds it."""
    schema = BacktestConfig.model_json_schema(by_alias=True, mode="validation")
    return json.dumps(schema, indent=2, ensure_ascii=False, sort_keys=True) + "\n"


def write_schema(path: Path = SCHEMA_FILE) -> None:
    """Write the schema beside the configurations."""
    path.write_text(schema_text(), encoding="utf-8", newline="\n")


if __name__ == "__main__":
    write_schema()
