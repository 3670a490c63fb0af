"""R-3: the kill switch. It shuts entries and stays shut, across restarts, until a person resets it with a reason.

`trip` closes in memory first, then deletes the arm token, then records, best effort: neither disk nor log can prevent a halt.
"""

from __future__ import annotations

import secrets
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from pydantic import ValidationError

from errors import SafetyRefusal
from risk.arm_token import ArmToken, Identity, MemoryTokenStore, TokenStore, TokenUnreadable
from risk.breach import Figure
from risk.latch_log import Act, LatchLog, LatchRecord, LatchUnreadable, MemoryLatchLog, latched_by

DISK_HANGS = "arm token and latch record were not written yet: the disk does not answer"


@dataclass(frozen=True, slots=True)
class Trip:
    """A halt as it happened.

    Attributes
    ----------
    ts_ns, reason, figures
        Of the first cause; later ones change nothing.
    problems
        What could not be done (token not deleted, record not written); alert on each. Entries are shut all the same.
    """

    ts_ns: int
    reason: str
    figures: Mapping[str, Figure] = field(default_factory=dict)
    problems: tuple[str, ...] = ()


class KillSwitch:
    """Guards entries of one account, or of one run.

    Parameters
    ----------
    tokens, log
        Where token and latch records are kept.
    identity
        What a token must have been given for.
    new_id
        Makes token ids.
    patience_secs
        How long a trip waits for the disk: what takes longer goes on beside it, since cancels wait for no disk (`recovery.md` 9).
        None: to the end.
    """

    def __init__(
        self, tokens: TokenStore, log: LatchLog, identity: Identity,
        new_id: Callable[[], str] = lambda: secrets.token_hex(16), *, patience_secs: float | None = None,
    ) -> None:  # fmt: skip
        self._tokens = tokens
        self._log = log
        self._identity = identity
        self._new_id = new_id
        self._patience_secs = patience_secs
        self._verified: ArmToken | None = None
        self._log_stamp = -1
        self.tripped: Trip | None = None

    def trip(self, ts_ns: int, reason: str, figures: Mapping[str, Figure] | None = None, *, operator: str = "") -> Trip:
        """Halt; the first reason wins and a second call changes nothing. Never raises. `operator` is who did it, if a person."""
        if self.tripped is not None:
            return self.tripped
        first = self.tripped = Trip(ts_ns, reason or "no reason given", figures or {})
        written = _within(lambda: self._put_down(first, operator), self._patience_secs)
        self.tripped = replace(first, problems=(DISK_HANGS,)) if written is None else written
        return self.tripped

    def _put_down(self, first: Trip, operator: str) -> Trip:
        problems = [self._tokens.delete()]
        earlier = self._trip_before_restart()
        if earlier is None:
            problems.append(self._record(first, operator))
        else:
            first = Trip(earlier.ts_ns, earlier.reason, earlier.figures)
        return replace(first, problems=tuple(problem for problem in problems if problem is not None))

    def refusal(self) -> str | None:
        """Return why entries are shut, or None; ask right before every entry.

        Entries need a token that is there, can be read, was given for this account, environment and configuration, and has
        no trip after it.
        """
        if self.tripped is not None:
            return self.tripped.reason
        try:
            token = self._tokens.read()
            stamp = self._log.stamp()
            if token is not None and token is self._verified and stamp == self._log_stamp:
                return None
            why = self._missing() if token is None else self._mismatch(token)
        except (TokenUnreadable, LatchUnreadable) as error:
            return str(error)
        self._verified, self._log_stamp = (token, stamp) if why is None else (None, -1)
        return why

    def arm(self, ts_ns: int, operator: str, reason: str) -> ArmToken:
        """Make an account's first token, or replace one that is in force (after a change of configuration).

        A token that is gone though the log knows one was deleted by a trip, recorded or not: that takes a reset.

        Raises
        ------
        SafetyRefusal
            When the account has tripped (reset it), or record or token cannot be read or written.
        """
        token, records = self._tokens.read(), self._log.records()
        halted = bool(records) if token is None else latched_by(token, records) is not None
        if self.tripped is not None or halted:
            raise SafetyRefusal("the kill switch has tripped before: a person must reset it with a reason")
        return self._make_token(Act.ARMED, ts_ns, operator, reason)

    def reset(self, ts_ns: int, operator: str, reason: str) -> ArmToken:
        """Make a new token after a trip: an act of a person, recorded before it takes effect.

        The caller has verified that no order but protective stops is open, and that the audit is fresh.

        Raises
        ------
        SafetyRefusal
            Without an operator or a reason, or when record or token cannot be written; it stays halted then.
        """
        token = self._make_token(Act.RESET, ts_ns, operator, reason)
        self.tripped = None
        return token

    def _make_token(self, act: Act, ts_ns: int, operator: str, reason: str) -> ArmToken:
        if not operator.strip() or not reason.strip():
            raise SafetyRefusal("arming takes a person and a reason: name both")
        token = ArmToken(
            token_id=self._new_id(), identity=self._identity, created_ns=ts_ns, operator=operator, reason=reason
        )
        record = LatchRecord(act=act, ts_ns=ts_ns, reason=reason, operator=operator, token_id=token.token_id)
        try:
            self._log.append(record)
        except OSError as error:
            raise SafetyRefusal(f"the latch record cannot be written ({error.strerror}): still halted") from error
        self._tokens.write(token)
        return token

    def _record(self, trip: Trip, operator: str) -> str | None:
        try:
            self._log.append(
                LatchRecord(
                    act=Act.TRIPPED, ts_ns=trip.ts_ns, reason=trip.reason, operator=operator, token_id="",
                    figures=dict(trip.figures),
                )
            )  # fmt: skip
        except (OSError, ValidationError) as error:
            return f"the latch record could not be written ({type(error).__name__}: {error})"
        return None

    def _missing(self) -> str:
        records = self._log.records()
        trip = _standing(records) or next((r for r in reversed(records) if r.act is Act.TRIPPED), None)
        return f"latched: {trip.reason}" if trip is not None else "not armed: there is no arm token"

    def _trip_before_restart(self) -> LatchRecord | None:
        """The trip that an earlier process recorded and nobody has reset: it came first, also for this one."""
        try:
            return _standing(self._log.records())
        except LatchUnreadable:
            return None

    def _mismatch(self, token: ArmToken) -> str | None:
        for name in Identity.model_fields:
            given, wanted = getattr(token.identity, name), getattr(self._identity, name)
            if given != wanted:
                return f"the arm token was given for {name} {given}, this is {wanted}"
        trip = latched_by(token, self._log.records())
        return None if trip is None else f"latched: {trip.reason}"


def _standing(records: Sequence[LatchRecord]) -> LatchRecord | None:
    """First trip since the last token was made."""
    made = max((i for i, record in enumerate(records) if record.act is not Act.TRIPPED), default=-1)
    return next((record for record in records[made + 1 :] if record.act is Act.TRIPPED), None)


def _within(work: Callable[[], Trip], secs: float | None) -> Trip | None:
    """Do it, on a thread of its own where a time is given; None when it was not done by then, and goes on."""
    if secs is None:
        return work()
    found: list[Trip] = []
    thread = threading.Thread(target=lambda: found.append(work()), name="kill-switch", daemon=True)
    thread.start()
    thread.join(secs)
    return found[0] if found else None


def run_switch(config_hash: str) -> KillSwitch:
    """Return the armed switch of one backtest: in memory, touching no file (B-9)."""
    identity = Identity(account="backtest", environment="backtest", config_hash=config_hash)
    token = ArmToken(token_id="run", identity=identity, created_ns=0, operator="runner", reason="backtest")  # noqa: S106 - no secret
    return KillSwitch(MemoryTokenStore(token), MemoryLatchLog(), identity, new_id=lambda: "run-reset")
