"""Ingest of a recording against hftbacktest's own converter and against the limit, gunzip and orjson alone.

Run with the benchmark group: ``uv run --group bench python -m benchmarks.ingest``.

Each round runs all contenders one after the other on the same file, so that a busy machine slows them together; ratios
are medians over rounds of the ratio within a round. The first round is warm-up and is thrown away. Our time is the whole
command: hashing, decoding, sequence, rebuilt book, certificate, Parquet on disk. The converter's time is its own call,
which returns an array and writes nothing.
"""

from __future__ import annotations

import contextlib
import gzip
import io
import statistics
import tempfile
import time
from collections.abc import Callable, Mapping
from pathlib import Path

from benchmarks.command import run_on_recording
from catalog.recording.ingest import ingest_recording
from catalog.store import Catalog, Kind

INSTRUMENT = "BTCUSDT-PERP.BINANCE"
CONVERTER_TARGET = 2.0
LIMIT_TARGET = 0.35


def limit(file: Path) -> None:
    """Decompress and parse every line, and do nothing with it."""
    import orjson

    with gzip.open(file) as lines:
        for line in lines:
            orjson.loads(line[line.index(b" ") + 1 :])


def converter(file: Path) -> None:
    """Run hftbacktest's converter for Binance futures, silenced."""
    from hftbacktest.data.utils import binancefutures

    with contextlib.redirect_stdout(io.StringIO()):
        binancefutures.convert(str(file))


def ours(file: Path) -> None:
    """Ingest into a new catalog."""
    with tempfile.TemporaryDirectory() as folder:
        ingest_recording(file, market="usdm", symbol="BTCUSDT", catalog=Path(folder) / "catalog")


def seconds(work: Callable[[Path], None], file: Path) -> float:
    """Return the wall time of one call."""
    start = time.perf_counter()
    work(file)
    return time.perf_counter() - start


def read_rate(file: Path) -> float:
    """Return rows a second of ``Catalog.chunks`` into Nautilus objects, all kinds merged."""
    kinds = frozenset({Kind.DELTAS, Kind.TRADES, Kind.QUOTES})
    with tempfile.TemporaryDirectory() as folder:
        catalog = Path(folder) / "catalog"
        ingest_recording(file, market="usdm", symbol="BTCUSDT", catalog=catalog)
        store = Catalog(catalog)
        rows = sum(store.count(INSTRUMENT, kind) for kind in kinds)
        times = []
        for _ in range(4):
            start = time.perf_counter()
            for chunk in store.chunks([INSTRUMENT], None, kinds=kinds):
                chunk.clear()
            times.append(time.perf_counter() - start)
    return rows / statistics.median(times[1:])


def measure(file: Path, rounds: int) -> dict[str, float]:
    """Return medians in seconds and the two ratios."""
    contenders: Mapping[str, Callable[[Path], None]] = {"limit": limit, "converter": converter, "ours": ours}
    table = [{name: seconds(work, file) for name, work in contenders.items()} for _ in range(rounds + 1)][1:]
    medians = {f"{name}_secs": statistics.median(row[name] for row in table) for name in contenders}
    against_converter = statistics.median(row["converter"] / row["ours"] for row in table)
    of_limit = statistics.median(row["limit"] / row["ours"] for row in table)
    return {
        **medians,
        "times_converter": against_converter,
        "of_limit": of_limit,
        "chunk_rows_per_sec": read_rate(file),
    }


def main() -> int:
    """Measure, print, and return 1 when a target is missed."""
    return run_on_recording("Ingest speed, as ratios measured in one run.", measure, _text, _met)


def _met(result: Mapping[str, float]) -> bool:
    return result["times_converter"] >= CONVERTER_TARGET and result["of_limit"] >= LIMIT_TARGET


def _text(result: Mapping[str, float]) -> str:
    return (
        f"limit (gunzip + orjson)     {result['limit_secs']:.3f} s\n"
        f"hftbacktest converter       {result['converter_secs']:.3f} s\n"
        f"ingest recording            {result['ours_secs']:.3f} s\n"
        f"against the converter       {result['times_converter']:.2f}x   (wanted >= {CONVERTER_TARGET})\n"
        f"of the limit                {result['of_limit']:.2f}    (wanted >= {LIMIT_TARGET})\n"
        f"Catalog.chunks              {result['chunk_rows_per_sec'] / 1e6:.2f} M rows/s\n"
    )


if __name__ == "__main__":
    raise SystemExit(main())
