from __future__ import annotations

from pathlib import Path

import pytest

from catalog.sample import INSTRUMENT_ID, SampleSpec, ensure_sample
from catalog.sample.observe import observe
from catalog.sample.statistics import MarketData

HOUR = SampleSpec(seed=7, minutes=60, funding_at_minute=30)


@pytest.fixture(scope="session")
def hour_catalog(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The hour that ``backtest_configs/btc.yaml`` runs on."""
    return ensure_sample(HOUR, tmp_path_factory.mktemp("samples"))


@pytest.fixture(scope="session")
def hour(hour_catalog: Path) -> MarketData:
    return observe(hour_catalog, INSTRUMENT_ID)
