"""The `breakers:` block: what is accepted, and the sentence for what is not."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import BaseModel, ValidationError

from risk.breakers.config import BreakerConfig, BreakersConfig


def test_the_example_of_the_design_is_valid_and_keeps_each_breakers_other_defaults() -> None:
    config = BreakersConfig.model_validate({
        "feed_age_ms": {"soft": 500, "hard": 3000},
        "slippage_bps": {"soft": 15, "cooldown_secs": 600},
        "spread_multiple": {"soft": 4, "window_secs": 1800, "min_samples": 600},
    })  # fmt: skip
    assert config.feed_age_ms is not None
    assert (config.feed_age_ms.hard, config.feed_age_ms.clear_events) == (3000, 20)
    assert config.spread_multiple is not None
    assert (config.spread_multiple.soft, config.spread_multiple.cooldown_secs) == (4, 5)
    assert config.slippage_bps is not None
    assert config.slippage_bps.clear_events == 0


def test_one_limit_alone_does_not_inherit_the_other() -> None:
    config = BreakersConfig.model_validate({"feed_age_ms": {"soft": 5000}})
    assert config.feed_age_ms is not None
    assert config.feed_age_ms.hard is None


@pytest.mark.req("R-5")
def test_slippage_defaults_to_fifteen_basis_points_and_ten_minutes() -> None:
    slippage = BreakersConfig().slippage_bps
    assert slippage is not None
    assert (slippage.soft, slippage.cooldown_secs) == (15, 600)


def test_null_switches_a_breaker_off() -> None:
    assert BreakersConfig.model_validate({"feed_age_ms": None}).feed_age_ms is None


@pytest.mark.parametrize(
    ("block", "sentence"),
    [
        ({"feed_age_ms": {"soft": 3000, "hard": 500}}, "soft 3000 is above hard 500"),
        ({"feed_age_ms": {"cooldown_secs": 5}}, "needs soft, hard or both"),
        ({"feed_age_ms": {"soft": -1}}, "greater than or equal to 0"),
        ({"feed_age_ms": {"soft": float("inf")}}, "finite number"),
        ({"feed_age_ms": {"soft": 1, "window_secs": 5}}, "Extra inputs are not permitted"),
        ({"feed_age": {"soft": 1}}, "Extra inputs are not permitted"),
        ({"slippage_bps": {"soft": 1, "cooldown_secs": 0}}, "clear_events 0 needs cooldown_secs above 0"),
        ({"spread_multiple": {"soft": 1, "size_factor": 1}}, "less than 1"),
        ({"atr_multiple": {"soft": 1, "window_secs": 600, "min_samples": 30}}, "30 minutes do not fit"),
        ({"realised_vol_multiple": {"soft": 1, "window_secs": 60, "min_samples": 61}}, "61 seconds do not fit"),
    ],
)
def test_a_bad_block_is_refused_with_one_sentence(block: dict[str, Any], sentence: str) -> None:
    with pytest.raises(ValidationError, match=sentence):
        BreakersConfig.model_validate(block)


def test_equal_limits_are_allowed() -> None:
    assert BreakerConfig(soft=5, hard=5).soft == 5


def test_every_field_is_described() -> None:
    models: list[type[BaseModel]] = [BreakersConfig, BreakerConfig, *BreakerConfig.__subclasses__()]
    bare = [f"{m.__name__}.{name}" for m in models for name, field in m.model_fields.items() if not field.description]
    assert bare == []
