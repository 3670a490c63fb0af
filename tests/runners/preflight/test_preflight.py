"""What a preflight sees when all is well, what it warns of, and what it cannot see."""

from __future__ import annotations

import asyncio
import json
import sys
from pathlib import Path
from typing import Any

import pytest

from adapters.simulated_binance.server import Server
from adapters.simulated_binance.settings import Scenario
from adapters.simulated_binance.venue import Venue
from runners.preflight.report import Result
from runners.preflight.view import as_json
from tests.runners.preflight.support import ACCOUNT, Looked, changing, look, placed, resolved

ROOT = Path(__file__).parents[3]
TABLE: dict[str, Any] = {"symbols": {"BTCUSDT": {"min_notional": 100}}}
"""The filters of the bundled table."""


@pytest.mark.req("L-6")
def test_when_all_is_well_every_line_is_ok_and_the_venue_hears_questions_only(tmp_path: Path) -> None:
    seen = look(tmp_path, **TABLE)
    assert [check for check in seen.report.checks if check.result is not Result.OK] == []
    assert (seen.report.exit_code, seen.report.gravest) == (0, None)
    assert seen.requests.count("POST /fapi/v1/listenKey") == 1
    assert changing(seen.venue) == []
    seen.report.raise_refusal()


@pytest.mark.req("L-6")
def test_every_point_of_the_requirement_has_a_line(tmp_path: Path) -> None:
    names = [check.name for check in look(tmp_path, **TABLE).report.checks]
    assert names == [
        "environment", ".env", "keys", "state folder", "disk", "recordings", "sessions", "stop files", "REST", "clock",
        "symbol BTCUSDT", "filters BTCUSDT", "countdown budget", "public streams", "order size BTCUSDT", "key",
        "withdrawal permission", "trading permission", "address restriction", "position mode", "asset mode",
        "fees BTCUSDT", "balance", "open orders", "positions", "margin BTCUSDT", "user stream", "identity", "rate limit",
        "latch log", "arm token", "journal", "account lock",
    ]  # fmt: skip


def warnings(seen: Looked) -> dict[str, str]:
    assert seen.report.may_start, seen.refusals
    assert changing(seen.venue) == []
    return {check.name: check.figures for check in seen.report.of(Result.WARN)}


@pytest.mark.req("L-6", "O-9")
def test_what_a_person_should_know_is_warned_of_and_does_not_refuse(tmp_path: Path) -> None:
    def two_orders(server: Server, _: Path) -> None:
        placed(server, "web_1")
        placed(server, "x-aHRE4BCj-Rt1zzzzzz000001")

    keys = [{"ip_restricted": False, "can_transfer": True}]
    held = {"BTCUSDT": {"quantity": "-0.010", "entry_price": "60000"}}
    seen = look(
        tmp_path, "account.foreign_orders=count", "risk.max_daily_loss_quote=20000", before=two_orders,
        account={"keys": keys, "positions": held},
    )  # fmt: skip
    assert warnings(seen) == {
        "filters BTCUSDT": "tick 0.1, step 0.001, min quantity 0.001, min notional 5; the table of the backtest says "
        "min notional 100",
        "withdrawal permission": "off, but the key may make internal and universal transfers",
        "address restriction": "the key works from every address",
        "balance": seen.line("balance").figures,
        "open orders": "1 of ours, cancelled at the start, 1 not ours, the first is web_1 of BTCUSDT",
        "positions": "BTCUSDT short 0.01: adopted, counted in every limit",
    }
    assert "risk.max_daily_loss_quote is 20000" in seen.line("balance").figures


@pytest.mark.req("L-6")
def test_margin_that_the_start_can_set_is_warned_of_and_told(tmp_path: Path) -> None:
    seen = look(tmp_path, account={"margin_type": "cross", "leverage": 20}, **TABLE)
    assert warnings(seen) == {"margin BTCUSDT": "cross, leverage 20"}
    assert seen.line("margin BTCUSDT").todo == "nothing: the start sets isolated, leverage 3"


@pytest.mark.req("L-6")
def test_a_position_that_will_be_closed_is_listed_with_what_happens_to_it(tmp_path: Path) -> None:
    held = {"BTCUSDT": {"quantity": "0.010", "entry_price": "60000"}}
    account = {"positions": held, "leverage": 20}
    seen = look(tmp_path, "execution.on_start.positions=close", account=account, **TABLE)
    assert warnings(seen)["positions"] == "BTCUSDT long 0.01: closed at the start, at the market"
    assert "margin BTCUSDT" in warnings(seen)  # it can be set once the position is gone


@pytest.mark.req("L-6")
def test_a_still_book_is_warned_of_and_silence_is_not(tmp_path: Path) -> None:
    still = {"kind": "synthetic", "mid": "60000", "levels": 2, "events_per_sec": 0, "trades_per_sec": 0}
    seen = look(tmp_path, stream_secs=3.0, symbols={"BTCUSDT": {"min_notional": 100, "market": still}})
    assert "but no quote of BTCUSDT" in warnings(seen)["public streams"]


@pytest.mark.req("L-1", "L-6")
def test_shadow_needs_no_keys_and_asks_nothing_signed(tmp_path: Path) -> None:
    named = ("account.key_env=NOT_THERE", "account.secret_env=NOT_THERE_EITHER")
    seen = look(tmp_path, "mode=shadow", *named, **TABLE)
    assert seen.report.may_start
    assert seen.line("keys").figures == "none; mode shadow sends nothing and needs none"
    assert seen.line("fees").result is Result.NOT_CHECKABLE
    assert all(row["params"] == {} for row in seen.venue.ledger.of("request"))


@pytest.mark.req("L-6")
def test_what_it_says_holds_no_secret(tmp_path: Path) -> None:
    seen = look(tmp_path, **TABLE)
    said = json.dumps(as_json(seen.report))
    listen_key = seen.venue.listen_keys.current
    assert listen_key is not None
    assert not any(secret in said for secret in ("local-key", "local-secret", listen_key))


async def _command(folder: Path, *options: str) -> tuple[int, str, str]:
    async with Server(Venue(Scenario.model_validate({"account": ACCOUNT | {"hedge_mode": True}}))) as server:
        resolved(folder, server.url)
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "runners", "preflight", str(folder / "live.yaml"), *options, cwd=ROOT,
            stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
        )  # fmt: skip
        out, error = await asyncio.wait_for(process.communicate(), 120)
        return process.returncode or 0, out.decode(), error.decode()


@pytest.mark.req("L-6")
def test_the_command_prints_a_table_and_its_exit_code_blocks_the_start(tmp_path: Path) -> None:
    code, out, error = asyncio.run(_command(tmp_path))
    assert (code, error) == (4, "")
    assert "position mode" in out
    assert "Start REFUSED (exit code 4" in out


@pytest.mark.req("L-6")
def test_the_command_speaks_json(tmp_path: Path) -> None:
    code, out, _ = asyncio.run(_command(tmp_path, "--json"))
    told = json.loads(out)
    assert (code, told["exit_code"], told["may_start"]) == (4, 4, False)
    assert [row["check"] for row in told["checks"] if row["result"] == "refused"] == ["position mode"]
