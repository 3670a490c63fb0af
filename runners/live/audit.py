"""L-7: the audit as a timer of the node: journal against account, and how the account is set (L-6), also after every reconnect.

A difference counts when two looks have seen it. It is told on the screen, recorded as a risk event, and by
`safety.on_audit_difference` shuts entries or trips the kill switch. Money that differs is told and shuts nothing. An order of which
the private stream tells nothing is asked about within seconds, however long `execution.ack_timeout_ms` is.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from execution.audit.books import books_of_session
from execution.audit.compare import compare
from execution.audit.confirm import APART_SECS, Confirming
from execution.audit.differences import SETTINGS, Difference, Kind
from execution.audit.figures import ZERO, Account, Anchor, Books, Expected, IncomeFigures, IncomeKey
from execution.audit.settings import on_settings
from execution.journal import MemoryJournal
from execution.journal_live import LiveJournal
from execution.safety.failures import VenueError
from runners.live.auditing import AccountLook
from runners.live.unheard import Unheard

EVERY_SECS = 1.0
WHOLE_SECS = 60.0
"""Between two looks at everything; those between ask for orders, trades and positions of our symbols only."""
OVERLAP_MS = 120_000
"""What a clean look has seen is compared again for so long: lists may lag."""
FIRST_SECS, RETRY_SECS = 5.0, 5.0
MOST_REPEATS = 2
"""Looks in a row that follow a doubtful one at once; where something always travels, the next audit sees on."""
FAILURES = 3
"""Audits in a row that the venue did not answer, after which it is told."""
USUAL = frozenset({"FUNDING_FEE"})
UNHEARD_SECS = 5.0
"""An order or cancel without any answer is asked about after this: with the answer it makes less than ten seconds (L-7)."""


@dataclass(frozen=True, slots=True)
class AuditPlan:
    """What an audit needs to know.

    Attributes
    ----------
    instrument_ids, symbols
        Of the configuration.
    anchor
        Wallet when the session began.
    expected
        How the account is to be.
    interval_secs
        Between two audits.
    """

    instrument_ids: tuple[str, ...]
    symbols: tuple[str, ...]
    anchor: Anchor
    expected: Expected
    interval_secs: float


class Audit:
    """Audits one session.

    Parameters
    ----------
    account, journal, plan
        Asked; held against it; see `AuditPlan`.
    alert, note
        Told of each confirmed difference, once as long as it stands; told everything else.
    query
        Asks the venue about an order of which nothing was heard.
    reconnects
        How many streams have reconnected since it was last asked.
    monotonic
        Clock, seconds.
    """

    def __init__(
        self, account: AccountLook, journal: MemoryJournal, plan: AuditPlan, *, alert: Callable[[Difference], None],
        note: Callable[[str], None], query: Callable[[str], None], reconnects: Callable[[], int],
        monotonic: Callable[[], float] = time.monotonic, now_ns: Callable[[], int] = time.time_ns,
    ) -> None:  # fmt: skip
        self._account, self._journal, self._plan = account, journal, plan
        self._alert, self._note, self._query, self._reconnects = alert, note, query, reconnects
        self._monotonic, self._now_ns = monotonic, now_ns
        self._confirming, self._told = Confirming(), set[tuple[str, str, str, str]]()
        self._incomes: dict[IncomeKey, IncomeFigures] = {}
        self._anchor, self._since_ms = plan.anchor, plan.anchor.ts_ms
        self._whole, self._whole_at = True, -WHOLE_SECS
        self._due, self._repeats = monotonic() + min(plan.interval_secs, FIRST_SECS), 0
        self._failed, self._settings_due = 0, False
        self._unheard = Unheard(UNHEARD_SECS)

    async def watch(self, runs: Callable[[], bool], over: Callable[[], bool]) -> None:
        """Audit until the session is over; `runs` is False while the engine is not ready."""
        while not over():
            if runs():
                await self.beat()
            await asyncio.sleep(EVERY_SECS)

    async def beat(self) -> None:
        """Once a second: orders without an answer, reconnects, and the audit when it is due."""
        self._ask_unheard()
        self._settings_due = bool(self._reconnects()) or self._settings_due
        if self._monotonic() >= self._due:
            await self.audit()
        elif self._settings_due:
            await self.reread()

    def _ask_unheard(self) -> None:
        for name in self._unheard.look(self._journal, self._now_ns()):
            self._query(name)

    async def reread(self) -> None:
        """Ask how the account is set; one look suffices, since nothing of it travels."""
        try:
            now = await self._account.settings(self._plan.symbols)
        except VenueError:
            return  # asked again with the next beat
        self._settings_due = False
        self._tell(list(on_settings(Account(0, settings=now), self._plan.expected)))

    async def audit(self) -> None:
        """Look once, and tell what an earlier look has seen as well."""
        began = self._monotonic()
        if not self._repeats:
            self._whole = began - self._whole_at >= WHOLE_SECS
        try:
            found = await self._look()
        except VenueError as error:
            self._fail(error, began)
            return
        confirmed = self._confirming.take(found, began)
        self._tell([*confirmed, *(one for one in found if one.kind in SETTINGS)])
        self._failed = 0
        self._whole_at = began if self._whole else self._whole_at
        doubtful = len(found) > len(confirmed) and self._repeats < MOST_REPEATS
        self._repeats = self._repeats + 1 if doubtful else 0
        self._due = began + (APART_SECS if doubtful else self._plan.interval_secs)

    async def _look(self) -> list[Difference]:
        plan = self._plan
        before = self._books()
        account = await self._account.take(
            before, plan.symbols, trades_from_ms=self._since_ms, whole=self._whole, settings=self._whole
        )
        self._book(account)
        self._settings_due = self._settings_due and not self._whole
        now = self._books()
        found = [
            one
            for one in compare(now, account, plan.expected)
            if one.kind is not Kind.POSITION or stood(now, before, one)
        ]
        if not found:
            self._advance(account)
        return found

    def _books(self) -> Books:
        return books_of_session(
            self._journal, self._plan.instrument_ids, self._anchor, self._incomes, since_ms=self._since_ms
        )  # fmt: skip

    def _book(self, account: Account) -> None:
        """Take over funding, of which nobody else tells a running session; anything else that moves money is told first."""
        for one in account.incomes or ():
            if one.kind in USUAL and one.key not in self._incomes:
                self._take(one)
                self._note(f"{one.kind} of {one.symbol or 'the account'}: {one}")

    def _take(self, one: IncomeFigures) -> None:
        self._incomes[one.key] = one
        if isinstance(self._journal, LiveJournal):
            self._journal.income(one.kind, one.transaction_id, one.symbol, one.asset, one.amount, one.ts_ms)

    def _advance(self, account: Account) -> None:
        """All is well: what is older need not be compared again."""
        until = account.now_ms - OVERLAP_MS
        self._since_ms = max(self._since_ms, until)
        if account.incomes is not None and until > self._anchor.ts_ms:
            rows = (one.amount for one in account.incomes if self._anchor.ts_ms < one.ts_ms <= until)
            self._anchor = Anchor(self._anchor.amount + sum(rows, ZERO), until)
        if self._whole and self._told:
            self._told.clear()
            self._note("audit: journal and account agree again")

    def _tell(self, differences: Sequence[Difference]) -> None:
        for one in differences:
            if one.identity not in self._told:
                self._told.add(one.identity)
                self._alert(one)

    def _fail(self, error: VenueError, began: float) -> None:
        self._failed += 1
        self._due = began + min(RETRY_SECS, self._plan.interval_secs)
        if self._failed == FAILURES:
            self._note(f"the audit could not be made {FAILURES} times in a row: {error}")


def stood(now: Books, before: Books, one: Difference) -> bool:
    """Whether a position stood still while the venue was asked: one that moves has both figures, and in a quick rhythm the same."""
    return now.net.get(one.symbol, ZERO) == before.net.get(one.symbol, ZERO)
