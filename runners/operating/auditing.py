"""`audit`: the journal on disk against the account, whether a node runs or not. Nothing is changed."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.markup import escape
from rich.table import Table

from errors import RunFailed, SafetyRefusal
from execution.audit.books import books_of_file
from execution.audit.compare import compare
from execution.audit.confirm import APART_SECS, Confirming
from execution.audit.differences import Difference
from execution.audit.figures import Account, Books, Expected, plain
from execution.journal_read import JournalState, read_journal
from execution.safety.failures import VenueError
from runners.live.auditing import AccountLook, expected_settings
from runners.operating.entering import Entered, client_of, enter
from runners.operating.patience import Patience, Say
from runners.operating.reach import Target

DAY_MS = 86_400_000
LONGEST_DAYS = 7
PATIENCE_SECS = 30.0
SHOWN = 20
DIFFERS = 4
"""Exit code: an unexplained mismatch (`commands.md`)."""


@dataclass(frozen=True, slots=True)
class Audited:
    """What an audit found.

    Attributes
    ----------
    alias, environment, account
        Whose.
    since_ms
        Fills and payments from then on were compared one by one; positions over the whole journal.
    differences
        Confirmed by two looks.
    passing
        Seen by the first look only: it was in flight.
    compared
        Counts and figures of what agrees, in words.
    """

    alias: str
    environment: str
    account: str
    since_ms: int
    differences: tuple[Difference, ...]
    passing: int
    compared: str

    @property
    def exit_code(self) -> int:
        """0 where journal and account agree."""
        return DIFFERS if self.differences else 0

    @property
    def verdict(self) -> str:
        """The last sentence."""
        if self.differences:
            many = len(self.differences)
            return (
                f"DIFFERENT: {many} difference{'s' if many > 1 else ''} between journal and account, seen by two looks"
            )
        passing = f" ({self.passing} were in flight at the first look)" if self.passing else ""
        return f"journal and account agree: {self.compared}{passing}"


async def audit(
    target: Target, days: float | None, say: Say, environ: Mapping[str, str], dot_env: Path,
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
) -> Audited:  # fmt: skip
    """Audit one account.

    Parameters
    ----------
    target
        Whose.
    days
        How far back fills are compared one by one; None: to the start of the last session.
    say, environ, dot_env, sleep
        Where waits are told; where the keys may stand; lets time pass.

    Raises
    ------
    DataError
        When there is no journal.
    SafetyRefusal
        When the journal is another account's or cannot be read, or the key is.
    RunFailed
        When the venue does not answer.
    """
    state = read_journal(target.journal)
    client, keys, place = client_of(target, environ, dot_env)
    async with client:
        patience = Patience(client.budget, PATIENCE_SECS, say)
        try:
            entered = await enter(target, client, keys, place, patience.insist)
            _check_owner(state, target, entered)
            since_ms = _since(state, days, client.clock.ms())
            return await _Auditing(target, entered, patience, since_ms).run(sleep)
        except VenueError as error:
            raise RunFailed(f"{place.rest_host} does not answer: {error}.") from error


class _Auditing:
    """Looks at one account twice."""

    def __init__(self, target: Target, entered: Entered, patience: Patience, since_ms: int) -> None:
        self._target, self._entered, self._patience, self._since_ms = target, entered, patience, since_ms
        self._look = AccountLook(entered.client, target.account.order_tag)
        account = target.account
        settings = expected_settings(account, target.symbols)
        self._expected = Expected(settings, target.symbols, account.foreign_orders)

    async def run(self, sleep: Callable[[float], Awaitable[None]]) -> Audited:
        """Look, and once more where something differs."""
        confirming = Confirming()
        books, account = await self._patience.insist(self._once)
        first = compare(books, account, self._expected)
        confirmed: list[Difference] = []
        if first:
            confirming.take(first, time.monotonic())
            await sleep(APART_SECS + 0.05)
            began = time.monotonic()
            books, account = await self._patience.insist(self._once)
            confirmed = confirming.take(compare(books, account, self._expected), began)
        identity = self._entered.identity
        return Audited(
            self._target.account.alias, identity.environment, identity.account_id, self._since_ms, tuple(confirmed),
            len(first) - len(confirmed) if not confirmed else 0, _compared(books, account),
        )  # fmt: skip

    async def _once(self) -> tuple[Books, Account]:
        """Read the file right before and right after the look: what it booked meanwhile counts."""
        before = self._books()
        names = {*self._target.symbols, *before.net, *(trade.symbol for trade in before.trades.values())}
        account = await self._look.take(before, names, trades_from_ms=self._since_ms, whole=True, settings=True)
        return self._books(), account

    def _books(self) -> Books:
        return books_of_file(read_journal(self._target.journal), since_ms=self._since_ms)


def _check_owner(state: JournalState, target: Target, entered: Entered) -> None:
    owner, now = state.account, entered.identity
    if owner is not None and (owner.account_id, owner.environment) != (now.account_id, now.environment):
        raise SafetyRefusal(
            f"journal {target.journal} is of account {owner.account_id} in {owner.environment}, this is {now.account_id} in "
            f"{now.environment}: name the configuration or the alias of that account."
        )


def _since(state: JournalState, days: float | None, now_ms: int) -> int:
    """Beginning of the last session, or so many days back; never before the journal itself begins."""
    oldest = now_ms - LONGEST_DAYS * DAY_MS
    if not state.runs:
        return max(oldest, now_ms - DAY_MS)
    first, last = state.runs[0].started_ns // 1_000_000, state.runs[-1].started_ns // 1_000_000
    return max(oldest, last if days is None else max(first, now_ms - round(days * DAY_MS)))


def _compared(books: Books, account: Account) -> str:
    held = (
        ", ".join(f"{symbol} {plain(amount)}" for symbol, amount in sorted((account.positions or {}).items())) or "flat"
    )
    money = "" if books.anchor is None or account.wallet is None else f", wallet {plain(account.wallet)}"
    unread = ", no reading of the wallet in the journal" if books.anchor is None else ""
    return f"{len(account.open_orders or ())} open orders, {len(account.trades or {})} fills, {held}{money}{unread}"


def table(found: Audited) -> Table:
    """One row per difference."""
    made = Table("what", "where", "journal", "venue", "would mean", title="differences", title_justify="left")
    for one in found.differences[:SHOWN]:
        where = " ".join(part for part in (one.symbol, one.key) if part)
        made.add_row(*(escape(cell) for cell in (str(one.kind), where, one.journal, one.venue, one.meaning)))
    if len(found.differences) > SHOWN:
        made.caption = f"… and {len(found.differences) - SHOWN} more (--json shows all)"
    return made


def as_json(found: Audited) -> dict[str, Any]:
    """For a script."""
    rows = [
        {"kind": str(one.kind), "symbol": one.symbol, "key": one.key, "journal": one.journal, "venue": one.venue,
         "meaning": one.meaning, "shuts": one.shuts}
        for one in found.differences
    ]  # fmt: skip
    return {
        "alias": found.alias, "environment": found.environment, "account": found.account, "since_ms": found.since_ms,
        "differences": rows, "verdict": found.verdict, "exit_code": found.exit_code,
    }  # fmt: skip
