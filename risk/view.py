"""The account as the gate sees it: positions and equity asked of the engine, working orders counted here.

The engine counts a fresh order neither as open nor in flight until later, so several orders in one callback would all pass
a limit that trusted it. References are saved before the run: they work in every handler, the properties do not.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, NamedTuple

from nautilus_trader.model import InstrumentId

from risk.books import Books, Top
from risk.costs import FeeRates, Funding
from risk.request import OrderRequest, Side
from risk.valuation import is_held, is_pair, pair_value, unfloated, unrealised

ZERO = Decimal(0)
NS_PER_MINUTE = 60_000_000_000


@dataclass(slots=True)
class WorkingOrder:
    """An approved order that is not known to be over.

    Attributes
    ----------
    client_order_id, strategy_id, instrument_id
        Ids as strings.
    side
        Direction.
    price
        Limit price; None for a market order.
    leaves
        Quantity that can still fill, base units.
    reduce_only
        Whether it may only reduce.
    ts_ns
        When it was approved.
    accepted, pending_cancel
        What is known of its state.
    filled
        Quantity that has filled, base units.
    order_type
        Nautilus name.
    mid_decision
        Mid when it was decided, quote units.
    """

    client_order_id: str
    strategy_id: str
    instrument_id: str
    side: Side
    price: Decimal | None
    leaves: Decimal
    reduce_only: bool
    ts_ns: int
    accepted: bool = False
    pending_cancel: bool = False
    filled: Decimal = ZERO
    order_type: str = "LIMIT"
    mid_decision: float | None = None

    @property
    def is_market(self) -> bool:
        """True for an order that takes what there is at once; a resting stop without a price is none."""
        return self.order_type == "MARKET"


@dataclass(frozen=True, slots=True)
class StrategyPosition:
    """A strategy's own position, from the engine's position events.

    Attributes
    ----------
    quantity
        Signed base units.
    entry_price
        Average open price, quote units.
    entry_ts_ns
        When it was opened from flat.
    """

    quantity: float
    entry_price: float
    entry_ts_ns: int


FLAT = StrategyPosition(0.0, 0.0, 0)


class Resting(NamedTuple):
    """Entries of an instrument that are open, of all strategies.

    Attributes
    ----------
    bought, sold
        What can still fill on each side, base units.
    entries
        How many they are.
    """

    bought: Decimal
    sold: Decimal
    entries: int

    def on(self, side: Side) -> Decimal:
        """Base units of one side."""
        return self.bought if side > 0 else self.sold

    def worst(self, net: Decimal) -> Decimal:
        """Largest absolute position that they can lead to from `net`, base units; never below |net|."""
        return max(abs(net), abs(net + self.bought), abs(net - self.sold))


class Elsewhere(NamedTuple):
    """The other instruments of the account, quote units.

    Attributes
    ----------
    gross, margin
        Worst case and its initial margin.
    net
        Signed; what rests on the asked side counted as filled.
    """

    gross: Decimal
    net: Decimal
    margin: Decimal


class _Reading(NamedTuple):
    """An equity and what it was made of: it stands until a balance or a price is another, as for the second order of a quote."""

    held: Mapping[Any, Any]
    prices: list[Decimal | None]
    beside: Decimal
    total: Decimal


class _Ids(dict[str, InstrumentId]):
    """Parsed ids by their text."""

    def __missing__(self, text: str) -> InstrumentId:
        found = self[text] = InstrumentId.from_str(text)
        return found


@dataclass(slots=True)
class AccountView:
    """Everything a check may ask. One per run.

    Attributes
    ----------
    books
        Order books.
    fees
        Fee rates by instrument id.
    instruments
        Nautilus instruments by id: all that the configuration names.
    portfolio, cache
        Engine references, attached before the run.
    working
        Orders by client order id.
    positions
        Position of a strategy in an instrument.
    revision
        Grows with every order that comes, goes, or is being cancelled.
    beside
        Money of the account that the engine does not know of, settlement currency: funding of a simulated one.
    """

    books: Books
    fees: dict[str, FeeRates] = field(default_factory=dict)
    instruments: Mapping[str, Any] = field(default_factory=dict)
    portfolio: Any = None
    cache: Any = None
    account_id: Any = None
    settlement: Any = None
    working: dict[str, WorkingOrder] = field(default_factory=dict)
    positions: dict[tuple[str, str], StrategyPosition] = field(default_factory=dict)
    revision: int = 0
    beside: Decimal = ZERO
    _ids: _Ids = field(default_factory=_Ids)
    _held: Mapping[Any, Any] | None = None
    _reading: _Reading | None = None
    _margin_rates: dict[str, Decimal] = field(default_factory=dict)
    _last_prices: dict[str, Decimal] = field(default_factory=dict)
    _mids: dict[str, tuple[Top, Decimal]] = field(default_factory=dict)

    def instrument_id(self, text: str) -> InstrumentId:
        """Parse once, then look up."""
        return self._ids[text]

    def net(self, instrument_id: str) -> Decimal:
        """Net position of the account, signed base units, from the engine's portfolio: which adds floats, so it is rounded here."""
        told = Decimal(self.portfolio.net_position(self._ids[instrument_id]))
        instrument = self.instruments.get(instrument_id)
        return told if instrument is None else unfloated(told, instrument.size_precision)

    def mid(self, instrument_id: str) -> Decimal | None:
        """Mid of the book, exact; None while there is none."""
        top = self.books.top_of(instrument_id)
        if top is None:
            return None
        known = self._mids.get(instrument_id)
        if known is None or known[0] is not top:
            known = self._mids[instrument_id] = top, (Decimal(repr(top.bid)) + Decimal(repr(top.ask))) / 2
        return known[1]

    def touch(self, instrument_id: str, side: Side) -> Decimal | None:
        """Best price that an order of this side could take; None while there is no book."""
        top = self.books.top_of(instrument_id)
        return None if top is None else Decimal(repr(top.ask if side is Side.BUY else top.bid))

    def mark(self, instrument_id: str) -> Decimal | None:
        """Mark price; None where the venue sends none."""
        mark = self.cache.mark_price(self._ids[instrument_id]) if self.cache is not None else None
        return mark.value.as_decimal() if mark is not None else None

    def reference(self, instrument_id: str) -> Decimal | None:
        """Mark price where the venue sends one, else the mid."""
        mark = self.mark(instrument_id)
        return mark if mark is not None else self.mid(instrument_id)

    def valued(self, instrument_id: str) -> Decimal | None:
        """Reference, or the last one while there is none: a position is not worthless because its book is empty."""
        price = self.reference(instrument_id)
        if price is None:
            return self._last_prices.get(instrument_id)
        self._last_prices[instrument_id] = price
        return price

    def funding(self, instrument_id: str) -> Funding | None:
        """Next funding payment, where the venue has announced one."""
        update = self.cache.funding_rate(self.instrument_id(instrument_id)) if self.cache is not None else None
        if update is None or update.next_funding_ns is None:
            return None
        interval_ns = update.interval * NS_PER_MINUTE if update.interval else None
        return Funding(float(update.rate * 10_000), update.next_funding_ns, interval_ns)

    def position(self, strategy_id: str, instrument_id: str) -> StrategyPosition:
        """A strategy's own position; flat where it has none."""
        return self.positions.get((strategy_id, instrument_id), FLAT)

    def open_orders(self, instrument_id: str) -> Iterator[WorkingOrder]:
        """Working orders of all strategies on an instrument."""
        return (order for order in self.working.values() if order.instrument_id == instrument_id)

    def entries(self, strategy_id: str, instrument_id: str) -> int:
        """Entry orders of one strategy that are open on an instrument."""
        return sum(
            1
            for order in self.working.values()
            if order.strategy_id == strategy_id and order.instrument_id == instrument_id and not order.reduce_only
        )

    def resting(self, instrument_id: str) -> Resting:
        """Open entries of all strategies on an instrument."""
        bought, sold, entries = ZERO, ZERO, 0
        for order in self.working.values():
            if order.instrument_id == instrument_id and not order.reduce_only:
                entries += 1
                if order.side > 0:
                    bought += order.leaves
                else:
                    sold += order.leaves
        return Resting(bought, sold, entries)

    def add(self, request: OrderRequest, mid: float | None = None) -> None:
        """Count an approved order from now on; `mid` is the book's when it was decided."""
        self.count(WorkingOrder(
            request.client_order_id, request.strategy_id, request.instrument_id, request.side, request.price,
            request.quantity, request.reduce_only, request.ts_ns, order_type=request.order_type,
            mid_decision=mid,
        ))  # fmt: skip

    def count(self, order: WorkingOrder) -> None:
        """Count an order from now on, in place of what was known under its id."""
        self.working[order.client_order_id] = order
        self.revision += 1

    def answered(self, client_order_id: str, *, accepted: bool = False, pending_cancel: bool | None = None) -> None:
        """Take over what is known of an order's state; None leaves it as it was."""
        order = self.working.get(client_order_id)
        if order is not None:
            order.accepted = order.accepted or accepted
            if pending_cancel is not None:
                order.pending_cancel = pending_cancel
                self.revision += 1

    def fill(self, client_order_id: str, quantity: Decimal) -> None:
        """Take a fill off what can still fill."""
        order = self.working.get(client_order_id)
        if order is None:
            return
        order.leaves -= quantity
        order.filled += quantity
        if order.leaves <= ZERO:
            self.close(client_order_id)

    def resize(self, client_order_id: str, quantity: Decimal) -> None:
        """Take over a quantity that the venue has changed: it clips a reduce-only order to the position."""
        order = self.working.get(client_order_id)
        if order is None:
            return
        order.leaves = quantity - order.filled
        if order.leaves <= ZERO:
            self.close(client_order_id)

    def cancelling(self, client_order_ids: Iterable[str]) -> None:
        """Note that cancels are under way."""
        for order_id in client_order_ids:
            if order_id in self.working:
                self.working[order_id].pending_cancel = True
                self.revision += 1

    def close(self, client_order_id: str) -> None:
        """Forget an order that is over."""
        self.working.pop(client_order_id, None)
        self.revision += 1

    def set_position(self, strategy_id: str, instrument_id: str, position: StrategyPosition) -> None:
        """Take over what a position event said."""
        self.positions[(strategy_id, instrument_id)] = position

    def equity(self) -> Decimal | None:
        """Everything the account holds at the mark (the mid where there is none), settlement currency; None without an account.

        Balances in the settlement currency, coins that a configured pair can price, and unrealised P&L of derivatives. A coin
        without a configured pair counts as nothing. None also while something that is held has never had a price, as after a
        restart: half an account would look like a loss.
        """
        if self.cache is None:
            return None
        held = self._balances()
        if held is None:
            return None
        prices = [self.valued(iid) for iid in self.instruments]
        known = self._reading
        if known is not None and known.held is held and known.prices == prices and known.beside == self.beside:
            return known.total
        total: Decimal = (held[self.settlement].as_decimal() if self.settlement in held else ZERO) + self.beside
        for instrument, price in zip(self.instruments.values(), prices, strict=True):
            if price is not None:
                total += pair_value(instrument, held, self.settlement, price)
                total += unrealised(instrument, self.portfolio, self.settlement, price)
            elif is_held(instrument, held, self.portfolio, self.settlement):
                return None
        self._reading = _Reading(held, prices, self.beside, total)
        return total

    def refresh(self) -> None:
        """Read the balances anew when they are next asked for: a fill, funding or a second may have changed them."""
        self._held = None

    def forget_history(self, ts_ns: int) -> None:
        """Let the engine forget the account's past states: it copies them all whenever the account is read."""
        if self.cache is not None:
            self.cache.purge_account_events(ts_ns, 0)

    def _balances(self) -> Mapping[Any, Any] | None:
        """Total balances by currency; copying the engine's account is the dear part of `equity`."""
        if self._held is None:
            account = self.cache.account(self.account_id)
            self._held = account.balances_total() if account is not None else None
        return self._held

    def worst(self, instrument_id: str) -> Decimal:
        """Largest absolute position that open entries can lead to, base units; never below |net|."""
        return self.resting(instrument_id).worst(self.net(instrument_id))

    def elsewhere(self, instrument_id: str, side: Side) -> Elsewhere:
        """What all other instruments would be worth if their resting entries filled, at their reference prices."""
        gross = net = margin = ZERO
        for iid in self.instruments:
            price = self.valued(iid) if iid != instrument_id else None
            if price is not None:
                held, resting = self.net(iid), self.resting(iid)
                here = resting.worst(held) * price
                gross += here
                margin += here * self.margin_rate(iid)
                net += (held + int(side) * resting.on(side)) * price
        return Elsewhere(gross, net, margin)

    def margin_rate(self, instrument_id: str) -> Decimal:
        """Initial margin per notional: 1 / leverage; 0 for a pair, which has none."""
        rate = self._margin_rates.get(instrument_id)
        if rate is None:
            instrument = self.instruments[instrument_id]
            rate = self._margin_rates[instrument_id] = ZERO if is_pair(instrument) else Decimal(instrument.margin_init)
        return rate
