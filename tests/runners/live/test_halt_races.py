"""The races of `recovery.md` 9: whatever happens between two requests, the account ends flat, without orders, never turned."""

from __future__ import annotations

import asyncio
import itertools
import threading
import time
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from adapters.simulated_binance.server import Server
from adapters.simulated_binance.tickets import read_order
from execution.safety.client import SafetyClient
from execution.safety.rows import PositionRow
from risk.arm_token import FileTokenStore, Identity
from risk.kill_switch import DISK_HANGS, KillSwitch
from risk.latch_log import FileLatchLog, LatchRecord
from runners.live import clearing as module
from runners.live.account import Account
from runners.live.clearing import Clearing
from runners.live.control import Cause, Stop
from runners.live.stopping import Stopping
from tests.adapters.simulated_binance.support import order_params
from tests.runners.live.test_clearing import Named, cleared
from tests.runners.live.test_stops import armed, lingering

HELD: dict[str, Any] = {"positions": {"BTCUSDT": {"quantity": "0.100", "entry_price": "60000"}}}
LATE = "x-aHRE4BCj-Rt1zzzzzz000077"
REST, MARKET = "59000.0", None


def left(server: Server) -> tuple[float, float, int]:
    """Position, the lowest that the ledger has seen, and open orders."""
    lowest = min(Decimal(str(row["quantity"])) for row in server.venue.ledger.of("position"))
    exchange = server.venue.exchange
    return float(exchange.account.positions["BTCUSDT"].amount), float(lowest), len(exchange.desk.open_orders())


CLEAN = (0.0, 0.0, 0)


def placed(server: Server, side: str, quantity: str, price: str | None, **more: str) -> None:
    """Let an order of ours reach the venue at this instant."""
    market = server.venue.exchange.markets["BTCUSDT"]
    ticket = read_order(
        market.contract, order_params(side, quantity, price, **more), market.feed.mark, hedge_mode=False
    )
    server.venue.exchange.place(market.contract, ticket)


def between(patch: pytest.MonkeyPatch, happens: Callable[[], None]) -> None:
    """Let something happen once, right after the position has been read."""
    read, waiting = Account.positions, [happens]

    async def positions(account: Account) -> dict[str, PositionRow]:
        found = await read(account)
        if waiting:
            waiting.pop()()
        return found

    patch.setattr(Account, "positions", positions)


@pytest.fixture(autouse=True)
def _quickly(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "QUIET_SECS", 0.5)


