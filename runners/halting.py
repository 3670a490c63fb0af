"""Halting an account by hand, and the reset of a halt: what `runners.halt` does, on files alone, whatever the node does."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from errors import CorruptData, RunFailed, SafetyRefusal, UsageError
from risk.arm_token import ArmToken, Identity, TokenUnreadable
from risk.kill_switch import KillSwitch
from risk.latch_log import Act, LatchRecord, LatchUnreadable, latched_by
from runners.accounts import AccountPlace, node_of, without_node
from runners.status_file import read_status

NOT_ARMED = "not armed"
NOT_KNOWN = "unknown"
"""Stands for a configuration or account that no node has written down: a token for it permits nothing until the next start."""


class OpenOrders(Protocol):
    """Asks the venue what is open; where no safety client is configured nobody can."""

    def unprotective(self, account: AccountPlace) -> Sequence[str]:
        """List the open orders that are no protective stops, one line each.

        Raises
        ------
        HyperTradingError
            When the venue does not answer.
        """


@dataclass(frozen=True, slots=True)
class Standing:
    """What token and log say.

    Attributes
    ----------
    halted
        Why entries are shut; None where they are not, as far as the files tell.
    tripped
        Somebody or something has tripped the switch, or its files cannot be read: it takes a reset.
    token
        The token that is there and readable.
    records
        The latch log, oldest first; empty where it cannot be read.
    """

    halted: str | None
    tripped: bool
    token: ArmToken | None
    records: Sequence[LatchRecord] = ()


def standing(place: AccountPlace) -> Standing:
    """Read token and log of an account; what cannot be read counts as halted."""
    records: Sequence[LatchRecord] = ()
    try:
        records = place.log.records()
        token = place.tokens.read()
    except (TokenUnreadable, LatchUnreadable) as error:
        return Standing(str(error), True, None, records)
    if token is not None:
        trip = latched_by(token, records)
        return Standing(None if trip is None else _because(trip), trip is not None, token, records)
    made = max((i for i, record in enumerate(records) if record.act is not Act.TRIPPED), default=-1)
    trips = records[made + 1 :]
    if trips:
        return Standing(_because(trips[0]), True, None, records)
    if records:
        return Standing("the arm token is gone, and nobody recorded why", True, None, records)
    return Standing(f"{NOT_ARMED}: there is no arm token yet", False, None, records)


def _because(trip: LatchRecord) -> str:
    return f"{trip.reason} ({trip.operator})" if trip.operator else trip.reason


@dataclass(frozen=True, slots=True)
class Done:
    """What a command did, for a person and for a script.

    Attributes
    ----------
    account
        Alias.
    halted
        Whether entries are shut now.
    lines
        What was done, one sentence each.
    problems
        What could not be done.
    """

    account: str
    halted: bool
    lines: tuple[str, ...]
    problems: tuple[str, ...] = field(default=())


def halt(state: Path, place: AccountPlace, reason: str, person: str, now_ns: int) -> Done:
    """Trip the switch of an account: delete the token, then record it. It asks no node and waits for none.

    Raises
    ------
    UsageError
        Without a reason.
    RunFailed
        When neither could be done: the account is not halted.
    """
    _check_reason(reason)
    before = standing(place)
    if before.tripped and before.token is None and not place.tokens.path.exists():
        known = f"already halted: {before.halted}; the first reason stands"
        return Done(place.alias, True, (known, *_node_lines(state, place)))
    trip = _switch(place).trip(now_ns, reason, operator=person)
    after = standing(place)
    if after.halted is None:
        raise RunFailed(f"{place.alias} is NOT halted: {'; '.join(trip.problems)}. Stop the node by hand.")
    there = place.tokens.path.exists()
    token = "the arm token is still there, but permits nothing" if there else "the arm token is gone: no entry can go"
    lines = [token, *_node_lines(state, place)]
    if after.records and after.records[-1].act is Act.TRIPPED:
        last = after.records[-1]
        lines.insert(1, f"recorded in {place.log.path} for {last.operator or 'the system'}: {last.reason}")
    return Done(place.alias, True, tuple(lines), trip.problems)


def _node_lines(state: Path, place: AccountPlace) -> tuple[str, ...]:
    pid = node_of(state, place)
    if pid is None:
        return ("no node holds the account; what is open at the venue was not touched",)
    return (
        f"a node runs (process {pid}): within two seconds it takes back what rests, does with positions what execution.on_stop "
        "says, and ends with exit code 4",
        "if it hangs, nothing at the venue has been touched: python -m runners status tells",
    )


def reset(
    state: Path, place: AccountPlace, reason: str, person: str, now_ns: int, venue: OpenOrders | None = None
) -> Done:
    """Make a new token after a halt: an act of a person, recorded before it takes effect.

    Parameters
    ----------
    state, place
        The account.
    reason, person
        Why, and who.
    now_ns
        UTC.
    venue
        Asks what is open; None where no safety client is configured.

    Raises
    ------
    UsageError
        Without a reason, or when nothing is halted.
    SafetyRefusal
        While a node holds the account, while orders other than protective stops are open, or when a file cannot be written.
    """
    _check_reason(reason)
    with without_node(state, place):
        before = standing(place)
        if not before.tripped:
            why = "it is armed" if before.token is not None else "it was never armed: its first start does that"
            raise UsageError(f"{place.alias} is not halted, so there is nothing to reset: {why}.")
        asked = _asked(place, venue)
        token = _switch(place).reset(now_ns, person, reason)
    lines = [
        f"was halted: {before.halted}",
        f"recorded in {place.log.path} for {person}: {reason}",
        f"new arm token for account {token.identity.account} in {token.identity.environment}",
        asked,
    ]
    if token.identity.config_hash == NOT_KNOWN:
        lines.append("no node has said which configuration it runs: the token takes effect when one starts and arms")
    return Done(place.alias, False, tuple(lines))


def _asked(place: AccountPlace, venue: OpenOrders | None) -> str:
    if venue is None:
        return "the venue was not asked what is open there: look yourself before the next start"
    still = venue.unprotective(place)
    if still:
        raise SafetyRefusal(f"{len(still)} orders are open, the first is {still[0]}: cancel them before the reset.")
    return "the venue shows no open order but protective stops"


def _switch(place: AccountPlace) -> KillSwitch:
    pin = place.pin
    config_hash = NOT_KNOWN
    with suppress(CorruptData):  # a token for an unknown configuration permits nothing, which is what is said then
        status = read_status(place.path)
        config_hash = status.config_hash if status is not None else NOT_KNOWN
    identity = Identity(
        account=str(pin.get("account_id") or NOT_KNOWN), environment=str(pin.get("environment") or NOT_KNOWN),
        config_hash=config_hash,
    )  # fmt: skip
    return KillSwitch(place.tokens, place.log, identity)


def _check_reason(reason: str) -> None:
    if not reason.strip():
        raise UsageError('say why: --reason "…"; it is what the next person reads.')
