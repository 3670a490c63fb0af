"""The tests of the gate would notice if it were wrong: planted bugs, each caught by a test with a name."""

from __future__ import annotations

import pytest

from tests.properties.mutations import MUTATIONS, uncaught


@pytest.mark.req("R-2", "R-3", "R-9", "R-14")
def test_every_planted_bug_of_gate_and_breakers_is_caught(capsys: pytest.CaptureFixture[str]) -> None:
    assert uncaught() == []
    told = capsys.readouterr().out
    assert told.count("caught ") >= 10
    assert [mutation.name for mutation in MUTATIONS if mutation.name not in told] == []
