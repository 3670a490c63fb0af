"""The actions of `tests.properties.play` as a state machine of hypothesis, which draws them and cuts failures down."""

from __future__ import annotations

import functools
import tempfile
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import Any, ClassVar

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from tests.properties.domains import DOMAINS, WEIGHTS
from tests.properties.driver import draw_profile, draw_values
from tests.properties.play import Play

ANYTHING = 60
"""So many rules draw an action as a seeded run does: hypothesis alone dwells on a few of them."""


class GateMachine(RuleBasedStateMachine):
    """One episode; `seen` counts over all of them."""

    seen: ClassVar[Counter[str]] = Counter()

    def __init__(self) -> None:
        super().__init__()
        self.folder = tempfile.TemporaryDirectory()
        self.play: Play | None = None

    @initialize(seed=st.integers(0, 2**32))
    def begin(self, seed: int) -> None:
        """Draw the limits of the episode: from a seed, since hypothesis prefers the first of every choice."""
        self.play = Play(draw_profile(Random(seed)), Path(self.folder.name), self.seen)

    @invariant()
    def holds(self) -> None:
        """What must always hold."""
        if self.play is not None:
            self.play.check()

    def teardown(self) -> None:
        """Remove token and latch log."""
        self.folder.cleanup()


def _act(kind: str) -> Callable[..., None]:
    def act(machine: GateMachine, **values: Any) -> None:
        machine.seen["steps"] += 1
        getattr(machine.play, kind)(**values)

    return act


def _anything() -> Callable[..., None]:
    def act(machine: GateMachine, seed: int) -> None:
        random = Random(seed)
        kind = random.choices(list(WEIGHTS), list(WEIGHTS.values()))[0]
        _act(kind)(machine, **draw_values(random, kind))

    return act


for _kind, _domain in DOMAINS.items():
    _rule = functools.partial(rule, **{name: st.sampled_from(values) for name, values in _domain.items()})
    setattr(GateMachine, _kind, _rule()(_act(_kind)))
for _copy in range(ANYTHING):
    setattr(GateMachine, f"anything_{_copy}", rule(seed=st.integers(0, 2**32))(_anything()))
