"""Catalogs that several tests read."""

from __future__ import annotations

from pathlib import Path

import pytest

from catalog.recording.ingest import ingest_recording


@pytest.fixture(scope="session")
def usdm_catalog(usdm_recording: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The USD-M recording, ingested."""
    path = tmp_path_factory.mktemp("usdm") / "catalog"
    ingest_recording(usdm_recording, market="usdm", symbol="BTCUSDT", catalog=path)
    return path


@pytest.fixture(scope="session")
def spot_catalog(spot_recording: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The spot recording, ingested."""
    path = tmp_path_factory.mktemp("spot") / "catalog"
    ingest_recording(spot_recording, market="spot", symbol="BTCUSDT", catalog=path)
    return path
