"""Modes shadow and paper: live data of the venue, fills of our own, and a venue that has received nothing but public requests."""

from __future__ import annotations

import asyncio
import json
import os
import signal
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from adapters.simulated_binance.server import Server
from execution.journal_check import verify
from execution.journal_read import read_journal
from tests.runners.live.support import LIVELY, RESTING, lively, running, told, written

PUBLIC = {"/fapi/v1/time", "/fapi/v1/exchangeInfo", "/fapi/v1/depth"}
NO_KEYS = {name: value for name, value in os.environ.items() if "API" not in name} | {"EXCHANGE": "nobody-reads-this"}
QUICK = ("--set", "simulated.latency_ms.insert=20", "--set", "simulated.latency_ms.cancel=20")
CENT = Decimal("1e-8")
PAYING = {"BTCUSDT": {"market": LIVELY, "funding_interval_secs": 2, "funding_rate": "0.0007"}}


def mode(name: str, *settings: str) -> list[str]:
    """Options of a mode."""
    return ["--set", f"mode={name}", *QUICK, *(part for text in settings for part in ("--set", text))]


def nothing_was_sent(server: Server) -> None:
    """Hold the venue's own record against what a session without an account may do."""
    ledger = server.venue.ledger
    assert {row["method"] for row in ledger.of("request")} == {"GET"}
    assert {row["path"] for row in ledger.of("request")} <= PUBLIC
    assert not any("signature" in row["params"] for row in ledger.of("request"))
    assert {row["socket"] for row in ledger.of("socket")} == {"market"}
    assert [ledger.of(kind) for kind in ("order", "listen_key", "leverage", "countdown")] == [[], [], [], []]
    assert len(ledger.of("balance")) == 1  # the one at the start


def rows(directory: Path, bound: str, name: str) -> list[dict[str, Any]]:
    """Rows of one table."""
    found: list[dict[str, Any]] = pq.read_table(directory / bound / f"{name}.parquet").to_pylist()
    return found


def summary_of(directory: Path) -> dict[str, Any]:
    """The session's summary."""
    found: dict[str, Any] = json.loads((directory / "summary.json").read_text(encoding="utf-8"))
    return found


def worked_out(directory: Path, bound: str, starting: Decimal) -> Decimal:
    """Work the ending balance out by hand from the fills; the session must have ended flat."""
    fills, paid = rows(directory, bound, "fills"), rows(directory, bound, "funding")
    signed = [(f["quantity"] if f["side"] == "BUY" else -f["quantity"], f["price"]) for f in fills]
    assert sum(quantity for quantity, _ in signed) == 0
    for fill in fills:  # 2 bps for makers, 5 for takers, to the unit that balances are kept in
        rate = Decimal("0.0002") if fill["liquidity"] == "MAKER" else Decimal("0.0005")
        assert fill["fee"] == (fill["price"] * fill["quantity"] * rate).quantize(CENT), fill
    traded: Decimal = sum((-quantity * price for quantity, price in signed), Decimal(0))
    end: Decimal = starting + traded - sum(f["fee"] for f in fills) + sum(row["amount"] for row in paid)
    return end


@pytest.mark.req("L-1")
def test_a_shadow_sends_nothing_and_reports_its_would_be_fills_flips_and_cool_down(tmp_path: Path) -> None:
    async def story(server: Server) -> None:
        config = written(tmp_path, server.url, on_stop="flatten", params={"hold_secs": 0.5, "alternates": True})
        options = mode("shadow", "risk.throttles.reentry_cooldown_secs=1.5")
        async with running(config, *options, env=NO_KEYS) as node:
            await node.until(lambda: _round_trips(node) >= 3, "three round trips")
            node.interrupt(signal.SIGINT)
            await node.until(lambda: bool(node.said("stopping")), "the stop")
            node.interrupt(signal.SIGINT)
            assert await node.ended() == 5, node.story
        nothing_was_sent(server)
        assert "orders (none sent)" in node.said("ended")[0]["text"]
        summary = summary_of(node.directory)
        assert (summary["mode"], summary["headline"], summary["synthetic"]) == ("shadow", "shadow", True)
        assert float(summary["residual"]) == 0.0
        assert {mark["label"] for mark in summary["trust"]} >= {"SHADOW", "SYNTHETIC"}
        conduct = summary["bounds"]["shadow"]["conduct"]
        assert conduct["flips"] >= 1
        assert conduct["flips_per_hour"] > 60
        assert conduct["reentries"] >= 1
        assert (conduct["reentries_early"], conduct["cooldown_secs"]) == (0, 1.5)
        assert conduct["reentries_refused"] >= 1  # the strategy asks again every 0.2 s
        assert conduct["shortest_secs"] >= 1.5
        account = json.loads((node.directory / "shadow" / "account.json").read_text(encoding="utf-8"))
        assert Decimal(account["ending_balance"]) == worked_out(node.directory, "shadow", Decimal(10_000))
        page = (node.directory / "report.html").read_text(encoding="utf-8")
        assert "<span>SHADOW</span>" in page
        assert sorted(p.name for p in (tmp_path / "state").rglob("*") if p.is_file() and p.suffix != ".log") == []

    told(story)


def _round_trips(node: Any) -> int:
    """Fill counts at which the node was seen flat: the cool-down is longer than the second between two looks."""
    flat = [row for row in node.said("status") if row["positions"] and not any(map(float, row["positions"].values()))]
    return len({row["fills"] for row in flat} - {0})


