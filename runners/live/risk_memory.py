"""R-1, R-3, R-9: what risk remembers across restarts: the day's loss, peak, streak and pause, cool-downs and cancel ratios."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from decimal import Decimal, InvalidOperation
from typing import Any, Protocol

from errors import SafetyRefusal
from execution.safety.client import SafetyClient
from execution.safety.rows import IncomeRow
from risk.halts import Halted, Halts
from risk.loss import NS_PER_DAY, LossState
from risk.throttles import Throttles

LOSSES, THROTTLES = "losses", "throttles"
KEEP_SECS = 1.0
THROTTLES_EVERY_NS = 5_000_000_000
"""Between two looks at the throttles, whose windows may hold many instants."""
TRANSFERS = frozenset({"TRANSFER", "INTERNAL_TRANSFER", "CROSS_COLLATERAL_TRANSFER", "COIN_SWAP_DEPOSIT", "COIN_SWAP_WITHDRAW",
                       "STRATEGY_UMFUTURES_TRANSFER", "WELCOME_BONUS"})  # fmt: skip
"""Kinds of income that are neither profit nor loss."""
NS_PER_MS = 1_000_000


class Remembers(Protocol):
    """Where states are kept; see `execution.journal_live.LiveJournal`."""

    def save_risk_state(self, ts_ns: int, name: str, value: dict[str, Any]) -> None:
        """Keep a state."""

    def risk_state(self, name: str) -> tuple[int, dict[str, Any]] | None:
        """When it was kept last, and what it was."""


class RiskMemory:
    """Of one account.

    Parameters
    ----------
    journal
        Where states are kept.
    halts
        Its loss ledger is restored at once.

    Attributes
    ----------
    kept_ns
        When the losses were last kept before this session; None at the first start.

    Raises
    ------
    SafetyRefusal
        When what is kept cannot be read.
    """

    def __init__(self, journal: Remembers, halts: Halts) -> None:
        self._journal, self._halts = journal, halts
        self._throttles: Throttles | None = None
        self._losses: LossState | None = None
        self._limits: dict[str, Any] | None = None
        self._looked_ns = 0
        self.kept_ns: int | None = None
        found = journal.risk_state(LOSSES)
        if found is not None:
            self.kept_ns = found[0]
            halts.losses.state = _losses(found[1])

    def attach(self, throttles: Throttles) -> None:
        """Restore the throttles, and keep both from now on whenever entries are shut."""
        self._throttles = throttles
        found = self._journal.risk_state(THROTTLES)
        if found is not None:
            throttles.restore(found[1])
        tell = self._halts.tell

        def told(halted: Halted) -> None:
            tell(halted)
            self.keep(halted.ts_ns)

        self._halts.tell = told

    def resume(self, ts_ns: int, equity: Decimal, rows: Iterable[IncomeRow]) -> str | None:
        """Take the first reading of equity, and what the wallet has seen while nobody looked.

        Parameters
        ----------
        ts_ns, equity
            Venue time; settlement currency.
        rows
            Changes of the wallet since `since_ms`.

        Returns
        -------
        str or None
            What a person should know.
        """
        if self.kept_ns is None or self._halts.losses.state.day < 0:  # kept before the first reading of equity
            return None
        losses, day = self._halts.losses, ts_ns // NS_PER_DAY
        before, midnight_ms = losses.state, day * NS_PER_DAY // NS_PER_MS
        changes = list(rows)
        moved = sum(
            (row.amount for row in changes if _moved(row) and row.time_ms * NS_PER_MS > self.kept_ns), Decimal(0)
        )
        if moved:
            losses.transfer(moved)
        booked = sum((row.amount for row in changes if not _moved(row) and row.time_ms >= midnight_ms), Decimal(0))
        losses.resume(ts_ns, equity, booked)
        self.keep(ts_ns)
        state = losses.state
        if state.day == before.day:
            loss = state.day_start - equity
            return f"the day goes on: started with {state.day_start:.2f}, {'lost' if loss > 0 else 'gained'} {abs(loss):.2f} so far"
        return (
            f"a new day began while the node was down: its start is estimated at {state.day_start:.2f} (now {equity:.2f}, booked "
            f"since midnight {booked:+.2f}, the day before began with {before.day_start:.2f}), the smaller headroom counts"
        )

    def since_ms(self, ts_ns: int) -> int | None:
        """From when on the changes of the wallet matter to `resume`; None where they do not."""
        if self.kept_ns is None:
            return None
        midnight_ns = ts_ns // NS_PER_DAY * NS_PER_DAY
        return min(self.kept_ns, midnight_ns) // NS_PER_MS

    def keep(self, ts_ns: int) -> None:
        """Keep what has changed."""
        state = self._halts.losses.state
        if state != self._losses:
            self._journal.save_risk_state(ts_ns, LOSSES, state.to_json())
            self._losses = state
        if self._throttles is None or abs(ts_ns - self._looked_ns) < THROTTLES_EVERY_NS:
            return
        throttles, self._looked_ns = self._throttles.state(ts_ns), ts_ns
        if throttles != self._limits:
            self._journal.save_risk_state(ts_ns, THROTTLES, throttles)
            self._limits = throttles

    async def watch(self, now_ns: Callable[[], int], over: Callable[[], bool]) -> None:
        """Keep it each second until the session is over."""
        while not over():
            self.keep(now_ns())
            await asyncio.sleep(KEEP_SECS)


async def wallet_changes(client: SafetyClient, since_ms: int | None) -> list[IncomeRow]:
    """Changes of the wallet since a time; none where nobody needs them.

    Raises
    ------
    VenueError
        When the venue does not answer.
    """
    return [] if since_ms is None else await client.income_since(since_ms)


def _moved(row: IncomeRow) -> bool:
    return row.kind in TRANSFERS


def _losses(row: dict[str, Any]) -> LossState:
    try:
        return LossState.from_json(row)
    except (KeyError, TypeError, InvalidOperation) as error:
        raise SafetyRefusal(
            f"the loss ledger in the journal cannot be read ({error!r}): look at it with python -m runners.journal show."
        ) from error
