"""D9 in a running session: places, watches and removes the protective stops; entries are shut while one is missing for too long."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Mapping
from decimal import Decimal
from typing import Literal

from execution.deadman.protection import Held, Place, Remove, Standing, plan
from execution.deadman.protection import is_protected as protected_by
from execution.safety.client import SafetyClient
from execution.safety.failures import Rejected, VenueError
from execution.safety.rows import AlgoRow, PositionRow
from execution.safety.wire_ids import carries_tag, is_operators, wire_id
from runners.live.closes import JournaledCloses
from runners.live.deadman.looking import Look

WOULD_TRIGGER = -2021
GONE_ALREADY = -2011
THERE_ALREADY = -4130
"""The venue has one that closes the position: the next look shows whose."""
FENCE_NS = 10_000_000_000
"""A request that has not arrived so long after it was sent never will."""
ENDED = {"CANCELED": "CANCELED", "EXPIRED": "EXPIRED", "REJECTED": "REJECTED", "FINISHED": "FILLED"}

type Tell = Callable[[str], None]


class ProtectiveStops:
    """The stops of one account.

    Parameters
    ----------
    client, closes, order_tag
        Sends; records and names; how our ids begin.
    ticks
        By symbol: those that get a stop.
    distance_pct, confirm_secs, working_type
        Of the configuration.
    net
        The engine's position of a symbol now, base units.
    alert
        Told of a position without a stop.
    close_now
        Told the symbol and why when a stop would trigger at once: the position must be closed at the market.
    adopted
        Symbols whose position was there before the session: no entry before each has its stop, however young the session is.
    monotonic_ns
        Clock.
    """

    def __init__(
        self, client: SafetyClient, closes: JournaledCloses, order_tag: str, ticks: Mapping[str, Decimal], distance_pct: float,
        net: Callable[[str], Decimal], alert: Tell, close_now: Tell, *, confirm_secs: float = 3.0,
        working_type: Literal["MARK_PRICE", "CONTRACT_PRICE"] = "MARK_PRICE", adopted: Collection[str] = (),
        monotonic_ns: Callable[[], int] = time.monotonic_ns,
    ) -> None:  # fmt: skip
        self._client, self._closes, self._order_tag = client, closes, order_tag
        self._ticks, self._distance_pct, self._net = ticks, distance_pct, net
        self._alert, self._close_now, self._confirm_ns = alert, close_now, round(confirm_secs * 1e9)
        self._working_type, self._now = working_type, monotonic_ns
        self._confirmed: dict[str, tuple[str, int]] = {}
        self._bare_since: dict[str, int] = {}
        self._breached: set[str] = set()
        self._adopted = set(adopted)
        self._ours: dict[int, str] = {}
        self._unanswered: dict[str, int] = {}
        self.problems: dict[str, str] = {}

    # Cheap, asked all the time ----------------------------------------------------------------------------------------

    def wanting(self) -> list[str]:
        """Symbols whose position has no confirmed stop, and flat ones whose stop has not gone yet; a breach is told here."""
        now = self._now()
        found = []
        for symbol in self._ticks:
            net, confirmed = self._net(symbol), self._confirmed.get(symbol)
            if net and (confirmed is None or confirmed[0] != _closing(net)):
                since = self._bare_since.setdefault(symbol, now)
                found.append(symbol)
                if now - since > self._confirm_ns:
                    self._breach(symbol, (now - since) / 1e9)
            elif not net and confirmed is not None:
                self._clothed(symbol)
                found.append(symbol)
            else:
                self._clothed(symbol)
        return found

    def shut(self) -> str | None:
        """Why no entry may be sent, or None: a position that has no confirmed stop for longer than is allowed, or was adopted."""
        for symbol in sorted(self._adopted):
            return f"{symbol} was adopted, {self.problems.get(symbol, 'the venue has not confirmed its protective stop yet')}"
        now = self._now()
        for symbol, since in self._bare_since.items():
            if now - since > self._confirm_ns:
                why = self.problems.get(symbol, "the venue has not confirmed one yet")
                return f"{symbol} has had no protective stop for {(now - since) / 1e9:.1f} s: {why}"
        return None

    def _breach(self, symbol: str, secs: float) -> None:
        if symbol not in self._breached:
            self._breached.add(symbol)
            why = self.problems.get(symbol, "the venue has not confirmed one")
            bare = f"{symbol} {self._net(symbol):f} has had no protective stop for {secs:.1f} s"
            self._alert(f"{bare}: {why}; entries are shut until it has one")

    def _clothed(self, symbol: str) -> None:
        self._bare_since.pop(symbol, None)
        self.problems.pop(symbol, None)
        if symbol in self._breached:
            self._breached.discard(symbol)
            self._alert(f"{symbol} has its protective stop again, or no position any more: entries may go")

    # With a look at the venue -----------------------------------------------------------------------------------------

    async def follow(self, seen: Look) -> bool:
        """Bring the stops in line with what the venue showed; True when something was sent, so that another look is due."""
        await self._note_ends(seen)
        self._know(seen)
        await self._note_unanswered(seen)
        stops = [self._standing(row) for row in seen.algos]
        held = {symbol: held_of(row) for symbol, row in seen.held.items()}
        self._confirm(held, seen.algos, seen.asked_ns)
        steps = plan(held, stops, self._distance_pct, self._ticks)
        for step in steps:
            await (self._place(step) if isinstance(step, Place) else self._remove(step))
        return bool(steps)

    def _standing(self, row: AlgoRow) -> Standing:
        return standing_of(row, self._order_tag)

    def _know(self, seen: Look) -> None:
        """Take note of stops whose answer was lost, and of an earlier session's: their rows are brought to an end with them."""
        for row in seen.algos:
            if row.close_position and carries_tag(row.wire_id, self._order_tag) and row.algo_id not in self._ours:
                self._ours[row.algo_id] = row.logical_id
                self._closes.stop_is(
                    row.logical_id, "VenueAccepted", "ACK", f"found at the venue, algo order {row.algo_id}"
                )

    def _confirm(self, held: Mapping[str, Held], algos: tuple[AlgoRow, ...], asked_ns: int) -> None:
        stops = [self._standing(row) for row in algos]
        for symbol in self._ticks:
            one, before = held.get(symbol), self._confirmed.get(symbol)
            if one is None or protected_by(one, stops):
                self._adopted.discard(symbol)
            if before is not None and before[1] > asked_ns:
                continue  # confirmed by an answer that is younger than this look
            if one is not None and protected_by(one, stops):
                self._confirmed[symbol] = (one.closing_side, asked_ns)
            elif one is not None or not any(stop.symbol == symbol and stop.protects for stop in stops):
                self._confirmed.pop(symbol, None)

    async def _place(self, step: Place) -> None:
        order_id = self._closes.next_stop(step.symbol, step.side, step.quantity, step.trigger)
        try:
            row = await self._client.protect(
                step.symbol, step.side, step.trigger, wire_id(order_id), working_type=self._working_type
            )
        except Rejected as error:
            self._closes.stop_is(order_id, "VenueRejected", "REJECTED", str(error))
            self._refused(step, error)
        except VenueError as error:
            self.problems[step.symbol] = str(error)  # the next look shows whether it got there
            self._unanswered[order_id] = self._now()
        else:
            self._ours[row.algo_id] = order_id
            self._confirmed[step.symbol] = (step.side, self._now())
            self._adopted.discard(step.symbol)
            self._closes.stop_is(
                order_id, "VenueAccepted", "ACK", f"stop at {step.trigger:f}, algo order {row.algo_id}"
            )

    def _refused(self, step: Place, error: Rejected) -> None:
        if error.code == WOULD_TRIGGER:
            self._close_now(
                f"{step.symbol} is beyond its protective stop at {step.trigger:f} already: the position is closed at the market"
            )
        elif error.code != THERE_ALREADY:
            self.problems[step.symbol] = str(error)

    async def _remove(self, step: Remove) -> None:
        try:
            await self._client.cancel_algo(algo_id=step.number)
        except VenueError as error:
            if error.code != GONE_ALREADY:
                self.problems[step.symbol] = str(error)
                return
        order_id = self._ours.pop(step.number, None)
        if order_id is not None:
            self._closes.stop_is(order_id, "VenueCanceled", "CANCELED", step.why)

    async def _note_ends(self, seen: Look) -> None:
        """Ask what became of a stop of ours that is not listed any more: it was reached, or somebody cancelled it."""
        listed = {row.algo_id for row in seen.algos}
        for number, order_id in list(self._ours.items()):
            if number in listed:
                continue
            try:
                row = await self._client.algo_order(algo_id=number)
            except VenueError:
                continue  # asked again with the next look
            if row is not None and row.status in ENDED:
                del self._ours[number]
                if ENDED[row.status] != "FILLED":  # a fill is booked by its trades
                    self._closes.stop_is(order_id, "VenueEnded", ENDED[row.status], f"{row.status}, not by us")

    async def _note_unanswered(self, seen: Look) -> None:
        """A stop whose placing was not answered: it is listed, or asked for by id after the fence."""
        listed = {row.logical_id for row in seen.algos}
        for order_id, sent_ns in list(self._unanswered.items()):
            if order_id in listed:  # `_know` has taken note of it
                del self._unanswered[order_id]
                continue
            if self._now() - sent_ns < FENCE_NS:
                continue
            try:
                row = await self._client.algo_order(wire_id=wire_id(order_id))
            except VenueError:
                continue  # asked again with the next look
            if row is None:
                self._closes.stop_is(order_id, "VenueAbsent", "NOT_EXECUTED", "the venue has never had it")
            elif row.status in ENDED and ENDED[row.status] != "FILLED":  # a fill is booked by its trades
                self._closes.stop_is(order_id, "VenueEnded", ENDED[row.status], f"{row.status}, its answer was lost")
            if row is None or row.status in ENDED:
                del self._unanswered[order_id]

    # At the end -------------------------------------------------------------------------------------------------------

    def bare(self, seen: Look) -> list[str]:
        """Positions on our symbols that the venue shows without a stop, in words."""
        stops = [self._standing(row) for row in seen.algos]
        rows = [one for name, one in seen.held.items() if name in self._ticks and not protected_by(held_of(one), stops)]
        return [f"{row.symbol} {row.amount:f}" for row in rows]


def held_of(row: PositionRow) -> Held:
    """A position of the venue as the plan takes it."""
    return Held(row.symbol, row.amount, row.entry_price)


def standing_of(row: AlgoRow, order_tag: str) -> Standing:
    """A conditional order of the venue as the plan takes it; one that a watchdog placed is ours as well."""
    ours = carries_tag(row.wire_id, order_tag) or is_operators(row.wire_id)
    return Standing(row.symbol, row.side, row.algo_id, row.close_position and row.type == "STOP_MARKET", ours)


def _closing(net: Decimal) -> str:
    return "SELL" if net > 0 else "BUY"
