"""A newcomer's path, timed: clone, first report, own strategy, comparison, in at most ten commands.

Run: ``uv run python -m benchmarks.newcomer [--empty-cache]``. Works on a fresh clone of what is committed, in a temporary
folder; nothing outside the workspace is edited.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
COMMANDS = (
    ("clone", "git clone -q {source} {clone}"),
    ("first report", "uv run python -m runners.backtest backtest_configs/btc.yaml"),
    ("own strategy: files", "uv run python -m runners.new strategy mine"),
    ("own strategy: its test", "uv run pytest -q my/test_mine.py"),
    ("own strategy: report", "uv run python -m runners.backtest my/mine.yaml"),
    ("own strategy: look-ahead", "uv run python -m runners.lookahead my/mine.yaml"),
    ("compare", "uv run python -m runners.runs compare btc-order-flow mine"),
    ("export", "uv run python -m runners.export fills mine --csv"),
)


def main() -> int:
    """Walk the path, print each time, and return 1 at the first command that fails."""
    parser = argparse.ArgumentParser(description="A newcomer's path, timed.")
    parser.add_argument("--empty-cache", action="store_true", help="also download every package")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as text:
        clone = Path(text) / "hyper-trading"
        environment = {key: value for key, value in os.environ.items() if key != "VIRTUAL_ENV"}
        if options.empty_cache:
            environment["UV_CACHE_DIR"] = str(Path(text) / "cache")
        total = 0.0
        for name, command in COMMANDS:
            words = [word.format(source=ROOT, clone=clone) for word in command.split()]
            start = time.perf_counter()
            done = subprocess.run(
                words,
                cwd=clone if clone.exists() else text,
                env=environment,
                capture_output=True,
                text=True,
                check=False,
            )
            taken = time.perf_counter() - start
            total += taken
            sys.stdout.write(f"{taken:6.1f} s  {name:<26} {command.format(source='…', clone='…')}\n")
            if done.returncode != 0:
                sys.stderr.write(f"{done.stdout[-2000:]}{done.stderr[-2000:]}\nended with {done.returncode}\n")
                return 1
        edited = subprocess.run(
            ["git", "status", "--porcelain"], cwd=clone, capture_output=True, text=True, check=True
        ).stdout
        if edited:
            sys.stderr.write(f"the path touched files of the project:\n{edited}")
            return 1
        sys.stdout.write(f"{total:6.1f} s  {len(COMMANDS)} commands, nothing outside the workspace touched\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
