"""A venue that is not there, a port that another program holds, and environments that tell less."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path

import pytest
from aiohttp import web

from adapters.binance.environments import environment
from adapters.simulated_binance.server import Server
from adapters.simulated_binance.settings import Scenario
from adapters.simulated_binance.venue import Venue
from execution.safety.budget import Cost, Purpose, RateBudget, RateLimits
from execution.safety.rows import ExchangeInfo
from execution.safety.signing import Credentials
from execution.safety.venue_clock import VenueClock
from runners.live.secrets import read_keys
from runners.live.state import StateFolder
from runners.preflight import account, market, switches
from runners.preflight.looks import Looks
from runners.preflight.report import Check, Result
from runners.preflight.run import preflight
from runners.preflight.scene import Scene
from tests.runners.preflight.support import NOTHING, PATIENCE_SECS, look_at, resolved


@pytest.mark.req("L-6")
def test_a_venue_that_is_not_there_is_named_with_how_to_start_it_and_the_rest_is_not_checkable(tmp_path: Path) -> None:
    report = look_at(tmp_path, "http://127.0.0.1:9")
    assert [check.name for check in report.of(Result.REFUSED)] == ["REST"]
    rest = report.of(Result.REFUSED)[0]
    assert "nothing answers at http://127.0.0.1:9" in rest.figures
    assert "python -m runners.venue" in rest.todo
    assert report.exit_code == 1  # supervisors try again on 1, which is right when a line is down
    unseen = [check.name for check in report.of(Result.NOT_CHECKABLE)]
    assert {"clock", "symbols", "public streams", "key", "fees", "user stream", "account lock"} <= set(unseen)
    assert "countdown budget" in [check.name for check in report.of(Result.OK)]  # reckoned with Binance's usual limit


@pytest.mark.req("L-6")
def test_a_port_that_another_program_holds_is_told(tmp_path: Path) -> None:
    asked: list[str] = []

    async def page(request: web.Request) -> web.Response:
        asked.append(f"{request.method} {request.path}")
        return web.Response(text="<html>somebody else</html>", content_type="text/html")

    async def whole() -> tuple[Check, ...]:
        app = web.Application()
        app.router.add_route("*", "/{path:.*}", page)
        runner = web.AppRunner(app)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        url = f"http://127.0.0.1:{runner.addresses[0][1]}"
        try:
            report = await preflight(resolved(tmp_path, url), environ=NOTHING, dot_env=tmp_path / "no.env")
        finally:
            await runner.cleanup()
        return tuple(report.of(Result.REFUSED))

    found = asyncio.run(asyncio.wait_for(whole(), PATIENCE_SECS))
    assert [check.name for check in found] == ["REST"]
    assert "an answer that is no JSON" in found[0].figures
    assert "another program may hold that port" in found[0].todo
    assert set(asked) == {"GET /fapi/v1/time"}


def scene(folder: Path, url: str, *settings: str, limits: RateLimits | None = None) -> Scene:
    """A scene past the orchestration: what one group of checks needs."""
    loaded = resolved(folder, url, *settings)
    place = environment("local", url)
    made = Scene(
        loaded.config, loaded.hash, place, StateFolder(folder / "state", "test"), NOTHING, folder / "no.env", 5.0
    )
    made.keys = read_keys(loaded.config.account, NOTHING, folder / "no.env")
    budget = RateBudget(limits or RateLimits(), lambda: 0)
    made.client = Looks(url, Credentials(made.keys.key, made.keys.secret), budget, VenueClock(), wallet_url=url)
    return made


@pytest.mark.req("L-6")
@pytest.mark.parametrize(("can_trade", "result"), [(True, Result.NOT_CHECKABLE), (False, Result.REFUSED)])
def test_play_money_does_not_tell_what_a_key_may_do(tmp_path: Path, can_trade: bool, result: Result) -> None:
    async def whole() -> list[Check]:
        shape = Scenario.model_validate({"account": {"can_trade": can_trade}})
        async with Server(Venue(shape)) as server:
            made = scene(tmp_path, server.url)
            made.place = replace(made.place, wallet_url=None)
            async with made.client:
                return await account.permissions(made)

    found = {check.name: check for check in asyncio.run(asyncio.wait_for(whole(), PATIENCE_SECS))}
    assert found["withdrawal permission"].result is Result.NOT_CHECKABLE
    assert found["withdrawal permission"].figures == "local does not tell what a key may do"
    assert found["address restriction"].result is Result.NOT_CHECKABLE
    assert found["trading permission"].result is result


@pytest.mark.req("L-6", "L-8")
@pytest.mark.parametrize(
    ("used", "result"), [(50, Result.OK), (51, Result.WARN), (80, Result.WARN), (81, Result.REFUSED)]
)
def test_headroom_warns_from_half_and_refuses_where_entries_could_not_go(
    tmp_path: Path, used: int, result: Result
) -> None:
    made = scene(tmp_path, "http://127.0.0.1:9", limits=RateLimits(weight_per_minute=100))
    made.info = ExchangeInfo(rate_limits=(), symbols=())
    assert made.client.budget.ask(Cost(used), Purpose.CANCEL) is None
    found = market.headroom(made)
    assert [check.result for check in found] == [result]
    assert found[0].figures.startswith(f"{used}% of 100 weight a minute in use")


@pytest.mark.req("L-1", "L-6", "R-3")
def test_real_money_takes_a_token_that_matches(tmp_path: Path) -> None:
    real = ("mode=live", "account.environment=production", "account.url=null")
    loaded = resolved(tmp_path, "http://127.0.0.1:9", *real)
    place = environment("production")
    made = Scene(
        loaded.config, loaded.hash, place, StateFolder(tmp_path / "state", "test"), NOTHING, tmp_path / "no.env", 5.0
    )
    token = next(check for check in switches.kill_switch(made) if check.name == "arm token")
    assert (token.result, token.todo) == (Result.REFUSED, "make it with python -m runners.live CONFIG --arm")


@pytest.mark.req("O-2", "L-6")
def test_real_money_takes_a_journal_that_survives_power_loss(tmp_path: Path) -> None:
    real = ("mode=live", "account.environment=production", "account.url=null", "safety.journal.durability=process")
    loaded = resolved(tmp_path, "http://127.0.0.1:9", *real)
    made = Scene(
        loaded.config, loaded.hash, environment("production"), StateFolder(tmp_path / "state", "test"), NOTHING,
        tmp_path / "no.env", 5.0,
    )  # fmt: skip
    found = list(switches.journal(made))
    assert [check.result for check in found] == [Result.REFUSED]
    assert found[0].todo == "real money takes safety.journal.durability: power"
