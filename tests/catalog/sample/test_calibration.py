"""The sample against the recording; ``docs/sample-data.md`` prints the same figures."""

from __future__ import annotations

from pathlib import Path

import pytest

from catalog.recording.ingest import ingest_recording
from catalog.sample import INSTRUMENT_ID
from catalog.sample.observe import observe
from catalog.sample.schedule import Regime, longest
from catalog.sample.statistics import Figures, MarketData, figures
from tests.catalog.sample.conftest import HOUR

TICK = 0.1
NAMES = tuple(Figures.__dataclass_fields__)


@pytest.fixture(scope="module")
def recorded(usdm_recording: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, float]:
    catalog = tmp_path_factory.mktemp("recorded")
    ingest_recording(usdm_recording, market="usdm", symbol="BTCUSDT", catalog=catalog)
    return figures(observe(catalog, INSTRUMENT_ID), TICK).as_dict()


@pytest.fixture(scope="module")
def calm(hour: MarketData) -> dict[str, float]:
    stretch = longest(HOUR.minutes, Regime.CALM)
    start, end = (HOUR.start_ns + us * 1_000 for us in (stretch.start_us, stretch.end_us))
    return figures(hour.between(start, end), TICK).as_dict()


@pytest.mark.req("D-9")
@pytest.mark.parametrize("name", NAMES)
def test_the_calm_sample_is_within_a_quarter_of_the_recording(
    name: str, calm: dict[str, float], recorded: dict[str, float]
) -> None:
    assert calm[name] == pytest.approx(recorded[name], rel=0.25)


def test_the_recorded_figures_are_those_of_the_documentation(recorded: dict[str, float]) -> None:
    documented = _documented(column=1)
    assert set(documented) == set(NAMES)
    assert {name: f"{recorded[name]:.3f}" for name in NAMES} == documented


def test_the_sample_figures_are_those_of_the_documentation(calm: dict[str, float]) -> None:
    assert {name: f"{calm[name]:.3f}" for name in NAMES} == _documented(column=2)


def _documented(column: int) -> dict[str, str]:
    text = (Path(__file__).resolve().parents[3] / "docs" / "sample-data.md").read_text(encoding="utf-8")
    rows = [line.strip().strip("|").split("|") for line in text.splitlines() if line.startswith("| `")]
    cells = [[cell.strip() for cell in row] for row in rows]
    return {row[0].strip("`"): row[column] for row in cells if row[0].strip("`") in NAMES}
