"""Fixtures that the whole suite shares."""

from __future__ import annotations

import gc
from itertools import chain, zip_longest
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


WAITING = ("tests/crash/", "tests/runners/live/", "tests/runners/drills/", "tests/runners/operating/")
"""Their tests take long and mostly wait."""


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave long runs out, unless ``-m`` names them."""
    items[:] = mixed(items)
    if config.option.markexpr:
        return
    kept = [item for item in items if item.get_closest_marker("soak") is None]
    if len(kept) < len(items):
        config.hook.pytest_deselected(items=[item for item in items if item.get_closest_marker("soak") is not None])
        items[:] = kept


def mixed(items: list[pytest.Item]) -> list[pytest.Item]:
    """Modules that wait and modules that compute by turns, so that the cores have work from the beginning to the end."""
    modules: dict[str, list[pytest.Item]] = {}
    for item in items:
        modules.setdefault(item.nodeid.partition("::")[0], []).append(item)
    waiting = [own for name, own in modules.items() if name.startswith(WAITING)]
    computing = [own for name, own in modules.items() if not name.startswith(WAITING)]
    none: list[pytest.Item] = []
    by_turns = chain.from_iterable(zip_longest(waiting, computing, fillvalue=none))
    return list(chain.from_iterable(by_turns))


YOUNG, ROUNDS = 20_000, 40
"""So many objects more than at the last collection are looked through after a test; everything is, every so many times."""
_collections = 0


def pytest_configure() -> None:
    """Hardly ever collect by itself: on another thread (xdist has one) what engines leave in cycles may not be dropped."""
    gc.set_threshold(2_000_000, *gc.get_threshold()[1:])


def pytest_runtest_teardown() -> None:
    """Collect here instead, on the thread of the tests."""
    global _collections  # noqa: PLW0603 - one per process, as the collector is
    if gc.get_count()[0] > YOUNG:
        _collections += 1
        gc.collect(2 if _collections % ROUNDS == 0 else 1)
