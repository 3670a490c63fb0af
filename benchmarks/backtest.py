"""A full gated run against the bare engine, and a 100 ms grid against hftbacktest.

Run with the benchmark group: ``uv run --group bench python -m benchmarks.backtest``.

The recording is ingested once; every contender then gets the same decoded batches. Each round runs all contenders one after the
other, so that a busy machine slows them together; ratios are medians over rounds of the ratio within a round, and the first
round (byte code, compilation) is thrown away. hftbacktest's compile time is excluded, as is everyone's decoding. So is the
collector's walk over the garbage of others: hftbacktest's compiler leaves enough objects for a tenth of a second of it.
"""

from __future__ import annotations

import contextlib
import gc
import io
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import pyarrow.parquet as pq

from benchmarks.command import run_on_recording
from benchmarks.peers import GridParams, Idle, PlainOrderFlow, hft_grid
from catalog.recording.ingest import ingest_recording
from catalog.store import Catalog, Kind
from catalog.stretch import Chunk
from errors import RunFailed
from execution.seal import seal
from risk.config import RiskConfig
from risk.costs import FeeRates
from risk.policy import Policy, WaiveEdge
from runners import wiring
from runners.config.models import StrategyEntry
from runners.config.venue import VenueConfig
from runners.engine_venue import VenuePlan, build_engine, with_margins
from runners.host import replay
from runners.latency import plan_latency
from strategies.order_flow import OrderFlowParams

INSTRUMENT = "BTCUSDT-PERP.BINANCE"
GATED_TARGET, GRID_TARGET = 1.3, 8.0
WARMUP_NS = 30_000_000_000
LIMITS = RiskConfig(
    max_order_notional_quote=10_000, max_position_notional_quote=20_000, max_daily_loss_quote=9_999, max_drawdown_pct=99
)
VENUE = VenueConfig.model_validate(
    {
        "market": "usdm",
        "starting_balance_quote": 100_000,
        "leverage": 10,
        "fees": {"maker_bps": 2.0, "taker_bps": 5.0},
        "funding": {"constant_bps_per_8h": 0.0},
        "latency_ms": {"insert": 200, "cancel": 200},
    }
)


class Count(NamedTuple):
    """What a contender did."""

    orders: int
    fills: int


class Track:
    """The recording, decoded once for Nautilus and once for hftbacktest.

    Attributes
    ----------
    decode_secs, foresee_secs
        Time to decode it, and what it takes more when the tops of the book are computed with it, as our runs do.
    """

    def __init__(self, file: Path, folder: Path) -> None:
        ingest_recording(file, market="usdm", symbol="BTCUSDT", catalog=folder / "catalog")
        store = Catalog(folder / "catalog")
        plain = [self._decode(store, foresee=False)[1] for _ in range(3)]
        foreseen = [self._decode(store, foresee=True) for _ in range(3)]
        self.chunks = foreseen[-1][0]
        self.decode_secs = min(plain)
        self.foresee_secs = min(secs for _, secs in foreseen) - self.decode_secs
        self.instrument = with_margins(store.instrument(INSTRUMENT), VENUE.leverage)
        self.start_ns = self.chunks[0][0].ts_init + WARMUP_NS
        self.folder = folder
        self.file = file
        self.hft: Any = None

    @staticmethod
    def _decode(store: Catalog, *, foresee: bool) -> tuple[list[Chunk], float]:
        start = time.perf_counter()
        kinds = frozenset({Kind.DELTAS, Kind.TRADES})
        chunks = list(store.chunks([INSTRUMENT], None, kinds=kinds, foresee=foresee))
        return chunks, time.perf_counter() - start

    def plan(self) -> VenuePlan:
        """The venue of every Nautilus contender."""
        return VenuePlan(VENUE, {INSTRUMENT: self.instrument}, plan_latency(VENUE), top_only=False, queue_position=True)

    def fresh(self) -> list[Chunk]:
        """Copies of the chunk lists: a host may take them apart."""
        return [chunk.holding(chunk) for chunk in self.chunks]


def bare(track: Track, strategy: Any) -> Count:
    """Run a strategy on the bare engine."""
    engine = build_engine(track.plan())
    engine.add_strategy(strategy)
    for chunk in track.fresh():
        engine.add_data(chunk, validate=False, sort=True)
        engine.run(streaming=True)
        engine.clear_data()
    engine.end()
    orders = engine.cache.orders()
    count = Count(len(orders), sum(order.filled_qty.raw > 0 for order in orders))
    engine.dispose()
    return count


def gated(track: Track, path: str, params: Mapping[str, Any], entries: int) -> Count:
    """Run a strategy in the package and write every table."""
    entry = StrategyEntry.model_validate(
        {"id": "bench", "order_id_tag": "001", "class": path, "params": dict(params)}
    ).model_copy(update={"policy": Policy(edge=WaiveEdge(waived="benchmark"), max_open_entries=entries)})
    fees = {INSTRUMENT: FeeRates(2.0, 5.0)}
    plan = wiring.Plan(
        {INSTRUMENT: track.instrument},
        fees,
        LIMITS,
        track.start_ns,
        epoch=1,
        workspace=Path("benchmarks"),
        replayed=True,
    )
    outcome = replay(track.plan(), wiring.build([entry], plan), track.fresh())
    tables = dict(outcome.tables)
    if outcome.market is not None and outcome.volume is not None:
        tables |= {"market": outcome.market, "volume": outcome.volume}
    for name, table in tables.items():
        pq.write_table(table, track.folder / f"{name}.parquet")
    return Count(outcome.tables["orders"].num_rows, outcome.tables["fills"].num_rows)


