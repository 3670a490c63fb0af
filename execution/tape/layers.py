"""The two layers that a tape puts around a guarded class: one before the guard, which hears every wish, one behind it, which hears
every call of the strategy's own code."""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from nautilus_trader.trading import Strategy

from execution.guarding import guard_class
from execution.handlers import HANDLERS
from execution.tape.tape import Tape
from risk.costs import Funding
from risk.view import AccountView

WISHES = (
    "submit_order", "submit_order_list", "modify_order", "modify_orders", "close_position", "close_all_positions",
    "market_exit", "cancel_order", "cancel_orders", "cancel_all_orders",
)  # fmt: skip
"""Everything by which a strategy changes orders."""
ALWAYS = frozenset({"on_start", "on_position_event"})
"""Heard also where the class does not override them: the base must be ready, and a stop follows each position event."""
_CALLBACKS = {"set_timer": 4, "set_timer_ns": 4, "set_time_alert": 2, "set_time_alert_ns": 2}
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def taped_class(tape: Tape, cls: type[Any]) -> type[Any]:
    """`execution.guarding.guard_class` with the tape around it."""
    return guard_class(cls, before=_wishes(tape), behind=_handlers(tape, cls))


def taped(tape: Tape | None) -> dict[str, Any]:
    """Fields of `runners.wiring.Plan` that let a tape hear the strategies; none without a tape."""
    if tape is None:
        return {}

    def view(*args: Any) -> TapedView:
        made = TapedView(*args)
        made.tape = tape
        return made

    return {"wrap": lambda cls: taped_class(tape, cls), "view": view}


@dataclass(slots=True)
class TapedView(AccountView):
    """The account view; what it takes from the engine for a strategy is noted."""

    tape: Tape | None = None

    def equity(self) -> Decimal | None:
        """See `AccountView.equity`."""
        value: Decimal | None = _noted(self, "equity", AccountView.equity)
        return value

    def net(self, instrument_id: str) -> Decimal:
        """See `AccountView.net`."""
        value: Decimal = _noted(self, "net", AccountView.net, instrument_id)
        return value

    def mark(self, instrument_id: str) -> Decimal | None:
        """See `AccountView.mark`."""
        value: Decimal | None = _noted(self, "mark", AccountView.mark, instrument_id)
        return value

    def funding(self, instrument_id: str) -> Funding | None:
        """See `AccountView.funding`."""
        value: Funding | None = _noted(self, "funding", AccountView.funding, instrument_id)
        return value


def _noted(view: TapedView, what: str, ask: Callable[..., Any], *args: str) -> Any:
    return ask(view, *args) if view.tape is None else view.tape.asked(what, ask)(view, *args)


class TapedClock:
    """The engine's clock as one strategy asks it: times told are noted, its timers are calls of its own code.

    Parameters
    ----------
    clock
        The engine's.
    tape
        Notes.
    call
        Makes a noted call of a name and a callback.
    """

    def __init__(self, clock: Any, tape: Tape, call: Callable[[str, Callable[..., Any]], Callable[..., Any]]) -> None:
        self._clock, self._tape, self._call = clock, tape, call
        self._now: Callable[[], int] = clock.timestamp_ns

    def timestamp_ns(self) -> int:
        """UNIX nanoseconds."""
        now = self._now()
        if self._tape.mine:
            self._tape.rows.append(("v", "clock", now))
        return now

    def timestamp_us(self) -> int:
        """UNIX microseconds."""
        return self.timestamp_ns() // 1_000

    def timestamp_ms(self) -> int:
        """UNIX milliseconds."""
        return self.timestamp_ns() // 1_000_000

    def timestamp(self) -> float:
        """UNIX seconds."""
        return self.timestamp_ns() / 1e9

    def utc_now(self) -> datetime:
        """UTC."""
        return _EPOCH + timedelta(microseconds=self.timestamp_us())

    def __getattr__(self, name: str) -> Any:
        found, position = getattr(self._clock, name), _CALLBACKS.get(name)
        return found if position is None else functools.partial(self._set, found, position)

    def _set(self, method: Callable[..., Any], position: int, /, *args: Any, **kwargs: Any) -> Any:
        if self._tape.mine:  # what the guard sets, for itself, is not the strategy's
            if kwargs.get("callback") is not None:
                kwargs["callback"] = self._call("timer", kwargs["callback"])
            elif len(args) > position and args[position] is not None:
                args = (*args[:position], self._call("timer", args[position]), *args[position + 1 :])
        return method(*args, **kwargs)


