"""Tardis files become the same catalog as a recording of the same market."""

from __future__ import annotations

import gzip
import itertools
import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from nautilus_trader.model import BookType, InstrumentId, OrderBook, OrderBookDeltas
from typer.testing import CliRunner

from catalog.certificate import Certificate
from catalog.recording.ingest import Ingested, ingest_recording
from catalog.store import Catalog, Kind
from catalog.tardis.ingest import ingest_tardis
from errors import DataError
from runners.ingest import app
from tests.catalog.tardis.files import BOOK, TICKER, TRADES, Row, levels, ns, opening, write

NAME = "BTCUSDT-PERP.BINANCE"


def take(catalog: Path, *files: Path) -> Ingested:
    return ingest_tardis(files, market="usdm", symbol="BTCUSDT", catalog=catalog)


def certificate(catalog: Path) -> Certificate:
    (only,) = Catalog(catalog).certificates(NAME)
    return only


def batches(catalog: Path) -> list[OrderBookDeltas]:
    return [event for chunk in Catalog(catalog).chunks([NAME], None, kinds=frozenset({Kind.DELTAS})) for event in chunk]


def book_after(events: Iterable[OrderBookDeltas]) -> tuple[list[tuple[str, float]], list[tuple[str, float]]]:
    """Bids and asks from the best on, as Nautilus rebuilds them."""
    book = OrderBook(InstrumentId.from_str(NAME), BookType.L2_MBP)
    for event in events:
        book.apply_deltas(event)
    bids, asks = ([(str(level.price), level.size()) for level in side] for side in (book.bids(), book.asks()))
    return bids, asks


def restarted() -> list[Row]:
    """A first book, two changes, then a snapshot restarts it, then one change."""
    return [
        *opening(0),
        *levels(1, ("bid", 100, 0), ("bid", 99.9, 2.5)),
        *levels(2, ("ask", 100.1, 0.4), ("bid", 99.5, 7)),
        *levels(10, ("bid", 98, 5), ("ask", 98.5, 6), ("ask", 99, 0), snapshot=True),
        *levels(11, ("bid", 98.1, 0.5), ("ask", 98.5, 4)),
    ]


@pytest.mark.req("D-5")
def test_the_book_before_a_restart_is_the_snapshot_and_its_changes(tmp_path: Path) -> None:
    take(tmp_path / "c", write(tmp_path / "book.csv", BOOK, restarted()))
    before = [event for event in batches(tmp_path / "c") if event.ts_init <= ns(2)]
    assert len(before) == 3
    assert book_after(before) == (
        [("99.9", 2.5), ("99.5", 7.0)],
        [("100.1", 0.4), ("100.2", 1.5), ("100.3", 3.0)],
    )


@pytest.mark.req("D-5")
def test_a_snapshot_in_the_middle_discards_every_level_before_it(tmp_path: Path) -> None:
    take(tmp_path / "c", write(tmp_path / "book.csv.gz", BOOK, restarted()))
    assert book_after(batches(tmp_path / "c")) == ([("98.1", 0.5), ("98.0", 5.0)], [("98.5", 4.0)])


def test_the_times_of_exchange_and_receipt_are_kept(tmp_path: Path) -> None:
    take(tmp_path / "c", write(tmp_path / "book.csv", BOOK, restarted()))
    events = batches(tmp_path / "c")
    assert [event.ts_init for event in events] == [ns(0), ns(1), ns(2), ns(10), ns(11)]
    assert events[1].ts_event == ns(1) - 5_000_000


def test_a_restart_is_a_gap_since_the_last_message(tmp_path: Path) -> None:
    take(tmp_path / "c", write(tmp_path / "book.csv", BOOK, restarted()))
    measures = certificate(tmp_path / "c").measures
    assert (measures.snapshots, measures.gaps, measures.book_unknown_ns) == (2, 1, 8_000_000_000)
    assert measures.deltas == 14  # (CLEAR + 4) + 2 + 2 + (CLEAR + 2: the empty level at 99 is none) + 2


