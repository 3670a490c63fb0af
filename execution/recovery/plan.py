"""The plan: tables 4, 6, 7 and 8 of `docs/recovery.md`, row by row. Pure: no I/O, no clock."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal

from execution.recovery.absent import on_absence
from execution.recovery.actions import Action, Cancel, Close, Keep, Latch, Ready, Rebuild, Refuse, SplitBrain, Wait
from execution.recovery.look import Look
from execution.recovery.model import ZERO, JournalState, Policy, VenueState
from execution.recovery.money import on_money, on_wallet
from execution.recovery.orders import on_evidence
from execution.recovery.positions import differences, on_positions
from execution.recovery.rows import Row
from execution.recovery.strangers import on_strangers
from execution.recovery.trades import Attribution, attribute


def plan(journal_state: JournalState, venue_state: VenueState, policy: Policy) -> list[Action]:
    """Decide what follows from one look at journal and venue.

    Carried out and looked at again until it says `Ready`, or refuses with nothing left to do. The same look gives the same plan,
    and a plan that was carried out is not asked for again.

    Returns
    -------
    list of Action
        In the order in which they are carried out.
    """
    look = Look(journal_state, venue_state, policy)
    unknown = on_strangers(look)
    if any(isinstance(action, SplitBrain) for action in unknown):
        return unknown
    attribution = attribute(look)
    gaps = differences(look, attribution)
    rows = _rows(look, attribution, gaps, [*unknown, *attribution.actions])
    before = [action for action in unknown if isinstance(action, Rebuild)]
    after = [action for action in unknown if not isinstance(action, Rebuild)]
    done = [*before, *attribution.actions, *rows, *after]
    actions = [*done, *on_positions(look, attribution, gaps, _disturbed(done)), *on_money(look)]
    return _finished(look, _without_closes(actions))


def _rows(look: Look, attribution: Attribution, gaps: Mapping[str, Decimal], so_far: list[Action]) -> list[Action]:
    """Rows with evidence first: what is under way there tells whether a difference means anything for those without."""
    actions: list[Action] = []
    absent = []
    for row in look.journal.orders:
        standing = look.standing[row.client_order_id]
        fresh = attribution.by_order.get(row.client_order_id, ZERO)
        if standing.order is not None or standing.algo is not None:
            actions += on_evidence(look, row, standing, fresh)
        elif not row.is_over:
            absent.append((row, fresh))
    disturbed = _disturbed([*so_far, *actions])
    for row, fresh in absent:
        actions.append(on_absence(look, row, fresh, gaps.get(row.symbol, ZERO), disturbed=disturbed))
    return actions


def _disturbed(actions: list[Action]) -> frozenset[str]:
    """Symbols on which the position may still change, or trades are still looked for."""
    waits = {action.symbol for action in actions if isinstance(action, Wait)}
    cancels = {action.order.symbol for action in actions if isinstance(action, Cancel)}
    return frozenset(waits | cancels)


def _without_closes(actions: list[Action]) -> list[Action]:
    """Nothing is closed on an account that is not understood."""
    if any(isinstance(action, Refuse | Latch | Wait) for action in actions):
        return [action for action in actions if not isinstance(action, Close)]
    return actions


def _is_blank(look: Look) -> bool:
    """Whether nobody has traded the account from here yet, and nothing stands on it: then one look is enough."""
    venue = look.venue
    return look.journal.first_start and not any(venue.positions.values()) and not any(o.is_open for o in venue.orders)


def _finished(look: Look, actions: list[Action]) -> list[Action]:
    """Say READY when there is nothing left, the fence is over and two looks show the same."""
    if any(not isinstance(action, Keep) for action in actions):
        return actions
    venue, policy = look.venue, look.policy
    since = venue.now_ms if venue.same_since_ms is None else venue.same_since_ms
    until = max(since + policy.apart_ms, look.journal.last_signed_ms + policy.fence_ms)
    if look.journal.last_signed_ms == 0:
        until = venue.now_ms if _is_blank(look) else since + policy.apart_ms
    if venue.now_ms < until:
        why = f"journal and venue agree; to be seen again in {(until - venue.now_ms) / 1000:.1f} s"
        return [*actions, Wait(row=Row.NOT_QUIESCENT, why=why, subject="account", symbol="", until_ms=until)]
    return [*actions, *on_wallet(look), Ready(row=Row.READY, why="journal and venue agree, nothing is under way")]
