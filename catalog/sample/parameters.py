"""Constants of the sample's order-book model.

They were fitted by hand to figures measured on the USD-M recording (see ``docs/sample-data.md``): quantiles, rates and moments,
never a piece of its data. Sizes are in lots of 0.001 BTC, prices in ticks of 0.1 USDT, times in µs.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from catalog.sample.draws import Table, quantile_table
from catalog.sample.schedule import Regime


@dataclass(frozen=True, slots=True)
class Pace:
    """How a regime scales the model.

    Attributes
    ----------
    takers, makers, churn
        Factors on the rate of market orders, of changes at the best level, and of changes behind it.
    jump
        Factor on the size of a price jump.
    settle
        Factor on the time until the spread closes after a level was depleted.
    """

    takers: float
    makers: float
    churn: float
    jump: float
    settle: float


_PACES = MappingProxyType(
    {
        Regime.CALM: Pace(1.0, 1.0, 1.0, 1.0, 1.0),
        Regime.FAST: Pace(2.5, 1.5, 1.5, 5.0, 2.0),
        Regime.QUIET: Pace(0.003, 0.003, 0.003, 0.1, 1.0),
    }
)

_TAKER_LOTS = quantile_table(
    (
        (0.0, 2),
        (0.1, 2),
        (0.2, 5),
        (0.35, 11),
        (0.5, 30),
        (0.75, 150),
        (0.9, 700),
        (0.95, 1_400),
        (0.99, 5_100),
        (1.0, 16_000),
    )
)
_RUSH_LOTS = quantile_table(((0.0, 2), (0.2, 4), (0.4, 24), (0.6, 120), (0.8, 480), (0.95, 2_400), (1.0, 15_000)))
_RUSH_COUNT = quantile_table(((0.0, 0), (0.3, 1), (0.7, 3), (0.9, 7), (1.0, 20)))
_MAKER_LOTS = quantile_table(
    ((0.0, 2), (0.1, 2), (0.25, 6), (0.5, 34), (0.75, 220), (0.9, 950), (0.95, 1_800), (0.99, 5_800), (1.0, 20_000))
)
_BEST_LOTS = quantile_table(
    ((0.0, 2), (0.1, 14), (0.3, 350), (0.5, 1_300), (0.75, 3_700), (0.95, 10_000), (1.0, 16_000))
)
_DEEP_LOTS = quantile_table(
    ((0.0, 2), (0.1, 2), (0.3, 2), (0.5, 25), (0.7, 110), (0.9, 600), (0.97, 2_300), (1.0, 8_000))
)
_CHANGE_LOTS = quantile_table(((0.0, 2), (0.25, 54), (0.5, 180), (0.75, 540), (0.95, 1_800), (1.0, 3_600)))
_JUMP_TICKS = quantile_table(((0.0, 1), (0.2, 2), (0.5, 8), (0.75, 21), (0.9, 38), (0.97, 70), (1.0, 150)))
_DEEP_OFFSET = quantile_table(((0.0, 1), (0.25, 20), (0.5, 80), (0.75, 250), (1.0, 600)))
_SETTLE_US = quantile_table(((0.0, 220), (0.5, 1_500), (0.9, 7_500), (1.0, 24_000)))
_CHILD_US = quantile_table(((0.0, 190), (0.5, 1_300), (0.9, 3_900), (1.0, 9_700)))
_BATCH_US = quantile_table(((0.0, 72_000), (0.1, 76_000), (0.9, 84_000), (1.0, 94_000)))
_LATENCY_US = quantile_table(((0.0, 1_500), (0.5, 3_000), (0.95, 9_000), (1.0, 40_000)))


@dataclass(frozen=True, slots=True)
class Parameters:
    """Calibrated constants; see the module for units and ``docs/sample-data.md`` for what each was fitted to."""

    start_ticks: int = 618_000
    taker_per_sec: float = 6.6
    tides: tuple[float, ...] = (0.78, 1.0, 1.41)
    tide_us: int = 6_000_000
    child: float = 0.1
    child_same_side: float = 0.73
    rush_us: int = 60_000
    rush_same_side: float = 0.73
    winds: tuple[float, ...] = (-0.35, 0.0, 0.35)
    wind_us: int = 2_000_000
    gust: float = 1.4
    side_imbalance: float = 1.8
    walk_ticks: int = 120
    maker_per_sec: float = 8.0
    queue_lots: int = 1_050
    reversal: float = 0.25
    deep_density: float = 0.2
    deep_per_batch: int = 7
    window_ticks: int = 600
    mark_smoothing: int = 8
    funding_rate_e8: int = 10_000
    funding_spread_e8: int = 8_000
    taker_lots: Table = _TAKER_LOTS
    rush_lots: Table = _RUSH_LOTS
    rush_count: Table = _RUSH_COUNT
    maker_lots: Table = _MAKER_LOTS
    best_lots: Table = _BEST_LOTS
    deep_lots: Table = _DEEP_LOTS
    change_lots: Table = _CHANGE_LOTS
    jump_ticks: Table = _JUMP_TICKS
    deep_offset: Table = _DEEP_OFFSET
    settle_us: Table = _SETTLE_US
    child_us: Table = _CHILD_US
    batch_us: Table = _BATCH_US
    latency_us: Table = _LATENCY_US
    paces: Mapping[Regime, Pace] = field(default=_PACES)


CALIBRATED = Parameters()
"""The constants that the sample uses."""
