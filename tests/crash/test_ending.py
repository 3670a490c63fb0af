"""Whoever ends a run of the matrix leaves no node behind."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

SECS = 120.0
ROOT = Path(__file__).resolve().parents[2]
CELL = "bytes out, request arrived / K3 freeze / resting"


def members(session: int, states: str = "RSDT") -> Iterator[int]:
    """Processes of a session that are in one of these states: running, asleep, waiting, frozen."""
    for entry in Path("/proc").iterdir():
        if entry.name.isdecimal():
            with contextlib.suppress(OSError):
                state, _, _, belongs = (entry / "stat").read_text().rpartition(")")[2].split()[:4]
                if int(belongs) == session and state.strip() in states:
                    yield int(entry.name)


def until(truth: Callable[[], object], what: str) -> None:
    """Wait for something, and say what did not come."""
    deadline = time.monotonic() + SECS
    while not truth():
        assert time.monotonic() < deadline, what
        time.sleep(0.05)


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads /proc to find processes of a session")
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_matrix_that_is_ended_by_a_signal_ends_its_nodes(tmp_path: Path, number: signal.Signals) -> None:
    process = subprocess.Popen(
        [sys.executable, "-m", "runners.crash_matrix", "--cell", CELL, "--no-mutants", "--keep", str(tmp_path / "kept")],
        start_new_session=True, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    try:
        until(lambda: list(members(process.pid, "T")) or process.poll() is not None, "no node was frozen")
        assert process.poll() is None, process.communicate()
        process.send_signal(number)
        assert process.wait(SECS) != 0
        until(lambda: not list(members(process.pid)), "nodes were left behind")
    finally:
        for left in list(members(process.pid)):
            with contextlib.suppress(ProcessLookupError):
                os.kill(left, signal.SIGKILL)
        process.communicate()
