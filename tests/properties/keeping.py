"""What happens to the account: transfers, halts, resets, and restarts of the process."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from tests.properties.case import read_json
from tests.properties.followed import STEP
from tests.properties.telling import Telling
from tests.properties.venue import Resting
from tests.properties.world import MS, ZERO, position_of


class Keeping(Telling):
    """The world with an account that is looked after."""

    last_fill: tuple[Any, Resting] | None = None

    def transfer(self, amount: int) -> None:
        """A deposit or withdrawal."""
        moved = Decimal(amount)
        self.venue.cash += moved
        self.oracle.cash += moved
        self.gate.halts.losses.transfer(moved)
        self.gate.view.refresh()
        self.oracle.day_start += moved
        if self.oracle.peak is not None:
            self.oracle.peak += moved

    def hide(self, hidden: bool) -> None:
        """The engine does not know the account for a while."""
        self.venue.visible = self.oracle.visible = not hidden
        self.gate.view.refresh()

    def halt(self, meant: bool) -> None:
        """An operator halts, or thinks better of it."""
        if not meant:
            return
        self.oracle.trip("operator")
        self.gate.halt(f"operator {self.seen['halt asked']}", self.now)
        self.seen["halt asked"] += 1
        self.services.act(self.publish)
        self._all_taken_back()

    def reset(self) -> None:
        """A person resets what has latched."""
        if self.oracle.latched is not None:
            self.oracle.latched = None
            self.oracle.panel.reset()
            self.gate.board.reset(self.now, "a test")
            self.gate.halts.switch.reset(self.now, "test", "looked at it")
            self.seen["reset"] += 1

    def restart(self, ms: int, fills: bool) -> None:
        """The process ends and begins again: memory is gone, files and journal stay; an order may fill meanwhile."""
        self.seen["restart"] += 1
        before = (read_json(self.gate.halts.losses.state), self.gate.halts.switch.refusal())
        self.now += ms * MS
        if fills:
            self._fill_while_down()
        for order in self.venue.orders.values():
            order.dead = True
        equity = self.oracle.equity()
        self.oracle.restart(self.now, equity)
        self._begin(before[0])
        losses = self.gate.halts.losses
        self._expect(losses.state == before[0], f"losses were {before[0]}, are {losses.state}")
        if equity is not None:
            losses.resume(self.now, equity, ZERO)
        self.last_fill = None
        after = self.gate.halts.switch.refusal()
        same = (before[1] is None) == (after is None) and (before[1] or "").removeprefix("latched: ") in (after or "")
        self._expect(same, f"before the restart: {before[1]}; after it: {after}")

    def _fill_while_down(self) -> None:
        for order in self.venue.live():
            own = position_of(self, order.strategy_id, order.iid)
            if order.told == "accepted" and order.price is not None and not order.reduce_only and own * order.side > 0:
                quantity = min(order.leaves, STEP * 100)
                fee, _ = self.venue.trade(order, quantity, order.price)
                signed, key = quantity * order.side, (order.strategy_id, order.iid)
                trip = self.venue.trips[key]
                trip.quantity += signed
                trip.cash -= signed * order.price + fee
                self.oracle.cash -= signed * order.price + fee
                self.oracle.net[order.iid] += signed
                self.oracle.own[key] += signed
                self.oracle.trip_cash[key] -= signed * order.price + fee
                self.seen["fill while down"] += 1
                return
