"""Outcomes: what becomes of the request in flight, and of the account while nobody looks after it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from crash.script import Target

_ANSWER = {"act": "answer", "execute": True}
FORCED = ("liquidation", "autoclose", "adl", "ADL", "forced", "settlement")


@dataclass(frozen=True, slots=True)
class Outcome:
    """One outcome.

    Attributes
    ----------
    name
        In the printout.
    target
        What the script sends.
    acts
        Done by the venue to the request in flight: the one that places the target, or the one that the point is about.
    behaviour
        Of the venue, from the beginning.
    after
        Done by the venue once the process is dead.
    gap_secs
        Between the end of a process and the next start.
    waits_for_countdown
        The next start comes when the venue's countdown has fired.
    executes
        The target reaches the book before the process can be dead: points that follow an acknowledgement exist.
    fills, ends
        It trades; it is over without our doing.
    needs_position
        There must be one when the process dies.
    symbol
        What the first life trades; the next one always BTCUSDT.
    events_per_sec
        Changes of the book: few where a part of the target is to stay.
    behind_secs
        So long the user stream is behind the answer to the target: where the answer's lie counts, it has to be heard first.
    expects, names
        How the next start must end; words of the refusal.
    """

    name: str
    target: Target = "rest"
    acts: tuple[Mapping[str, Any], ...] = ()
    behaviour: Mapping[str, Any] = field(default_factory=dict)
    after: tuple[Mapping[str, Any], ...] = ()
    gap_secs: float = 0.1
    waits_for_countdown: bool = False
    executes: bool = True
    answered: bool = True
    fills: bool = False
    ends: bool = False
    needs_position: bool = False
    symbol: str = "BTCUSDT"
    events_per_sec: float = 6.0
    behind_secs: float = 0.0
    expects: Literal["ready", "refuse"] = "ready"
    names: tuple[str, ...] = ()


_STILL = 0.5
_BTC = {"symbol": "BTCUSDT"}
OUTCOMES: tuple[Outcome, ...] = (
    Outcome("never arrived", acts=({"act": "drop"},), executes=False, answered=False),
    Outcome("late inside the window", acts=({"act": "accept_late", "secs": 4.9, "lose_connection": True},), executes=False,
            answered=False),
    Outcome("late within the slack", executes=False, answered=False,
            acts=({"act": "accept_late", "secs": 5.7, "lose_connection": True, "enforce_window": False},)),
    Outcome("late outside, refused", acts=({"act": "accept_late", "secs": 6, "lose_connection": True},), executes=False,
            answered=False),
    Outcome("resting"),
    Outcome("resting, its symbol given up", symbol="ETHUSDT"),
    Outcome("partly filled", "part", events_per_sec=_STILL, fills=True),
    Outcome("filled", "full", fills=True, ends=True),
    Outcome("partly filled, then cancelled", "part", events_per_sec=_STILL, fills=True, after=({"act": "person_cancel", **_BTC},)),
    Outcome("definite reject", acts=({"act": "answer", "status": 400, "code": -2019},), executes=False, ends=True),
    Outcome("post-only expiry", "cross", behaviour={"post_only": "expire"}, ends=True),
    Outcome("executed but 503", "part", events_per_sec=_STILL, acts=({**_ANSWER, "status": 503},), fills=True),
    Outcome("executed but -1000", "part", events_per_sec=_STILL, acts=({**_ANSWER, "status": 400, "code": -1000},), fills=True,
            behind_secs=2),
    Outcome("executed but -1007", "part", events_per_sec=_STILL, acts=({**_ANSWER, "status": 408, "code": -1007},), fills=True),
    Outcome("executed but no answer", "part", events_per_sec=_STILL, acts=({"act": "drop_answer"},), fills=True, answered=False),
    Outcome("cancelled by the countdown", waits_for_countdown=True),
    Outcome("filled, then liquidated", "full", fills=True, ends=True, needs_position=True,
            after=({"act": "forced_close", "how": "liquidation", **_BTC},), expects="refuse", names=FORCED),
    Outcome("filled, then auto-deleveraged", "full", fills=True, ends=True, needs_position=True,
            after=({"act": "forced_close", "how": "adl", "fraction": "0.5", **_BTC},), expects="refuse", names=FORCED),
    Outcome("queries lag by 3 s", behaviour={"query_lag_secs": 3}),
    Outcome("cancelled by a person", after=({"act": "person_cancel", **_BTC},)),
    Outcome("closed by a person", "full", fills=True, ends=True, needs_position=True,
            after=({"act": "person_trade", "side": "SELL", "quantity": "0.02", **_BTC},)),
    Outcome("funding settled meanwhile", "part", events_per_sec=_STILL, fills=True, needs_position=True,
            after=({"act": "settle_funding", "rate": "0.0003", **_BTC},)),
)  # fmt: skip
BY_NAME = {outcome.name: outcome for outcome in OUTCOMES}
