"""The judge: what must and must not have been allowed, worked out from the events alone.

It shares no arithmetic with the package: it keeps its own orders, positions, cash, days and rates, and reads limits as plain
numbers from the episode's profile. `violations` names every rule that an entry breaks; an approved entry must break none, and a
refused one must break the rule that the refusal names.
"""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction

from tests.properties.followed import (
    DAY,
    HALF_AN_ULP,
    LEAST,
    LEAST_NOTIONAL,
    MARGIN_RATE,
    MOST,
    STEP,
    TICK,
    ZERO,
    Ask,
    Followed,
)
from tests.properties.lamps import SECOND
from tests.properties.profile import (
    CANCEL_WINDOW_SECS,
    DEMANDS_EDGE,
    EDGE_MARGIN_BPS,
    IDENTICAL_SECS,
    MAKER_BPS,
    MIN_CANCELS,
    MOST_ENTRIES,
    ORDER_RANKS,
    TAKER_BPS,
)


class Oracle(Followed):
    """Judges the entries of one account."""

    def violations(self, ask: Ask, ts_ns: int) -> set[str]:
        """Every rule that an entry breaks now; call before the gate is asked. Reads the equity as the gate must."""
        leaving = ask.strategy_id in self.leaving and not ask.closes_own
        found = self._identity(ask) | ({"exiting"} if leaving else set())
        if found:
            return found
        if ts_ns < self.starts_ns:
            return {"warm_up"}
        if self.ends_ns is not None and ts_ns >= self.ends_ns:
            return {"after_end"}
        self.reading(ts_ns)
        return self._shut(ask, ts_ns) | self._form(ask) | self._pace(ask, ts_ns) | self._size(ask)

    def _identity(self, ask: Ask) -> set[str]:
        found = set()
        if ask.order_id in self.used_ids:
            found.add("id_reused")
        if len(ask.order_id) != 14 or not ask.order_id.startswith(self.prefix):
            found.add("id_form")
        if ask.iid not in self.iids:
            found.add("unsupported")
        return found

    def _shut(self, ask: Ask, ts_ns: int) -> set[str]:
        found = set()
        if self.latched is not None:
            found.add("halted")
        if self.day_halted >= 0 and self.day_halted == ts_ns // DAY:
            found.add("daily_loss")
        if ts_ns < self.paused_until:
            found.add("loss_streak")
        top = self.tops.get(ask.iid)
        if top is None or top[0] >= top[1]:
            found.add("book_unusable")
        share = self.panel.share(ask.iid)
        if share == 0:
            found.add("breaker")
        usual, share = ask.wish if ask.wish is not None else ask.quantity, share * self.shrink()
        if Fraction(ask.quantity) > Fraction(usual) * share + HALF_AN_ULP or (share < 1 and not ask.quantity):
            found.add("size_factor")
        return found

    def _form(self, ask: Ask) -> set[str]:
        found, price = set(), ask.price
        if ask.strategy_id not in MOST_ENTRIES:
            found.add("unsupported")
        elif not ask.closes_own:
            if ask.rank > ORDER_RANKS[ask.strategy_id]:
                found.add("order_type")
            if self.open_entries(ask.iid, ask.strategy_id) + 1 > MOST_ENTRIES[ask.strategy_id]:
                found.add("open_entry")
            found |= self._edge(ask)
        if price is not None and (price <= 0 or price % TICK):
            found.add("tick")
        if ask.quantity <= 0 or ask.quantity % STEP:
            found.add("step")
        if ask.quantity < LEAST:
            found.add("min_quantity")
        if ask.quantity > MOST:
            found.add("max_quantity")
        reference = self.price(ask.iid)
        if price is not None or reference is not None:
            value = ask.quantity * (price if price is not None else reference or ZERO)
            if value < LEAST_NOTIONAL:
                found.add("min_notional")
        if price is not None and reference is not None:
            beyond = price > reference * Decimal("1.05") if ask.side > 0 else price < reference * Decimal("0.95")
            if beyond:
                found.add("percent_price")
        if sum(1 for o in self.orders.values() if o.open and o.iid == ask.iid) >= self.profile.max_orders:
            found.add("max_open_orders")
        return found

    def _edge(self, ask: Ask) -> set[str]:
        if ask.strategy_id != DEMANDS_EDGE or ask.iid not in self.tops:
            return set()
        if ask.edge_bps is None:
            return {"edge_missing"}
        bid, ask_price = self.tops[ask.iid]
        cost = Fraction(EDGE_MARGIN_BPS) + Fraction(MAKER_BPS if ask.rank == 0 else TAKER_BPS)
        if ask.rank > 0:
            cost += Fraction(ask_price - bid) / Fraction(ask_price + bid) * 10_000
        return {"edge"} if Fraction(ask.edge_bps) <= cost else set()

    def _pace(self, ask: Ask, ts_ns: int) -> set[str]:
        found, p = set(), self.profile
        if not ask.closes_own:
            if p.per_sec is not None and _within(self.sent_ns, ts_ns, 1) >= p.per_sec:
                found.add("order_rate")
            shape = self.shapes[ask.strategy_id, ask.iid, ask.side, ask.price, ask.quantity]
            if p.identical is not None and _within(shape, ts_ns, IDENTICAL_SECS) >= p.identical:
                found.add("repeated_order")
            flat = self.flat_ns.get((ask.strategy_id, ask.iid))
            if flat is not None and ts_ns - flat < p.cooldown_secs * SECOND:
                found.add("reentry")
            if p.cancels_per_fill is not None:
                cancels = _within(self.cancels[ask.strategy_id], ts_ns, CANCEL_WINDOW_SECS)
                fills = _within(self.fills[ask.strategy_id], ts_ns, CANCEL_WINDOW_SECS)
                if cancels >= MIN_CANCELS and cancels > p.cancels_per_fill * max(1, fills):
                    found.add("cancel_ratio")
        return found | self._collar(ask)

    def _collar(self, ask: Ask) -> set[str]:
        if self.profile.collar_mid is None and self.profile.collar_mark is None:
            return set()
        top = self.tops.get(ask.iid)
        if top is None:
            return {"price_collar"}
        price = ask.price if ask.price is not None else top[1 if ask.side > 0 else 0]
        for centre, bps in (
            ((top[0] + top[1]) / 2, self.profile.collar_mid),
            (self.marks.get(ask.iid), self.profile.collar_mark),
        ):
            if centre is not None and bps is not None:
                allowed = Fraction(centre) * Fraction(bps) / 10_000
                if abs(Fraction(price) - Fraction(centre)) > allowed or allowed < Fraction(TICK):
                    return {"price_collar"}
        return set()

    def _size(self, ask: Ask) -> set[str]:
        p, found = self.profile, set()
        reference, equity = self.price(ask.iid), self.equity()
        if reference is None or equity is None:
            return {"no_price"}
        price = reference if ask.price is None else max(reference, ask.price)
        if p.order_quantity is not None and ask.quantity > Decimal(repr(p.order_quantity)):
            found.add("order_quantity")
        if ask.quantity * price > Decimal(repr(p.order_notional)):
            found.add("order_notional")
        entries = p.entries_per_symbol
        if entries is not None and self.open_entries(ask.iid) + 1 > entries and not ask.closes_own:
            found.add("open_entries")
        return found | self._worst_case(ask, price, equity)

    def _worst_case(self, ask: Ask, price: Decimal, equity: Decimal) -> set[str]:
        """Position, gross, net, leverage and margin if this order and everything that rests fills."""
        p, found, iid, side = self.profile, set(), ask.iid, ask.side
        held = self.net[iid]
        start = ZERO if ask.closes_own and held * side < 0 else held
        after = start + side * (self.resting(iid, side) + ask.quantity)
        others = [other for other in self.iids if other != iid]
        net_before = after - side * ask.quantity
        net_elsewhere = sum(((self.net[o] + side * self.resting(o, side)) * self.valued(o) for o in others), ZERO)
        reference = self.price(iid) or price
        net_now = max(abs(net_elsewhere + after * price), abs(net_elsewhere + after * reference))
        net_was = max(abs(net_elsewhere + net_before * price), abs(net_elsewhere + net_before * reference))
        reduces = abs(after) < abs(start) and after * start >= 0
        if p.net is not None and net_now > Decimal(repr(p.net)) and not (reduces and net_now <= net_was):
            found.add("net_notional")
        if reduces:
            return found
        if abs(after) * price > Decimal(repr(p.position)):
            found.add("position_notional")
        here = max(abs(after), self.worst(iid)) * price
        gross = here + sum((self.worst(o) * self.valued(o) for o in others), ZERO)
        if p.gross is not None and gross > Decimal(repr(p.gross)):
            found.add("gross_notional")
        if gross > Decimal(repr(p.leverage)) * equity:
            found.add("gross_leverage")
        free = equity - gross * MARGIN_RATE
        if equity <= 0 or free * 100 < Decimal(repr(p.free_margin_pct)) * equity:
            found.add("margin_floor")
        return found


def _within(instants: list[int], ts_ns: int, secs: float) -> int:
    return sum(1 for instant in instants if ts_ns - instant < secs * SECOND)
