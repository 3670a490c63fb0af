"""The world of one episode: the real gate, books, relay, lives and watch; a venue; and the oracle that looks on.

Each action is a plain call with plain values, so that hypothesis, a seeded run of a million steps and a replay use the same ones.
"""

from __future__ import annotations

from collections import Counter
from decimal import Decimal
from pathlib import Path
from typing import Any

from nautilus_trader.model import (
    BookAction,
    BookOrder,
    InstrumentId,
    OrderBookDelta,
    OrderBookDeltas,
    OrderSide,
    Price,
    Quantity,
)

from execution.journal import MemoryJournal, RiskEvent
from execution.services import Services
from execution.topics import ACT, HALT, REFUSALS, RISK
from risk.arm_token import FileTokenStore, Identity
from risk.books import Books
from risk.breakers.restriction import Action
from risk.costs import FeeRates
from risk.gate import RiskGate
from risk.halts import Halts
from risk.kill_switch import KillSwitch
from risk.latch_log import FileLatchLog
from risk.loss import LossLedger, LossState
from risk.policy import Policy
from risk.request import Purpose
from risk.venue_rules import VenueRules
from risk.view import AccountView, StrategyPosition
from tests.engine import ETH, ETH_IID, IID, KEY, perpetual
from tests.properties import engine_words as words
from tests.properties.case import Case, Violation
from tests.properties.engine_words import Order
from tests.properties.followed import DAY, LEAST, LEAST_NOTIONAL, MOST, STEP, TICK, Ask
from tests.properties.lamps import SECOND
from tests.properties.oracle import Oracle
from tests.properties.profile import MAKER_BPS, STRATEGIES, TAKER_BPS, Profile, policies, risk_config
from tests.properties.trader import Trader
from tests.properties.venue import USDT, Resting, Venue

ZERO = Decimal(0)
START = 20_000 * DAY + DAY - 300 * SECOND
MS = 1_000_000
ETH_KEY = str(ETH_IID)
IIDS = (KEY, ETH_KEY)
INSTRUMENTS = {KEY: perpetual(), ETH_KEY: perpetual(ETH_IID, ETH)}
IDS = {KEY: IID, ETH_KEY: ETH_IID, "SOLUSDT-PERP.BINANCE": InstrumentId.from_str("SOLUSDT-PERP.BINANCE")}
STRANGER = "x"
"""A strategy without a policy."""
IDENTITY = Identity(account="1", environment="backtest", config_hash="episode")


