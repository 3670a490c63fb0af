"""`audit` against a served venue: a journal that is right agrees; one that somebody has changed is told in both figures."""

from __future__ import annotations

import sqlite3
import time
from contextlib import closing
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from adapters.simulated_binance.tickets import read_order
from errors import HyperTradingError
from execution.audit.confirm import Confirming
from execution.audit.differences import Kind
from execution.journal import Fill
from execution.journal_live import LiveJournal
from execution.journal_venue import Whose
from execution.journal_writes import Run
from risk.request import OrderRequest, Purpose, Side
from runners.operating import auditing
from runners.operating.auditing import Audited, audit
from runners.operating.reach import Target
from tests.adapters.simulated_binance.support import order_params
from tests.runners.operating.support import Scene, told

IID = "BTCUSDT-PERP.BINANCE"
WIRE = "x-aHRE4BCj-R"
OWNER = Whose("simulated-1", "local", "127.0.0.1")
ACCOUNT = {"margin_type": "isolated", "leverage": 1}


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two looks a little apart: the distance is tested with `Confirming`."""
    monkeypatch.setattr(auditing, "APART_SECS", 0.05)
    monkeypatch.setattr(auditing, "Confirming", lambda: Confirming(0.05))


class Books:
    """A session's journal and what happens at the venue meanwhile."""

    def __init__(self, scene: Scene) -> None:
        self.scene, self.exchange = scene, scene.server.venue.exchange
        self.path = scene.folder / "state" / "test" / "journal.sqlite"
        self.path.parent.mkdir(parents=True, exist_ok=True)
        run = Run("run-1", time.time_ns() - 10**9, "testnet", "test", "hash", 1)
        self.journal = LiveJournal(self.path, run, OWNER, durability="process")
        self.journal.wallet(time.time_ns() // 10**6 - 1000, "USDT", self.exchange.account.wallet, "start")

    def buy(self, number: int, *, booked: bool = True) -> None:
        """Buy 0.010 at the market, and book it like a node."""
        name = f"t1aaaaaa00000{number}"
        request = OrderRequest(
            "s",
            IID,
            name,
            Side.BUY,
            "MARKET",
            Decimal("0.010"),
            None,
            False,
            False,
            "GTC",
            time.time_ns(),
            Purpose(why="x"),
        )
        self.journal.order(request, None)
        market = self.exchange.markets["BTCUSDT"]
        before = len(self.exchange.desk.fills)
        params = order_params("BUY", "0.010", newClientOrderId=WIRE + name)
        self.exchange.place(market.contract, read_order(market.contract, params, market.feed.mark, hedge_mode=False))
        for one in self.exchange.desk.fills[before:] if booked else []:
            price, quantity = market.contract.price.value(one.price), market.contract.size.value(one.quantity)
            self.journal.fill(Fill(
                time.time_ns(), str(one.trade_id), "s", IID, name, "BUY", price, quantity, "TAKER", one.fee, "USDT"
            ))  # fmt: skip

    def change(self, statement: str) -> None:
        """Close the journal, and change the file behind everybody's back."""
        self.journal.close()
        with closing(sqlite3.connect(self.path)) as db:
            assert db.execute(statement).rowcount == 1
            db.commit()


async def audited(scene: Scene, target: Target | None = None, days: float | None = None) -> Audited:
    """Audit the scene's account."""
    return await audit(target or scene.target(), days, scene.said.append, {}, scene.folder / ".env")


@pytest.mark.req("L-7")
def test_a_journal_that_is_right_agrees_while_its_node_has_it_open(tmp_path: Path) -> None:
    async def story(scene: Scene) -> None:
        books = Books(scene)
        books.buy(1)
        books.journal.flush()
        found = await audited(scene)
        assert (found.exit_code, found.differences) == (0, ())
        assert found.verdict.startswith("journal and account agree: 0 open orders, 1 fills, BTCUSDT 0.01, wallet 99")
        assert scene.changed() == []
        books.journal.close()

    told(tmp_path, story, account=ACCOUNT)


LAST = "(SELECT max(fill_id) FROM fills)"
CHANGES: dict[str, tuple[str, set[Kind]]] = {
    "a fill that is gone": (f"DELETE FROM fills WHERE fill_id = {LAST}", {Kind.POSITION, Kind.FILL_MISSING, Kind.WALLET}),
    "a fill of another size": (
        f"UPDATE fills SET quantity = '0.009' WHERE fill_id = {LAST}", {Kind.POSITION, Kind.FILL_DIFFERS},
    ),
    "a fill that never was": (
        "INSERT INTO fills SELECT fill_id + 1, run_id, instrument_id, '4999', ts_ns, strategy_id, client_order_id, side,"
        " price, quantity, liquidity, fee, fee_asset, position_after, mid_decision, ts_decision, ts_arrival FROM fills"
        f" WHERE fill_id = {LAST}", {Kind.POSITION, Kind.FILL_EXTRA},
    ),
    "an order that should be open": (
        "UPDATE orders SET status = 'ACK', ts_ns = 1 WHERE client_order_id = 't1aaaaaa000001'", {Kind.ORDER_ENDED},
    ),
    "a wallet that is too small": ("UPDATE wallet SET balance = '9000'", {Kind.WALLET}),
}  # fmt: skip


@pytest.mark.req("L-7")
@pytest.mark.parametrize("case", CHANGES.values(), ids=CHANGES.keys())
def test_a_journal_that_was_changed_is_named_difference_by_difference(
    tmp_path: Path, case: tuple[str, set[Kind]]
) -> None:
    statement, kinds = case

    async def story(scene: Scene) -> None:
        books = Books(scene)
        books.buy(1)
        books.buy(2)
        books.change(statement)
        found = await audited(scene)
        assert (found.exit_code, {one.kind for one in found.differences}) == (4, kinds), found.differences
        assert all(one.journal and one.venue and one.meaning for one in found.differences)
        assert found.verdict.startswith("DIFFERENT: ")

    told(tmp_path, story, account=ACCOUNT)


def funding(scene: Scene) -> None:
    """Let the venue settle funding now."""
    scene.arm({"at_secs": 0}, {"act": "settle_funding", "symbol": "BTCUSDT", "rate": "0.001"})


def by_hand(scene: Scene) -> None:
    """Let a person trade."""
    scene.arm({"at_secs": 0}, {"act": "person_trade", "symbol": "BTCUSDT", "side": "SELL", "quantity": "0.004"})


def hedged(scene: Scene) -> None:
    """Let a person switch to hedge mode."""
    scene.arm({"at_secs": 0}, {"act": "set_hedge_mode", "on": True})


def order_by_hand(scene: Scene) -> None:
    """Let a person place an order."""
    scene.rest("web_1")


AT_THE_VENUE: dict[str, tuple[Any, set[Kind]]] = {
    "funding": (funding, {Kind.INCOME_MISSING, Kind.WALLET}),
    "a person's trade": (by_hand, {Kind.POSITION, Kind.FILL_MISSING, Kind.WALLET}),
    "hedge mode": (hedged, {Kind.POSITION_MODE}),
    "a person's order": (order_by_hand, {Kind.ORDER_FOREIGN}),
}


@pytest.mark.req("L-7", "L-6")
@pytest.mark.parametrize("case", AT_THE_VENUE.values(), ids=AT_THE_VENUE.keys())
def test_what_happened_at_the_venue_alone_is_named(tmp_path: Path, case: tuple[Any, set[Kind]]) -> None:
    happens, kinds = case

    async def story(scene: Scene) -> None:
        books = Books(scene)
        books.buy(1)
        books.journal.close()
        happens(scene)
        found = await audited(scene)
        assert (found.exit_code, {one.kind for one in found.differences}) == (4, kinds), found.differences

    told(tmp_path, story, account=ACCOUNT)


@pytest.mark.req("L-7")
def test_a_fill_that_the_journal_has_not_booked_is_named_with_its_order(tmp_path: Path) -> None:
    async def story(scene: Scene) -> None:
        books = Books(scene)
        books.buy(1, booked=False)
        books.journal.close()
        found = await audited(scene)
        fill = next(one for one in found.differences if one.kind is Kind.FILL_MISSING)
        assert fill.journal == "–"
        assert fill.venue.startswith("BUY 0.01 at 60000")
        assert fill.venue.endswith("order t1aaaaaa000001 (ours)")
        rows = auditing.as_json(found)["differences"]
        assert {row["kind"] for row in rows} == {str(one.kind) for one in found.differences}
        assert auditing.table(found).row_count == len(rows)

    told(tmp_path, story, account=ACCOUNT)


def test_no_journal_another_accounts_journal_and_a_silent_venue_are_one_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def story(scene: Scene) -> None:
        with pytest.raises(HyperTradingError, match=r"there is no journal") as caught:
            await audited(scene)
        assert caught.value.exit_code == 3
        monkeypatch.setattr(f"{__name__}.OWNER", Whose("somebody-else", "local", "127.0.0.1"))
        Books(scene).journal.close()
        with pytest.raises(
            HyperTradingError, match=r"is of account somebody-else in local, this is simulated-1"
        ) as caught:
            await audited(scene)
        assert caught.value.exit_code == 4
        monkeypatch.setattr(auditing, "PATIENCE_SECS", 0.5)  # for a venue that will not answer
        scene.arm({"at_secs": 0}, {"act": "outage", "secs": 600, "status": 503})
        with pytest.raises(HyperTradingError, match=r"127\.0\.0\.1 does not answer") as caught:
            await audited(scene)
        assert caught.value.exit_code == 1

    told(tmp_path, story, account=ACCOUNT)
