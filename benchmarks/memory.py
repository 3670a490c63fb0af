"""Peak memory of a chunked run over a long period against a short one.

Run: ``uv run python -m benchmarks.memory [--minutes 60] [--times 10]``. Each run is a process of its own on a generated sample; the
samples are made first, so that generation does not count. The peak is the resident set's high-water mark.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path

import psutil
import yaml

CONFIG = Path(__file__).resolve().parents[1] / "backtest_configs" / "btc.yaml"
TARGET = 1.5


def config_of(minutes: int, folder: Path) -> Path:
    """Write `btc.yaml` for another length."""
    config = yaml.safe_load(CONFIG.read_text(encoding="utf-8"))
    config["data"]["sample"]["minutes"] = minutes
    config["venue"]["queue"] = "conservative"
    path = folder / f"{minutes}.yaml"
    path.write_text(yaml.safe_dump(config), encoding="utf-8")
    return path


def peak_bytes(config: Path, output: Path) -> int:
    """Run one backtest in a process of its own and return its peak resident set."""
    command = [sys.executable, "-m", "runners.backtest", str(config), "--output", str(output), "--json"]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL) as process:
        watched = psutil.Process(process.pid)
        peak = 0
        while process.poll() is None:
            try:
                memory = watched.memory_info()
            except psutil.NoSuchProcess:
                break
            peak = max(peak, getattr(memory, "peak_wset", memory.rss))
            try:
                process.wait(0.02)
            except subprocess.TimeoutExpired:
                continue
    if process.returncode != 0:
        raise RuntimeError(f"{' '.join(command)} ended with {process.returncode}")
    return peak


def main() -> int:
    """Measure, print, and return 1 when the target is missed."""
    parser = argparse.ArgumentParser(description="Peak memory, long period against short.")
    parser.add_argument("--minutes", type=int, default=60)
    parser.add_argument("--times", type=int, default=10)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as text:
        folder = Path(text)
        peaks = []
        for minutes in (options.minutes, options.minutes * options.times):
            config = config_of(minutes, folder)
            peak_bytes(config, folder / f"first-{minutes}")  # makes the sample
            peaks.append(peak_bytes(config, folder / f"run-{minutes}"))
            events = json.loads((folder / f"run-{minutes}" / "summary.json").read_text(encoding="utf-8"))["events"]
            sys.stdout.write(f"{minutes:>5} min  {events:>9} events  peak {peaks[-1] / 2**20:.0f} MiB\n")
    ratio = peaks[1] / peaks[0]
    sys.stdout.write(f"{options.times} times the period: {ratio:.2f}x the memory (wanted <= {TARGET})\n")
    return 0 if ratio <= TARGET else 1


if __name__ == "__main__":
    sys.exit(main())
