"""What operators did to an account, one JSON line a command: `state/<alias>/operator.jsonl`."""

from __future__ import annotations

import json
import os
from pathlib import Path

from runners.operating.view import Outcome, as_json

FILE = "operator.jsonl"


def keep(folder: Path, found: Outcome, person: str, ts_ns: int) -> str | None:
    """Append a command to the record; return what could not be done. Where no node ever ran there is none."""
    if not folder.is_dir():
        return None
    path = folder / FILE
    try:
        with path.open("a", encoding="utf-8", newline="\n") as file:
            file.write(json.dumps({"ts_ns": ts_ns, "person": person, **as_json(found)}) + "\n")
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        return f"{path} could not be written ({error.strerror or error}): this command is not on record"
    return None
