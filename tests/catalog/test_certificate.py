"""Grades by the documented rules."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from catalog.certificate import RULES, Certificate, Grade, Measures, Source, grade_of

MINUTE = 60_000_000_000
FLAWLESS: dict[str, Any] = {
    "start_ns": 0,
    "end_ns": 10 * MINUTE,
    "lines": 10_000,
    "delta_batches": 10_000,
    "deltas": 50_000,
    "trades": 10,
    "quotes": 10,
    "tops_compared": 10_000,
    "tops_equal": 10_000,
}


def measures(**changes: Any) -> Measures:
    return Measures(**{**FLAWLESS, **changes})


@pytest.mark.req("D-8")
def test_flawless_data_is_grade_a_without_reasons() -> None:
    assert grade_of(measures()) == (Grade.A, ())


@pytest.mark.req("D-8")
@pytest.mark.parametrize(
    ("changes", "grade"),
    [
        ({"tops_equal": 9_999}, Grade.B),
        ({"tops_equal": 9_998}, Grade.C),
        ({"tops_equal": 9_990}, Grade.C),
        ({"tops_equal": 9_900}, Grade.D),
        ({"tops_equal": 9_500}, Grade.E),
        ({"tops_equal": 9_499}, Grade.F),
        ({"tops_compared": 0, "tops_equal": 0}, Grade.B),
        ({"crossed": 1}, Grade.B),
        ({"crossed": 600}, Grade.F),
        ({"gaps": 1}, Grade.B),
        ({"gaps": 1, "book_unknown_ns": 10 * MINUTE // 1_000}, Grade.B),
        ({"gaps": 1, "book_unknown_ns": 10 * MINUTE // 100}, Grade.C),
        ({"gaps": 1, "book_unknown_ns": MINUTE // 2}, Grade.D),
        ({"gaps": 1, "book_unknown_ns": 3 * MINUTE}, Grade.F),
        ({"unreadable": 1}, Grade.B),
        ({"unreadable": 1, "absurd": 1}, Grade.C),
        ({"duplicates": 10}, Grade.B),
        ({"duplicates": 10, "out_of_order": 1}, Grade.C),
        ({"time_backwards": 1}, Grade.B),
        ({"longest_silence_ns": 2 * MINUTE}, Grade.A),
        ({"longest_silence_ns": 2 * MINUTE + 1}, Grade.B),
        ({"truncated": True}, Grade.B),
        ({"rules_inferred": True}, Grade.B),
        ({"book_from_deltas_alone": True}, Grade.C),
        ({"deltas": 0, "trades": 0, "quotes": 0}, Grade.F),
    ],
)
def test_each_flaw_has_its_grade_and_says_why(changes: dict[str, Any], grade: Grade) -> None:
    given, reasons = grade_of(measures(**changes))
    assert given is grade
    assert len(reasons) == (0 if grade is Grade.A else 1)


def test_the_worst_rule_decides() -> None:
    grade, reasons = grade_of(measures(truncated=True, tops_equal=9_900, crossed=1))
    assert grade is Grade.D
    assert len(reasons) == 3


def test_a_better_grade_meets_a_worse_one_and_not_the_reverse() -> None:
    assert Grade.A.meets(Grade.B)
    assert Grade.B.meets(Grade.B)
    assert not Grade.C.meets(Grade.B)


def test_two_parts_of_a_day_add_up_and_the_pause_between_them_is_silence() -> None:
    morning = Certificate.issue(
        "X.BINANCE", "2024-08-08", measures(excluded={"a": 1}), (Source(id="1", kind="import", name="m"),)
    )
    later = measures(start_ns=30 * MINUTE, end_ns=40 * MINUTE, excluded={"a": 2, "b": 3}, truncated=True)
    evening = Certificate.issue("X.BINANCE", "2024-08-08", later, (Source(id="2", kind="sample", name="e"),))
    both = evening.merged(morning)
    assert both.measures.deltas == 100_000
    assert both.measures.excluded == {"a": 3, "b": 3}
    assert (both.measures.start_ns, both.measures.end_ns) == (0, 40 * MINUTE)
    assert both.measures.longest_silence_ns == 20 * MINUTE
    assert both.grade is Grade.C
    assert both.synthetic
    assert [source.id for source in both.sources] == ["2", "1"]


def test_the_documented_grading_table_is_the_one_in_the_code() -> None:
    text = (Path(__file__).resolve().parents[2] / "docs" / "catalog.md").read_text(encoding="utf-8")
    table = [
        line.strip("| ").split(" | ") for line in text.split("<!-- grades:")[1].splitlines()[3:] if line.startswith("|")
    ]
    code = [[rule.name, rule.unit, *(f"{limit:g}" if limit >= 0 else "–" for limit in rule.limits)] for rule in RULES]
    assert table == code
