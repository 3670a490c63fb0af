"""The command line of a benchmark on the recording: which file, how many rounds, text or JSON, 1 when a target is missed."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

RECORDING = Path(__file__).resolve().parents[2] / "shared" / "data" / "binance_usdm_btcusdt_20240808.gz"

type Figures = Mapping[str, float]


def run_on_recording(
    about: str, measure: Callable[[Path, int], Figures], text: Callable[[Figures], str], met: Callable[[Figures], bool]
) -> int:
    """Measure and print.

    Parameters
    ----------
    about
        One sentence for ``--help``.
    measure
        Takes the recording and the number of rounds.
    text, met
        What a person reads, and whether the targets are met.

    Returns
    -------
    int
        0, 1 when a target is missed, 3 without a recording.
    """
    parser = argparse.ArgumentParser(description=about)
    parser.add_argument("--file", type=Path, default=RECORDING)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    if not options.file.is_file():
        sys.stderr.write(f"error: there is no recording at {options.file}; name one with --file.\n")
        return 3
    result = measure(options.file, options.rounds)
    sys.stdout.write(json.dumps(result, indent=1) + "\n" if options.json else text(result))
    return 0 if met(result) else 1
