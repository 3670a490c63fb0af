"""`cancel` and `flatten` from start to exit code."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from errors import SafetyRefusal
from execution.safety.failures import VenueError
from runners.accounts import node_of, operator
from runners.live.account import Account
from runners.operating.clearing import Clearing
from runners.operating.entering import Entered, Holder, client_of, enter, holder_of
from runners.operating.found import Row
from runners.operating.patience import Patience
from runners.operating.reach import Target
from runners.operating.record import keep
from runners.operating.scope import Scope, journaled_symbols, settled_secs
from runners.operating.shutting import shut_entries
from runners.operating.venue import SafetyVenue
from runners.operating.view import CLEAN, NOT_CLEAN, NOTHING, Outcome

UNCLEAN = 6


@dataclass(frozen=True, slots=True)
class Wish:
    """What a person asks for.

    Attributes
    ----------
    flatten
        Close positions as well.
    everyone
        Orders of others too.
    symbols
        Only these; empty: every symbol.
    halt
        Shut entries first.
    patience_secs
        How long the venue may fail, bans not counted.
    """

    flatten: bool
    everyone: bool = False
    symbols: tuple[str, ...] = ()
    halt: bool = False
    patience_secs: float = 60.0

    @property
    def name(self) -> str:
        """Of the command."""
        return "flatten" if self.flatten else "cancel"

    @property
    def shuts(self) -> bool:
        """Whether entries are shut first: a position that is closed must not be opened again."""
        return self.halt or self.flatten


class Declined(SafetyRefusal):
    """The person said no."""

    exit_code = 1


@dataclass(frozen=True, slots=True)
class Talk:
    """How a command speaks.

    Attributes
    ----------
    say
        One line.
    confirm
        Shows what is meant and asks; None: nobody is asked.
    """

    say: Callable[[str], None]
    confirm: Callable[[list[Row], str], bool] | None = None


class Operation:
    """One command on one account.

    Parameters
    ----------
    target, wish, talk
        Whose, what, and how it speaks.
    environ, dot_env
        Where the keys may stand.
    """

    def __init__(self, target: Target, wish: Wish, talk: Talk, environ: Mapping[str, str], dot_env: Path) -> None:
        self._target, self._wish, self._talk = target, wish, talk
        self._environ, self._dot_env = environ, dot_env
        self.outcome = Outcome(wish.name, target.account.alias, target.account.environment)
        self._person = _person()
        self._shut = False

    async def run(self) -> Outcome:
        """Do it; what is returned says how the account was left.

        Raises
        ------
        HyperTradingError
            When it may not begin: wrong key, wrong account, no answer to the confirmation. Nothing was sent then.
        """
        client, keys, place = client_of(self._target, self._environ, self._dot_env)
        async with client:
            patience = Patience(client.budget, self._wish.patience_secs, self._talk.say)
            if self._talk.confirm is None and node_of(self._target.state, self._target.place) is not None:
                self._shut_entries(None)  # before the venue is asked, which may not answer for a while
            try:
                entered = await enter(self._target, client, keys, place, patience.insist)
                await self._act(entered, patience)
            except VenueError as error:
                self._fail(f"{place.rest_host} did not answer within {self._wish.patience_secs:g} s: {error}")
            self.outcome.problems += [text for text in patience.problems if text not in self.outcome.problems]
        problem = keep(self._target.place.path, self.outcome, self._person, time.time_ns())
        self.outcome.problems += [problem] if problem else []
        return self.outcome

    async def _act(self, entered: Entered, patience: Patience) -> None:
        holder = holder_of(self._target.state, entered)
        self._tell_whose(entered, holder)
        clearing = self._clearing(entered, patience)
        meant = await clearing.find()
        self.outcome.rows = list(clearing.rows.values())
        if meant or (holder is not None and self._wish.shuts):
            self._ask(meant)
            self._shut_entries(holder)
        folder, now = self._target.place.path, time.time_ns()
        self.outcome.clean = await clearing.run(settled_secs(folder, now, held=holder is not None))
        self.outcome.rows = list(clearing.rows.values())
        self._conclude(
            clearing, entered, holder, nothing=not meant and not any(_acted(row) for row in self.outcome.rows)
        )

    def _clearing(self, entered: Entered, patience: Patience) -> Clearing:
        account, wish = self._target.account, self._wish
        journaled, problem = journaled_symbols(self._target.journal)
        self.outcome.problems += [problem] if problem else []
        known = frozenset(self._target.symbols) | journaled
        scope = Scope(
            account.order_tag, wish.everyone, frozenset(wish.symbols), known, shared=account.foreign_orders == "count"
        )
        venue = SafetyVenue(Account(entered.client, account.order_tag, set(known | set(wish.symbols))))
        return Clearing(venue, scope, patience, wish.flatten, account.order_tag)

    def _tell_whose(self, entered: Entered, holder: Holder | None) -> None:
        found, say = self.outcome, self._talk.say
        found.account, found.holder = entered.identity.account_id, None if holder is None else str(holder)
        say(f"{found.alias} at {entered.place.rest_host} ({found.environment}), account {found.account}")
        if holder is not None:
            say(f"a node holds it: {holder}")

    def _shut_entries(self, holder: Holder | None) -> None:
        if not self._wish.shuts or (self._shut and holder is None):
            return
        self._shut = True
        aliases = [self._target.account.alias, *([holder.alias] if holder is not None else [])]
        fresh = [alias for alias in aliases if alias not in self.outcome.halted]
        done = shut_entries(self._target.state, fresh, f"{self._wish.name} by hand", self._person, time.time_ns())
        for line in done.lines:
            self._talk.say(line)
        self.outcome.halted = (*self.outcome.halted, *done.aliases)
        self.outcome.lines += done.lines
        self.outcome.problems += done.problems

    def _ask(self, meant: list[Row]) -> None:
        confirm = self._talk.confirm
        if confirm is not None and not confirm(list(self.outcome.rows), self._question(meant)):
            raise Declined("nothing was done: what was found is as it was.")

    def _question(self, meant: list[Row]) -> str:
        orders = sum(row.what != "position" for row in meant)
        positions = ", ".join(
            f"{row.symbol} {row.side} {row.quantity.normalize():f}" for row in meant if row.what == "position"
        )
        what = [f"cancel {orders} order{'s' if orders != 1 else ''}"] if orders else []
        what += [f"close {positions} at the market"] if positions else []
        what = ["shut entries", *what] if self._wish.shuts else what
        return f"{', '.join(what)} on {self.outcome.alias} ({self.outcome.environment})?"

    def _conclude(self, clearing: Clearing, entered: Entered, holder: Holder | None, *, nothing: bool) -> None:
        found, wish = self.outcome, self._wish
        where = f" on {', '.join(sorted(clearing.scope.only))}" if clearing.scope.only else ""
        whose = "open order" if wish.everyone else "order of ours"
        what = f"no {whose}{' and no position' if wish.flatten else ''}{where}"
        if clearing.quoted_again and not wish.shuts:
            self._fail(
                "a node that works quotes again and again", "type it again with --halt, which shuts entries first"
            )
        elif not found.clean:
            self._fail(f"the venue still shows {self._still()} after {wish.patience_secs:g} s")
        else:
            apart = clearing.looks[1] - clearing.looks[0]
            head = NOTHING if nothing else CLEAN
            found.verdict = f"{head}: two looks {apart:.1f} s apart show {what}"
            found.exit_code = 0
        found.lines += self._advice(holder, holder_of(self._target.state, entered))

    def _still(self) -> str:
        left = [row for row in self.outcome.rows if row.left]
        return (
            ", ".join(f"{row.what} {row.symbol} {row.name or row.done}" for row in left[:3]) or "what it showed before"
        )

    def _advice(self, before: Holder | None, holder: Holder | None) -> list[str]:
        found, lines = self.outcome, []
        kept = [row for row in found.rows if row.done == "kept" and row.what == "position"]
        if kept:
            names = ", ".join(f"{row.symbol} {row.side} {row.quantity.normalize():f}" for row in kept)
            lines.append(f"positions were not touched ({names}): python -m runners.flatten closes them")
        if before is not None and holder is None:
            lines.append(f"{before} has ended meanwhile")
        elif holder is not None and found.halted:
            lines.append(f"{holder} still runs and can enter nothing: end it before the next start")
        elif holder is not None:
            lines.append(f"{holder} still runs: if it works it may quote again; --halt shuts entries first")
        if holder is None and self._target.journal.exists() and any(_acted(row) for row in found.rows):
            lines.append(
                f"the journal hears of it now: python -m runners.recover --account {found.alias}; or with the next start"
            )
        if found.halted:
            lines.append(f"to trade again: python -m runners.halt --reset --reason … --account {found.halted[0]}")
        return lines

    def _fail(self, why: str, todo: str = "type it again, and look at the venue's own page") -> None:
        self.outcome.clean, self.outcome.exit_code = False, UNCLEAN
        self.outcome.verdict = f"{NOT_CLEAN}: {why}; {todo}"


def _acted(row: Row) -> bool:
    return row.done.startswith(("cancelled", "closed", "gone", "STILL"))


def _person() -> str:
    try:
        return operator()
    except SafetyRefusal:
        return "unknown"  # who it was may be found out later
