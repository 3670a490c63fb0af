"""Configuration files: YAML in, frozen models out, errors that name file, line and key."""

from __future__ import annotations

from runners.config.digest import canonical_json, config_hash
from runners.config.load import Resolved, Trust, load_backtest, to_yaml
from runners.config.models import BacktestConfig

__all__ = ["BacktestConfig", "Resolved", "Trust", "canonical_json", "config_hash", "load_backtest", "to_yaml"]
