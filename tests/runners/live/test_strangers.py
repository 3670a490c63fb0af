"""R-13: what others do to the account changes our exposure within a second and trips the kill switch.

The venue of these tests is this process, which may have to wait for a core: so the node is patient with its answers here, and the
second is proved where nothing else runs.
"""

from __future__ import annotations

import asyncio
import time
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from adapters.simulated_binance.server import Server
from execution.journal import MemoryJournal
from execution.safety.rows import TradeRow
from risk.latch_log import Act, FileLatchLog
from runners.live.strangers import Strangers
from tests.runners.live.support import AT_MARKET, PATIENT, RESTING, Node, lively, running, told, written
from tests.runners.live.test_session import exact, table
from tests.runners.live.test_stops import armed, rests

BY_OTHERS: dict[str, tuple[dict[str, Any], str]] = {
    "liquidation": ({"act": "forced_close", "symbol": "BTCUSDT", "how": "liquidation"}, "liquidation: BTCUSDT SELL"),
    "adl": (
        {"act": "forced_close", "symbol": "BTCUSDT", "how": "adl", "fraction": "0.5"}, "auto-deleveraging: BTCUSDT SELL",
    ),
    "settlement": ({"act": "forced_close", "symbol": "BTCUSDT", "how": "settlement"}, "settlement: BTCUSDT SELL"),
    "a person": (
        {"act": "person_trade", "symbol": "BTCUSDT", "side": "SELL", "quantity": "0.050"}, "not our order: BTCUSDT SELL 0.0",
    ),
}  # fmt: skip


WITHIN_NS = 30_000_000_000
"""Generous: the process may have to wait for a core. The second is proved below."""


def tripped_ns(folder: Path) -> int:
    """When the kill switch tripped."""
    records = FileLatchLog(folder / "state" / "test" / "latch.jsonl").records()
    return next(row.ts_ns for row in records if row.act is Act.TRIPPED)


@pytest.mark.req("R-13")
@pytest.mark.parametrize("by", BY_OTHERS)
def test_a_trade_that_is_not_ours_counts_and_trips_within_a_second(tmp_path: Path, by: str) -> None:
    action, sentence = BY_OTHERS[by]

    async def story(server: Server) -> None:
        config = written(tmp_path, server.url, on_stop="flatten", params={"hold_secs": 600, "size": 0.1})
        async with running(config, *AT_MARKET, program=PATIENT) as node:
            await node.until(lambda: held(server) == 100, "the whole position")
            before = time.time_ns()
            await armed(server, {"name": "by others", "when": {"at_secs": 0}, "do": [action]})
            assert await node.ended() == 4, node.story
        assert sentence in node.said("stopping")[0]["text"]
        assert 0 < tripped_ns(tmp_path) - before < WITHIN_NS
        left_in_order(server, node)

    told(story)


def left_in_order(server: Server, node: Node, *, engine_heard: bool = True) -> None:
    """Flat, without orders, and every trade of the venue, strangers' included, is in the session's table."""
    exchange = server.venue.exchange
    assert (exchange.account.positions["BTCUSDT"].quantity, exchange.desk.open_orders()) == (0, [])
    assert {(row["trade_id"], row["quantity"], row["fee"]) for row in table(node.directory, "fills")} == {
        (str(fill.trade_id), exact(server, fill.quantity, "size"), fill.fee) for fill in exchange.desk.fills
    }
    assert [line["holds"] for line in node.said("position")] == [engine_heard], node.story


def held(server: Server) -> int:
    """Position in steps of 0.001."""
    return server.venue.exchange.account.positions["BTCUSDT"].quantity