@pytest.mark.req("O-10")
def test_an_entry_that_fills_between_the_read_and_the_close_is_closed_by_the_next_pass(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def story(server: Server, clearing: Clearing, client: SafetyClient) -> None:
        del client
        between(monkeypatch, lambda: placed(server, "BUY", "0.050", MARKET))
        assert await clearing.flatten()
        assert left(server) == CLEAN

    cleared(story, **HELD)


@pytest.mark.req("O-10")
def test_a_position_that_shrank_between_the_read_and_the_close_is_never_turned(monkeypatch: pytest.MonkeyPatch) -> None:
    async def story(server: Server, clearing: Clearing, client: SafetyClient) -> None:
        del client
        between(monkeypatch, lambda: placed(server, "SELL", "0.070", MARKET, reduceOnly="true"))
        assert await clearing.flatten()
        assert left(server) == CLEAN

    cleared(story, **HELD)


@pytest.mark.req("O-10")
def test_an_entry_that_is_accepted_after_the_cancel_all_is_cancelled_by_the_next_pass() -> None:
    async def story(server: Server, clearing: Clearing, client: SafetyClient) -> None:
        del client
        on_its_way = [True]

        async def settled() -> bool:
            if on_its_way and not server.venue.exchange.desk.open_orders():
                lingering(server, LATE)  # the venue takes it now, after the cancel-all
                on_its_way.clear()
                return False
            return True

        await clearing.cancel_at_once()
        assert await clearing.cancel_until_none(settled=settled)
        assert server.venue.exchange.desk.open_orders() == []
        assert on_its_way == []

    cleared(story)


@pytest.mark.req("O-10")
def test_an_exit_of_ours_that_covers_the_position_makes_room_and_minus_2022_is_no_failure() -> None:
    async def story(server: Server, clearing: Clearing, client: SafetyClient) -> None:
        del client
        placed(server, "SELL", "0.100", "61000.0", reduceOnly="true", newClientOrderId=LATE)
        assert await clearing.flatten()
        assert (left(server), clearing.problems) == (CLEAN, [])
        refused = [row["code"] for row in server.venue.ledger.of("response") if row.get("code") == -2022]
        assert len(refused) == 1

    cleared(story, **HELD)


@pytest.mark.req("O-10", "X-4")
def test_node_and_watchdog_that_flatten_together_end_at_zero() -> None:
    async def story(server: Server, clearing: Clearing, client: SafetyClient) -> None:
        lingering(server, LATE)
        other = Clearing(Account(client, "t1", {"BTCUSDT"}), Named("w"), 30)
        flat = await asyncio.gather(clearing.flatten(), other.flatten())
        clean = await asyncio.gather(clearing.cancel_until_none(), other.cancel_until_none())
        assert [*flat, *clean] == [True] * 4
        assert left(server) == CLEAN

    cleared(story, **HELD)


class Late:
    """A clearing at which a fill arrives after "flat" was reported."""

    def __init__(self, late: int) -> None:
        self.problems: list[str] = []
        self.flattened, self._late = 0, late

    async def cancel_at_once(self) -> None:
        """Nothing rests."""

    async def flatten(self) -> bool:
        self.flattened += 1
        return True

    async def cancel_until_none(self, **_: Any) -> bool:
        return True

    async def holds(self) -> bool:
        self._late -= 1
        return self._late >= 0

    async def knows(self, symbol: str, client_order_id: str) -> bool:
        del symbol, client_order_id
        return True


def stopped(clearing: Any) -> Any:
    """End a session that has no strategies, and whose engine is over."""

    async def whole() -> Any:
        gate = SimpleNamespace(trading_end_ns=None)
        package = SimpleNamespace(
            services=SimpleNamespace(gate=gate), strategies=(), journal=SimpleNamespace(orders={})
        )
        handle = SimpleNamespace(is_running=False, is_stopping=False, stop=lambda: None)

        async def engine() -> None:
            return None

        stopping = Stopping(package, handle, asyncio.create_task(engine()), clearing)  # type: ignore[arg-type]
        return await stopping.run(Stop(Cause.FAULT, "a test"), flatten=True)

    return asyncio.run(whole())


@pytest.mark.req("O-10")
def test_a_fill_that_arrives_after_flat_was_reported_starts_the_loop_again(monkeypatch: pytest.MonkeyPatch) -> None:
    clearing = Late(late=2)
    assert stopped(clearing).clean
    assert clearing.flattened == 3
    monkeypatch.setattr(
        "runners.live.stopping.FENCE_SECS", 0.0
    )  # nothing that was sent can still arrive: the audit owns it
    endless = Late(late=10**9)
    assert not stopped(endless).clean
    assert endless.flattened == 1


@pytest.mark.req("R-8", "O-10")
@pytest.mark.parametrize("step_secs", [3600, -3600])
def test_a_step_of_the_wall_clock_ends_no_fence_of_an_order_that_nobody_answered(
    monkeypatch: pytest.MonkeyPatch, step_secs: int
) -> None:
    monkeypatch.setattr("runners.live.stopping.FENCE_SECS", 0.2)
    wall, asked = [10**18], []

    class Unknown(Late):
        async def knows(self, symbol: str, client_order_id: str) -> bool:
            asked.append(f"{symbol} {client_order_id}")
            return False

    async def story() -> float:
        row = {"status": "NEW", "ts_accepted": None, "ts_ns": wall[0], "instrument_id": "BTCUSDT-PERP.BINANCE"}
        package: Any = SimpleNamespace(journal=SimpleNamespace(orders={"t1a": row}))
        stopping = Stopping(package, SimpleNamespace(), None, Unknown(0), lambda: wall[0])  # type: ignore[arg-type]
        began = time.monotonic()
        assert not await stopping._settled()
        wall[0] += step_secs * 10**9
        while not await stopping._settled():
            await asyncio.sleep(0.01)
        return time.monotonic() - began

    assert 0.2 <= asyncio.run(story()) < 60
    assert set(asked) == {"BTCUSDT t1a"}


@pytest.mark.req("O-10", "X-4")
def test_a_stop_that_is_placed_while_the_venue_is_asked_does_not_break_the_question() -> None:
    row = {"status": "NEW", "ts_accepted": None, "ts_ns": 10**18, "instrument_id": "BTCUSDT-PERP.BINANCE"}
    orders = {"t1a": row, "t1b": dict(row)}

    class Placing(Late):
        async def knows(self, symbol: str, client_order_id: str) -> bool:
            """The dead-man writes the row of a stop meanwhile."""
            orders[f"stop of {symbol} beside {client_order_id}"] = {**row, "status": "ACK", "ts_accepted": 1}
            return True

    package: Any = SimpleNamespace(journal=SimpleNamespace(orders=orders))
    stopping = Stopping(package, SimpleNamespace(), None, Placing(0), lambda: 10**18)  # type: ignore[arg-type]
    assert asyncio.run(stopping._settled())
    assert len(orders) == 4


@pytest.mark.req("O-10")
def test_a_halted_symbol_is_tried_on_with_growing_pauses_and_an_alert(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "LOOK_SECS", 0.05)
    told: list[str] = []

    async def story(server: Server, clearing: Clearing, client: SafetyClient) -> None:
        del client
        clearing.alert = told.append
        lingering(server, LATE)
        sixth = {"request": "POST /fapi/v1/order", "nth": 6}
        for status, when in (("HALT", {"at_secs": 0}), ("TRADING", sixth)):
            do = [{"act": "set_status", "symbol": "BTCUSDT", "status": status}]
            await armed(server, {"name": status, "when": when, "do": do})
        assert await clearing.cancel_until_none()  # cancels still go
        assert await clearing.flatten()
        asked = [row for row in server.venue.ledger.of("request") if row["method"] == "POST"]
        tries = [row["ts_ns"] for row in asked if row["path"] == "/fapi/v1/order"]
        gaps = [(after - before) / 1e9 for before, after in itertools.pairwise(tries)]
        # 0.05 s between looks, and from the second refusal on 0.1, 0.2, 0.4 and 0.8 s more; a sleep may end a little early
        least = (0.045, 0.145, 0.245, 0.445, 0.845)
        assert len(gaps) >= 5
        assert all(gap > pause for gap, pause in zip(gaps, least, strict=False)), gaps
        assert left(server) == CLEAN

    cleared(story, **HELD)
    assert len(told) == 1
    assert told[0].startswith("BTCUSDT cannot be closed, trying on: POST /fapi/v1/order: REJECTED")


@pytest.mark.req("O-10")
def test_a_position_larger_than_one_market_order_is_closed_in_slices() -> None:
    async def story(server: Server, clearing: Clearing, client: SafetyClient) -> None:
        del client
        assert await clearing.flatten()
        assert left(server) == CLEAN

    cleared(story, symbol={"market_max_quantity": "0.040"}, **HELD)  # 0.04, 0.04, 0.02


class Hanging(FileLatchLog):
    """A latch log on a disk that does not answer."""

    release = threading.Event()

    def append(self, record: LatchRecord) -> None:
        self.release.wait(20)
        super().append(record)


@pytest.mark.req("R-3", "O-10")
def test_a_disk_that_hangs_holds_up_no_trip(tmp_path: Path) -> None:
    identity = Identity(account="a", environment="local", config_hash="c")
    tokens, log = FileTokenStore(tmp_path / "arm.json"), Hanging(tmp_path / "latch.jsonl")
    KillSwitch(tokens, FileLatchLog(log.path), identity).arm(1, "test", "test")
    switch = KillSwitch(tokens, log, identity, patience_secs=0.1)
    began = time.monotonic()
    trip = switch.trip(2, "drawdown")
    assert time.monotonic() - began < 15  # the disk hangs for 20
    assert trip.problems == (DISK_HANGS,)
    assert (switch.refusal(), tokens.path.exists()) == ("drawdown", False)  # memory and token first
    log.release.set()
    until = time.monotonic() + 20
    while len(FileLatchLog(log.path).records()) < 2 and time.monotonic() < until:
        time.sleep(0.01)
    assert FileLatchLog(log.path).records()[-1].reason == "drawdown"  # it goes on beside