def test_the_certificate_never_grades_a_source_without_update_ids_above_b(tmp_path: Path) -> None:
    quote = (1, 1.5, 100.2, 99.9, 2.5)
    rows = [*opening(0), *levels(1, ("bid", 100, 0), ("bid", 99.9, 2.5))]
    take(tmp_path / "c", write(tmp_path / "b.csv", BOOK, rows), write(tmp_path / "q.csv", TICKER, [quote]))
    assert (certificate(tmp_path / "c").grade, certificate(tmp_path / "c").reasons) == (
        "B",
        ("B: the source has no update ids: gaps show only where the book was restarted",),
    )


@pytest.mark.req("D-8")
def test_the_certificate_says_how_often_the_book_agrees_with_book_ticker(tmp_path: Path) -> None:
    rows = [
        *opening(0),
        *levels(1, ("bid", 100, 0)),  # best 99.9: agrees
        *levels(2, ("bid", 99.9, 7)),  # its size is 7: the quote in force says 2
        *levels(3, ("ask", 100.1, 0.4)),  # two quotes of this millisecond, the first is right
    ]
    quotes = [
        (0.5, 1.5, 100.2, 100, 1),
        (1, 1.5, 100.2, 99.9, 2),
        (3, 0.4, 100.1, 99.9, 7),
        (3, 0.3, 100.1, 99.9, 7),
    ]
    take(tmp_path / "c", write(tmp_path / "b.csv", BOOK, rows), write(tmp_path / "q.csv", TICKER, quotes))
    measures = certificate(tmp_path / "c").measures
    assert (measures.tops_compared, measures.tops_equal) == (3, 2)


def test_trades_keep_their_side_and_id(tmp_path: Path) -> None:
    rows = [(1, 17, "buy", 100.2, 0.5), (2, 18, "sell", 100, 0.001)]
    take(tmp_path / "c", write(tmp_path / "t.csv", TRADES, rows))
    chunks = Catalog(tmp_path / "c").chunks([NAME], None, kinds=frozenset({Kind.TRADES}))
    seen = [(str(t.trade_id), t.aggressor_side.name, str(t.price), str(t.size), t.ts_init) for c in chunks for t in c]
    assert seen == [("17", "BUY", "100.2", "0.500", ns(1)), ("18", "SELL", "100.0", "0.001", ns(2))]


def test_importing_the_same_files_again_changes_nothing_in_any_order(tmp_path: Path) -> None:
    book, trades = (
        write(tmp_path / "b.csv", BOOK, restarted()),
        write(tmp_path / "t.csv", TRADES, [(1, 1, "buy", 100, 1)]),
    )
    assert take(tmp_path / "c", book, trades).new
    before = {path: path.read_bytes() for path in (tmp_path / "c").rglob("*") if path.is_file()}
    assert not take(tmp_path / "c", trades, book).new
    assert {path: path.read_bytes() for path in (tmp_path / "c").rglob("*") if path.is_file()} == before


def test_two_days_in_one_call_are_two_certificates_and_no_gap(tmp_path: Path) -> None:
    first = write(tmp_path / "1.csv", BOOK, [*opening(86_000), *levels(86_390, ("bid", 99.8, 1))])
    second = write(tmp_path / "2.csv", BOOK, [*levels(86_400.1, ("bid", 97, 1)), *opening(86_401)])
    take(tmp_path / "c", second, first)
    days = Catalog(tmp_path / "c").certificates(NAME)
    assert [(day.day, day.measures.gaps, day.measures.snapshots) for day in days] == [
        ("2024-08-01", 0, 1),
        ("2024-08-02", 0, 1),
    ]
    assert days[1].measures.excluded == {"depth before its snapshot": 1}


