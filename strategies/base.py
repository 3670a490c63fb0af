"""The base class: Nautilus callbacks in, intents out.

A strategy subclasses `GuardedStrategy`, subscribes in `on_ready`, computes features in its handlers, and hands the intents of its
pure `decide` to `act`. It never sees the engine it runs in, so the same class runs in the backtest and in the live node.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Self

from nautilus_trader.model import BookType, InstrumentId, OrderBook, StrategyId
from nautilus_trader.trading import Strategy, StrategyConfig

from errors import ConfigError
from risk.books import Top
from risk.costs import FeeRates
from risk.desk import Desk
from risk.request import Purpose, Side
from risk.sizing import Sized
from risk.venue_rules import of_instrument
from risk.verdict import Reason, Refused
from risk.view import StrategyPosition, WorkingOrder
from strategies.acting import Actor
from strategies.intents import CancelAll, Exit, Intent
from strategies.params import SizedParams, StrategyParams
from strategies.sizing import size_of, wanted
from strategies.stopping import PositionStop

__all__ = ["GuardedStrategy", "SizedParams", "StrategyParams", "StrategySetup"]


@dataclass(frozen=True, slots=True)
class StrategySetup[P: StrategyParams]:
    """The one argument of a strategy's constructor.

    Attributes
    ----------
    params
        Validated parameters.
    strategy_id, order_id_tag
        From the configuration; together they make the engine's strategy id.
    instrument
        The Nautilus instrument that is traded.
    """

    params: P
    strategy_id: str
    order_id_tag: str
    instrument: Any

    def nautilus(self) -> StrategyConfig:
        """The engine's own configuration of this strategy."""
        return StrategyConfig(
            strategy_id=StrategyId(f"{self.strategy_id}-{self.order_id_tag}"),
            order_id_tag=self.order_id_tag,
            log_events=False,
            log_commands=False,
        )


_GIVEN = frozenset({
    "params", "instrument", "instrument_id", "tick", "step", "desk", "subscribe_book", "subscribe_prints", "every", "act",
    "now_ns", "warm", "book", "top", "holding", "position", "entry_price", "entry_ts_ns", "working", "fees", "base_units",
    "step_decimal", "sized", "place_stops", "stop_hit", "stop_price",
})  # fmt: skip


