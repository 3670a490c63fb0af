"""What `parity` says."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from runners.tapes.market import Compared
from runners.tapes.score import Score

_KINDS = {"act": "lists of intents", "wish": "wishes below one step", "raised": "exceptions"}


def holds(score: Score, seen: Compared | None) -> bool:
    """Whether everything is the same, and everything could be compared."""
    same = score.decisions > 0 and score.same == score.decisions and not score.unplayable
    return same and (seen is None or not seen.differing)


def lines(score: Score, seen: Compared | None) -> Iterator[str]:
    """For a person."""
    share = f" ({score.same / score.decisions:.2%})" if score.decisions else ""
    yield f"{score.same:,} of {score.decisions:,} decisions the same{share}"
    if score.kinds:
        yield "  decided: " + ", ".join(
            f"{count:,} {_KINDS.get(kind, kind)}" for kind, count in score.kinds.most_common()
        )
    if score.handed:
        told = ", ".join(f"{count:,} {name}" for name, count in score.handed.most_common())
        yield f"  handed: {score.market:,} market messages; {told}"
    if not score.decisions:
        yield "Nothing was decided, so nothing can be compared: run the session longer, or with parameters that trade."
    if score.cut:
        yield "The tape ends in the middle: the node was killed, and up to its last second is missing."
    for why, count in score.unplayable.most_common(10):
        yield f"Not comparable: {why}" + (f" ({count:,} times)." if count > 1 else ".")
    if score.first is not None:
        yield from score.first.lines()
    if seen is not None:
        yield from seen.lines()


def as_json(score: Score, seen: Compared | None) -> dict[str, Any]:
    """For a script."""
    return {
        "same": score.same, "decisions": score.decisions, "holds": holds(score, seen), "kinds": dict(score.kinds),
        "handed": dict(score.handed), "market_messages": score.market, "cut": score.cut, "not_comparable": dict(score.unplayable),
        "first_difference": None if score.first is None else score.first.as_json(),
        "recording": None if seen is None else seen.as_json(),
    }  # fmt: skip
