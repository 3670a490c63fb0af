"""`recover`: what a start would do about an account, told or done, without a strategy and without a node."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any

from rich.markup import escape
from rich.table import Table

from errors import HyperTradingError, RunFailed, UsageError
from execution.journal_venue import Whose
from execution.recovery.actions import Action, Keep, Ready, Refuse, SplitBrain, Wait
from execution.recovery.model import Accepted
from execution.rest_record import RestRecord
from execution.safety.failures import VenueError
from runners import halting
from runners.live.opening import Case, looker_of, policy_of, recovery_of
from runners.live.pin import read_pin
from runners.live.recovering import Looker, refusal, told
from runners.live.state import StateFolder
from runners.operating.entering import Entered, client_of, enter, holder_of
from runners.operating.reach import Target

LOOKS, APART_SECS = 4, 2.1
"""A dry run looks until nothing waits for the second look, so often at most."""
REFUSED, SPLIT_BRAIN = 4, 7


@dataclass(slots=True)
class Told:
    """What came out.

    Attributes
    ----------
    alias, environment
        Whose account.
    actions
        What would be done, or was.
    verdict
        The last sentence.
    exit_code
        Of the command.
    lines
        What was said on the way.
    """

    alias: str
    environment: str
    actions: Sequence[Action] = ()
    verdict: str = ""
    exit_code: int = 0
    lines: list[str] = field(default_factory=list)


def accepted_of(texts: Sequence[str], reason: str | None, person: str) -> dict[str, Accepted]:
    """Read ``SYMBOL=QTY``.

    Raises
    ------
    UsageError
        When one is not of this form, or nobody says why.
    """
    found: dict[str, Accepted] = {}
    for text in texts:
        symbol, _, quantity = text.partition("=")
        try:
            amount = Decimal(quantity)
        except InvalidOperation:
            amount = Decimal("NaN")
        if not symbol or not amount.is_finite():
            raise UsageError(f"--accept {text} is not of the form SYMBOL=QTY, such as --accept BTCUSDT=-0.010.")
        if not (reason or "").strip():
            raise UsageError("--accept takes --reason: the next person reads why the position is right.")
        name = symbol.strip().upper().removesuffix("-PERP.BINANCE")
        found[name] = Accepted(amount, f"{reason} ({person})")
    if reason and not texts:
        raise UsageError("--reason says why a position is accepted: give --accept SYMBOL=QTY with it.")
    return found


async def recover(
    target: Target, accepted: Mapping[str, Accepted], say: Callable[[str], None], environ: Mapping[str, str], dot_env: Path,
    *, dry: bool,
) -> Told:  # fmt: skip
    """Plan, and carry out where that is wanted.

    Raises
    ------
    HyperTradingError
        When it may not begin, and where nothing was planned; a refusal of the plan is in what is returned.
    """
    seen_before = read_pin(target.place.path) is not None
    if not seen_before:
        raise UsageError(f"{target.account.alias} was never started from here: there is nothing to recover.")
    client, keys, place = client_of(target, environ, dot_env)
    async with client:
        try:
            entered = await enter(target, client, keys, place, _once)
            case = _case(target, entered, accepted)
            if dry:
                return await _dry(target, entered, case, say)
            return await _done(target, entered, case, say)
        except VenueError as error:
            raise RunFailed(f"{place.rest_host} does not answer: {error}.") from error


async def _once(ask: Callable[[], Awaitable[str]]) -> str:
    return await ask()


def _case(target: Target, entered: Entered, accepted: Mapping[str, Accepted]) -> Case:
    identity = entered.identity
    whose = Whose(identity.account_id, identity.environment, identity.host)
    policy = policy_of(target.account, target.symbols, accepted=dict(accepted))
    return Case(target.account, policy, target.journal, "power", whose)


async def _dry(target: Target, entered: Entered, case: Case, say: Callable[[str], None]) -> Told:
    holder = holder_of(target.state, entered)
    if holder is not None:
        say(f"{holder} trades the account: the plan is what a start would do if it died now")
    looker = looker_of(case, entered.client)
    actions = await _settled(looker)
    made = Told(target.account.alias, target.account.environment, actions)
    made.verdict, made.exit_code = _verdict(actions)
    return made


async def _settled(looker: Looker) -> list[Action]:
    actions = await looker.plan(whole=True)
    for _ in range(LOOKS - 1):
        if not any(isinstance(action, Wait) for action in actions):
            break
        await asyncio.sleep(APART_SECS)
        actions = await looker.plan(whole=True)
    return actions


def _verdict(actions: Sequence[Action]) -> tuple[str, int]:
    split = next((action for action in actions if isinstance(action, SplitBrain)), None)
    if split is not None:
        return f"SPLIT BRAIN: {split.why}; nothing would be touched", SPLIT_BRAIN
    refusals = [action for action in actions if isinstance(action, Refuse)]
    if refusals:
        return f"a start would be REFUSED: {refusal(refusals)}", REFUSED
    changes = [action for action in actions if not isinstance(action, Keep | Ready | Wait)]
    if changes:
        return f"a start would do {len(changes)} things and then look again; nothing was done now", 0
    waits = [action for action in actions if isinstance(action, Wait)]
    return ("a start would wait and look again" if waits else "READY: journal and venue agree"), 0


async def _done(target: Target, entered: Entered, case: Case, say: Callable[[str], None]) -> Told:
    made = Told(target.account.alias, target.account.environment)

    def show(kind: str, text: str) -> None:
        made.lines.append(text)
        say(f"{kind}: {text}")

    def trip(reason: str) -> None:
        halting.halt(target.state, target.place, reason, "", time.time_ns())

    state = StateFolder(target.state, target.account.alias)
    with (
        state.lock(entered.identity, entered.place.rest_url),
        recovery_of(case, entered.client, trip, show) as recovery,
    ):
        entered.client.witness = RestRecord(recovery.journal, time.time_ns)
        try:
            await recovery.run()
        except HyperTradingError as error:
            made.verdict, made.exit_code = str(error), error.exit_code
        else:
            made.verdict = "READY: journal and venue agree, nothing is under way"
        finally:
            entered.client.witness = None
            made.actions = tuple(recovery.hands.done)
    return made


def table(made: Told, title: str) -> Table:
    """The actions with their rows and reasons."""
    shown = Table("row", "action", "why", title=title, title_justify="left")
    for action in made.actions:
        style = "bold red" if action.alert or isinstance(action, Refuse | SplitBrain) else ""
        shown.add_row(str(action.row), type(action).__name__, escape(told(action)[1]), style=style)
    return shown


def as_json(made: Told) -> dict[str, Any]:
    """For scripts."""
    actions = [{"row": str(one.row), "action": type(one).__name__, "why": one.why} for one in made.actions]
    return {
        "account": made.alias, "environment": made.environment, "actions": actions, "verdict": made.verdict,
        "exit_code": made.exit_code,
    }  # fmt: skip
