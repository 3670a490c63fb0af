"""Tick on the socket to order at the venue: the gated, journaled node against the same node without gate and journal.

Run ``uv run python -m benchmarks.live_latency``. The same plain Nautilus strategy answers depth messages with one resting order
each. It runs in turn on the engine alone (same settings of the node), in a session of ours, in one whose journal keeps nothing
of the orders (what gate and session cost without it), and in one that tapes and records. The venue's ledger stamps each depth
message as it leaves and each order request as it arrives, on one clock; the price of an order says which message it answers.
Sessions alternate within one run, so a busy machine slows all.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import statistics
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Self

from nautilus_trader.model import BookType, InstrumentId, OrderSide, Price, Quantity, TimeInForce
from nautilus_trader.trading import Strategy, StrategyConfig

from adapters.binance.environments import environment
from adapters.simulated_binance.server import Server
from adapters.simulated_binance.settings import Scenario
from adapters.simulated_binance.venue import Venue
from execution.journal_writer import JournalWriter, Write
from runners._cli import run
from runners.config import Trust, load_live
from runners.live.__main__ import app
from runners.live.node import build_node
from runners.live.secrets import read_keys

ROOT = Path(__file__).resolve().parents[1]
IID = InstrumentId.from_str("BTCUSDT-PERP.BINANCE")
STREAM = "btcusdt@depth@0ms"
NOTES = "LIVE_LATENCY_NOTES"
"""Environment variable: where the strategy writes which message each price answers."""
EVERY_NS, SETTLE_NS = 60_000_000, 2_000_000_000
LOWEST, TICK = 58_000, 0.1
ALONE, UNJOURNALED = "engine alone", "session, no journal of orders"
SESSIONS = {
    "session": (),
    "session, journal durability process": ("safety.journal.durability=process",),
    "session, taped and recorded": ("data.record={folder}/rec",),
}
KINDS = (ALONE, UNJOURNALED, *SESSIONS)
MARKET = {
    "kind": "synthetic",
    "mid": "60000",
    "levels": 20,
    "level_quantity": "1.0",
    "events_per_sec": 40,
    "trades_per_sec": 5,
}
SCENARIO = {
    "seed": 5,
    "symbols": {"BTCUSDT": {"market": MARKET}},
    "ledger": {"market_events": True},
    "limits": {"orders_per_10_secs": 100_000, "orders_per_minute": 1_000_000, "weight_per_minute": 1_000_000},
}

CONFIG = """\
version: 1
mode: testnet
name: latency
instruments: [BTCUSDT-PERP.BINANCE]
account: {{alias: bench, environment: local, url: "{url}", order_tag: b1, leverage: 20}}
data: {{warmup_secs: 0}}
fees: {{maker_bps: 2.0, taker_bps: 5.0}}
execution: {{on_start: {{positions: close}}, on_stop: {{positions: keep}}}}
safety: {{state_dir: "{folder}/state"}}
strategies:
  - id: replier
    order_id_tag: "001"
    class: benchmarks.live_latency:Replier
    policy: {{entry_order: limit, max_open_entries: 20, edge: {{waived: "a benchmark"}}}}
risk:
  max_order_notional_quote: 50000
  max_position_notional_quote: 60000
  max_gross_leverage: 20
  max_daily_loss_quote: 100000
  max_drawdown_pct: 90
  throttles: {{max_identical_orders: null, max_orders_per_sec: null, collar_mid_bps: null, collar_mark_bps: null}}
  breakers: {{feed_age_ms: null, latency_mads: null, clock_step_ms: null, api_budget_pct: null}}