def test_rows_of_other_symbols_are_counted_and_left_out(tmp_path: Path) -> None:
    path = write(tmp_path / "b.csv", BOOK, restarted())
    other = write(tmp_path / "o.csv", BOOK, opening(5), symbol="ETHUSDT").read_text().splitlines()[1:]
    lines = path.read_text().splitlines()
    path.write_text("\n".join([*lines[:7], *other, *lines[7:]]) + "\n")
    take(tmp_path / "c", path)
    assert certificate(tmp_path / "c").measures.excluded == {"stream ETHUSDT incremental_book_L2": 4}


GOOD = "binance-futures,BTCUSDT,1722470400000000,1722470400005000"


@pytest.mark.parametrize(
    ("header", "line", "sentence"),
    [
        (BOOK, f"{GOOD},true,bid,abc,1", "line 3: price 'abc' is not a number with at most 8 decimals"),
        (
            BOOK,
            f"{GOOD},true,bid,100,0.123456789",
            "line 3: amount '0.123456789' is not a number with at most 8 decimals",
        ),
        (BOOK, f"{GOOD},yes,bid,100,1", "line 3: is_snapshot 'yes' is neither true nor false"),
        (BOOK, f"{GOOD},true,buy,100,1", "line 3: side 'buy' is neither bid nor ask"),
        (BOOK, f"{GOOD},true,bid,100", "line 3 has 7 columns instead of 8"),
        (BOOK, f"{GOOD},true,bid,,1", "line 3: price '' is not a number with at most 8 decimals"),
        (
            BOOK,
            "binance-futures,BTCUSDT,1722470400000,1722470400005,true,bid,100,1",
            "line 3: timestamp 1722470400000 is not a time in microseconds since 1970",
        ),
        (TRADES, f"{GOOD},,buy,100,1", "line 3: id '' is not a whole number"),
        (TRADES, f"{GOOD},1,unknown,100,1", "line 3: side 'unknown' is neither buy nor sell"),
        (
            TICKER,
            f"{GOOD},1,100,99,99999999999",
            "line 3: bid_amount '99999999999' is not a number with at most 8 decimals",
        ),
    ],
)
def test_a_bad_row_is_named_by_file_and_line(tmp_path: Path, header: str, line: str, sentence: str) -> None:
    good = {BOOK: f"{GOOD},true,bid,100,1", TRADES: f"{GOOD},1,buy,100,1", TICKER: f"{GOOD},1,100.1,100,1"}[header]
    path = tmp_path / "bad.csv"
    path.write_text(f"{header}\n{good}\n{line}\n{good}\n")
    with pytest.raises(DataError) as caught:
        take(tmp_path / "c", path)
    assert str(caught.value) == f"{path} {sentence}."
    assert caught.value.exit_code == 3
    assert not (tmp_path / "c").exists()


def test_a_file_that_is_cut_off_is_refused(tmp_path: Path) -> None:
    path = write(tmp_path / "b.csv.gz", BOOK, [row for secs in range(2_000) for row in opening(secs)])
    path.write_bytes(path.read_bytes()[:-2_000])
    with pytest.raises(DataError, match=r"b\.csv\.gz is cut off or damaged after line \d+: download it again\."):
        take(tmp_path / "c", path)


@pytest.mark.parametrize(
    ("make", "sentence"),
    [
        (lambda p: write(p, BOOK, restarted(), market="binance"), "is of exchange binance; the market"),
        (lambda p: write(p, BOOK, restarted(), symbol="ETHUSDT"), "hold nothing of BTCUSDT; they hold: ETHUSDT"),
        (lambda p: write(p, BOOK, levels(1, ("bid", 1, 1))), "has no row with is_snapshot true"),
        (lambda p: write(p, "time,open,close", [(1, 2, 3)]), "line 1 is no header of a Tardis file"),
        (lambda p: p, "there is no file|cannot be read"),
    ],
)
def test_files_that_do_not_fit_are_refused_in_one_sentence(tmp_path: Path, make: object, sentence: str) -> None:
    with pytest.raises(DataError, match=sentence):
        take(tmp_path / "c", make(tmp_path / "b.csv"))  # type: ignore[operator]