class GuardedStrategy[P: StrategyParams](Strategy):
    """Base of our strategies.

    Attributes
    ----------
    params
        Parameters.
    instrument, instrument_id
        What is traded.
    tick, step
        Price and size increments, as floats for features.
    desk
        Set by the wiring.
    """

    params: P
    desk: Desk

    def __init_subclass__(cls, **kwargs: Any) -> None:
        """Refuse a subclass that hides what the base gives it.

        Raises
        ------
        TypeError
            When the class defines one of these names.
        """
        super().__init_subclass__(**kwargs)
        taken = sorted(_GIVEN.intersection(vars(cls)))
        if taken:
            raise TypeError(
                f"{cls.__name__} defines {', '.join(taken)}, which GuardedStrategy gives: choose another name"
            )

    def __new__(cls, setup: StrategySetup[P]) -> Self:
        return super().__new__(cls, setup.nautilus())  # type: ignore[call-arg]

    def __init__(self, setup: StrategySetup[P]) -> None:
        super().__init__(setup.nautilus())
        self.params = setup.params
        self.instrument = setup.instrument
        self.instrument_id: InstrumentId = setup.instrument.id
        self.tick = float(setup.instrument.price_increment)
        self.step = float(setup.instrument.size_increment)
        self.__key = str(self.instrument_id)
        self.__actor: Actor | None = None
        self.__timers = 0
        self.__rules = of_instrument(setup.instrument)
        self.__stop: PositionStop | None = None

    # For subclasses -------------------------------------------------------------------------------------------------

    def on_ready(self) -> None:
        """Subscribe here. Called once, when the strategy starts."""

    def subscribe_book(self) -> None:
        """Receive every venue message of the order book in `on_book_deltas`; `book` and `top()` are kept up to date.

        Raises
        ------
        ConfigError
            When the run has no depth (fidelity ``l1_trades``): the strategy would wait for it in vain.
        """
        if self.desk.view.books.from_quotes:
            raise ConfigError(
                f"strategy {self.desk.strategy_id} needs depth: run it with data.fidelity l2, not l1_trades"
            )
        self.subscribe_book_deltas(self.instrument_id, BookType.L2_MBP)

    def subscribe_prints(self) -> None:
        """Receive every market trade in `on_trade`."""
        self.subscribe_trades(self.instrument_id)

    def every(self, secs: float, callback: Callable[[], None]) -> None:
        """Call `callback` each `secs` seconds of the engine's clock."""
        self.__timers += 1
        self.clock.set_timer_ns(f"hyper-every-{self.__timers}", int(secs * 1e9), callback=lambda _event: callback())

    def act(self, intents: Sequence[Intent]) -> None:
        """Turn intents into orders and cancels.

        During warm-up, and once positions are being closed at the end, only `Exit` and `CancelAll` are performed: what opens a
        position is dropped, what closes one never is.

        Raises
        ------
        RuntimeError
            When `on_start` was overridden without `super().on_start()`; subscribe in `on_ready` instead.
        """
        if self.__actor is None:
            raise RuntimeError(f"{type(self).__name__}.on_start does not call super().on_start(): use on_ready instead")
        warm = self.warm
        for intent in intents:
            if warm or isinstance(intent, Exit | CancelAll):
                self.__actor.perform(intent)

    def sized(
        self, params: SizedParams, side: Side, price: float, *, stop_distance: float = 0.0,
        volatility_pct_per_year: float = 0.0, why: str = "",
    ) -> float:  # fmt: skip
        """Size of an entry that is wanted now, base units, rounded down to the step; 0 where there is none.

        Why there is none is recorded as a refusal (``size_too_small``, ``no_stop_distance``), so ask only for an entry that
        would be sent. During warm-up nothing is asked for and the size is 0.

        Parameters
        ----------
        side, why
            Of the entry, for the record.
        params, price, stop_distance, volatility_pct_per_year
            See `strategies.sizing.size_of`.
        """
        if self.__actor is None or not self.warm:
            return 0.0
        equity, purpose = self.desk.view.equity(), Purpose(why)
        if equity is None:
            refused = Refused(Reason.NO_PRICE, "the account has no equity yet, and no entry a size")
            self.__actor.refuse(side, Decimal(0), refused, purpose)
            return 0.0
        size = size_of(
            params, self.__rules, equity, price,
            stop_distance=stop_distance, volatility_pct_per_year=volatility_pct_per_year,
        )  # fmt: skip
        if isinstance(size, Sized):
            return float(size.quantity)
        self.__actor.refuse(side, wanted(size), Refused.of(size), purpose)
        return 0.0

    def place_stops(self, distance: Callable[[float], float]) -> None:
        """Give every position of this strategy a stop, from its first fill on; ask `stop_hit` with each price.

        Parameters
        ----------
        distance
            From the entry price to the distance of the stop, both quote units; see `strategies.stopping.PositionStop`.
        """
        self.__stop = PositionStop(distance)
        self.desk.moved = self.__moved

    def stop_hit(self, price: float, trail: float = 0.0) -> bool:
        """Whether a price touches the position's stop; if not, the stop follows the best price at the distance `trail`.

        Both quote units; a trail of 0 leaves the stop where it is. It never widens.
        """
        return self.__stop is not None and self.__stop.hit(self.holding, price, trail)

    @property
    def stop_price(self) -> float | None:
        """Where the position's stop stands, quote units; None when flat."""
        if self.__stop is None:
            return None
        self.__stop.follow(self.holding)
        return self.__stop.price

    def __moved(self) -> None:
        """Called by the guard after each position event: a round trip that ends and begins between two prices is not missed."""
        if self.__stop is not None:
            self.__stop.follow(self.holding)

    @property
    def holding(self) -> StrategyPosition:
        """This strategy's position with its entry price and time; `position`, `entry_price` and `entry_ts_ns` are its parts."""
        return self.desk.view.position(self.desk.strategy_id, self.__key)

    @property
    def now_ns(self) -> int:
        """Engine time, UTC nanoseconds."""
        return int(self.clock.timestamp_ns())

    @property
    def warm(self) -> bool:
        """True while orders may be sent: after warm-up and before the end."""
        desk = self.desk
        now: int = self.clock.timestamp_ns()
        return now >= desk.trading_start_ns and (desk.trading_end_ns is None or now < desk.trading_end_ns)

    @property
    def book(self) -> OrderBook | None:
        """The L2 book of the instrument; read it, never change it."""
        return self.desk.view.books.book(self.instrument_id)

    def top(self) -> Top | None:
        """Best bid and ask; None while there is no book."""
        return self.desk.view.books.top_of(self.__key)

    @property
    def position(self) -> float:
        """This strategy's position, signed base units."""
        desk = self.desk
        return desk.view.position(desk.strategy_id, self.__key).quantity

    @property
    def entry_price(self) -> float:
        """Average open price of the position, quote units; 0 when flat."""
        return self.holding.entry_price

    @property
    def entry_ts_ns(self) -> int:
        """When the position was opened from flat; 0 when flat."""
        return self.holding.entry_ts_ns

    @property
    def working(self) -> Mapping[str, WorkingOrder]:
        """This strategy's orders that are not known to be over, by client order id."""
        every, mine = self.desk.view.working, self.desk.strategy_id
        return {key: order for key, order in every.items() if order.strategy_id == mine} if every else {}

    @property
    def fees(self) -> FeeRates:
        """Fee rates of the instrument."""
        return self.desk.view.fees[self.__key]

    # Engine callbacks that the base needs ---------------------------------------------------------------------------

    def on_start(self) -> None:
        """Prepare, then hand over to `on_ready`."""
        self.__actor = Actor(self, self.desk, self.instrument)
        self.desk.reprice = self.__reprice
        self.on_ready()

    def __reprice(self, client_order_id: str) -> None:
        """Called by the guard, so that a subclass with its own `on_order_rejected` loses nothing (O-12)."""
        if self.__actor is not None and self.warm:
            self.__actor.reprice(client_order_id)

    def base_units(self, notional_quote: float) -> float:
        """Size of a notional at the mid, base units; 0 while there is no price."""
        top = self.top()
        return notional_quote / top.mid if top is not None else 0.0

    @property
    def step_decimal(self) -> Decimal:
        """Size increment, exact."""
        return Decimal(self.instrument.size_increment.as_decimal())
