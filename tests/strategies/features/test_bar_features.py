"""Wilder's averages, the channel and scores against numbers worked by hand."""

from __future__ import annotations

import math

import pytest
from nautilus_trader.model import InstrumentId

from strategies.bars import check_bar_secs, internal_bar_type
from strategies.features.channel import Donchian, RelativeVolume
from strategies.features.moving import EmaScore
from strategies.features.wilder import Adx, Atr, WilderMean, true_range


def test_true_range_reaches_to_the_previous_close_across_a_gap() -> None:
    assert true_range(12.0, 10.0, 11.0) == pytest.approx(2.0)
    assert true_range(12.0, 10.0, 8.0) == pytest.approx(4.0)  # gapped up
    assert true_range(12.0, 10.0, 15.0) == pytest.approx(5.0)  # gapped down
    assert true_range(12.0, 10.0, math.nan) == pytest.approx(2.0)


def test_wilders_mean_starts_plain_and_then_moves_by_one_part_in_period() -> None:
    mean = WilderMean(3)
    assert [mean.update(x) for x in (3.0, 6.0)] == pytest.approx([3.0, 4.5])
    assert not mean.ready
    assert mean.update(9.0) == pytest.approx(6.0)
    assert mean.ready
    assert mean.update(12.0) == pytest.approx(8.0)  # 6 + (12 - 6) / 3


def test_atr_of_three_bars() -> None:
    atr = Atr(2)
    atr.update(10.0, 8.0, 9.0)  # 2
    atr.update(12.0, 10.0, 11.0)  # 12 - 9 = 3, mean 2.5
    assert atr.value == pytest.approx(2.5)
    assert atr.ready
    assert atr.update(11.5, 10.5, 11.0) == pytest.approx(1.75)  # 2.5 + (1 - 2.5) / 2


def test_adx_of_a_straight_climb_is_a_hundred() -> None:
    adx = Adx(3)
    for step in range(10):
        adx.update(10.0 + step, 9.0 + step, 9.5 + step)
    assert adx.value == pytest.approx(100.0)
    assert adx.ready


def test_adx_of_the_worked_bars() -> None:
    adx = Adx(2)
    for bar in ((10.0, 8.0, 9.0), (12.0, 9.0, 11.0), (11.0, 7.0, 8.0), (12.0, 8.0, 11.0)):
        adx.update(*bar)
    # +DM 2, 0, 1 and -DM 0, 2, 0. After three bars both means are 1: DX 0.
    # After four: +DI 1 + (1 - 1) / 2 = 1, -DI 1 + (0 - 1) / 2 = 0.5: DX 100 * 0.5 / 1.5. Mean (0 + 33.33) / 2.
    assert adx.value == pytest.approx(100.0 / 6.0)


def test_adx_of_a_still_market_is_zero() -> None:
    adx = Adx(2)
    for _ in range(6):
        adx.update(10.0, 10.0, 10.0)
    assert (adx.value, adx.ready) == (0.0, True)


def test_channel_is_open_until_full_and_then_forgets_the_oldest_bar() -> None:
    channel = Donchian(2)
    channel.add(12.0, 9.0)
    assert (channel.upper, channel.lower) == (math.inf, -math.inf)
    channel.add(11.0, 8.0)
    assert (channel.upper, channel.lower) == (12.0, 8.0)
    channel.add(10.0, 9.5)
    assert (channel.upper, channel.lower) == (11.0, 8.0)


def test_relative_volume_compares_with_the_bars_before() -> None:
    volume = RelativeVolume(2)
    assert volume.update(10.0) == 0.0
    assert volume.update(20.0) == pytest.approx(2.0)
    assert volume.update(30.0) == pytest.approx(2.0)  # over mean 15
    assert volume.update(50.0) == pytest.approx(2.0)  # over mean 25


def test_ema_score_of_the_worked_closes() -> None:
    ema = EmaScore(3)  # alpha 0.5
    for close in (10.0, 12.0, 11.0):
        assert ema.update(close) == 0.0
    # means 10, 11, 11; variances 0, 0.5 * (0 + 0.5 * 4) = 1, 0.5 * (1 + 0) = 0.5
    assert ema.mean == pytest.approx(11.0)
    assert ema.update(13.0) == pytest.approx(2.0 / math.sqrt(0.5))
    assert ema.mean == pytest.approx(12.0)


def test_a_flat_price_has_no_score() -> None:
    ema = EmaScore(2)
    assert [ema.update(5.0) for _ in range(5)] == [0.0] * 5


@pytest.mark.parametrize("feature", [Donchian, RelativeVolume, WilderMean])
def test_a_window_of_no_bars_is_refused(feature: type) -> None:
    with pytest.raises(ValueError, match="at least 1"):
        feature(0)
    with pytest.raises(ValueError, match="at least 2"):
        EmaScore(1)


@pytest.mark.parametrize(
    ("secs", "name"), [(1, "1-SECOND"), (15, "15-SECOND"), (60, "1-MINUTE"), (900, "15-MINUTE"), (3600, "1-HOUR")]
)
def test_bars_are_named_as_the_engine_names_them(secs: int, name: str) -> None:
    bar_type = internal_bar_type(InstrumentId.from_str("BTCUSDT-PERP.BINANCE"), secs)
    assert str(bar_type) == f"BTCUSDT-PERP.BINANCE-{name}-LAST-INTERNAL"


@pytest.mark.parametrize("secs", [0, -60, 7, 90, 61, 420, 7200])
def test_bars_that_the_engine_cannot_build_are_refused(secs: int) -> None:
    with pytest.raises(ValueError, match="bar_secs"):
        check_bar_secs(secs)
