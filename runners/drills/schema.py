"""JSON Schema of drill files, for editors."""

from __future__ import annotations

import json
from pathlib import Path

from runners.drills.files import FOLDER
from runners.drills.model import Drill

DRILL_SCHEMA_FILE = FOLDER.parent / "drill_schema.json"


def drill_schema_text() -> str:
    """JSON Schema of `Drill`, as the file holds it."""
    schema = Drill.model_json_schema(by_alias=True, mode="validation")
    return json.dumps(schema, indent=2, ensure_ascii=False, sort_keys=True) + "\n"


def write_drill_schema(path: Path = DRILL_SCHEMA_FILE) -> None:
    """Write the schema beside the live files."""
    path.write_text(drill_schema_text(), encoding="utf-8", newline="\n")