@pytest.mark.req("R-13")
def test_a_person_who_trades_another_symbol_trips_as_well_since_no_limit_counts_it(tmp_path: Path) -> None:
    quiet = {"base": "ETH", "market": {"kind": "synthetic", "mid": "3000"}}
    scenario = lively()
    both = {"BTCUSDT": scenario.symbols["BTCUSDT"].model_dump(), "ETHUSDT": quiet}

    async def story(server: Server) -> None:
        config = written(tmp_path, server.url, params=RESTING)
        async with running(config, program=PATIENT) as node:
            await node.until(rests(server), "a resting order")
            action = {"act": "person_trade", "symbol": "ETHUSDT", "side": "BUY", "quantity": "0.5"}
            await armed(server, {"name": "other symbol", "when": {"at_secs": 0}, "do": [action]})
            assert await node.ended() == 4, node.story
        why = node.said("stopping")[0]["text"]
        assert "the position changed without us: not our order: ETHUSDT BUY 0." in why  # a line for each level it took
        assert server.venue.exchange.desk.open_orders() == []

    told(story, lively(symbols=both))


@pytest.mark.req("R-13", "L-4")
def test_with_a_dead_user_stream_the_venues_own_list_tells_of_a_persons_trade_and_no_exit_turns_what_is_gone(
    tmp_path: Path,
) -> None:
    async def story(server: Server) -> None:
        config = written(tmp_path, server.url, on_stop="flatten", params={"hold_secs": 600, "size": 0.1})
        async with running(config, *AT_MARKET, program=PATIENT) as node:
            await node.until(lambda: held(server) == 100, "a position, and nothing that adds to it")
            quantity = f"{held(server) / 1000:.3f}"
            silence = {"act": "silence_sockets", "secs": 600, "which": "user"}
            person = {"act": "person_trade", "symbol": "BTCUSDT", "side": "SELL", "quantity": quantity}
            await armed(server, {"name": "unheard", "when": {"at_secs": 0}, "do": [silence, person]})
            assert await node.ended() == 4, node.story
        why = node.said("stopping")[0]["text"]
        assert "the position changed without us: not our order: BTCUSDT SELL 0." in why
        assert f"BTCUSDT is 0, our own trades make it {quantity}" in why  # however many levels the order took
        refused = [row["code"] for row in server.venue.ledger.of("response")]
        assert -2022 in refused  # the engine's exit, reduce-only on a flat position: nobody had told it
        left_in_order(server, node, engine_heard=False)

    told(story)


class Hanging:
    """A venue that never says whose trade it was."""

    async def user_trades(self, _symbol: str, *, limit: int) -> list[TradeRow]:
        """Never answer."""
        del limit
        await asyncio.Event().wait()
        raise AssertionError("it hangs")


class Racing(asyncio.SelectorEventLoop):
    """A loop on which waiting takes no time: what is due next is due now, so that only what is waited for counts."""

    def __init__(self) -> None:
        super().__init__()
        self.secs = 0.0

    def time(self) -> float:
        """Seconds waited."""
        return self.secs

    def _run_once(self) -> None:
        if not self._ready and self._scheduled:  # type: ignore[attr-defined]
            self.secs = max(self.secs, self._scheduled[0].when())  # type: ignore[attr-defined]
        super()._run_once()  # type: ignore[misc]


@pytest.mark.req("R-13")
def test_a_change_counts_within_a_second_even_when_the_venue_does_not_say_whose_it_was() -> None:
    loop, tripped = Racing(), list[tuple[float, str]]()
    strangers = Strangers(
        Hanging(), MemoryJournal(), "t1", ("BTCUSDT",), 0, lambda _: Decimal("0.1" if loop.time() > 7 else "0"),  # type: ignore[arg-type]
        lambda why, _: tripped.append((loop.time(), why)), pytest.fail,
    )  # fmt: skip
    strangers.ask = _nothing  # type: ignore[method-assign]
    with asyncio.Runner(loop_factory=lambda: loop) as runner:
        runner.run(strangers.watch(lambda: True, lambda: bool(tripped)))
    ((when, why),) = tripped
    assert 7 < when < 8
    assert "BTCUSDT is 0.1, our own trades make it 0; the venue does not answer" in why


async def _nothing() -> bool:
    """The other look, over the venue's list, finds nothing."""
    return False
