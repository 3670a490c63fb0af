"""The audit inside a running node: a mode that changes mid-run, and a private stream that dies without a word."""

from __future__ import annotations

import signal
import sqlite3
from contextlib import closing
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from adapters.simulated_binance.server import Server
from tests.runners.live.support import AT_MARKET, PATIENT, Node, running, told, written
from tests.runners.live.test_stops import SILENT, armed, holds

pytestmark = pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="no SIGKILL on this system")


def audits(node: Node) -> list[dict[str, Any]]:
    """Alerts of the audit; others may have theirs about the same thing."""
    return [line for line in node.said("alert") if line["text"].startswith("audit: ")]


def phase(node: Node) -> str:
    """What the node is doing, by its last status line."""
    return str(node.said("status")[-1]["phase"])


@pytest.mark.req("L-6", "L-7")
def test_hedge_mode_that_comes_with_a_reconnect_shuts_entries_and_is_told_and_recorded(tmp_path: Path) -> None:
    async def story(server: Server) -> None:
        config = written(tmp_path, server.url, on_stop="keep", params={"hold_secs": 600, "size": 0.05})
        async with running(config, "--set", "safety.audit_interval_secs=3600", *AT_MARKET) as node:
            await node.until(holds(server), "a position, and no order that could fill while its stream is down")
            switched = {"act": "set_hedge_mode", "on": True}
            dropped = {"act": "close_sockets", "which": "user"}
            await armed(server, {"name": "a person", "when": {"at_secs": 0}, "do": [switched, dropped]})
            await node.until(lambda: bool(audits(node)), "the alert")
            await node.until(lambda: phase(node) == "halted", "shut entries")
            node.interrupt(signal.SIGKILL)
            await node.ended()
        (alert,) = audits(node)
        assert (alert["kind"], alert["journal"], alert["venue"]) == ("position mode", "one-way (configured)", "hedge")
        assert alert["text"].startswith("audit: position mode: journal one-way (configured), venue hedge; ")
        with closing(sqlite3.connect(tmp_path / "state" / "test" / "journal.sqlite")) as db:
            rows = db.execute("SELECT kind, name, level, detail FROM risk_events ORDER BY risk_event_id").fetchall()
        assert ("audit", "position_mode", "hard", alert["text"]) in rows
        assert any(row[0] == "halt" for row in rows)

    told(story)


@pytest.mark.req("L-7")
def test_a_private_stream_that_dies_without_a_word_is_noticed_within_ten_seconds_of_an_order(tmp_path: Path) -> None:
    async def story(server: Server) -> None:
        config = written(tmp_path, server.url, on_stop="flatten", params={"hold_secs": 2, "size": 0.05})
        patient = ("--set", "execution.ack_timeout_ms=60000")  # however long a session waits for answers
        async with running(config, *patient, *AT_MARKET, program=PATIENT) as node:
            await node.until(holds(server), "a position, and no order but its exit of which nothing could be told")
            await armed(server, {"name": "deleted", "when": {"at_secs": 0}, "do": [SILENT | {"which": "user"}]})
            since = server.venue.ledger.of("fault")[-1]["ts_ns"]
            await node.until(lambda: bool(node.said("stopping")), "the stop")
            node.interrupt(signal.SIGKILL)
            await node.ended()
        why = node.said("stopping")[0]
        assert "the private stream is silent: order t1" in why["text"]
        heard = datetime.fromisoformat(why["time"]).timestamp()
        unheard = [row for row in server.venue.ledger.of("order") if row["step"] == "NEW" and row["ts_ns"] > since]
        assert heard - int(str(unheard[0]["ts_ns"])) / 1e9 < 10

    told(story)
