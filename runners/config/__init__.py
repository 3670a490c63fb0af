"""Configuration files: YAML in, frozen models out, errors that name file, line and key."""

from __future__ import annotations

from runners.config.digest import canonical_json, config_hash
from runners.config.live import LiveConfig
from runners.config.live_load import LiveResolved, load_live, mode_of
from runners.config.load import Resolved, Trust, load_backtest, to_yaml
from runners.config.models import BacktestConfig

__all__ = [
    "BacktestConfig",
    "LiveConfig",
    "LiveResolved",
    "Resolved",
    "Trust",
    "canonical_json",
    "config_hash",
    "load_backtest",
    "load_live",
    "mode_of",
    "to_yaml",
]
