"""How long a cancel-all takes while entries use up their share of the venue's order count (R-9: under 200 ms).

Run ``uv run python -m benchmarks.cancel_all``. Each round starts the real command against our simulated venue, lets it send entries
until the gate keeps them back, and interrupts it. Counted is the time from the signal to the venue's ledger entry of the
cancel-all, and of its answer: both are stamped on this machine's clock.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import signal
import statistics
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import Any

from adapters.simulated_binance.server import Server
from adapters.simulated_binance.settings import Scenario
from adapters.simulated_binance.venue import Venue
from tests.runners.live.support import written

ROOT = Path(__file__).resolve().parents[1]
TARGET_MS = 200.0
PATIENCE_SECS = 90.0
PER_10_SECS = 40
"""Entries may use 32 of them, which one strategy does in some seconds; Binance's 300 would take more strategies."""
HASTY = {"offset_ticks": 8, "size": 0.005, "beat_secs": 0.02, "patience_secs": 0.02}
FREE = ("risk.throttles={max_identical_orders: null, max_orders_per_sec: 300}", "risk.breakers.api_budget_pct=null")


def command(folder: Path, url: str) -> list[str]:
    """Make the command line of one node."""
    given = [part for text in FREE for part in ("--set", text)]
    config = written(folder, url, params=HASTY)
    return [sys.executable, "-m", "runners.live", str(config), "--json", "--trust-code", *given]


async def one(number: int) -> tuple[float, float]:
    """Run one round; return milliseconds to the request and to its answer."""
    scenario = Scenario.model_validate(
        {"seed": number, "limits": {"orders_per_10_secs": PER_10_SECS, "ban_after": 10_000}}
    )
    with tempfile.TemporaryDirectory() as folder:
        async with Server(Venue(scenario)) as server:
            process = await asyncio.create_subprocess_exec(
                *command(Path(folder), server.url), cwd=ROOT, stdout=asyncio.subprocess.DEVNULL, env=dict(os.environ)
            )
            try:
                await asyncio.wait_for(_saturated(server, process), PATIENCE_SECS)
                asked_ns = time.time_ns()
                process.send_signal(signal.SIGINT)
                code = await asyncio.wait_for(process.wait(), PATIENCE_SECS)
            finally:
                if process.returncode is None:
                    process.kill()
            if code != 5:
                raise SystemExit(f"round {number}: the node ended with exit code {code}, not 5")
            return _measured(server.venue.ledger.rows, asked_ns)


async def _saturated(server: Server, process: asyncio.subprocess.Process) -> None:
    """Wait until entries have used their share of a window of ten seconds, and 0.3 s more in which they are refused."""
    while process.returncode is None:
        sent = Counter(
            row["ts_ns"] // 10**10 for row in server.venue.ledger.of("request") if row["path"] == "/fapi/v1/order"
            and row["method"] == "POST"
        )  # fmt: skip
        if sent and max(sent.values()) >= PER_10_SECS * 0.8:
            await asyncio.sleep(0.3)
            return
        await asyncio.sleep(0.1)
    raise SystemExit(f"the node ended before entries were kept back (exit code {process.returncode})")


def _measured(rows: list[dict[str, Any]], asked_ns: int) -> tuple[float, float]:
    later = [row for row in rows if row["ts_ns"] >= asked_ns]
    request = next(row for row in later if row["kind"] == "request" and row["path"] == "/fapi/v1/allOpenOrders")
    answer = next(row for row in later if row["kind"] == "response" and row["id"] == request["id"])
    if answer["status"] != 200:
        raise SystemExit(f"the venue answered the cancel-all with {answer['status']}")
    return (request["ts_ns"] - asked_ns) / 1e6, (answer["ts_ns"] - asked_ns) / 1e6


def main() -> None:
    """Run some rounds and print median and worst."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--rounds", type=int, default=5, help="nodes to start and interrupt")
    rounds = parser.parse_args().rounds
    found = [asyncio.run(one(number + 1)) for number in range(rounds)]
    for name, values in zip(("request at the venue", "answered"), zip(*found, strict=True), strict=True):
        met = "met" if max(values) < TARGET_MS else "NOT met"
        print(
            f"cancel-all, signal to {name}: median {statistics.median(values):.1f} ms, worst {max(values):.1f} ms of {rounds} "
            f"rounds (wanted < {TARGET_MS:.0f} ms: {met})"
        )


if __name__ == "__main__":
    main()
