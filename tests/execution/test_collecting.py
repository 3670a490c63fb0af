"""Cyclic garbage is never collected on the thread that writes the journal: Nautilus' objects may not be dropped there."""

from __future__ import annotations

import gc
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from execution.collecting import Collecting
from tests.execution.test_journal_live import at
from tests.execution.test_journals import fill, order


@pytest.fixture(autouse=True)
def _usual_thresholds() -> Iterator[None]:
    """The tests' own are so high that hardly anything is collected by itself."""
    before = gc.get_threshold()
    gc.set_threshold(700, 10, 10)
    yield
    gc.set_threshold(*before)


@pytest.fixture
def collected_on() -> Iterator[list[str]]:
    """Names of the threads on which a collection began."""
    names: list[str] = []

    def note(phase: str, _: dict[str, int]) -> None:
        if phase == "start":
            names.append(threading.current_thread().name)

    gc.callbacks.append(note)
    yield names
    gc.callbacks.remove(note)


def litter(count: int) -> None:
    for _ in range(count):
        one: list[Any] = []
        one.append(one)


def test_nothing_is_collected_on_the_writing_thread(tmp_path: Path, collected_on: list[str]) -> None:
    assert gc.isenabled()
    journal = at(tmp_path)
    assert not gc.isenabled()
    collected_on.clear()  # until here the interpreter was free to collect
    for number in range(300):
        litter(50)
        journal.order(order(f"h{number}"), None)
        journal.fill(fill(f"t{number}", "1", order_id=f"h{number}"))
        journal.message(number, "OrderFilled", {"litter": [[number]] * 20})
    assert collected_on == []
    journal.close()
    assert gc.isenabled()
    litter(100_000)
    assert set(collected_on) == {threading.current_thread().name}


def test_who_holds_collects_by_itself_with_the_interpreters_thresholds(collected_on: list[str]) -> None:
    collecting = Collecting()
    litter(5000)
    assert collecting.collect_due() is None  # nobody holds: the interpreter does it
    collecting.hold()
    collecting.hold()
    try:
        gc.collect()
        collected_on.clear()
        litter(gc.get_threshold()[0] + 100)
        assert collected_on == []
        assert collecting.collect_due() == 0
        assert collecting.collect_due() is None
        for _ in range(gc.get_threshold()[1] + 1):
            gc.collect(0)
        assert collecting.collect_due() == 1
        for _ in range(gc.get_threshold()[2] + 1):
            gc.collect(1)
        assert collecting.collect_due(now=1e12) == 2
        collecting.release()
        assert not gc.isenabled()
    finally:
        collecting.release()
    assert gc.isenabled()