output: "{folder}/runs"
"""


class Replier(Strategy):
    """Answers a depth message every so often with a bid far below the market, and takes the one before back."""

    def __new__(cls, config: StrategyConfig) -> Self:
        return super().__new__(cls, config)  # type: ignore[call-arg]

    def __init__(self, config: StrategyConfig) -> None:
        super().__init__(config)
        self.answered: list[int] = []
        self.first_ns = self.next_ns = 0
        self.last: Any = None
        self.denied: set[Any] = set()

    def on_start(self) -> None:
        """Subscribe."""
        self.subscribe_book_deltas(IID, BookType.L2_MBP)

    def on_book_deltas(self, deltas: Any) -> None:
        """Answer; the first seconds belong to the start."""
        now = deltas.ts_init
        self.first_ns = self.first_ns or now
        if now < max(self.next_ns, self.first_ns + SETTLE_NS):
            return
        self.next_ns = now + EVERY_NS
        price = Price(LOWEST + len(self.answered) * TICK, 1)
        order = self.order_factory.limit(
            IID, OrderSide.BUY, Quantity(0.001, 3), price, time_in_force=TimeInForce.GTC, post_only=True
        )
        self.submit_order(order)
        self.answered.append(deltas.sequence)
        before, self.last = self.last, order.client_order_id
        if before is not None and before not in self.denied:
            self.cancel_order(before)

    def on_order_denied(self, event: Any) -> None:
        """Remember what never left: at the stop, when the gate is shut."""
        self.denied.add(event.client_order_id)

    def on_stop(self) -> None:
        """Write down which message each price answers."""
        Path(os.environ[NOTES]).write_text(json.dumps(self.answered), encoding="utf-8")


async def run_alone(file: Path, secs: float) -> None:
    """Run the strategy on the node without anything of ours."""
    config = load_live(file, (), Trust(everything=True)).config
    place = environment(config.account.environment, config.account.url)
    node = build_node(config, place, read_keys(config.account, os.environ, file.parent / "none"), file.parent / "logs")
    handle = node.handle()
    node.add_strategy(Replier(StrategyConfig(order_id_tag="001", log_events=False, log_commands=False)))
    running = asyncio.create_task(node.run_async())
    await asyncio.sleep(secs)
    handle.stop()
    await running


def without_journal(arguments: Sequence[str]) -> None:
    """Run `runners.live` with a journal that takes its opening and its end, and nothing in between."""
    commit = JournalWriter.commit

    def kept(self: JournalWriter, write: Write, *, ahead: bool = False) -> Any:
        return None if ahead else commit(self, write)

    setattr(JournalWriter, "commit", kept)  # noqa: B010 - exchanged in this process alone
    setattr(JournalWriter, "post", lambda _self, _write: None)  # noqa: B010
    run(app, arguments, prog="python -m runners.live")


def command(kind: str, folder: Path, url: str, secs: float) -> list[str]:
    """Make the command line of one session."""
    file = folder / "live.yaml"
    file.write_text(CONFIG.format(url=url, folder=folder.as_posix()), encoding="utf-8")
    if kind == ALONE:
        return [sys.executable, "-m", "benchmarks.live_latency", "--node", str(file), "--secs", str(secs)]
    program = ["-m", "benchmarks.live_latency", "--session"] if kind == UNJOURNALED else ["-m", "runners.live"]
    whole = [sys.executable, *program, str(file), "--trust-code", "--json", "--stop-after", str(secs)]
    given = (part for text in SESSIONS.get(kind, ()) for part in ("--set", text.format(folder=folder.as_posix())))
    return [*whole, *given]


async def one(kind: str, secs: float) -> list[float]:
    """Run one session; return the milliseconds from each answered message to its order."""
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as name:
        folder = Path(name)
        notes = folder / "notes.json"
        async with Server(Venue(Scenario.model_validate(SCENARIO))) as server:
            process = await asyncio.create_subprocess_exec(
                *command(kind, folder, server.url, secs), cwd=ROOT, env=os.environ | {NOTES: str(notes)},
                stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
            )  # fmt: skip
            said, _ = await process.communicate()
            if process.returncode != 0 or not notes.is_file():
                raise SystemExit(f"{kind} ended with {process.returncode}:\n{said.decode()[-2000:]}")
            return took(server.venue.ledger.rows, json.loads(notes.read_text(encoding="utf-8")))


def took(rows: Sequence[dict[str, Any]], answered: Sequence[int]) -> list[float]:
    """Pair requests with messages, milliseconds."""
    left = {
        row["message"]["u"]: row["ts_ns"] for row in rows if row["kind"] == "market_event" and row["stream"] == STREAM
    }
    times = []
    for row in rows:
        if row["kind"] == "request" and row["method"] == "POST" and row["path"] == "/fapi/v1/order":
            number = round((float(row["params"]["price"]) - LOWEST) / TICK)
            times.append((row["ts_ns"] - left[answered[number]]) / 1e6)
    return times


def quantiles(times: Sequence[float]) -> tuple[float, float]:
    """Median and 99th percentile."""
    cuts = statistics.quantiles(times, n=100)
    return cuts[49], cuts[98]


def measure(rounds: int, secs: float) -> dict[str, Any]:
    """Alternate the kinds; return quantiles of each, and the ratios to engine and journal-less session, medians over the rounds."""
    times: dict[str, list[list[float]]] = {kind: [] for kind in KINDS}
    for _ in range(rounds):
        for kind in KINDS:
            times[kind].append(asyncio.run(one(kind, secs)))
    result: dict[str, Any] = {"load": os.getloadavg()[0] if hasattr(os, "getloadavg") else None}
    for kind, found in times.items():
        median, p99 = quantiles([value for part in found for value in part])
        result[kind] = {"orders": sum(map(len, found)), "median_ms": median, "p99_ms": p99}
        for place, word in enumerate(("ratio_median", "ratio_p99")):
            pairs = zip(found, times[ALONE], strict=True)
            result[kind][word] = statistics.median(quantiles(a)[place] / quantiles(b)[place] for a, b in pairs)
        pairs = zip(found, times[UNJOURNALED], strict=True)
        result[kind]["over_no_journal"] = statistics.median(quantiles(a)[0] / quantiles(b)[0] for a, b in pairs)
    return result


def main() -> int:
    """Measure and print."""
    if sys.argv[1:2] == ["--session"]:
        without_journal(sys.argv[2:])
        return 0
    parser = argparse.ArgumentParser(description="Tick on the socket to order at the venue.")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--secs", type=float, default=25.0, help="length of each session")
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--node", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.node is not None:
        asyncio.run(run_alone(options.node, options.secs))
        return 0
    result = measure(options.rounds, options.secs)
    lines = [
        f"{kind}: median {found['median_ms']:.2f} ms, p99 {found['p99_ms']:.2f} ms, {found['orders']} orders; "
        f"over the engine alone {found['ratio_median']:.2f} and {found['ratio_p99']:.2f}, "
        f"over no journal {found['over_no_journal']:.2f}\n"
        for kind, found in result.items() if isinstance(found, dict)
    ]  # fmt: skip
    sys.stdout.write(json.dumps(result, indent=1) + "\n" if options.json else "".join(lines))
    return 0


if __name__ == "__main__":
    sys.exit(main())
