"""Fixtures that the whole suite shares."""

from __future__ import annotations

import gc
import sys
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

settings.register_profile(  # a busy machine is no failure
    "hyper", deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("hyper")

SHARED_DATA = Path(__file__).resolve().parents[2] / "shared" / "data"


def _recording(name: str) -> Path:
    path = SHARED_DATA / name
    if not path.exists():
        pytest.skip(f"recording {name} is not here (expected in shared/data beside the project)")
    return path


@pytest.fixture(scope="session")
def usdm_recording() -> Path:
    """USD-M BTCUSDT recording of 2024-08-08."""
    return _recording("binance_usdm_btcusdt_20240808.gz")


@pytest.fixture(scope="session")
def spot_recording() -> Path:
    """Spot BTCUSDT recording of 2024-08-08."""
    return _recording("binance_spot_btcusdt_20240808.gz")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave long runs out, unless ``-m`` names them."""
    if config.option.markexpr:
        return
    kept = [item for item in items if item.get_closest_marker("soak") is None]
    if len(kept) < len(items):
        config.hook.pytest_deselected(items=[item for item in items if item.get_closest_marker("soak") is not None])
        items[:] = kept


THREADED = {"adapters", "catalog", "crash", "monitoring"}
"""Folders whose code works on threads."""


@pytest.fixture(autouse=True, scope="module")
def _nothing_left_of_engines(request: pytest.FixtureRequest) -> None:
    """Drop here what engines of earlier tests have left in cycles: on another thread Nautilus' objects may not be dropped."""
    folder = request.path.relative_to(Path(__file__).parent).parts[0]
    if folder in THREADED and "nautilus_trader" in sys.modules:
        gc.collect()
