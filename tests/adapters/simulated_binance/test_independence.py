"""The venue judges the system, so it may not share code with it."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
OURS = {path.name for path in ROOT.iterdir() if path.is_dir() and (path / "__init__.py").exists()} | {"errors"}


@pytest.mark.req("X-2")
def test_the_venue_imports_nothing_of_the_project_but_its_errors() -> None:
    found = set()
    for path in (ROOT / "adapters" / "simulated_binance").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            names += [node.module] if isinstance(node, ast.ImportFrom) and node.module else []
            found |= {name for name in names if name.split(".")[0] in OURS}
    assert {name for name in found if not name.startswith("adapters.simulated_binance")} == {"errors"}
