"""What a run says at its end: for a person, for a script, and as a page of the documentation."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from crash.host import Result
from crash.judge.facts import Verdict
from crash.matrix import KILLS, cells, reasons, valid
from crash.mutants import MUTANTS
from crash.outcomes import OUTCOMES
from crash.points import POINTS
from crash.sites import ONLY_AT_A_CLEAN_END, commit_sites, hit_sites, request_kinds
from crash.tampering import expected

MOST_SKIPPED = 0.05


@dataclass(frozen=True, slots=True)
class Tally:
    """Everything that came of a run.

    Attributes
    ----------
    asked
        How many cells were to be run.
    results
        Of cells without a planted bug.
    planted
        Of cells with one.
    whole
        The whole product was asked for.
    secs
        Wall time.
    """

    asked: int
    results: Sequence[Result]
    planted: Sequence[Result] = ()
    whole: bool = False
    secs: float = 0.0
    labels: frozenset[str] = field(init=False)
    requests: frozenset[str] = field(init=False)

    def __post_init__(self) -> None:
        both = (*self.results, *self.planted)
        object.__setattr__(self, "labels", frozenset().union(*(one.labels for one in both)))
        object.__setattr__(self, "requests", frozenset().union(*(one.requests for one in both)))

    def count(self, verdict: Verdict) -> int:
        """Cells with at least one finding of a kind."""
        judged = [one.judgement for one in self.results if one.judgement is not None and not one.problem]
        return sum(judgement.count(verdict) > 0 for judgement in judged)

    @property
    def skipped(self) -> list[Result]:
        """Cells that did not come to their point."""
        return [one for one in self.results if one.problem]

    @property
    def idle(self) -> list[Result]:
        """Cells in which too little happened at the venue."""
        judged = (one for one in self.results if one.judgement is not None and not one.problem)
        return [one for one in judged if one.judgement is not None and not one.judgement.activity.enough]

    @property
    def caught(self) -> dict[str, Result]:
        """First cell that found each planted bug, by the bug's name."""
        found: dict[str, Result] = {}
        for one in self.planted:
            if not one.problem and one.judgement is not None and one.judgement.findings:
                found.setdefault(one.mutant, one)
        return found

    @property
    def missed_sites(self) -> list[str]:
        """Statements of the journal's writers that were never reached."""
        return sorted(commit_sites() - hit_sites(self.labels))

    @property
    def missed_requests(self) -> list[str]:
        """Requests that were never sent."""
        return sorted(request_kinds() - self.requests)

    @property
    def last_line(self) -> str:
        """The verdict of the run."""
        counts = " ".join(f"{verdict} {self.count(verdict)}" for verdict in Verdict)
        ran = len({one.mutant for one in self.planted})
        return f"{counts} mutants {len(self.caught)} of {ran}"

    @property
    def passes(self) -> bool:
        """Nothing was found, every planted bug was, and hardly anything was left out.

        A run of every write point must also have reached every statement that writes; that of the whole product sent every request.
        """
        clean = not any(self.count(verdict) for verdict in Verdict) and not self.idle
        told = len(self.skipped) <= MOST_SKIPPED * max(1, self.asked)
        every_point = {one.cell.point for one in self.results} >= set(POINTS)
        hit = not (every_point and self.missed_sites) and not (self.whole and self.missed_requests)
        return clean and told and hit and len(self.caught) == len({one.mutant for one in self.planted})


def lines(tally: Tally) -> list[str]:
    """The printout, the verdict last."""
    return [
        *_product(), "", *_run(tally), "", *_proofs(tally), "", *_hits(tally), "", *_refusals(tally), "", *_bugs(tally), "",
        *_failures(tally), tally.last_line,
    ]  # fmt: skip


def _product() -> list[str]:
    combinations = len(POINTS) * len(KILLS) * len(OUTCOMES)
    exist = valid()
    told = [
        f"{len(POINTS)} write points x {len(KILLS)} kill kinds x {len(OUTCOMES)} outcomes = {combinations} combinations, "
        f"of which {len(exist)} exist"
    ]
    told += [f"  {count:5d}  do not: {why}" for why, count in sorted(reasons().items(), key=lambda one: -one[1])]
    kinds = Counter(cell.kill for cell in exist)
    return [*told, "  exist: " + ", ".join(f"{kill} {kinds[kill]}" for kill in KILLS)]