def _wishes(tape: Tape) -> type[Any]:
    front: Any = type("TapeBefore", (Strategy,), {})
    for name in WISHES:
        setattr(front, name, _wish(tape, front, name))
    front.is_exiting = _is_exiting(tape, front)
    front.guard_fail = _failing(tape, front)
    made: type[Any] = front
    return made


def _wish(tape: Tape, front: type[Any], name: str) -> Callable[..., Any]:
    def method(self: Any, *args: Any, **kwargs: Any) -> Any:
        do = getattr(super(front, self), name)
        if not tape.mine:
            return do(*args, **kwargs)
        purpose = self.desk.purpose if name.startswith("submit") else None
        tape.begin(name, (args, kwargs, purpose))
        tape.mine = False
        try:
            return do(*args, **kwargs)
        finally:
            tape.mine = True
            tape.end(self)

    method.__name__ = name
    return method


def _is_exiting(tape: Tape, front: type[Any]) -> Callable[[Any], bool]:
    def is_exiting(self: Any) -> bool:
        leaving: bool = super(front, self).is_exiting()
        return bool(tape.told("is_exiting", leaving))

    return is_exiting


def _failing(tape: Tape, front: type[Any]) -> Callable[..., None]:
    """Hear what a timer or a topic callback raises: the guard takes it inside the call."""

    def guard_fail(self: Any, where: str, error: BaseException) -> None:
        if tape.mine:
            tape.raised(error)
        super(front, self).guard_fail(where, error)

    return guard_fail


def _handlers(tape: Tape, cls: type[Any]) -> type[Any]:
    layer: Any = type("TapeBehind", (Strategy,), {})
    own = {name for name in (*HANDLERS, "post_market_exit") if getattr(cls, name) is not getattr(Strategy, name)}
    for name in own | ALWAYS:
        setattr(layer, name, _heard(tape, layer, name))
    if hasattr(cls, "act"):
        layer.act = _acting(tape, layer)
    layer.clock = property(_clock(tape, layer))
    made: type[Any] = layer
    return made


def _clock(tape: Tape, layer: Any) -> Callable[[Any], TapedClock]:
    return lambda self: TapedClock(super(layer, self).clock, tape, _call(tape, self))


def _heard(tape: Tape, layer: type[Any], name: str) -> Callable[..., Any]:
    def handler(self: Any, *args: Any) -> Any:
        before = tape.mine
        tape.enter(self, name, args)
        tape.mine = True
        try:
            return getattr(super(layer, self), name)(*args)
        except BaseException as error:
            tape.raised(error)
            raise
        finally:
            tape.mine = before
            tape.leave()
            if name == "on_start" and self.desk.reprice is not None:
                self.desk.reprice = _call(tape, self)("reprice", self.desk.reprice)

    handler.__name__ = name
    return handler


def _call(tape: Tape, strategy: Any) -> Callable[[str, Callable[..., Any]], Callable[..., Any]]:
    """Make calls of a strategy's own code that are no handlers: timers, and the second try of an entry."""

    def noted(name: str, target: Callable[..., Any]) -> Callable[..., Any]:
        def call(*args: Any) -> Any:
            before = tape.mine
            tape.enter(strategy, name, args)
            tape.mine = True
            try:
                return target(*args)
            except BaseException as error:
                tape.raised(error)
                raise
            finally:
                tape.mine = before
                tape.leave()

        return call

    return noted


def _acting(tape: Tape, layer: type[Any]) -> Callable[..., None]:
    def act(self: Any, intents: Any) -> None:
        tape.begin("act", intents)
        try:
            super(layer, self).act(intents)
        finally:
            tape.end(self)

    return act
