"""Protective stops without their node: seen, placed where they lack, and seen again when no countdown can take them any more."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Literal

from execution.deadman.protection import Place, is_protected, plan
from execution.ids import ClientOrderIds
from execution.safety.failures import VenueError
from execution.safety.wire_ids import OPERATOR_PREFIX
from runners.live.account import Account
from runners.live.deadman.looking import Look, look
from runners.live.deadman.stops import GONE_ALREADY, WOULD_TRIGGER, held_of, standing_of


@dataclass(slots=True)
class Stops:
    """Keeps the stops of an account whose node is gone.

    Parameters
    ----------
    account, ids
        Asks and sends; names what is placed.
    distance_pct, working_type
        Of the configuration.
    say
        Told of every step.
    """

    account: Account
    ids: ClientOrderIds
    distance_pct: float
    working_type: Literal["MARK_PRICE", "CONTRACT_PRICE"]
    say: Callable[[str], None]
    _ticks: dict[str, Decimal] | None = None

    async def keep(self) -> list[str]:
        """Bring stops in line with positions once; return the positions that have none, in words.

        Raises
        ------
        VenueError
            When the venue does not answer.
        """
        seen = await look(self.account)
        stops = [standing_of(row, self.account.order_tag) for row in seen.algos]
        held = {symbol: held_of(row) for symbol, row in seen.held.items()}
        for step in plan(held, stops, self.distance_pct, await self._all_ticks()):
            if isinstance(step, Place):
                await self._place(step)
            else:
                await self._cancel(step.number, step.why)
        return await self._bare()

    async def _bare(self) -> list[str]:
        seen: Look = await look(self.account)
        stops = [standing_of(row, self.account.order_tag) for row in seen.algos]
        return [f"{row.symbol} {row.amount:f}" for row in seen.held.values() if not is_protected(held_of(row), stops)]

    async def _all_ticks(self) -> Mapping[str, Decimal]:
        if self._ticks is None:
            info = await self.account.client.exchange_info()
            self._ticks = {row.symbol: row.rule("PRICE_FILTER", "tickSize") for row in info.symbols}
        return self._ticks

    async def _place(self, step: Place) -> None:
        name = OPERATOR_PREFIX + self.ids.next()
        try:
            await self.account.client.protect(
                step.symbol, step.side, step.trigger, name, working_type=self.working_type
            )  # fmt: skip
        except VenueError as error:
            why = "the market is beyond it already" if error.code == WOULD_TRIGGER else str(error)
            self.say(f"{step.symbol}: no stop could be placed at {step.trigger:f}: {why}")
        else:
            self.say(f"{step.symbol}: protective stop placed at {step.trigger:f}")

    async def _cancel(self, number: int, why: str) -> None:
        try:
            await self.account.client.cancel_algo(algo_id=number)
        except VenueError as error:
            if error.code != GONE_ALREADY:
                raise
        else:
            self.say(f"protective stop {number} cancelled: {why}")
