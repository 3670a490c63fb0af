"""A folder in which generated samples are made once per worker."""

from __future__ import annotations

from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def samples(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Working directory that keeps `data/samples`."""
    return tmp_path_factory.mktemp("samples")


@pytest.fixture
def in_samples(samples: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Run the test there."""
    monkeypatch.chdir(samples)
    return samples
