"""What an order costs until its row is on disk: both durability levels against memory, in one run.

Beside the wait of `order` itself it measures orders while events are queued behind them, as in a session: answers, fills and the
chained record of what the venue said.
"""

from __future__ import annotations

import statistics
import tempfile
import time
from decimal import Decimal
from pathlib import Path

from execution.collecting import COLLECTING
from execution.journal import Fill, Journal, MemoryJournal
from execution.journal_file import Durability
from execution.journal_live import LiveJournal
from execution.journal_venue import Whose
from execution.journal_writes import Run
from risk.request import OrderRequest, Purpose, Side

ORDERS, ROUNDS, PAUSE_SECS = 400, 5, 0.01
IID = "BTCUSDT-PERP.BINANCE"
WHOSE = Whose("benchmark", "local", "127.0.0.1")


def request(number: int) -> OrderRequest:
    """One order."""
    return OrderRequest(
        "s-1", IID, f"h1{number:012d}", Side.BUY, "LIMIT", Decimal("0.010"), Decimal("60000.1"), True, False, "GTC", number,
        Purpose("imbalance 0.4", 3.5, 60.0),
    )  # fmt: skip


def alone(journal: Journal, first: int) -> list[float]:
    """Seconds that each order waits where nothing else is written."""
    return [timed(journal, number) for number in range(first, first + ORDERS)]


def in_traffic(journal: Journal, first: int) -> list[float]:
    """The same with the rows that follow an order in life, and a moment between two orders."""
    waits = []
    for number in range(first, first + ORDERS):
        waits.append(timed(journal, number))
        name = f"h1{number:012d}"
        journal.event(number, name, "OrderSubmitted", None)
        journal.event(number, name, "OrderAccepted", "ACK")
        if isinstance(journal, LiveJournal):
            journal.message(
                number, "OrderAccepted", {"client_order_id": name, "venue_order_id": str(number), "text": "x" * 300}
            )
        journal.fill(Fill(
            number, str(number), "s-1", IID, name, "BUY", Decimal("60000.1"), Decimal("0.010"), "MAKER", Decimal("0.12"), "USDT",
        ))  # fmt: skip
        time.sleep(PAUSE_SECS)
        COLLECTING.collect_due()
    return waits


def timed(journal: Journal, number: int) -> float:
    """Seconds that an order waits."""
    asked = request(number)
    began = time.perf_counter()
    journal.order(asked, 60_000.0)
    return time.perf_counter() - began


def opened(folder: Path, durability: Durability) -> LiveJournal:
    """A new journal on disk."""
    run = Run("run-1", 1, "testnet", "benchmark", "abc", 0)
    return LiveJournal(folder / f"{durability}.sqlite", run, WHOSE, durability=durability)


def main() -> None:
    """Print median and p99 per order, and their ratios."""
    found: dict[tuple[str, str], list[float]] = {}
    for round_ in range(ROUNDS + 1):
        with tempfile.TemporaryDirectory(dir=Path.cwd()) as folder:
            journals: dict[str, Journal] = {"memory": MemoryJournal()}
            journals |= {name: opened(Path(folder), name) for name in ("process", "power")}
            for name, journal in journals.items():
                for what, measure in (("alone", alone), ("in traffic", in_traffic)):
                    waits = measure(journal, 0 if what == "alone" else ORDERS)
                    if round_:  # the first round is thrown away
                        found.setdefault((what, name), []).extend(waits)
                if isinstance(journal, LiveJournal):
                    journal.close()
    for what in ("alone", "in traffic"):
        medians = {}
        for name in ("memory", "process", "power"):
            waits = sorted(found[what, name])
            medians[name] = statistics.median(waits)
            print(
                f"{what:>10} {name:>8}: median {medians[name] * 1e6:8.1f} µs, p99 {waits[int(len(waits) * 0.99)] * 1e6:8.1f} µs"
            )
        print(
            f"{what:>10}   ratios: power/process {medians['power'] / medians['process']:.1f}, "
            f"process/memory {medians['process'] / medians['memory']:.0f}, power/memory {medians['power'] / medians['memory']:.0f}"
        )


if __name__ == "__main__":
    main()