def hftbacktest_grid(track: Track, compiled: Any, params: GridParams) -> Count:
    """Run the compiled grid in hftbacktest with the same latency and a queue model as strict as ours."""
    from hftbacktest import BacktestAsset, HashMapMarketDepthBacktest

    asset = (
        BacktestAsset().data([track.hft]).linear_asset(1.0).constant_order_latency(200_000_000, 0)
        .risk_adverse_queue_model().no_partial_fill_exchange().trading_value_fee_model(0.0002, 0.0005)
        .tick_size(0.1).lot_size(0.001).last_trades_capacity(0)
    )  # fmt: skip
    backtest = HashMapMarketDepthBacktest([asset])
    _, orders, fills = compiled(
        backtest, params.grid_ticks, params.levels, params.size, params.max_position, 100_000_000
    )
    backtest.close()
    return Count(int(orders), int(fills))


def convert(file: Path) -> Any:
    """Convert the recording with hftbacktest's own converter, silenced."""
    from hftbacktest.data.utils import binancefutures

    with contextlib.redirect_stdout(io.StringIO()):
        return binancefutures.convert(str(file), combined_stream=True)


def contenders(track: Track) -> dict[str, Callable[[], Count]]:
    """Everything that is measured, by name."""
    params, grid = OrderFlowParams(), GridParams()
    found: dict[str, Callable[[], Count]] = {
        "engine": lambda: bare(track, Idle(track.instrument)),
        "plain": lambda: bare(track, PlainOrderFlow(track.instrument, params, track.start_ns)),
        "gated": lambda: gated(track, "strategies.order_flow:OrderFlow", params.model_dump(), 1),
        "grid": lambda: gated(track, "benchmarks.peers:Grid", grid.model_dump(), 4),
    }
    with contextlib.suppress(ImportError):
        compiled = hft_grid()
        track.hft = convert(track.file)
        found["hftbacktest"] = lambda: hftbacktest_grid(track, compiled, grid)
    return found


def measure(file: Path, rounds: int) -> dict[str, float]:
    """Return medians in seconds, counts, and the ratios."""
    seal()
    with tempfile.TemporaryDirectory() as folder:
        track = Track(file, Path(folder))
        works = contenders(track)
        table: list[dict[str, float]] = []
        counts: dict[str, Count] = {}
        for _ in range(rounds + 1):
            row = {}
            for name, work in works.items():
                gc.collect()
                gc.freeze()  # what is there is nobody's work; what a contender itself leaves is collected in its time
                start = time.perf_counter()
                counts[name] = work()
                row[name] = time.perf_counter() - start
            table.append(row)
    idle = [name for name, count in counts.items() if name != "engine" and count.orders == 0]
    if idle:  # a plain strategy that raises is silenced by the engine: its time would say nothing
        raise RunFailed(f"{', '.join(idle)} sent no order: there is nothing to compare.")
    return _figures(track, table[1:], counts)


def _figures(track: Track, table: Sequence[Mapping[str, float]], counts: Mapping[str, Count]) -> dict[str, float]:
    def ratio(of: str, to: str) -> float:
        return statistics.median(row[of] / row[to] for row in table) if to in table[0] else float("nan")

    medians = {f"{name}_secs": statistics.median(row[name] for row in table) for name in table[0]}
    numbers = {f"{name}_{what}": float(getattr(counts[name], what)) for name in counts for what in Count._fields}
    foresee = track.foresee_secs
    return {
        **medians, **numbers, "decode_secs": track.decode_secs, "foresee_secs": foresee,
        "gated_over_plain": ratio("gated", "plain"), "grid_over_hft": ratio("grid", "hftbacktest"),
        "engine_over_hft": ratio("engine", "hftbacktest"),
        "gated_with_foresight": statistics.median((row["gated"] + foresee) / row["plain"] for row in table),
        "grid_with_foresight": statistics.median(
            (row["grid"] + foresee) / row.get("hftbacktest", float("nan")) for row in table
        ),
    }  # fmt: skip


def main() -> int:
    """Measure, print, and return 1 when a target is missed."""
    return run_on_recording("Backtest speed, as ratios measured in one run.", measure, _text, _met)


def _met(result: Mapping[str, float]) -> bool:
    return result["gated_over_plain"] <= GATED_TARGET and not result["grid_over_hft"] > GRID_TARGET


def _text(result: Mapping[str, float]) -> str:
    names = ("engine", "plain", "gated", "grid", "hftbacktest")
    lines = [
        f"{name:<12} {result[f'{name}_secs']:.3f} s   {result[f'{name}_orders']:.0f} orders, {result[f'{name}_fills']:.0f} fills"
        for name in names
        if f"{name}_secs" in result
    ]
    with_it = f"{result['gated_with_foresight']:.2f}x and {result['grid_with_foresight']:.2f}x"
    lines += [
        f"decoding     {result['decode_secs']:.3f} s, tops of the book computed with it {result['foresee_secs']:+.3f} s: not in the"
        " ratios of the runs",
        f"gated run over an equal plain strategy on the bare engine  {result['gated_over_plain']:.2f}x  (wanted <= {GATED_TARGET})",
        f"100 ms grid over hftbacktest                               {result['grid_over_hft']:.2f}x  (wanted <= {GRID_TARGET})",
        f"the same two with the tops counted to our runs             {with_it}",
        f"bare engine without a strategy over hftbacktest's grid     {result['engine_over_hft']:.2f}x",
    ]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    sys.exit(main())
