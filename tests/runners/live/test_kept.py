"""What a session keeps: its recording is ingested like any other, and its tape decides the same again."""

from __future__ import annotations

import json
import os
import signal
from pathlib import Path
from typing import Any

import pytest
import yaml
from filelock import FileLock

from adapters.simulated_binance.server import Server
from catalog.store import Catalog
from runners import ingest, parity
from runners._cli import run
from runners.config import Trust
from runners.tapes.loading import config_of, open_tape, play
from runners.tapes.market import market_of, read_market
from runners.tapes.score import Score
from tests.runners.live.support import LIVELY, Node, lively, running, told, written

ANY = Trust(everything=True)
KEPT = 40


def kept(folder: Path) -> tuple[str, str]:
    """Option that records into a folder, and so tapes."""
    return "--set", f"data.record={(folder / 'recordings').as_posix()}"


def scored(tape: Path, *settings: str) -> Score:
    """Play a tape."""
    opened = open_tape(tape)
    return play(opened, config_of(opened, settings, ANY), ANY)


def exit_code(app: Any, *arguments: str) -> int:
    """Run a command in this process."""
    with pytest.raises(SystemExit) as ended:
        run(app, list(arguments))
    return int(ended.value.code or 0)


def ordered(server: Server, count: int) -> bool:
    """Whether we have sent so many orders."""
    return len(server.venue.exchange.desk.orders) >= count


def filled(server: Server, count: int) -> bool:
    """Whether our orders have had so many fills."""
    return len(server.venue.exchange.desk.fills) >= count


@pytest.mark.req("L-2", "D-7")
def test_a_session_decides_the_same_again_and_its_recording_is_the_market_that_it_saw(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    async def story(server: Server) -> None:
        config = written(tmp_path, server.url, on_stop="flatten", params={"hold_secs": 0.7, "patience_secs": 1.5})
        async with running(config, *kept(tmp_path)) as node:
            await node.until(lambda: filled(server, 5) and ordered(server, 4), "five fills of four orders")
            node.interrupt()
            assert await node.ended() == 5, node.story
        assert "data.record" not in node.said("notice")[0]["text"]
        checked(node, tmp_path / "recordings")
        assert exit_code(parity.app, str(node.directory), "--trust-code") == 0
        assert (
            exit_code(parity.app, str(node.directory), "--trust-code", "--set", "strategies.0.params.size=0.299") == 1
        )

    told(story)
    printed = capsys.readouterr().out
    assert "size: 0.3 in the session, 0.299 in the replay" in printed


def checked(node: Node, folder: Path) -> None:
    """Hold tape, recording and the session's own tables against each other."""
    tape = node.directory / "decisions.tape.gz"
    score = scored(tape)
    assert (score.same, score.first, dict(score.unplayable), score.cut) == (score.decisions, None, {}, False)
    assert score.kinds["submit_order"] >= 4
    assert score.kinds["act"] >= 4
    assert score.handed["on_start"] == len(config_of(open_tape(tape), (), ANY).strategies)
    market = market_of(tape, read_market(folder))
    assert (market.differing, market.missing) == ([], 0)
    assert market.equal > KEPT
    (recording,) = folder.glob("*.gz")
    catalog = folder.parent / "catalog"
    assert (
        exit_code(
            ingest.app,
            "recording",
            str(recording),
            "--market",
            "usdm",
            "--symbol",
            "BTCUSDT",
            "--catalog",
            str(catalog),
        )
        == 0
    )
    (certificate,) = Catalog(catalog).certificates("BTCUSDT-PERP.BINANCE")
    assert certificate.measures.gaps == 0


@pytest.mark.req("D-7")
def test_a_recorder_that_fails_is_told_once_and_a_shadow_goes_on_and_a_killed_one_leaves_a_tape(tmp_path: Path) -> None:
    async def story(server: Server) -> None:
        config = written(tmp_path, server.url, params={"hold_secs": 0.7})
        folder = tmp_path / "recordings"
        folder.mkdir()
        with FileLock(folder / ".binance_usdm_btcusdt.lock"):  # somebody else records there
            async with running(config, *kept(tmp_path), "--set", "mode=shadow") as node:
                await node.until(lambda: any(line["orders"] >= 2 for line in node.said("status")), "two orders")
                (tape,) = (tmp_path / "state" / "test.shadow" / "tapes").glob("*.tape.gz")
                for _ in range(2):  # of what is appended now, the second part was taken from memory after those two
                    size = tape.stat().st_size
                    await node.until(lambda: tape.stat().st_size > size, "the next second on the disk")  # noqa: B023
                node.process.send_signal(signal.SIGKILL if os.name != "nt" else signal.SIGTERM)
                await node.ended()
        failures = [line["text"] for line in node.said("warning") if "recording failed" in line["text"]]
        assert len(failures) == 1
        assert "is being recorded into" in failures[0]
        score = scored(tape)
        assert score.cut
        assert (score.same, score.first) == (score.decisions, None)
        assert score.kinds["submit_order"] >= 2

    told(story)


@pytest.mark.soak
@pytest.mark.req("L-2", "D-7")
def test_order_flow_and_quotes_with_partial_fills_cancels_and_rejects_decide_the_same_again(tmp_path: Path) -> None:
    rejects = {
        "name": "a fifth is refused",
        "when": {"request": "POST /fapi/v1/order", "probability": 0.2, "times": None},
        "do": [{"act": "answer", "status": 400, "code": -5022, "msg": "Post Only order will be rejected."}],
    }
    market = LIVELY | {"events_per_sec": 40, "trades_per_sec": 25}
    scenario = lively(symbols={"BTCUSDT": {"market": market}}, faults=[rejects])

    async def story(server: Server) -> None:
        config = written(tmp_path, server.url, on_stop="flatten")
        given = yaml.safe_load(config.read_text(encoding="utf-8"))
        given["strategies"] = TWO
        config.write_text(json.dumps(given), encoding="utf-8")
        async with running(config, *kept(tmp_path), "--stop-after", "60") as node:
            assert await node.ended() == 0, node.story
        checked(node, tmp_path / "recordings")

    told(story, scenario)


WAIVED = {"entry_order": "post_only", "edge": {"waived": "a test"}}
TWO = [
    {
        "id": "flow-1", "order_id_tag": "001", "class": "strategies.order_flow:OrderFlow", "policy": WAIVED,
        "params": {
            "imbalance_entry": 0.05, "imbalance_exit": 0.3, "entry_offset_ticks": 0, "order_notional_quote": 15_000,
            "min_hold_secs": 1, "max_hold_secs": 4, "retry_secs": 0.5, "entry_timeout_secs": 2,
        },
    },
    {
        "id": "quote-1", "order_id_tag": "002", "class": "strategies.avellaneda_stoikov:AvellanedaStoikov",
        "policy": WAIVED | {"max_open_entries": 2},
        "params": {
            "order_notional_quote": 15_000, "min_edge_bps": 0, "requote_ticks": 5, "decide_every_ms": 250,
            "max_half_spread_bps": 0.2, "risk_aversion": 0.1,
        },
    },
]  # fmt: skip
