"""Long runs by command: ``uv run python -m tests.properties --steps 1000000 --seed 7``."""

from __future__ import annotations

import argparse
import sys
import time
from collections import Counter
from random import Random

from tests.properties.coverage import missing
from tests.properties.driver import EPISODE_STEPS, cut_down, described, draw, play

EVERY_SECS = 10.0
FEW_STEPS = 50_000
"""A shorter run need not have reached everything."""


def main(arguments: list[str] | None = None) -> int:
    """Play seeded episodes; 1 on a violation, or when a long run did not reach what it must."""
    parser = argparse.ArgumentParser(prog="python -m tests.properties", description=__doc__)
    parser.add_argument("--steps", type=int, default=100_000, help="actions in all")
    parser.add_argument("--seed", type=int, default=1, help="of the episodes")
    given = parser.parse_args(arguments)
    seen: Counter[str] = Counter()
    started = told = time.monotonic()
    random, steps = Random(given.seed), 0
    while steps < given.steps:
        failure = play(draw(random), seen)
        if failure is not None:
            print(f"seed {given.seed}, after {steps:,} steps:\n{described(cut_down(failure))}")
            return 1
        steps += EPISODE_STEPS
        if time.monotonic() - told > EVERY_SECS:
            told = time.monotonic()
            print(f"{steps:>11,} steps  {steps / (told - started):,.0f}/s", flush=True)
    for name, count in sorted(seen.items()):
        print(f"{count:>11,}  {name}")
    never = missing(seen)
    print(f"{steps:,} steps in {time.monotonic() - started:.0f} s, no violation")
    print(f"never reached: {', '.join(never) or 'nothing'}")
    return int(bool(never) and steps >= FEW_STEPS)


if __name__ == "__main__":
    sys.exit(main())
