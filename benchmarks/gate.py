"""What gate, breakers, order lives and memory journal add to a run, and how long one order's check takes.

Run with the benchmark group: ``uv run --group bench python -m benchmarks.gate``.

Each part is timed where it is entered, within one run over the recording: the time inside over the time of the rest of that run.
So a noisy machine slows both sides alike; the timers themselves are counted against us.
"""

from __future__ import annotations

import functools
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from benchmarks.backtest import Track, gated
from benchmarks.command import run_on_recording
from benchmarks.peers import GridParams
from execution.door import Door
from execution.relay import Relay
from execution.seal import seal
from execution.services import Services
from risk.gate import RiskGate
from strategies.order_flow import OrderFlowParams

TARGET_PCT = 20.0
PARTS = ((Services, "on_deltas"), (Services, "on_time"), (Door, "admit"), (Relay, "order"), (Relay, "position"))


class Meter:
    """Time inside the parts, a part within a part counted once; and every check of an order by itself."""

    def __init__(self) -> None:
        self.inside = 0.0
        self.checks: list[float] = []
        self._depth = 0

    def part(self, target: Any) -> Any:
        """Wrap a part."""

        @functools.wraps(target)
        def timed(*args: Any, **kwargs: Any) -> Any:
            self._depth += 1
            start = time.perf_counter()
            try:
                return target(*args, **kwargs)
            finally:
                self._depth -= 1
                if self._depth == 0:
                    self.inside += time.perf_counter() - start

        return timed

    def check(self, target: Any) -> Any:
        """Wrap `RiskGate.check`."""

        @functools.wraps(target)
        def timed(*args: Any, **kwargs: Any) -> Any:
            start = time.perf_counter()
            try:
                return target(*args, **kwargs)
            finally:
                self.checks.append(time.perf_counter() - start)

        return timed


@contextmanager
def metered() -> Iterator[Meter]:
    """Put the meters in, and take them out again."""
    meter, kept = Meter(), [(cls, name, getattr(cls, name)) for cls, name in (*PARTS, (RiskGate, "check"))]
    for cls, name, target in kept:
        setattr(cls, name, meter.check(target) if cls is RiskGate else meter.part(target))
    try:
        yield meter
    finally:
        for cls, name, target in kept:
            setattr(cls, name, target)


def measure(file: Path, rounds: int) -> dict[str, float]:
    """Return the added share in percent, and percentiles of one check in microseconds."""
    seal()
    flow, grid = OrderFlowParams().model_dump(), GridParams().model_dump()
    added, checks = [], []
    with tempfile.TemporaryDirectory() as folder:
        track = Track(file, Path(folder))
        for turn in range(rounds + 1):
            with metered() as meter:
                start = time.perf_counter()
                gated(track, "strategies.order_flow:OrderFlow", flow, 1)
                whole = time.perf_counter() - start
            with metered() as busy:
                gated(track, "benchmarks.peers:Grid", grid, 4)
            if turn:  # the first round makes byte code
                added.append(meter.inside / (whole - meter.inside) * 100)
                checks += meter.checks + busy.checks
    cuts = statistics.quantiles(checks, n=100)
    return {"added_pct": statistics.median(added), "checks": float(len(checks)), "check_median_us": cuts[49] * 1e6,
            "check_p99_us": cuts[98] * 1e6}  # fmt: skip


def main() -> int:
    """Measure, print, and return 1 when the target is missed."""
    about = "Cost of the gate, as a share of the rest of the same run."
    return run_on_recording(about, measure, _text, lambda result: result["added_pct"] <= TARGET_PCT)


def _text(result: Mapping[str, float]) -> str:
    return (
        f"gate, breakers, lives and journal add {result['added_pct']:.1f} % to an order_flow run (wanted <= {TARGET_PCT:g} %)\n"
        f"one order's check: median {result['check_median_us']:.0f} us, p99 {result['check_p99_us']:.0f} us"
        f" ({result['checks']:.0f} checks)\n"
    )


if __name__ == "__main__":
    sys.exit(main())
