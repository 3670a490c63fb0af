"""O-6: the start-up order of work of `docs/recovery.md` 5: look, plan, carry out, look again, until nothing is left to be done.

Everything that is known between two looks stands in the journal and at the venue, so that a crash at any point begins again with
the same result.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

from errors import RunFailed, SafetyRefusal, SplitBrainFound
from execution.journal_live import LiveJournal
from execution.journal_read import read_journal
from execution.recovery.actions import Action, Alert, Cancel, Keep, Ready, Refuse, SplitBrain, Wait
from execution.recovery.from_journal import CHECKPOINT, NOT_OURS_MS, SETTLEMENT, Checkpoint, known
from execution.recovery.memory import carry
from execution.recovery.model import JournalState, Policy, VenueState
from execution.recovery.plan import plan
from execution.recovery.reading import VenueReader
from execution.safety.failures import VenueError
from runners.live.carrying_out import Hands, in_order, open_order

LOOK_SECS, LONGEST_LOOK_SECS = 0.4, 1.0
"""Between two looks: an order that arrives late is found and cancelled within its fence."""
PATIENCE_SECS = 120.0
ROWS_OVERLAP_NS = 3_600_000_000_000
"""Rows that were over long before the last verified instant are not read again."""
_QUIET = (Wait, Keep, Ready, Refuse, SplitBrain, Alert)

type Say = Callable[[str, str], None]


@dataclass(frozen=True, slots=True)
class Recovered:
    """How a recovery ended: READY.

    Attributes
    ----------
    look
        The last one.
    """

    look: VenueState

    @property
    def positions(self) -> Mapping[str, Decimal]:
        """What is held, signed base units by symbol."""
        return self.look.positions


class Looker:
    """Journal and venue of one account, looked at again and again.

    Parameters
    ----------
    path
        Of the journal file; None: there is none.
    reader, policy
        Of the venue; what is to be done.
    checkpoint
        Of the last recovery.
    day
        UTC day of the loss ledger.
    """

    def __init__(
        self, path: Path | None, reader: VenueReader, policy: Policy, checkpoint: Checkpoint, day: int | None = None
    ) -> None:  # fmt: skip
        self._path, self._reader, self._policy = path, reader, policy
        self.checkpoint, self.day = checkpoint, day
        self.seen: VenueState | None = None
        self.whole = False

    def journal(self) -> JournalState:
        """What the journal knows now."""
        checkpoint = self.checkpoint
        if self._path is None:
            return JournalState(began_ms=NOT_OURS_MS, first_start=checkpoint.first)
        since = max(0, checkpoint.verified_ms * 1_000_000 - ROWS_OVERLAP_NS)
        return known(read_journal(self._path, since_ns=since), checkpoint, self.day)

    async def plan(self, *, whole: bool) -> list[Action]:
        """Look once more and say what follows.

        Raises
        ------
        VenueError
            When a list is not answered.
        """
        journal = self.journal()
        self._reader.symbols.update(row.symbol for row in journal.orders if not row.is_over)
        self._reader.symbols.update(name for name, net in journal.nets.items() if net)
        since = self.checkpoint.verified_ms or self.checkpoint.began_ms or self._reader.started_ms
        if self.checkpoint.began_ms is None and not self.checkpoint.first:
            since -= (
                self._policy.forgotten_ms
            )  # a journal that is not the one that was here: what does the venue remember of it?
        first = self.seen is None
        fresh = await self._reader.look(journal, since, whole=whole)
        self.whole = whole or first
        self.seen = carry(self.seen, fresh, journal, self._policy)
        return plan(journal, self.seen, self._policy)


class Recovery:
    """Brings one account into the state in which a session may begin.

    Parameters
    ----------
    looker, hands, journal
        Look, act, remember; `hands.done` is what was done.
    say
        Shows lines: kind and text.
    patience_secs
        For the whole of it.
    """

    def __init__(
        self, looker: Looker, hands: Hands, journal: LiveJournal, say: Say, patience_secs: float = PATIENCE_SECS
    ) -> None:  # fmt: skip
        self._looker, self.hands, self.journal, self._say = looker, hands, journal, say
        self._patience_secs = patience_secs
        self._told: set[str] = set()
        self._problem = ""

    async def run(self) -> Recovered:
        """Look, plan and carry out until READY.

        Raises
        ------
        SafetyRefusal
            When a person has to act first; everything that could be done has been done.
        SplitBrainFound
            When another node trades the account; nothing of it was touched.
        RunFailed
            When the venue does not answer, or something is still open, after `patience_secs`.
        """
        until = time.monotonic() + self._patience_secs
        actions: list[Action] = []
        whole = True
        while time.monotonic() < until:
            try:
                actions = await self._looker.plan(whole=whole)
            except VenueError as error:
                self._problem = str(error)
                await asyncio.sleep(LONGEST_LOOK_SECS)
                continue
            whole = await self._after(actions)
            if whole and self._looker.whole:
                return self._ended(actions)
        raise RunFailed(self._not_ready(actions))

    async def _after(self, actions: list[Action]) -> bool:
        """Do what is to be done; True when nothing is left."""
        self._tell(actions)
        changes = [action for action in actions if not isinstance(action, _QUIET)]
        for action in in_order(changes):
            await self.hands.do(action)
        if changes:
            self.hands.written()
            self._looker.day = self.hands.day or self._looker.day
            await asyncio.sleep(LOOK_SECS)
            return False
        waits = [action for action in actions if isinstance(action, Wait)]
        if waits and self._looker.seen is not None:
            left = (min(wait.until_ms for wait in waits) - self._looker.seen.now_ms) / 1000
            await asyncio.sleep(min(max(left, LOOK_SECS), LONGEST_LOOK_SECS))
        return not waits

    def _ended(self, actions: list[Action]) -> Recovered:
        split = next((action for action in actions if isinstance(action, SplitBrain)), None)
        if split is not None:
            raise SplitBrainFound(f"{split.why}; nothing was touched.")
        refusals = [action for action in actions if isinstance(action, Refuse)]
        if refusals:
            raise SafetyRefusal(refusal(refusals))
        seen = self._looker.seen
        if seen is None:
            raise RunFailed("the account was not looked at.")
        self._remember(seen)
        if self.hands.latched is not None:
            raise SafetyRefusal(
                f"the kill switch has tripped ({self.hands.latched}): find out why, then python -m runners.halt --reset --reason …"
            )
        return Recovered(seen)

    def _remember(self, seen: VenueState) -> None:
        """READY is written down: from here on the next recovery looks."""
        began = self._looker.checkpoint.began_ms
        checkpoint = Checkpoint(seen.same_since_ms if began is None else began, seen.now_ms)
        self.journal.wallet(seen.now_ms, SETTLEMENT, seen.wallet, "recovery")
        self.journal.save_risk_state(time.time_ns(), CHECKPOINT, checkpoint.to_json())
        self.journal.flush()

    def _tell(self, actions: list[Action]) -> None:
        for action in actions:
            kind, text = told(action)
            key = (
                f"{action.row} {action.subject}" if isinstance(action, Wait) else text
            )  # figures of a wait only count down
            if key not in self._told and not isinstance(action, Ready):
                self._told.add(key)
                self._say(kind, text)

    def _not_ready(self, actions: list[Action]) -> str:
        open_ends = [action.why for action in actions if isinstance(action, Wait)]
        why = "; ".join([*open_ends[:3], *([self._problem] if self._problem else [])][:3])
        return f"the account is not ready after {self._patience_secs:g} s: {why or 'something is still open'}."


def told(action: Action) -> tuple[str, str]:
    """Kind and text of an action on the screen."""
    if isinstance(action, Cancel):
        return "found", f"{open_order(action.order)}: cancelled, {action.why}"
    if isinstance(action, Wait):
        return "recovery", action.why
    return "alert" if action.alert else "found", action.why


def refusal(refusals: list[Refuse]) -> str:
    """One sentence about everything that stands against a start, with the command that accepts it."""
    reasons = "; ".join(dict.fromkeys(one.why for one in refusals))
    command = next((one.command for one in refusals if one.command), "")
    return f"{reasons}; if that is right: {command}" if command else f"{reasons}."