class World:
    """One episode.

    Parameters
    ----------
    profile
        Limits.
    folder
        For arm token and latch log.
    seen
        Counts what has happened, over all episodes.
    """

    def __init__(self, profile: Profile, folder: Path, seen: Counter[str]) -> None:
        self.profile, self.folder, self.seen = profile, folder, seen
        self.now = START
        self.venue = Venue()
        self.tops: dict[str, tuple[int, int]] = {KEY: (1000, 1001), ETH_KEY: (1000, 1001)}
        self.epoch = 0
        ends = None if profile.end_secs is None else START + profile.end_secs * SECOND
        self.oracle = Oracle(profile, IIDS, START + profile.warm_up_secs * SECOND, ends, "", seen)
        self._switch().arm(START, "test", "a property test")
        self._begin(LossState())
        for iid in IIDS:
            self.quote(iid, 0, 1)

    def _switch(self) -> KillSwitch:
        return KillSwitch(FileTokenStore(self.folder / "arm.json"), FileLatchLog(self.folder / "latch.jsonl"), IDENTITY)

    def _begin(self, losses: LossState) -> None:
        self.epoch += 1
        self.oracle.prefix = f"bt{self.epoch:04d}"
        self.numbers = iter(range(1, 10**8))
        config = risk_config(self.profile)
        view = AccountView(Books(record=False), dict.fromkeys(IIDS, FeeRates(MAKER_BPS, TAKER_BPS)), INSTRUMENTS)
        view.cache = view.portfolio = self.venue
        view.settlement = USDT
        rules = VenueRules(TICK, STEP, LEAST, MOST, LEAST_NOTIONAL, self.profile.max_orders)
        halts = Halts(self._switch(), LossLedger(config.losses(), losses))
        self.gate = RiskGate(
            config, view, dict.fromkeys(IIDS, rules), policies(), halts, self.oracle.starts_ns, self.oracle.ends_ns,
            self.oracle.prefix,
        )  # fmt: skip
        self.services = Services(self.gate, MemoryJournal())
        self.traders = {
            name: Trader(name, self.services, policies().get(name, Policy()), self.next_id, self)
            for name in (*STRATEGIES, STRANGER)
        }
        self.refused: str | None = None
        for (name, iid), trip in self.venue.trips.items():
            if trip.quantity:
                view.set_position(name, iid, StrategyPosition(float(trip.quantity), float(trip.price), self.now))

    def next_id(self) -> str:
        """A fresh client order id."""
        return f"{self.oracle.prefix}{next(self.numbers):08d}"

    # What the traders tell -------------------------------------------------------------------------------------------

    def before(
        self, trader: Trader, order: Order, purpose: Purpose, wish: Decimal, closes_own: bool, listed: bool
    ) -> Case:
        """Ask the oracle first."""
        rank = 0 if order.is_post_only else 1 if order.price is not None else 2
        price = None if order.price is None else order.price.as_decimal()
        ask = Ask(
            str(order.client_order_id), trader.name, str(order.instrument_id), 1 if order.side == OrderSide.BUY else -1,
            rank, order.quantity.as_decimal(), price, order.is_reduce_only, purpose.edge_bps, closes_own, wish,
        )  # fmt: skip
        broken = set() if ask.reduce_only else self.oracle.violations(ask, self.now)
        self.refused = None
        return Case(ask, broken, listed, self.venue.net.get(ask.iid, ZERO))

    def after(self, trader: Trader, case: Case, admitted: bool) -> None:
        """Compare what the gate did with what the oracle thinks."""
        ask = case.ask
        kind = "exit" if ask.reduce_only else "closing entry" if ask.closes_own else "entry"
        if admitted:
            self.seen[f"approved {kind}"] += 1
            self.oracle.approved(ask, self.now)
            self._expect(
                ask.reduce_only or not self._real(case), f"{kind} {ask} was approved, but breaks {case.broken}"
            )
        elif self.refused is not None:
            self.seen[f"refused {self.refused}"] += 1
            if not ask.reduce_only:
                self._expect(
                    self.refused in case.broken or ask.closes_own,
                    f"{kind} {ask} was refused as {self.refused}, which is not so: {case.broken or 'nothing is broken'}",
                )
        else:
            raise Violation(f"{kind} {ask} was neither admitted nor refused")
        if ask.reduce_only:
            self._judge_exit(case, admitted)

    def _real(self, case: Case) -> set[str]:
        """An order that closes a strategy's own position is held to the account's own state, not to its size's edge cases."""
        if not case.ask.closes_own:
            return case.broken
        return case.broken & {"halted", "daily_loss", "loss_streak", "breaker", "warm_up", "after_end", "book_unusable"}

    def _judge_exit(self, case: Case, admitted: bool) -> None:
        ask, held = case.ask, -case.net * case.ask.side
        if held <= 0:
            return
        if admitted:
            whole = case.listed or ask.quantity <= held
            self._expect(whole, f"exit {ask} is larger than the position {case.net}: it could flip")
            return
        takeable = ask.quantity % STEP == 0 and LEAST <= ask.quantity <= MOST and (ask.price or TICK) % TICK == 0
        fresh = ask.order_id not in self.oracle.used_ids and ask.order_id.startswith(self.oracle.prefix)
        if takeable and fresh and held >= LEAST:
            raise Violation(f"exit {ask} of position {case.net} was refused as {self.refused}")

    def sent(self, trader: Trader, order: Order) -> None:
        """It reaches the venue."""
        order_id = str(order.client_order_id)
        self._expect(self.gate.saw(order_id), f"order {order_id} was not approved")
        price = None if order.price is None else order.price.as_decimal()
        side = 1 if order.side == OrderSide.BUY else -1
        self.venue.orders[order_id] = Resting(
            order_id,
            trader.name,
            str(order.instrument_id),
            side,
            price,
            order.quantity.as_decimal(),
            order.is_reduce_only,
        )

    def taken_back(self, order: Order) -> None:
        """It never left."""
        self.oracle.over(str(order.client_order_id))
        self.seen["taken back"] += 1

    def cancel(self, trader: Trader, order_id: str) -> None:
        """A cancel leaves."""
        self.oracle.cancels[trader.name].append(self.now)
        self.oracle.orders[order_id].cancel_asked = True
        order = self.venue.orders[order_id]
        if order.told in ("sent", "accepted"):
            order.told = "cancelling"
            self.tell(words.OrderPendingCancel(self.now, order_id, IDS[order.iid]), order)

    def tell(self, event: Any, order: Resting) -> None:
        """An order event reaches the system."""
        self.seen[f"event {type(event).__name__}"] += 1
        self.services.relay.order(event, order.strategy_id)
        self.traders[order.strategy_id].told(event)

    def publish(self, topic: str, message: Any) -> None:
        """The bus."""
        if topic == REFUSALS:
            self.refused = str(message[1].reason)
        elif topic == RISK:
            self._note_risk(message)
        else:
            self.seen[f"told {topic.removeprefix('hyper.')}"] += topic in (ACT, HALT)
            if topic == ACT and message[0] is Action.FLATTEN:
                self.oracle.leaving |= set(self.traders)
            for trader in self.traders.values():
                trader.handlers[topic](message)

    def _note_risk(self, event: RiskEvent) -> None:
        if event.kind == "order":
            self.seen[f"life: {event.detail}"] += 1

    # Actions on the market --------------------------------------------------------------------------------------------

    def quote(self, iid: str, shift: int, spread: int, age_ms: int = 0, kind: str = "whole") -> None:
        """A book message: moved by ticks, `spread` ticks wide (0 or less is crossed); ``one-sided`` or ``cleared``."""
        bid = max(200, self.tops[iid][0] + shift)
        self.tops[iid] = (bid, bid + max(1, spread))
        levels = [] if kind == "cleared" else [(OrderSide.BUY, bid)]
        levels += [(OrderSide.SELL, bid + spread)] if kind == "whole" else []
        deltas = self._message(IDS[iid], levels, self.now - age_ms * MS)
        whole = kind == "whole"
        if whole:
            self.oracle.tops[iid] = (bid * TICK, (bid + spread) * TICK)
        else:
            self.oracle.tops.pop(iid, None)
        self.seen[f"book {'crossed' if whole and spread <= 0 else kind}"] += 1
        kept = self.gate.view.books.apply_deltas(deltas, "feed")
        snapshot = bool(deltas.flags & 32)
        self.oracle.panel.book(
            self.now, iid, age_ms, is_market=whole and spread > 0, gap=not whole and not snapshot, snapshot=snapshot
        )
        self.oracle.observe(self.now)
        if kept is None:
            raise AssertionError("one feed: it is always the first to be called")
        self.services.on_deltas(deltas, kept, self.publish)
        self._all_taken_back()

    def _message(self, iid: InstrumentId, levels: list[tuple[OrderSide, int]], event_ns: int) -> OrderBookDeltas:
        rows = [OrderBookDelta.clear(iid, 0, event_ns, self.now)]
        for side, ticks in levels:
            order = BookOrder(side, Price.from_str(f"{ticks // 10}.{ticks % 10}"), Quantity.from_str("5.000"), 0)
            rows.append(OrderBookDelta(iid, BookAction.ADD, order, 128, 0, event_ns, self.now))
        return OrderBookDeltas(iid, rows)

    # What must always hold -------------------------------------------------------------------------------------------

    def check(self) -> None:
        """After every action."""
        self.oracle.prune()
        for iid in IIDS:
            for side in (1, -1):
                counted, there = self.gate.view.resting(iid).on(side), self.oracle.resting(iid, side)  # type: ignore[arg-type]
                self._expect(counted == there, f"{iid} {side:+d}: {there} rest, {counted} are counted")
        equity, true = self.gate.view.equity(), self.oracle.equity()
        self._expect(equity == true, f"equity is {true}, the gate reads {equity}")
        self._check_latch()

    def _check_latch(self) -> None:
        refusal, cause = self.gate.halts.switch.refusal(), self.oracle.latched
        self._expect((refusal is None) == (cause is None), f"latched by {cause}, the switch says {refusal}")
        if refusal is not None and cause is not None:
            self._expect(cause in refusal, f"{cause} came first, the switch says {refusal}")

    def _all_taken_back(self) -> None:
        """While entries are shut, none may rest without a cancel on its way."""
        shut = self.oracle.latched or self.oracle.day_halted == self.now // DAY
        for order in self.oracle.orders.values() if shut else ():
            done = not order.open or order.reduce_only or order.cancel_asked
            self._expect(done, f"{order.order_id} rests while entries are shut")

    def _expect(self, holds: bool, otherwise: str) -> None:
        if not holds:
            raise Violation(otherwise)


def position_of(world: World, name: str, iid: str) -> Decimal:
    """A strategy's own position, signed base units."""
    trip = world.venue.trips.get((name, iid))
    return ZERO if trip is None else trip.quantity
