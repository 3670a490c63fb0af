"""Seeded episodes: a script of actions drawn at random, played, and cut down to what is needed when it fails."""

from __future__ import annotations

import tempfile
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any

from tests.properties.domains import DOMAINS, WEIGHTS
from tests.properties.play import Play
from tests.properties.profile import DOMAINS as PROFILES
from tests.properties.profile import Profile

EPISODE_STEPS = 100

type Action = tuple[str, Mapping[str, Any]]


@dataclass(frozen=True, slots=True)
class Script:
    """One episode."""

    profile: Profile
    actions: Sequence[Action]


@dataclass(frozen=True, slots=True)
class Failure:
    """A script and why it failed."""

    script: Script
    error: Exception


def draw_profile(random: Random) -> Profile:
    """Draw limits."""
    return Profile(**{name: random.choice(domain) for name, domain in PROFILES.items()})


def draw_values(random: Random, kind: str) -> dict[str, Any]:
    """Draw the arguments of an action."""
    return {name: random.choice(domain) for name, domain in DOMAINS[kind].items()}


def draw(random: Random, steps: int = EPISODE_STEPS) -> Script:
    """Draw an episode."""
    profile = draw_profile(random)
    kinds = random.choices(list(WEIGHTS), list(WEIGHTS.values()), k=steps)
    return Script(profile, [(kind, draw_values(random, kind)) for kind in kinds])


def play(script: Script, seen: Counter[str] | None = None) -> Failure | None:
    """Play an episode; return what went wrong."""
    with tempfile.TemporaryDirectory() as folder:
        try:
            world = Play(script.profile, Path(folder), seen if seen is not None else Counter())
            world.check()
            for kind, values in script.actions:
                getattr(world, kind)(**values)
                world.check()
        except Exception as error:  # noqa: BLE001 - whatever it is, the script is cut down and shown
            return Failure(script, error)
    return None


def cut_down(failure: Failure) -> Failure:
    """Leave out of a failing script what it fails without, the same kind of error staying."""
    size = max(1, len(failure.script.actions) // 2)
    while size:
        at = 0
        while at < len(failure.script.actions):
            actions = [*failure.script.actions[:at], *failure.script.actions[at + size :]]
            found = play(Script(failure.script.profile, actions))
            if found is not None and type(found.error) is type(failure.error):
                failure = found
            else:
                at += size
        size //= 2
    return failure


def first_failure(seed: int, steps: int, seen: Counter[str]) -> Failure | None:
    """Play seeded episodes up to so many steps; return the first failure."""
    random, done = Random(seed), 0
    while done < steps:
        failure = play(draw(random), seen)
        if failure is not None:
            return failure
        done += EPISODE_STEPS
    return None


def described(failure: Failure) -> str:
    """A failure as it can be read and typed again."""
    unusual = {n: v for n in PROFILES if (v := getattr(failure.script.profile, n)) != getattr(Profile(), n)}
    lines = [f"{type(failure.error).__name__}: {failure.error}", f"profile: {unusual}"]
    lines += [
        f"  {kind}({', '.join(f'{k}={v!r}' for k, v in values.items())})" for kind, values in failure.script.actions
    ]
    return "\n".join(lines)
