"""Quality certificates: what was measured about one instrument on one UTC day, and the grade that follows.

The grade is the worst letter that any rule gives; ``docs/catalog.md`` prints the same table. A certificate never looks
at anything but its measures, so that a reader can redo the grading by hand.
"""

from __future__ import annotations

import enum
from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, Field

NS_PER_SEC = 1_000_000_000


class Grade(enum.StrEnum):
    """A is flawless, F is not usable."""

    A = "A"
    B = "B"
    C = "C"
    D = "D"
    E = "E"
    F = "F"

    def meets(self, wanted: Grade) -> bool:
        """Return whether this grade is at least as good as `wanted`."""
        return self.value <= wanted.value


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Source(_Frozen):
    """Where the data of a day came from."""

    id: str = Field(description="content hash that makes ingesting the same thing twice a no-op")
    kind: Literal["recording", "sample", "import", "excerpt"] = Field(
        description="which reader produced it, or what cut it out"
    )
    name: str = Field(description="file name or generator specification, for people")
    clock_offset_ns: int = Field(default=0, description="constant added to the recorder's clock")
    latency_p50_ns: int | None = Field(default=None, description="median feed latency after the correction")
    latency_p99_ns: int | None = Field(default=None, description="99th percentile of the same")


class Measures(_Frozen):
    """What was counted; every count is of this instrument and day."""

    start_ns: int = Field(description="receipt time of the first event")
    end_ns: int = Field(description="receipt time of the last event")
    lines: int = Field(default=0, description="lines or records of the source that belong to this day")
    delta_batches: int = Field(default=0, description="venue depth messages in the catalog, snapshots included")
    deltas: int = Field(default=0, description="rows of order_book_deltas that came from the venue")
    carried: int = Field(default=0, description="rows added to carry the book over midnight")
    trades: int = Field(default=0, description="rows of trades")
    quotes: int = Field(default=0, description="rows of quotes")
    others: int = Field(default=0, description="rows of bars, funding rates and mark prices")
    snapshots: int = Field(default=0, description="book snapshots that came from the venue and were used")
    gaps: int = Field(default=0, description="breaks in the venue's depth sequence")
    book_unknown_ns: int = Field(default=0, description="time in which a gap left no book")
    crossed: int = Field(default=0, description="batches after which best bid >= best ask")
    tops_compared: int = Field(default=0, description="batches whose best was compared with bookTicker")
    tops_equal: int = Field(default=0, description="of these, equal in both prices and both sizes")
    duplicates: int = Field(default=0, description="messages seen before, dropped")
    out_of_order: int = Field(default=0, description="messages put back in order, or dropped as too late")
    time_backwards: int = Field(default=0, description="lines whose receipt time was before the line above")
    unreadable: int = Field(default=0, description="lines that are no valid message, dropped")
    absurd: int = Field(default=0, description="messages with an impossible price, size or time, dropped")
    excluded: dict[str, int] = Field(default_factory=dict, description="other messages left out, by documented reason")
    longest_silence_ns: int = Field(default=0, description="longest time without any event")
    truncated: bool = Field(default=False, description="the source ends in the middle of a compressed member")
    book_from_deltas_alone: bool = Field(default=False, description="no snapshot: quiet levels are missing")
    rules_inferred: bool = Field(default=False, description="tick and step were inferred from the data")
    no_update_ids: bool = Field(default=False, description="gaps could not be looked for, only restarts are known")

    def plus(self, other: Measures) -> Measures:
        """Add another part of the same day."""
        first, second = sorted((self, other), key=lambda part: part.start_ns)
        values = {name: getattr(self, name) + getattr(other, name) for name in _SUMMED}
        reasons = [*self.excluded, *(reason for reason in other.excluded if reason not in self.excluded)]
        return Measures(
            **values,
            start_ns=first.start_ns,
            end_ns=max(self.end_ns, other.end_ns),
            excluded={reason: self.excluded.get(reason, 0) + other.excluded.get(reason, 0) for reason in reasons},
            longest_silence_ns=max(self.longest_silence_ns, other.longest_silence_ns, second.start_ns - first.end_ns),
            truncated=self.truncated or other.truncated,
            book_from_deltas_alone=self.book_from_deltas_alone or other.book_from_deltas_alone,
            rules_inferred=self.rules_inferred or other.rules_inferred,
            no_update_ids=self.no_update_ids or other.no_update_ids,
        )


_SUMMED = (
    "lines",
    "delta_batches",
    "deltas",
    "carried",
    "trades",
    "quotes",
    "others",
    "snapshots",
    "gaps",
    "book_unknown_ns",
    "crossed",
    "tops_compared",
    "tops_equal",
    "duplicates",
    "out_of_order",
    "time_backwards",
    "unreadable",
    "absurd",
)


