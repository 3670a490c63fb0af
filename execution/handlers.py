"""Wraps a strategy's handlers: the first exception ends the run, and books, journal and view are up to date before each."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

from nautilus_trader.trading import Strategy

from execution.turns import ORDERED

MARKET = frozenset({"on_book_deltas", "on_book_depth", "on_trade", "on_quote", "on_bar"})
HANDLERS = tuple(name for name in dir(Strategy) if name.startswith("on_") and name not in ("on_save", "on_load"))


def wrapped_handlers(inner: type[Any]) -> dict[str, Callable[..., Any]]:
    """Wrap every handler that `inner` overrides, by name."""
    overridden = (name for name in HANDLERS if getattr(inner, name) is not getattr(Strategy, name))
    return {name: _wrapped(name, getattr(inner, name)) for name in overridden}


def _wrapped(name: str, target: Callable[..., Any]) -> Callable[..., Any]:
    prepare = _PREPARE.get(name)
    if prepare is None and name.startswith("on_order_") and name != "on_order_event":
        prepare = _relay

    @functools.wraps(target)
    def body(self: Any, *args: Any) -> Any:
        try:
            if prepare is not None:
                prepare(self, *args)
            return target(self, *args)
        except BaseException as error:  # noqa: BLE001 - the engine would swallow it, SystemExit included
            self.guard_fail(name, error)
            return None

    if name in MARKET:
        return _market(name, target, prepare, _in_turn(name, _timed(body)))
    return _in_turn(name, body) if name in ORDERED else body


def _market(
    name: str, target: Callable[..., Any], prepare: Callable[..., None] | None, whole: Callable[..., Any]
) -> Callable[..., Any]:
    """`whole` in a single call where nobody shares the message and nothing is measured: the hot path of a backtest."""
    if prepare is None:
        return _unprepared(name, target, whole)

    @functools.wraps(target)
    def handler(self: Any, event: Any) -> Any:
        if not self.services.direct:
            return whole(self, event)
        try:
            prepare(self, event)
            return target(self, event)
        except BaseException as error:  # noqa: BLE001 - as above
            self.guard_fail(name, error)
            return None

    handler.guard_body = whole.guard_body  # type: ignore[attr-defined]
    return handler


def _unprepared(name: str, target: Callable[..., Any], whole: Callable[..., Any]) -> Callable[..., Any]:
    """The same for messages that no book has to take first."""

    @functools.wraps(target)
    def handler(self: Any, event: Any) -> Any:
        if not self.services.direct:
            return whole(self, event)
        try:
            return target(self, event)
        except BaseException as error:  # noqa: BLE001 - as above
            self.guard_fail(name, error)
            return None

    handler.guard_body = whole.guard_body  # type: ignore[attr-defined]
    return handler


def _timed(body: Callable[..., Any]) -> Callable[..., Any]:
    """Let a live session know which market event a decision answers (D-3)."""

    @functools.wraps(body)
    def timed(self: Any, event: Any) -> Any:
        probe = self.services.latency
        if probe is None:
            return body(self, event)
        probe.market(event.ts_init)
        try:
            return body(self, event)
        finally:
            probe.market_over()

    return timed


def _in_turn(name: str, body: Callable[..., Any]) -> Callable[..., Any]:
    """Serve the strategies that come first in the configuration, then this one, each once."""

    @functools.wraps(body)
    def handler(self: Any, event: Any) -> None:
        if self.services.turns.alone:
            body(self, event)
            return
        for strategy in self.services.turns.due(name, event, self):
            getattr(type(strategy), name).guard_body(strategy, event)

    handler.guard_body = body  # type: ignore[attr-defined]
    return handler


def _deltas(strategy: Any, deltas: Any) -> None:
    services = strategy.services
    quiet = services.quiet
    if quiet.left and quiet.foreseen.step(deltas.ts_init, deltas.sequence):
        quiet.left -= 1  # most messages of a replay only have to be counted
        return
    kept = services.view.books.apply_deltas(deltas, strategy)
    if kept is not None:
        services.on_deltas(deltas, kept, strategy.publish_message)


def _quote(strategy: Any, quote: Any) -> None:
    services = strategy.services
    kept = services.view.books.apply_quote(quote, strategy)
    if kept is not None:
        services.on_quote(quote, kept, strategy.publish_message)


def _relay(strategy: Any, event: Any) -> None:
    """The engine calls `on_order_filled` before `on_order_event`: without this it would see the state before the fill."""
    strategy.guard_relay(event)


_PREPARE: dict[str, Callable[..., None]] = {"on_book_deltas": _deltas, "on_quote": _quote}
