"""Every journal does the same: memory for backtests, SQLite beside it, and both together for sessions."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from decimal import Decimal
from pathlib import Path

import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from execution import journal_tables
from execution.journal import Fill, Journal, MemoryJournal
from execution.journal_live import LiveJournal
from execution.journal_read import reading
from execution.journal_sqlite import Run, SqliteJournal
from execution.journal_venue import Whose
from risk.request import OrderRequest, Purpose, Side
from risk.verdict import Reason, Refused

D = Decimal
BTC = "BTCUSDT-PERP.BINANCE"
type Both = MemoryJournal | SqliteJournal | LiveJournal


def run(run_id: str = "run-1") -> Run:
    return Run(run_id, started_ns=1, mode="testnet", account="demo-1", config_hash="abc", epoch=77)


def memory(_: Path) -> Both:
    return MemoryJournal()


def sqlite(folder: Path) -> Both:
    return SqliteJournal(folder / "journal.sqlite", run(), durability="process")


def live(folder: Path) -> Both:
    whose = Whose("account-1", "local", "127.0.0.1")
    return LiveJournal(folder / "live.sqlite", run(), whose, durability="process", venue_ms=lambda: 7)


@pytest.fixture(params=[memory, sqlite, live], ids=["memory", "sqlite", "live"])
def journal(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Both]:
    make: Callable[[Path], Both] = request.param
    made = make(tmp_path)
    yield made
    if not isinstance(made, MemoryJournal) or isinstance(made, LiveJournal):
        made.close()


def order(order_id: str = "h1", quantity: str = "1", price: str | None = "60000.1", ts_ns: int = 100) -> OrderRequest:
    return OrderRequest(
        strategy_id="flow-1", instrument_id=BTC, client_order_id=order_id, side=Side.BUY,
        order_type="LIMIT" if price else "MARKET", quantity=D(quantity), price=D(price) if price else None,
        post_only=price is not None, reduce_only=False, time_in_force="GTC", ts_ns=ts_ns,
        purpose=Purpose("imbalance 0.4", 3.5, 60.0),
    )  # fmt: skip


def fill(trade_id: str = "t1", quantity: str = "0.4", price: str = "60000.1", side: str = "BUY", **other: str) -> Fill:
    return Fill(
        ts_ns=300, trade_id=trade_id, strategy_id="flow-1", instrument_id=other.get("instrument_id", BTC),
        client_order_id=other.get("order_id", "h1"), side=side, price=D(price), quantity=D(quantity), liquidity="MAKER",
        fee=D("0.48"), fee_asset="USDT",
    )  # fmt: skip


def rows(journal: Both, table: str) -> list[dict[str, object]]:
    found: list[dict[str, object]] = journal.tables()[table].to_pylist()
    return found


def test_both_are_journals(journal: Both) -> None:
    as_journal: Journal = journal
    as_journal.order(order(), 60_000.0)
    assert len(rows(journal, "orders")) == 1


def test_an_approved_order_is_new_with_its_purpose(journal: Both) -> None:
    journal.order(order(), 60_000.05)
    (row,) = rows(journal, "orders")
    assert (row["seq"], row["status"], row["why"], row["edge_bps"], row["mid_decision"]) == (
        0, "NEW", "imbalance 0.4", 3.5, 60_000.05,
    )  # fmt: skip
    assert (row["price"], row["quantity"], row["filled_quantity"]) == (D("60000.1"), D(1), D(0))
    assert (row["post_only"], row["reduce_only"], row["side"], row["source"]) == (True, False, "BUY", "strategy")


def test_acceptance_queue_and_cancel_are_kept_with_their_times(journal: Both) -> None:
    journal.order(order(), None)
    journal.event(200, "h1", "OrderAccepted", "ACK")
    journal.queue("h1", 12.5)
    journal.event(250, "h1", "OrderPendingCancel", None)
    journal.event(400, "h1", "OrderCanceled", "CANCELED")
    (row,) = rows(journal, "orders")
    assert (row["status"], row["ts_accepted"], row["ts_closed"], row["queue_ahead"]) == ("CANCELED", 200, 400, 12.5)
    assert [event["event"] for event in rows(journal, "order_events")] == [
        "OrderAccepted", "OrderPendingCancel", "OrderCanceled",
    ]  # fmt: skip


def test_a_reject_keeps_the_venues_words(journal: Both) -> None:
    journal.order(order(), None)
    journal.event(200, "h1", "OrderRejected", "REJECTED", "-2019 margin is insufficient")
    (row,) = rows(journal, "orders")
    assert (row["status"], row["reject_reason"]) == ("REJECTED", "-2019 margin is insufficient")


@pytest.mark.req("O-8")
def test_fills_book_order_and_position_and_average_the_price(journal: Both) -> None:
    journal.order(order(), 60_000.0)
    journal.event(200, "h1", "OrderAccepted", "ACK")
    journal.fill(fill("t1", "0.4", "60000"))
    assert rows(journal, "orders")[0]["status"] == "PARTIALLY_FILLED"
    journal.fill(fill("t2", "0.6", "60001"))
    (row,) = rows(journal, "orders")
    assert (row["status"], row["filled_quantity"], row["avg_price"], row["ts_closed"]) == (
        "FILLED", D(1), D("60000.6"), 300,
    )  # fmt: skip
    assert [(f["seq"], f["position_after"]) for f in rows(journal, "fills")] == [(0, D("0.4")), (1, D("1.0"))]
    assert [(f["mid_decision"], f["ts_decision"], f["ts_arrival"]) for f in rows(journal, "fills")] == [
        (60_000.0, 100, 200)
    ] * 2


def test_an_acceptance_that_comes_after_a_fill_keeps_the_order_partly_filled(journal: Both) -> None:
    journal.order(order(), None)
    journal.fill(fill())
    journal.event(400, "h1", "OrderAccepted", "ACK")
    (row,) = rows(journal, "orders")
    assert (row["status"], row["ts_accepted"]) == ("PARTIALLY_FILLED", 300)


def test_what_is_over_stays_as_it_ended(journal: Both) -> None:
    journal.order(order(), None)
    journal.event(200, "h1", "OrderCanceled", "CANCELED")
    journal.event(300, "h1", "OrderAccepted", "ACK")
    assert rows(journal, "orders")[0]["status"] == "CANCELED"


def test_a_quantity_that_the_venue_has_changed_decides_when_it_is_filled(journal: Both) -> None:
    journal.order(order(), None)
    journal.resize("h1", D("0.4"))
    journal.fill(fill())
    (row,) = rows(journal, "orders")
    assert (row["quantity"], row["status"]) == (D("0.4"), "FILLED")


@pytest.mark.req("O-8")
def test_a_trade_is_booked_once_per_instrument_and_id(journal: Both) -> None:
    journal.order(order(), None)
    assert journal.fill(fill())
    assert not journal.fill(fill())
    assert journal.fill(fill(instrument_id="ETHUSDT-PERP.BINANCE", order_id="h9"))
    assert [(f["instrument_id"], f["position_after"]) for f in rows(journal, "fills")] == [
        (BTC, D("0.4")), ("ETHUSDT-PERP.BINANCE", D("0.4")),
    ]  # fmt: skip
    assert rows(journal, "orders")[0]["filled_quantity"] == D("0.4")


def test_a_market_order_is_accepted_when_it_fills(journal: Both) -> None:
    journal.order(order(price=None), 60_000.0)
    journal.fill(fill())
    assert rows(journal, "orders")[0]["ts_accepted"] == 300
    assert rows(journal, "fills")[0]["ts_arrival"] == 300


def test_a_late_fill_books_and_does_not_open_the_order_again(journal: Both) -> None:
    journal.order(order(), None)
    journal.event(200, "h1", "OrderCanceled", "CANCELED")
    journal.fill(fill())
    (row,) = rows(journal, "orders")
    assert (row["status"], row["filled_quantity"]) == ("CANCELED", D("0.4"))


@pytest.mark.req("O-3")
def test_a_false_terminal_is_opened_again_and_ends_by_the_venues_word(journal: Both) -> None:
    journal.order(order(), None)
    journal.event(200, "h1", "OrderRejected", "REJECTED", "-1000 unknown")
    journal.reopen("h1", "UNKNOWN", "the code is no definite refusal", 250)
    (row,) = rows(journal, "orders")
    assert (row["status"], row["ts_closed"], row["reject_reason"]) == ("UNKNOWN", None, None)
    journal.fill(fill())
    assert rows(journal, "orders")[0]["status"] == "PARTIALLY_FILLED"
    journal.settle("h1", "CANCELED", "asked", 400)
    (row,) = rows(journal, "orders")
    assert (row["status"], row["ts_closed"], row["filled_quantity"]) == ("CANCELED", 400, D("0.4"))
    assert [(one["ts_ns"], one["event"], one["detail"]) for one in rows(journal, "order_events")][1:] == [
        (250, "Reopened", "the code is no definite refusal"), (400, "Settled", "asked"),
    ]  # fmt: skip


@pytest.mark.req("O-3")
def test_an_order_without_a_trace_ends_at_the_last_instant_that_is_known_of_it(journal: Both) -> None:
    journal.order(order(ts_ns=100), None)
    journal.event(200, "h1", "OrderAccepted", "ACK")
    journal.settle("h1", "NOT_EXECUTED", "absent after the fence")
    (row,) = rows(journal, "orders")
    assert (row["status"], row["ts_closed"]) == ("NOT_EXECUTED", 200)
    journal.event(300, "h1", "OrderCanceled", "CANCELED")
    assert rows(journal, "orders")[0]["status"] == "NOT_EXECUTED"


@pytest.mark.req("O-3")
def test_a_part_that_fills_while_a_cancel_is_under_way_leaves_it_under_way(journal: Both) -> None:
    journal.order(order(), None)
    journal.event(200, "h1", "OrderPendingCancel", "PENDING_CANCEL")
    journal.event(210, "h1", "OrderAccepted", "PENDING_CANCEL")
    journal.fill(fill())
    (row,) = rows(journal, "orders")
    assert (row["status"], row["ts_accepted"], row["filled_quantity"]) == ("PENDING_CANCEL", 210, D("0.4"))
    journal.fill(fill("t2", "0.6"))
    assert rows(journal, "orders")[0]["status"] == "FILLED"


def test_a_fill_of_an_order_that_it_does_not_know_is_kept(journal: Both) -> None:
    journal.fill(fill(order_id="autoclose-1", side="SELL"))
    (row,) = rows(journal, "fills")
    assert (row["position_after"], row["mid_decision"], row["ts_decision"]) == (D("-0.4"), None, 300)


def test_an_event_of_an_order_that_it_does_not_know_is_kept(journal: Both) -> None:
    journal.event(200, "unknown", "OrderCanceled", "CANCELED", "by a person")
    assert rows(journal, "order_events") == [
        {"seq": 0, "ts_ns": 200, "client_order_id": "unknown", "event": "OrderCanceled", "detail": "by a person"}
    ]


@pytest.mark.req("R-11")
def test_a_refusal_keeps_reason_and_figures(journal: Both) -> None:
    journal.refusal(order(), Refused(Reason.EDGE, "edge 1.00 bps <= 2.50", {"edge_bps": 1.0, "cost_bps": 2.5}))
    (row,) = rows(journal, "refusals")
    assert (row["reason"], row["detail"], row["figures"]) == (
        "edge", "edge 1.00 bps <= 2.50", '{"cost_bps": 2.5, "edge_bps": 1.0}',
    )  # fmt: skip


def test_funding_is_kept_with_its_sign(journal: Both) -> None:
    journal.funding(500, BTC, "flow-1", D("-0.4"), D("0.0001"), D("2.4"))
    journal.funding(600, BTC, "flow-1", D("-0.4"), None, D("-1"))
    assert [(r["rate"], r["amount"]) for r in rows(journal, "funding")] == [(D("0.0001"), D("2.4")), (None, D(-1))]


calls = st.lists(
    st.one_of(
        st.tuples(
            st.just("event"),
            st.integers(0, 3),
            st.sampled_from(["ACK", "CANCELED", "REJECTED", "PENDING_CANCEL", "UNKNOWN", None]),
        ),
        st.tuples(st.just("reopen"), st.integers(0, 3), st.sampled_from(["UNKNOWN", "ACK"])),
        st.tuples(st.just("settle"), st.integers(0, 3), st.sampled_from(["CANCELED", "NOT_EXECUTED", "REJECTED"])),
        st.tuples(st.just("fill"), st.integers(0, 3), st.integers(0, 6)),
        st.tuples(st.just("resize"), st.integers(0, 3), st.integers(1, 4)),
        st.tuples(st.just("refusal"), st.integers(0, 3), st.just(0)),
        st.tuples(st.just("forget"), st.just(0), st.integers(0, 500)),
    ),
    max_size=25,
)
NUMBERS = iter(range(1_000_000))


@settings(
    max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
@given(calls)
def test_whatever_is_written_all_give_the_same_tables(tmp_path: Path, trace: list[tuple[str, int, object]]) -> None:
    folder = tmp_path / str(next(NUMBERS))
    folder.mkdir()
    on_disk = SqliteJournal(folder / "journal.sqlite", run(), durability="process")
    whose = Whose("account-1", "local", "127.0.0.1")
    both = LiveJournal(folder / "live.sqlite", run(), whose, durability="process", venue_ms=lambda: 7)
    paper = LiveJournal(folder / "paper.sqlite", run(), None, durability="process", venue_ms=lambda: 7)
    in_memory = MemoryJournal()
    journal: Both
    for journal in (in_memory, on_disk, both, paper):
        for number in range(3):
            journal.order(order(f"h{number}", quantity="2", price="100" if number else None), 100.0 + number)
        for step, (what, number, argument) in enumerate(trace):
            if what == "event":
                journal.event(step, f"h{number}", "Event", None if argument is None else str(argument), "words")
            elif what == "forget":
                if isinstance(journal, LiveJournal):
                    for _ in range(
                        2
                    ):  # what is marked goes once the mark is on disk; fills are of 300, orders end by the step or at 300
                        journal.forget(int(str(argument)))
                        journal.flush()
            elif what == "resize":
                journal.resize(f"h{number}", D(str(argument)))
            elif what == "reopen":
                journal.reopen(f"h{number}", str(argument), "why")
            elif what == "settle":
                journal.settle(f"h{number}", str(argument), "why", step if step % 2 else None)
            elif what == "fill":
                side = "BUY" if number % 2 else "SELL"
                journal.fill(fill(f"t{argument}", f"0.{number + 1}", f"10{argument}.5", side, order_id=f"h{number}"))
            else:
                journal.refusal(order(f"h{number}"), Refused(Reason.TICK, "off", {"n": step}))
        if isinstance(journal, MemoryJournal):
            assert (journal.order_count, journal.fill_count) == (3, in_memory.fill_count)
            assert [journal.net(BTC), journal.has_trade(BTC, "t1")] == [
                in_memory.net(BTC),
                in_memory.has_trade(BTC, "t1"),
            ]
    expected, found, remembered, papers = in_memory.tables(), on_disk.tables(), both.tables(), paper.tables()
    on_disk.close()
    both.close()
    paper.close()
    with reading(folder / "live.sqlite") as db:
        written = journal_tables.read(db, run().run_id)
    for others in (found, remembered, papers, written):
        assert sorted(expected) == sorted(others)
        for name, table in expected.items():
            assert isinstance(table, pa.Table)
            assert others[name].equals(table), name