@pytest.mark.req("L-1")
def test_paper_pays_fees_and_funding_to_the_last_unit_and_carries_its_worth_on(tmp_path: Path) -> None:
    async def story(server: Server) -> None:
        config = written(tmp_path, server.url, params={"hold_secs": 3, "patience_secs": 2})
        async with running(config, *mode("paper"), env=NO_KEYS) as node:
            await node.until(lambda: len(node.said("funding")) >= 2, "two payments")
            async with running(config, *mode("paper"), env=NO_KEYS) as second:
                assert await second.ended() == 4
            assert "is traded by another node" in second.errors
            (tmp_path / "state" / "test.paper" / "STOP_FLATTEN").touch()
            assert await node.ended() == 5, node.story
        ending = worked_out(node.directory, "paper", Decimal(10_000))
        account = json.loads((node.directory / "paper" / "account.json").read_text(encoding="utf-8"))
        assert Decimal(account["ending_balance"]) == ending
        paid_as_the_venue_does(server, node.directory)
        assert float(summary_of(node.directory)["residual"]) == 0.0
        (tmp_path / "state" / "test.paper" / "STOP_FLATTEN").unlink()
        async with running(config, *mode("paper"), "--stop-after", "3", env=NO_KEYS) as again:
            assert await again.ended() == 0, again.story
        assert Decimal(again.said("opening")[0]["wallet"]) == ending
        assert "session 2 of this ledger" in again.said("opening")[0]["text"]
        nothing_was_sent(server)

    told(story, lively(symbols=PAYING))


def paid_as_the_venue_does(server: Server, directory: Path) -> None:
    """Every payment is of a funding time of the venue, at its rate, on what was held then, and at its mark within a second."""
    marks = [(row["ts_ns"], Decimal(row["mark"])) for row in server.venue.ledger.of("funding")]
    fills, paid = rows(directory, "paper", "fills"), rows(directory, "paper", "funding")
    assert len(paid) >= 2
    for row in paid:
        before = [f for f in fills if f["ts_ns"] <= row["ts_ns"]]
        held = sum(f["quantity"] if f["side"] == "BUY" else -f["quantity"] for f in before)
        assert (row["position"], row["rate"]) == (held, Decimal("0.0007"))
        # The venue may come to it late. The feed's mark is up to a second older: 5 bps of a market that moves a few ticks.
        mark = next(mark for settled_ns, mark in marks if settled_ns >= row["ts_ns"])
        assert abs(row["amount"] + held * mark * row["rate"]) < abs(row["amount"]) / 2000


@pytest.mark.req("L-1", "R-3")
def test_a_tripped_paper_account_stays_latched_and_its_ledger_remembers_the_loss(tmp_path: Path) -> None:
    async def story(server: Server) -> None:
        config = written(tmp_path, server.url, on_stop="flatten")
        limit = "risk.max_drawdown_pct=0.0001"  # the first fee is a fall of more than that
        async with running(config, *mode("paper", limit), env=NO_KEYS) as node:
            assert await node.ended() == 4, node.story
        async with running(config, *mode("paper", limit), env=NO_KEYS) as again:
            assert await again.ended() == 4
        assert "latch log: the kill switch stands: drawdown" in again.errors
        ledger = json.loads((tmp_path / "state" / "test.paper" / "ledger.json").read_text(encoding="utf-8"))
        assert Decimal(ledger["equity"]) == worked_out(node.directory, "paper", Decimal(10_000)) < 10_000
        nothing_was_sent(server)
        journal = tmp_path / "state" / "test.paper" / "journal.sqlite"
        assert verify(journal).findings == ()
        (session,) = read_journal(journal).runs
        assert session.mode == "paper"
        assert str(session.outcome).startswith("latched: ")
        assert str(session.outcome).endswith("; exit code 4")

    told(story)


@pytest.mark.req("L-1", "O-10")
def test_an_exception_ends_a_shadow_with_exit_code_1_and_values_what_it_holds_at_the_mid(tmp_path: Path) -> None:
    async def story(server: Server) -> None:
        params = {"hold_secs": 600, "fails_after_secs": 4, "fails_holding": True}
        config = written(tmp_path, server.url, on_stop="flatten", params=params)
        async with running(config, *mode("shadow"), env=NO_KEYS) as node:
            assert await node.ended() == 1, node.story
        assert "planted in a timer" in node.said("stopping")[0]["text"]
        summary = summary_of(node.directory)
        assert (summary["status"], float(summary["residual"])) == ("failed", 0.0)
        assert summary["bounds"]["shadow"]["round_trips_open"] == 1
        nothing_was_sent(server)

    told(story)


@pytest.mark.req("L-1")
def test_a_shadow_runs_beside_the_real_node_of_the_same_account(tmp_path: Path) -> None:
    async def story(server: Server) -> None:
        config = written(tmp_path, server.url, on_stop="flatten", params=RESTING)
        async with running(config) as real:
            await real.until(lambda: bool(server.venue.exchange.desk.open_orders()), "a resting order")
            sent = len(server.venue.exchange.desk.orders)
            async with running(config, *mode("shadow"), env=NO_KEYS) as shadow:
                await shadow.until(lambda: any(line["orders"] for line in shadow.said("status")), "an order of its own")
                shadow.interrupt()
                assert await shadow.ended() == 5, shadow.story
            assert shadow.said("ended")[0]["orders"] >= 1
            assert len(server.venue.exchange.desk.orders) == sent
            assert len(server.venue.exchange.desk.open_orders()) == 1  # that of the real node stays where it is
            real.interrupt()
            assert await real.ended() == 5, real.story

    told(story)


def test_an_address_where_nothing_listens_is_one_sentence(tmp_path: Path) -> None:
    async def story() -> None:
        config = written(tmp_path, "http://127.0.0.1:9")
        async with running(config, *mode("shadow"), env=NO_KEYS) as node:
            assert await node.ended() == 1
        assert "REST: nothing answers at http://127.0.0.1:9" in node.errors

    asyncio.run(story())
