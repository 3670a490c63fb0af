"""A live node as its user starts it: the command in a process of its own, its JSON lines read here."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

from adapters.simulated_binance.server import Server
from adapters.simulated_binance.settings import Scenario
from adapters.simulated_binance.venue import Venue

ROOT = Path(__file__).resolve().parents[3]
PATIENCE_SECS = 90.0
"""For anything that must happen at last."""
RESTING = {"offset_ticks": 80, "patience_secs": 600}
"""Parameters of a seesaw whose order stays in the book: a random walk of a tick now and then comes 8 ticks down, and not 80."""
AT_MARKET = ("--set", "strategies.0.policy.entry_order=market")
"""For tests of what becomes of a position: it is whole at once, however far the market walks away from a resting order."""
PATIENT = """
import sys
from runners.live import strangers
from runners._cli import run
from runners.live.__main__ import app
strangers.PATIENCE_SECS = 30.0
run(app, prog="live")
"""
"""The command, with more patience for the answer to whose trade it was: the venue is this process, which may wait for a core."""
FALSE = {"act": "answer", "status": 400, "code": -1000, "execute": True}
"""Executed, though the answer says that it failed: the engine takes the order for rejected."""
ANSWER_FIRST = {
    "name": "the user stream is behind", "when": {"event": "user/ORDER_TRADE_UPDATE/NEW"}, "do": [{"act": "stall", "secs": 10}],
}  # fmt: skip
"""With `FALSE`: a node that waits for a core may otherwise hear of the order before it hears the answer, and believes the order."""
FALL = {
    "name": "it fills at once", "when": {"order": "NEW"}, "do": [{"act": "gap_price", "symbol": "BTCUSDT", "bps": "-20"}],
}  # fmt: skip
LIVELY = {"kind": "synthetic", "mid": "60000", "levels": 10, "level_quantity": "0.2", "trades_per_sec": 15}
"""Thin levels and many prints: an order of 0.3 fills in parts."""

CONFIG = """\
version: 1
mode: testnet
name: seesaw
instruments: [BTCUSDT-PERP.BINANCE]
account: {{alias: test, environment: local, url: "{url}", order_tag: t1, leverage: 20}}
data: {{warmup_secs: 0}}
fees: {{maker_bps: 2.0, taker_bps: 5.0}}
execution:
  on_start: {{positions: {on_start}}}
  on_stop: {{positions: {on_stop}, patience_secs: 6}}
safety: {{state_dir: "{folder}/state", deadman: {{countdown_secs: 5, refresh_secs: 1.25}}}}
strategies:
  - id: seesaw-1
    order_id_tag: "001"
    class: tests.runners.live.seesaw:Seesaw
    params: {params}
    policy: {{edge: {{waived: "a test"}}}}
risk:
  max_order_notional_quote: 50000
  max_position_notional_quote: 60000
  max_gross_leverage: 20
  max_daily_loss_quote: 100000
  max_drawdown_pct: 90
  breakers: {{feed_age_ms: null, latency_mads: null, clock_step_ms: null, book_stale_ms: null, feed_silence_ms: null}}
output: "{folder}/runs"
"""


def lively(**changes: Any) -> Scenario:
    """A scenario in which a seesaw gets its fills."""
    return Scenario.model_validate({"seed": 3, "symbols": {"BTCUSDT": {"market": LIVELY}}} | changes)


def written(
    folder: Path, url: str, *, on_start: str = "close", on_stop: str = "keep", params: dict[str, Any] | None = None
) -> Path:
    """Write a live file."""
    path = folder / "live.yaml"
    text = CONFIG.format(
        url=url, folder=folder.as_posix(), on_start=on_start, on_stop=on_stop, params=json.dumps(params or {})
    )
    path.write_text(text, encoding="utf-8")
    return path


class Node:
    """A running command.

    Attributes
    ----------
    lines
        What it has said so far.
    """

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self.process = process
        self.lines: list[dict[str, Any]] = []
        self.errors = ""
        self._reading = asyncio.create_task(self._read())

    async def _read(self) -> None:
        assert self.process.stdout is not None
        assert self.process.stderr is not None
        errors = asyncio.create_task(
            self.process.stderr.read()
        )  # beside it: a full pipe would hold the engine's log up
        async for raw in self.process.stdout:
            self.lines.append(json.loads(raw))
        self.errors = (await errors).decode()

    def said(self, event: str) -> list[dict[str, Any]]:
        """Lines of one kind."""
        return [line for line in self.lines if line["event"] == event]

    async def until(self, truth: Callable[[], bool], what: str) -> None:
        """Wait until something is true, while the node runs."""

        async def wait() -> None:
            while not truth():
                assert self.process.returncode is None, f"ended before {what}: {self.lines} {self.errors}"
                await asyncio.sleep(0.05)

        try:
            await asyncio.wait_for(wait(), PATIENCE_SECS)
        except TimeoutError:
            raise AssertionError(f"{what} did not happen: {self.lines[-5:]}") from None

    async def ended(self) -> int:
        """Wait for the end; return the exit code."""
        code = await asyncio.wait_for(self.process.wait(), PATIENCE_SECS)
        await self._reading
        return code

    def interrupt(self, number: int = signal.SIGINT) -> None:
        """Send a signal; one that has ended by now hears nothing, and its exit code tells."""
        with suppress(ProcessLookupError):
            self.process.send_signal(number)

    @property
    def story(self) -> str:
        """What it said but for the status, for a failed test."""
        told = [f"{line['event']}: {line['text']}" for line in self.lines if "text" in line]
        return "\n".join([*told, self.errors])

    @property
    def directory(self) -> Path:
        """The session's directory."""
        ended = self.said("ended")
        assert ended, f"no directory was written:\n{self.story}"
        return Path(ended[-1]["path"])


@asynccontextmanager
async def running(
    config: Path, *options: str, env: dict[str, str] | None = None, program: str = ""
) -> AsyncIterator[Node]:
    """Start the command, or a program that is the command with something changed; what still runs at the end is killed."""
    made = ("-c", program) if program else ("-m", "runners.live")
    command = [sys.executable, *made, str(config), "--trust-code", "--json", *options]
    process = await asyncio.create_subprocess_exec(
        *command, cwd=ROOT, env=env or dict(os.environ), stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
        limit=2**20,
    )  # fmt: skip
    node = Node(process)
    try:
        yield node
    finally:
        if process.returncode is None:
            process.kill()
        await node.ended()


def told(story: Callable[[Server], Awaitable[None]], scenario: Scenario | None = None) -> None:
    """Run a story against a served venue."""

    async def whole() -> None:
        async with Server(Venue(scenario or lively())) as server:
            await story(server)

    asyncio.run(asyncio.wait_for(whole(), 3 * PATIENCE_SECS))
