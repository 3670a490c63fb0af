"""Start-up: `--help` and an engine that is ready, with byte code cached.

Run: ``uv run python -m benchmarks.startup``. Each figure is the median over fresh processes; ratios are against an empty Python.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import time

_ENGINE = (
    "from nautilus_trader.backtest import BacktestEngine, BacktestEngineConfig;"
    "from nautilus_trader.common import LoggerConfig;"
    "BacktestEngine(BacktestEngineConfig(logging=LoggerConfig(bypass_logging=True)))"
)
CASES = {
    "empty python": ["-c", "pass"],
    "python -m runners --help": ["-m", "runners", "--help"],
    "python -m runners.ingest --help": ["-m", "runners.ingest", "--help"],
    "python -m runners.catalog --help": ["-m", "runners.catalog", "--help"],
    "engine ready (wiring imported)": ["-c", f"import runners.session; {_ENGINE}"],
}


def seconds(arguments: list[str]) -> float:
    """Wall time of one process, byte code cached."""
    environment = {key: value for key, value in os.environ.items() if key != "PYTHONDONTWRITEBYTECODE"}
    start = time.perf_counter()
    subprocess.run([sys.executable, *arguments], check=True, capture_output=True, env=environment)
    return time.perf_counter() - start


def main() -> None:
    """Measure and print."""
    medians = {}
    for name, arguments in CASES.items():
        seconds(arguments)
        medians[name] = statistics.median(seconds(arguments) for _ in range(7))
    base = medians["empty python"]
    for name, value in medians.items():
        sys.stdout.write(f"{name:<32} {value:.3f} s   {value / base:.1f}x an empty Python\n")


if __name__ == "__main__":
    main()