class Certificate(_Frozen):
    """One instrument, one UTC day."""

    instrument_id: str
    day: str = Field(pattern=r"^\d{4}-\d{2}-\d{2}$", description="UTC")
    grade: Grade
    reasons: tuple[str, ...] = Field(description="why the grade is not A; empty for A")
    synthetic: bool = Field(description="generated, not observed")
    measures: Measures
    sources: tuple[Source, ...]

    @classmethod
    def issue(cls, instrument_id: str, day: str, measures: Measures, sources: tuple[Source, ...]) -> Self:
        """Grade the measures and state the result."""
        grade, reasons = grade_of(measures)
        return cls(
            instrument_id=instrument_id,
            day=day,
            grade=grade,
            reasons=reasons,
            synthetic=any(source.kind == "sample" for source in sources),
            measures=measures,
            sources=sources,
        )

    def merged(self, other: Certificate) -> Certificate:
        """Join the certificates of two parts of the same day."""
        sources = tuple(dict.fromkeys((*self.sources, *other.sources)))
        return Certificate.issue(self.instrument_id, self.day, self.measures.plus(other.measures), sources)


class Rule(_Frozen):
    """One line of the grading table: a measured value, and the highest value that still earns A, B, C, D, E."""

    name: str
    unit: str
    limits: tuple[float, float, float, float, float]

    def grade(self, value: float) -> Grade:
        """Return the best grade whose limit holds `value`."""
        return next((grade for grade, limit in zip(Grade, self.limits, strict=False) if value <= limit), Grade.F)


DISAGREEMENT = Rule(name="top of book differs from bookTicker", unit="of batches", limits=(0, 1e-4, 1e-3, 1e-2, 5e-2))
CROSSED = Rule(name="crossed book", unit="of batches", limits=(0, 1e-4, 1e-3, 1e-2, 5e-2))
UNKNOWN = Rule(name="book unknown after a gap", unit="of the time", limits=(-1, 1e-3, 1e-2, 5e-2, 2e-1))
BROKEN = Rule(name="unreadable or absurd lines", unit="of lines", limits=(0, 1e-4, 1e-3, 1e-2, 5e-2))
DISORDER = Rule(name="duplicate, late or backward lines", unit="of lines", limits=(0, 1e-3, 1e-2, 5e-2, 2e-1))
SILENCE = Rule(name="longest silence", unit="s", limits=(120, 600, 3_600, 14_400, 43_200))
RULES = (DISAGREEMENT, CROSSED, UNKNOWN, BROKEN, DISORDER, SILENCE)
CAPS = {
    "truncated": (Grade.B, "the source ends in the middle of a compressed member"),
    "no_update_ids": (Grade.B, "the source has no update ids: gaps show only where the book was restarted"),
    "rules_inferred": (Grade.B, "tick and step were inferred from the data"),
    "book_from_deltas_alone": (Grade.C, "the book was built from deltas alone"),
}


def grade_of(measures: Measures) -> tuple[Grade, tuple[str, ...]]:
    """Apply every rule.

    Returns
    -------
    tuple of Grade and reasons
        The worst grade, and one sentence for every rule that gave less than A.
    """
    if measures.deltas + measures.trades + measures.quotes + measures.others == 0:
        return Grade.F, ("there is no data",)
    verdicts = [(rule.grade(value), f"{rule.name}: {value:.6g} {rule.unit}") for rule, value in _values(measures)]
    verdicts += [verdict for name, verdict in CAPS.items() if getattr(measures, name)]
    if measures.deltas and not measures.tops_compared:
        verdicts.append((Grade.B, "no bookTicker to compare the book with"))
    worst = max((grade for grade, _ in verdicts), default=Grade.A)
    return worst, tuple(f"{grade.value}: {sentence}" for grade, sentence in verdicts if grade is not Grade.A)


def _values(measures: Measures) -> list[tuple[Rule, float]]:
    lines = max(measures.lines, 1)
    span = max(measures.end_ns - measures.start_ns, 1)
    out: list[tuple[Rule, float]] = [
        (BROKEN, (measures.unreadable + measures.absurd) / lines),
        (DISORDER, (measures.duplicates + measures.out_of_order + measures.time_backwards) / lines),
        (SILENCE, measures.longest_silence_ns / NS_PER_SEC),
    ]
    if measures.tops_compared:
        out.append((DISAGREEMENT, (measures.tops_compared - measures.tops_equal) / measures.tops_compared))
    if measures.delta_batches:
        out.append((CROSSED, measures.crossed / measures.delta_batches))
    if measures.gaps:
        out.append((UNKNOWN, measures.book_unknown_ns / span))
    return out
