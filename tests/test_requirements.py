"""`docs/requirements.md` is true: what it calls done has a test that carries the id."""

from __future__ import annotations

import re

from tests.requirement_page import PAGE, ROOT, ROW, proofs, rendered


def listed() -> dict[str, tuple[str, str]]:
    text = PAGE.read_text(encoding="utf-8")
    return {identifier: (state, note) for identifier, state, note, _ in ROW.findall(text)}


def test_every_done_requirement_has_a_test() -> None:
    done = {identifier for identifier, (state, _) in listed().items() if state == "done"}
    assert sorted(done - set(proofs())) == []


def test_every_id_that_a_test_proves_is_listed() -> None:
    assert sorted(set(proofs()) - set(listed())) == []


def test_the_page_names_the_tests_that_carry_each_id() -> None:
    text = PAGE.read_text(encoding="utf-8")
    assert rendered(text) == text, "run: uv run python -m tests.requirement_page"


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
