"""What the dead-man refuses at the gate: entries only, each with its own reason."""

from __future__ import annotations

from collections.abc import Callable

from execution.deadman.countdown import Countdowns
from execution.deadman.stall import Stalls
from execution.journal_records import symbol_of
from risk.gate import Lock
from risk.request import OrderRequest
from risk.verdict import Reason, Refused
from runners.live.deadman.pulse import Pulse


def stall_lock(stalls: Stalls) -> Lock:
    """After a stall nothing goes before the account was looked at; this notices one before anything else has run."""

    def lock(_request: OrderRequest) -> Refused | None:
        if not stalls.stands:
            return None
        secs = stalls.since_secs()
        return Refused(
            Reason.STALLED, f"this process stood still for {secs:.1f} s: the account is looked at first", {"secs": secs}
        )

    return lock


def countdown_lock(countdowns: Countdowns) -> Lock:
    """No entry on a symbol whose countdown is not in force (D1, D3, D6)."""

    def lock(request: OrderRequest) -> Refused | None:
        symbol = symbol_of(request.instrument_id)
        why = countdowns.shut(symbol)
        if why is None:
            return None
        left = countdowns.left_ns(symbol) if symbol in countdowns.symbols else None
        figures = {} if left is None else {"left_secs": left / 1e9}
        return Refused(Reason.COUNTDOWN, why, figures)

    return lock


def stop_lock(shut: Callable[[], str | None]) -> Lock:
    """No entry while a position has no confirmed stop for longer than is allowed (D9)."""

    def lock(_request: OrderRequest) -> Refused | None:
        why = shut()
        return None if why is None else Refused(Reason.UNPROTECTED, why)

    return lock


def watchdog_lock(pulse: Pulse, silent_secs: float) -> Lock:
    """No entry without a watchdog, where one is demanded."""

    def lock(_request: OrderRequest) -> Refused | None:
        silent = pulse.watchdog_silent_secs()
        if pulse.watchdog_seen and silent <= silent_secs:
            return None
        if not pulse.watchdog_seen:
            return Refused(Reason.WATCHDOG, "no watchdog has been seen: start python -m runners.watchdog")
        return Refused(
            Reason.WATCHDOG,
            f"the watchdog has been silent for {silent:.1f} s, allowed are {silent_secs:g}",
            {"secs": silent},
        )

    return lock
