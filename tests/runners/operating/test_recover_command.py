"""`recover`: the plan with its reasons, the plan done, and what a person has to accept in so many words."""

from __future__ import annotations

import asyncio
import os
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from errors import SafetyRefusal, UsageError
from runners.live.secrets import DOT_ENV, read_keys
from runners.live.state import Identity, StateFolder
from runners.operating.reach import Target, find_target
from runners.operating.recovery import Told, accepted_of, as_json, recover, table
from runners.recover import app
from tests.runners.live.recovering_support import BTC, DeadNode, World, told
from tests.runners.live.test_recovering import placed_after_a_look

D = Decimal
CONFIG = """\
version: 1
mode: testnet
instruments: [BTCUSDT-PERP.BINANCE]
account: {{alias: test, environment: local, url: "{url}", order_tag: t1}}
safety: {{state_dir: "{folder}/state"}}
"""
OLD_MS = 60_000
"""Orders are a minute old: their fence is over."""


def target_of(here: World, folder: Path) -> Target:
    """The account, tied to its alias as a first start does."""
    path = folder / "live.yaml"
    path.write_text(CONFIG.format(url=here.server.url, folder=folder.as_posix()), encoding="utf-8")
    target = find_target(path, None, None)
    state = StateFolder(target.state, "test")
    state.prepare()
    state.pin(identity_of(target))
    here.journal = target.journal
    return target


def identity_of(target: Target) -> Identity:
    return Identity("local", "127.0.0.1", "simulated-1", read_keys(target.account, os.environ, DOT_ENV).fingerprint)


async def done(target: Target, *accept: str, dry: bool = False, reason: str | None = None) -> Told:
    accepted = accepted_of(accept, reason, "ann")
    return await recover(target, accepted, lambda _text: None, os.environ, DOT_ENV, dry=dry)


def changes(here: World) -> list[Any]:
    """Requests that could change something at the venue."""
    return [row["path"] for row in here.server.venue.ledger.of("request") if row["method"] != "GET"]


@pytest.mark.req("O-6")
def test_a_dry_run_tells_row_and_reason_and_changes_nothing_and_the_real_one_does_it(tmp_path: Path) -> None:
    async def story(here: World) -> None:
        target = target_of(here, tmp_path)
        node = DeadNode(here, age_ms=OLD_MS)
        resting, never = node.row(), node.row()
        here.place(resting)
        node.dies()
        before = (here.file.orders, here.file.runs)
        plan = await done(target, dry=True)
        rows = {(one["row"], one["action"]) for one in as_json(plan)["actions"]}
        assert rows == {("6.prepared_open", "Cancel"), ("6.absent", "Settle")}
        assert (plan.exit_code, "would do 2 things" in plan.verdict) == (0, True)
        assert table(plan, "plan").row_count == 2
        assert (changes(here), here.file.orders, here.file.runs) == ([], *before)
        made = await done(target)
        assert (made.exit_code, made.verdict) == (0, "READY: journal and venue agree, nothing is under way")
        assert (here.row(resting).status, here.row(never).status) == ("CANCELED", "NOT_EXECUTED")
        assert (await done(target, dry=True)).verdict == "READY: journal and venue agree"

    told(tmp_path, story)


@pytest.mark.req("O-6")
def test_what_nothing_explains_takes_the_exact_command_that_is_told(tmp_path: Path) -> None:
    async def story(here: World) -> None:
        target = target_of(here, tmp_path)
        DeadNode(here, age_ms=OLD_MS).dies()
        here.exchange.account.positions[BTC].quantity = 25  # 0.025 that no trade has made
        for dry in (True, False):
            refused = await done(target, dry=dry)
            assert refused.exit_code == 4
            assert 'python -m runners.recover --account test --accept BTCUSDT=0.025 --reason "…"' in refused.verdict
        wrong = await done(target, "BTCUSDT=0.020", reason="a guess")
        assert (wrong.exit_code, "accepted was 0.020, which it is not" in wrong.verdict) == (4, True)
        right = await done(target, "BTCUSDT=0.025", reason="moved by support")
        assert right.exit_code == 0, right.verdict
        assert here.file.net == {BTC: D("0.025")}
        assert ("8.differs_accepted", "Accept") in here.actions()
        assert (await done(target)).exit_code == 0

    told(tmp_path, story)


@pytest.mark.req("O-9")
def test_a_second_node_is_exit_code_7_and_a_running_one_is_not_disturbed(tmp_path: Path) -> None:
    async def story(here: World) -> None:
        target = target_of(here, tmp_path)
        DeadNode(here, age_ms=OLD_MS).dies()
        with StateFolder(target.state, "test").lock(identity_of(target), here.server.url):
            with pytest.raises(SafetyRefusal, match="is traded by another node"):
                await done(target)
            assert (await done(target, dry=True)).exit_code == 0

        another = asyncio.create_task(placed_after_a_look(here, "t1yyyyyy000001"))
        split = await done(target)
        await another
        assert (split.exit_code, "nothing was touched" in split.verdict) == (7, True)
        assert len(here.exchange.desk.open_orders()) == 1

    told(tmp_path, story)


@pytest.mark.parametrize(
    ("texts", "reason", "sentence"),
    [
        (["BTCUSDT"], "x", "--accept BTCUSDT is not of the form SYMBOL=QTY"),
        (["BTCUSDT=much"], "x", "--accept BTCUSDT=much is not of the form"),
        (["BTCUSDT=NaN"], "x", "is not of the form"),
        (["BTCUSDT=1"], None, "--accept takes --reason"),
        (["BTCUSDT=1"], "  ", "--accept takes --reason"),
        ([], "x", "give --accept SYMBOL=QTY with it"),
    ],
)
def test_a_wrong_acceptance_is_one_sentence(texts: list[str], reason: str | None, sentence: str) -> None:
    with pytest.raises(UsageError, match=sentence) as caught:
        accepted_of(texts, reason, "ann")
    assert caught.value.exit_code == 2


def test_symbols_may_be_written_as_instruments(tmp_path: Path) -> None:
    found = accepted_of(["btcusdt-perp.binance=-0.5"], "seen", "ann")
    assert (found["BTCUSDT"].quantity, found["BTCUSDT"].reason) == (D("-0.5"), "seen (ann)")


def test_an_alias_that_was_never_started_has_nothing_to_recover(tmp_path: Path) -> None:
    path = tmp_path / "live.yaml"
    path.write_text(CONFIG.format(url="http://127.0.0.1:9", folder=tmp_path.as_posix()), encoding="utf-8")
    result = CliRunner().invoke(app, [str(path), "--dry-run"])
    assert isinstance(result.exception, UsageError)
    assert "test was never started from here" in str(result.exception)
