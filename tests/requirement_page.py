"""Fill the "proved by" column of `docs/requirements.md` from the marks in the tests: ``python -m tests.requirement_page``."""

from __future__ import annotations

import re
from collections import defaultdict
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PAGE = ROOT / "docs" / "requirements.md"
ROW = re.compile(r"^\| ([A-Z]-\d+a?) \| (done|partly|planned) \| ([^|]*) \| ([^|]*) \|$", re.MULTILINE)


def proofs() -> dict[str, list[str]]:
    """Test files by the requirement id that they carry, in order."""
    found: defaultdict[str, set[str]] = defaultdict(set)
    for path in (ROOT / "tests").rglob("test_*.py"):
        for arguments in re.findall(r"mark\.req\(([^)]*)\)", path.read_text(encoding="utf-8")):
            for identifier in re.findall(r"[A-Z]-\d+a?", arguments):
                found[identifier].add(path.relative_to(ROOT / "tests").as_posix())
    return {identifier: sorted(files) for identifier, files in found.items()}


def rendered(text: str) -> str:
    """The page with its last column brought up to date."""
    known = proofs()

    def row(match: re.Match[str]) -> str:
        identifier, state, note, _ = match.groups()
        return f"| {identifier} | {state} | {note} | {', '.join(f'`{f}`' for f in known.get(identifier, []))} |"

    return ROW.sub(row, text)


if __name__ == "__main__":
    PAGE.write_text(rendered(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