def test_the_same_day_twice_is_refused(tmp_path: Path) -> None:
    plain = write(tmp_path / "b.csv", BOOK, restarted())
    with pytest.raises(DataError, match="overlap in time: give every day once"):
        take(tmp_path / "c", plain, write(tmp_path / "b.csv.gz", BOOK, restarted()))


def test_the_command_prints_the_grade_and_then_that_there_is_nothing_to_do(tmp_path: Path) -> None:
    path = write(tmp_path / "b.csv", BOOK, restarted())
    arguments = ["tardis", str(path), "--market", "usdm", "--symbol", "btcusdt", "--catalog", str(tmp_path / "c")]
    first = CliRunner().invoke(app, arguments)
    assert "BTCUSDT-PERP.BINANCE 2024-08-01: grade" in first.stdout
    assert "nothing to do" in CliRunner().invoke(app, arguments).stdout


def as_tardis(recording: Path, lines: int, folder: Path) -> list[Path]:
    """The first lines of a USD-M recording as Tardis would give them: messages before the snapshot come after it."""
    book: list[str] = []
    trades, quotes = [TRADES], [TICKER]
    waiting: list[dict[str, Any]] = []
    with gzip.open(recording, "rt", encoding="utf-8") as source:
        for line in itertools.islice(source, lines):
            stamp, _, text = line.partition(" ")
            message = json.loads(text)
            data = message.get("data", message)
            times = f"{data['T'] * 1_000},{int(stamp) // 1_000}"
            head = f"binance-futures,BTCUSDT,{times}"
            if "lastUpdateId" in message:
                book = rows(times, "true", data["bids"], data["asks"])
                for old in (old for old in waiting if old["u"] > message["lastUpdateId"]):
                    book += rows(f"{old['T'] * 1_000},{int(stamp) // 1_000}", "false", old["b"], old["a"])
            elif "@depth" in message["stream"]:
                waiting.append(data)
                book += rows(times, "false", data["b"], data["a"]) if book else []
            elif "@trade" in message["stream"] and data["X"] == "MARKET":
                trades.append(f"{head},{data['t']},{'sell' if data['m'] else 'buy'},{data['p']},{data['q']}")
            elif "@bookTicker" in message["stream"]:
                quotes.append(f"{head},{data['A']},{data['a']},{data['b']},{data['B']}")
    files = {"book": [BOOK, *book], "trades": trades, "ticker": quotes}
    for name, text_lines in files.items():
        (folder / f"{name}.csv").write_text("\n".join(text_lines) + "\n")
    return [folder / f"{name}.csv" for name in files]


def rows(times: str, snapshot: str, bids: list[list[str]], asks: list[list[str]]) -> list[str]:
    sides = (("bid", bids), ("ask", asks))
    return [
        f"binance-futures,BTCUSDT,{times},{snapshot},{side},{price},{size}"
        for side, found in sides
        for price, size in found
    ]


@pytest.mark.req("D-5", "D-8")
def test_a_recording_and_its_tardis_form_give_the_same_market(usdm_recording: Path, tmp_path: Path) -> None:
    lines = 8_000
    with gzip.open(usdm_recording, "rb") as source:
        (tmp_path / "part").write_bytes(b"".join(next(source) for _ in range(lines)))
    ingest_recording(tmp_path / "part", market="usdm", symbol="BTCUSDT", catalog=tmp_path / "r")
    done = take(tmp_path / "t", *as_tardis(usdm_recording, lines, tmp_path))
    for kind, leave in (
        (Kind.DELTAS, {"ts_init", "ts_event", "sequence"}),
        (Kind.TRADES, {"ts_init"}),
        (Kind.QUOTES, {"ts_init"}),
    ):
        tables = [
            pa.concat_tables([pq.ParquetFile(file.path).read() for file in Catalog(tmp_path / place).files(NAME, kind)])
            for place in ("r", "t")
        ]
        mine, theirs = (table.drop_columns(list(leave)).to_pylist() for table in tables)
        assert mine == theirs
    (measures,) = [c.measures for c in done.certificates]
    assert measures.tops_compared == measures.tops_equal > 400
