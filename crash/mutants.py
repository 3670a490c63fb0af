"""Ten planted bugs: production functions exchanged by name, in the process of one life.

Each is what a hurried programmer might have written; the matrix has to find every one of them (`docs/recovery.md` 11 f).
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Mapping
from contextlib import closing
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any

from crash.matrix import Cell, valid
from execution import journal_venue, journal_writes
from execution.journal import Fill, MemoryJournal
from execution.journal_handing import handed_of
from execution.journal_live import LiveJournal
from execution.recovery.actions import Action
from execution.recovery.model import JournalState, Policy
from execution.safety import endpoints, response_class, rows
from execution.safety.client import SafetyClient
from execution.safety.response_class import REJECTED
from execution.safety.rows import OrderRow
from risk.request import OrderRequest
from runners.live import doubts
from runners.live.account import Account, OpenOrder
from runners.live.carrying_out import Hands, _figures
from runners.live.recovering import Looker, Recovered, Recovery


@dataclass(frozen=True, slots=True)
class Mutant:
    """A planted bug.

    Attributes
    ----------
    name
        As `docs/recovery.md` 11 names it.
    plant
        Plants it in this process.
    cells
        Where it must be found, by the name of the cell; one is enough.
    """

    name: str
    plant: Callable[[], None]
    cells: tuple[str, ...]


def _exchange(owner: Any, name: str, new: Any) -> None:
    setattr(owner, name, new)


def _no_commit_before_send() -> None:
    """The row is queued with all others; the order leaves meanwhile."""

    def order(self: LiveJournal, request: OrderRequest, mid: float | None) -> None:
        handed = handed_of(request, self._venue_ms())
        self._writer.post(lambda db: journal_writes.order(db, self.run.run_id, request, mid, handed))
        MemoryJournal.order(self, request, mid)

    _exchange(LiveJournal, "order", order)


def _blind_resend() -> None:
    """What has no answer is sent again at the next start, with its own id."""
    real = Recovery.run

    async def run(self: Recovery) -> Recovered:
        looker, hands = self._looker, self.hands
        for row in looker.journal().orders if looker.checkpoint.verified_ms else ():
            if not row.is_over and not row.is_algo:
                params: dict[str, Any] = {
                    "symbol": row.symbol, "side": row.side, "quantity": row.quantity, "type": "MARKET",
                    "newClientOrderId": row.wire_id, "newOrderRespType": "RESULT",
                }  # fmt: skip
                await hands._account.client._ask(endpoints.PLACE_ORDER, rows.OrderRow, params)
        return await real(self)

    _exchange(Recovery, "run", run)


def _reject_on_1000() -> None:
    """-1000 is taken for a refusal."""
    real = response_class.classify_reject

    def classify_reject(reason: str) -> Any:
        found = real(reason)
        return REJECTED if "-1000" in reason else found

    _exchange(doubts, "classify_reject", classify_reject)


def _trust_local_canceled() -> None:
    """An order is over when its cancel is sent."""
    real = LiveJournal.cancel_sent

    def cancel_sent(self: LiveJournal, client_order_id: str) -> None:
        real(self, client_order_id)
        self.event(self._venue_ms() * 1_000_000, client_order_id, "OrderCanceled", "CANCELED")

    _exchange(LiveJournal, "cancel_sent", cancel_sent)


def _no_fence() -> None:
    """ "Not found" is believed at once."""
    _exchange(Policy, "fence_ms", property(lambda _self: 0))


def _dedupe_by_order_id() -> None:
    """A second fill of an order is taken for the first one told twice."""
    real = journal_writes.fill

    def fill(db: Any, run_id: str, told: Fill) -> bool:
        seen = db.execute("SELECT 1 FROM fills WHERE client_order_id = ?", (told.client_order_id,)).fetchone()
        return False if seen else real(db, run_id, told)

    _exchange(journal_writes, "fill", fill)


def _counter_without_epoch() -> None:
    """Ids are counted from 1 at each start."""
    _exchange(journal_venue, "free_epoch", lambda _db, _draw: 1)

    def draw_epoch(db: Any, run_id: str, purpose: str, ts_ns: int, _draw: Any) -> int:
        epoch = {"strategies": 1, "closes": 2}.get(purpose, 3)
        db.execute("INSERT OR IGNORE INTO epochs VALUES (?, ?, ?, ?)", (epoch, run_id, purpose, ts_ns))
        return epoch

    _exchange(journal_venue, "draw_epoch", draw_epoch)


def _cancel_only_configured_symbols() -> None:
    """What rests elsewhere is not seen."""
    real_journal, real_cancel = Looker.journal, Account.cancel

    def journal(self: Looker) -> JournalState:
        known, symbols = real_journal(self), self._policy.symbols
        return replace(known, orders=tuple(row for row in known.orders if row.symbol in symbols))

    async def cancel(self: Account, order: OpenOrder) -> None:
        if order.symbol in self.symbols:
            await real_cancel(self, order)

    _exchange(Looker, "journal", journal)
    _exchange(Account, "cancel", cancel)


def _flatten_without_reduce_only() -> None:
    """A position is closed with a plain market order."""

    async def reduce(
        self: SafetyClient, symbol: str, side: str, quantity: Decimal, wire: str, *, limit_price: Decimal | None = None
    ) -> OrderRow:
        params: dict[str, Any] = {"symbol": symbol, "side": side, "quantity": quantity, "type": "MARKET"}
        params |= {"newClientOrderId": wire, "newOrderRespType": "RESULT"}
        del limit_price
        return await self._ask(endpoints.PLACE_ORDER, rows.OrderRow, params)

    _exchange(SafetyClient, "reduce", reduce)


def _recovery_not_idempotent() -> None:
    """What stands among the actions is taken for done, though the crash may have come before it."""
    real = Hands.do

    async def do(self: Hands, action: Action) -> None:
        with closing(sqlite3.connect(self._journal.path)) as db:
            others = db.execute("SELECT figures FROM actions WHERE run_id != ?", (self._journal.run.run_id,)).fetchall()
        if _about(_figures(action)) in [_about(json.loads(row[0])) for row in others]:
            return
        await real(self, action)

    _exchange(Hands, "do", do)


def _about(figures: Mapping[str, Any]) -> str:
    return json.dumps({name: value for name, value in figures.items() if name != "alert"}, sort_keys=True, default=str)


_SENT = "bytes out, executed, no answer / K1 SIGKILL / "
MUTANTS: tuple[Mutant, ...] = (
    Mutant("no commit before send", _no_commit_before_send, ("row written, uncommitted / K1 SIGKILL / cancelled by a person",)),
    Mutant("blind re-send", _blind_resend, (f"{_SENT}filled",)),
    Mutant("reject on -1000", _reject_on_1000, ("end written / K1 SIGKILL / executed but -1000",)),
    Mutant("trust local CANCELED", _trust_local_canceled, ("cancel row, committed / K1 SIGKILL / never arrived",)),
    Mutant("dedupe by order id", _dedupe_by_order_id, (f"{_SENT}partly filled",)),
    Mutant("counter without epoch", _counter_without_epoch, ("answer out, not written / K1 SIGKILL / resting",)),
    Mutant("cancel only configured symbols", _cancel_only_configured_symbols, (f"{_SENT}resting, its symbol given up",)),
    Mutant("flatten without reduce-only", _flatten_without_reduce_only, (f"{_SENT}filled",)),
    Mutant("recovery not idempotent", _recovery_not_idempotent, ("recovery: an action, committed / K1 SIGKILL / filled",)),
    # twice, and last: a start that takes longer than the order's delay, on a busy machine, does not show it
    Mutant("no fence", _no_fence, ("bytes out, request arrived / K1 SIGKILL / late within the slack",) * 2),
)  # fmt: skip
BY_NAME: Mapping[str, Mutant] = {mutant.name: mutant for mutant in MUTANTS}


def plant(name: str) -> None:
    """Plant one bug in this process."""
    BY_NAME[name].plant()


def planted_cells() -> list[tuple[Cell, str]]:
    """Each planted bug with the cells that must find it."""
    by_name = {cell.name: cell for cell in valid()}
    return [(by_name[name], mutant.name) for mutant in MUTANTS for name in mutant.cells]
