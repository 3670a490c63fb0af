"""What stands at the venue before a halt is taken back: a reset is refused while an order is open (`recovery.md` 10)."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from errors import RunFailed, UsageError
from execution.safety.failures import VenueError
from runners.accounts import AccountPlace
from runners.live.account import Account
from runners.live.secrets import read_keys
from runners.operating.entering import client_of, enter
from runners.operating.patience import Patience
from runners.operating.reach import Target, find_target
from runners.operating.scope import Scope

PATIENCE_SECS = 10.0


class VenueOrders:
    """Asks the venue; see `runners.halting.OpenOrders`.

    Parameters
    ----------
    target
        The account.
    environ, dot_env
        Where the keys stand.
    say
        Where waits are told.
    """

    def __init__(self, target: Target, environ: Mapping[str, str], dot_env: Path, say: Callable[[str], None]) -> None:
        self._target, self._environ, self._dot_env, self._say = target, environ, dot_env, say

    def unprotective(self, account: AccountPlace) -> Sequence[str]:
        """List the open orders that are no protective stops; on a shared account only ours.

        Raises
        ------
        SafetyRefusal
            When the key is another account's.
        RunFailed
            When the venue does not answer.
        """
        try:
            return asyncio.run(self._ask())
        except VenueError as error:
            raise RunFailed(
                f"the venue does not say what is open on {account.alias}: {error}; {account.alias} stays halted."
            ) from error

    async def _ask(self) -> list[str]:
        given = self._target.account
        client, keys, place = client_of(self._target, self._environ, self._dot_env)
        async with client:
            patience = Patience(client.budget, PATIENCE_SECS, self._say)
            await enter(self._target, client, keys, place, patience.insist)
            whole = Account(client, given.order_tag)
            found = await patience.insist(lambda: whole.open_orders(everywhere=True))
        scope = Scope(given.order_tag, everyone=given.foreign_orders == "refuse")
        return [str(order) for order in found if scope.means_order(order) and not order.protects]


def orders_of(
    place: AccountPlace, state: Path, environ: Mapping[str, str], dot_env: Path, say: Callable[[str], None]
) -> VenueOrders | None:
    """Whoever can ask about an account; None where it is not known how it is reached, or there are no keys."""
    try:
        target = find_target(None, place.alias, state)
        read_keys(target.account, environ, dot_env)
    except UsageError:  # a missing key is one too
        return None
    return VenueOrders(target, environ, dot_env, say)