def _run(tally: Tally) -> list[str]:
    ran, skipped = len(tally.results) - len(tally.skipped), tally.skipped
    share = 100 * len(skipped) / max(1, tally.asked)
    what = "the whole product" if tally.whole else f"{tally.asked} of {len(valid())} cells"
    told = [
        f"(a) {what}: enumerated {tally.asked} = run {ran} + skipped {len(skipped)} ({share:.1f} %, at most "
        f"{100 * MOST_SKIPPED:g} %), {tally.secs:.0f} s"
    ]
    told += [f"    skipped: {one.cell.name}: {one.problem}" for one in skipped]
    told += [f"    run again: {one.cell.name}: {one.again}" for one in (*tally.results, *tally.planted) if one.again]
    least = [one.judgement.activity for one in tally.results if one.judgement is not None and not one.problem]
    if least:
        told.append(
            f"(d) at the venue in each cell at least: {min(one.accepted for one in least)} accepted, "
            f"{min(one.partial for one in least)} partly filled, {min(one.cancelled for one in least)} cancelled"
        )
    told += [f"    too little happened in {one.cell.name}" for one in tally.idle]
    return told


def _proofs(tally: Tally) -> list[str]:
    """(c) and (g): each process ended by a signal, where it should."""
    where: Counter[str] = Counter()
    for one in tally.results:
        if not one.problem:
            where.update(proof for proof in one.proof.split("; ") if not proof.startswith("refused"))
    told = [f"(c) {sum(where.values())} ends of processes, each proved:"]
    return told + [
        f"    {count:4d}  {proof}" for proof, count in sorted(where.items(), key=lambda one: (-one[1], one[0]))
    ]


def _hits(tally: Tally) -> list[str]:
    """(b): what was reached at all."""
    sites, kinds = commit_sites(), request_kinds()
    hit, sent = sites & hit_sites(tally.labels), kinds & tally.requests
    told = [
        f"(b) statements of the journal's writers: {len(hit)} of {len(sites)} reached; order requests: {len(sent)} of {len(kinds)} "
        "kinds sent",
        f"    only at a clean end, hence in other tests: {', '.join(sorted(ONLY_AT_A_CLEAN_END))}",
    ]
    told += [f"    not reached: {name}" for name in (*tally.missed_sites, *tally.missed_requests)]
    return [*told, "(g) kills come from the connection that the harness hands to the journal, and from the venue"]


def _refusals(tally: Tally) -> list[str]:
    """(e): who refused, because the tables say so."""
    wanted = [one for one in tally.results if not one.problem and wants_refusal(one)]
    told = [
        f"(e) {len(wanted)} cells whose next start must refuse, be reset by a person, and then be ready; all others: ready"
    ]
    words: Counter[str] = Counter()
    for one in wanted:
        proof = next((part for part in one.proof.split("; ") if part.startswith("refused")), "refused: nothing")
        words[proof.removeprefix("refused: SafetyRefusal: ")[:60]] += 1
    return told + [f"    {count:4d}  {word} …" for word, count in words.most_common(12)]


def wants_refusal(result: Result) -> bool:
    """Whether the tables have the next start of a cell refuse."""
    cell = result.cell
    return bool(cell.point.refuses) or expected(cell.kill, cell.outcome.expects, ())[0] == "refuse"


def _bugs(tally: Tally) -> list[str]:
    """(f): which cell has found which planted bug."""
    ran, caught = {one.mutant for one in tally.planted}, tally.caught
    told = [f"(f) planted bugs: {len(caught)} of {len(ran)} found"]
    for mutant in MUTANTS:
        if mutant.name in caught:
            one = caught[mutant.name]
            first = one.judgement.findings[0] if one.judgement is not None else None
            told.append(
                f"    {mutant.name}: by '{one.cell.name}': {first.verdict if first else ''} {first.text if first else ''}"
            )
        elif mutant.name in ran:
            problem = next(
                (one.problem for one in tally.planted if one.mutant == mutant.name and one.problem), "nothing found"
            )
            told.append(f"    {mutant.name}: NOT FOUND ({problem})")
    return told


def _failures(tally: Tally) -> list[str]:
    told = []
    for one in tally.results:
        if one.judgement is not None and one.judgement.findings and not one.problem:
            told.append(f"FAILED {one.cell.name}: python -m runners.crash_matrix --cell '{one.cell.name}'")
            told += [f"    {finding.verdict}: {finding.text}" for finding in one.judgement.findings]
    return [*told, ""] if told else []


def as_json(tally: Tally) -> dict[str, Any]:
    """The same for a script."""
    return {
        "asked": tally.asked, "run": len(tally.results) - len(tally.skipped), "secs": round(tally.secs, 1),
        "skipped": {one.cell.name: one.problem for one in tally.skipped},
        "again": {one.cell.name: one.again for one in (*tally.results, *tally.planted) if one.again},
        "verdicts": {str(verdict): tally.count(verdict) for verdict in Verdict},
        "failed": {
            one.cell.name: [f"{finding.verdict}: {finding.text}" for finding in one.judgement.findings]
            for one in tally.results if one.judgement is not None and one.judgement.findings and not one.problem
        },
        "mutants": {name: one.cell.name for name, one in tally.caught.items()},
        "mutants_run": len({one.mutant for one in tally.planted}), "missed_sites": tally.missed_sites,
        "missed_requests": tally.missed_requests, "combinations": sum(1 for _ in cells()), "last_line": tally.last_line,
    }  # fmt: skip
