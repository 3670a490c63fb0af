"""`docs/requirements.md` is true: what it calls done has a test that carries the id."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
ROW = re.compile(r"^\| ([A-Z]-\d+a?) \| (done|partly|planned) \| (.*) \|$", re.MULTILINE)


def listed() -> dict[str, tuple[str, str]]:
    text = (ROOT / "docs" / "requirements.md").read_text(encoding="utf-8")
    return {identifier: (state, note) for identifier, state, note in ROW.findall(text)}


def proved() -> set[str]:
    found: set[str] = set()
    for path in (ROOT / "tests").rglob("test_*.py"):
        for arguments in re.findall(r"mark\.req\(([^)]*)\)", path.read_text(encoding="utf-8")):
            found.update(re.findall(r"[A-Z]-\d+a?", arguments))
    return found


def test_every_done_requirement_has_a_test() -> None:
    done = {identifier for identifier, (state, _) in listed().items() if state == "done"}
    assert sorted(done - proved()) == []


def test_every_id_that_a_test_proves_is_listed() -> None:
    assert sorted(proved() - set(listed())) == []


def test_a_partly_done_requirement_says_what_is_missing() -> None:
    silent = [identifier for identifier, (state, note) in listed().items() if state == "partly" and len(note) < 10]
    assert silent == []


def test_the_list_is_complete() -> None:
    source = ROOT.parent / "shared" / "design" / "requirements.md"
    known = set(listed())
    assert len(known) >= 80
    if source.exists():
        wanted = set(re.findall(r"^- ([A-Z]-\d+a?) ", source.read_text(encoding="utf-8"), re.MULTILINE))
        assert sorted(wanted - known) == []
