"""An excerpt is a catalog of its own: the same events as in the source, from a full book on."""

from __future__ import annotations

from pathlib import Path

import pytest

from catalog.encode import encode
from catalog.excerpt import cut, write_excerpt
from catalog.maintenance import verify
from catalog.sample.generate import generate
from catalog.sample.spec import SampleSpec
from catalog.store import Catalog, Kind, Period
from catalog.tables import Precision, nanoseconds
from errors import DataError
from tests.engine import MS, book, opening

IID = "BTCUSDT-PERP.BINANCE"
S = 1_000_000_000
START = 1_723_075_200 * S
KINDS = frozenset({Kind.DELTAS, Kind.TRADES, Kind.MARK, Kind.FUNDING})


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Catalog:
    path = tmp_path_factory.mktemp("source") / "catalog"
    generate(SampleSpec(seed=3, minutes=3, funding_at_minute=1), path)
    return Catalog(path)


def written(source: Catalog, tmp_path: Path, first: float, last: float) -> Catalog:
    parts = cut(source, [IID], Period(START + round(first * S), START + round(last * S)), KINDS)
    write_excerpt(tmp_path / "small", parts, "a test")
    return Catalog(tmp_path / "small")


@pytest.mark.req("X-8")
def test_it_replays_exactly_as_the_same_stretch_of_its_source(source: Catalog, tmp_path: Path) -> None:
    small = written(source, tmp_path, 61.5, 95)
    period = Period(START + round(61.5 * S), START + 95 * S)
    there = [event for chunk in source.chunks([IID], period, kinds=KINDS) for event in chunk]
    here = [event for chunk in small.chunks([IID], None, kinds=KINDS) for event in chunk]
    assert here == there
    first = next(event for event in here if type(event).__name__ == "OrderBookDeltas")
    assert first.ts_init == period.start_ns
    assert len(first.deltas) > 100


@pytest.mark.req("X-8")
def test_its_certificate_keeps_grade_and_origin_and_says_excerpt(source: Catalog, tmp_path: Path) -> None:
    small = written(source, tmp_path, 60, 90)
    (before,), (after,) = source.certificates(IID), small.certificates(IID)
    assert (after.grade, after.synthetic) == (before.grade, True)
    assert [found.kind for found in after.sources] == ["sample", "excerpt"]
    assert after.sources[1].name == "a test"
    assert verify(small.path) == []


def test_objects_encode_to_the_rows_they_came_from(source: Catalog) -> None:
    period = Period(START + 30 * S, START + 50 * S)
    (part,) = cut(source, [IID], period, KINDS)
    events = [event for chunk in source.chunks([IID], period, kinds=KINDS) for event in chunk]
    precision = Precision(part.instrument.price_precision, part.instrument.size_precision)
    tables = encode([*events, "something else"], precision)
    assert {kind: table.to_pylist() for kind, table in tables.items()} == {
        kind: table.to_pylist() for kind, table in part.tables.items()
    }


def test_updates_that_waited_for_their_snapshot_stay_behind_it_and_take_its_time() -> None:
    waited = [book(ms, [(100.0, size)]) for ms, size in ((900, 6.0), (950, 7.0), (1100, 8.0))]
    table = encode([opening(1000), *waited], Precision(1, 3))[Kind.DELTAS]
    assert nanoseconds(table["ts_init"]).tolist()[-4:] == [1000 * MS] * 3 + [1100 * MS]
    assert table["action"][0].as_py() == "CLEAR"  # the snapshot goes first


def test_a_stretch_without_data_has_no_part_and_writes_nothing(source: Catalog, tmp_path: Path) -> None:
    assert cut(source, [IID], Period(START + 900 * S, START + 901 * S), frozenset({Kind.TRADES})) == []
    with pytest.raises(DataError, match="no market data"):
        write_excerpt(tmp_path / "none", [], "nothing")
