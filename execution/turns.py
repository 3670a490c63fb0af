"""Strategies take their turn in the order of the configuration.

The engine gives every subscription a random id and serves subscribers of one message in the order of these ids: two strategies
on one symbol would act now in this order, now in that, and the same run would not repeat. So the first that the engine calls
lets those before it go first; when the engine comes to them, they have had their turn.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any

ORDERED = {
    "on_book_deltas": "book_deltas", "on_book_depth": "book_depth", "on_quote": "quotes", "on_trade": "trades",
    "on_bar": "bars", "on_mark_price": "mark_prices", "on_index_price": "index_prices", "on_funding_rate": "funding_rates",
}  # fmt: skip
"""Handler of each kind of market data, and how its subscribe methods end."""


class _Round:
    """One message on its way to the subscribers of one topic."""

    __slots__ = ("called", "mark", "served")

    def __init__(self, mark: tuple[Any, ...]) -> None:
        self.mark = mark
        self.called: set[int] = set()
        self.served: set[int] = set()


class Turns:
    """Who is served when; one per run.

    Attributes
    ----------
    strategies
        In the order of the configuration.
    alone
        True with one strategy: there is nobody to wait for.
    """

    def __init__(self) -> None:
        self.strategies: Sequence[Any] = ()
        self.alone = True
        self._members: dict[tuple[str, str], set[int]] = {}
        self._rounds: dict[tuple[str, str], _Round] = {}

    def line_up(self, strategies: Sequence[Any]) -> None:
        """Take the strategies in the order of the configuration."""
        self.strategies, self.alone = strategies, len(strategies) < 2

    def subscribe(self, handler: str, key: str, strategy: Any) -> None:
        """Note a subscription of market data by a strategy with a handler for it."""
        place = self._place(strategy)
        if place is not None and hasattr(getattr(type(strategy), handler), "guard_body"):
            self._members.setdefault((handler, key), set()).add(place)

    def unsubscribe(self, handler: str, key: str, strategy: Any) -> None:
        """Note its end."""
        place = self._place(strategy)
        if place is not None:
            self._members.get((handler, key), set()).discard(place)

    def anyone(self, handler: str, key: str) -> bool:
        """Whether a strategy listens."""
        return bool(self._members.get((handler, key)))

    def due(self, handler: str, event: Any, strategy: Any) -> list[Any]:
        """Whose turn it is when the engine calls a handler of `strategy`: those before it and itself, unless they were served."""
        if self.alone:
            return [strategy]
        key = (handler, key_of(event))
        members, place = self._members.get(key, set()), self._place(strategy)
        current = self._round(key, event, place)
        waited = place in current.served
        if place is not None:
            current.called.add(place)
        if waited:  # also when it has unsubscribed during its turn: the engine still comes with this message
            return []
        if len(members) < 2 or place not in members:
            return [strategy]
        now = sorted(p for p in members if p <= place and p not in current.served)
        current.served.update(now)
        return [self.strategies[p] for p in now if p == place or self.strategies[p].is_running()]

    def _round(self, key: tuple[str, str], event: Any, place: int | None) -> _Round:
        """Return the round of this message; one that the engine brings twice to the same strategy is the next."""
        mark = (event.ts_init, getattr(event, "trade_id", None) or getattr(event, "sequence", None))
        current = self._rounds.get(key)
        if current is None or current.mark != mark or place in current.called:
            current = self._rounds[key] = _Round(mark)
        return current

    def _place(self, strategy: Any) -> int | None:
        return next((place for place, found in enumerate(self.strategies) if found is strategy), None)


def key_of(event: Any) -> str:
    """What a subscription is for: a bar type, else an instrument."""
    return str(event.bar_type if hasattr(event, "bar_type") else event.instrument_id)


def noted_subscriptions(inner: type[Any]) -> dict[str, Callable[..., None]]:
    """Subscribe and unsubscribe methods of a guarded class that also tell `Turns`."""
    ways = ("subscribe", "unsubscribe")
    return {
        f"{way}_{what}": _noted(way, handler, f"{way}_{what}", inner)
        for handler, what in ORDERED.items()
        for way in ways
    }


def _noted(way: str, handler: str, name: str, inner: type[Any]) -> Callable[..., None]:
    target = getattr(inner, name)

    @functools.wraps(target)
    def method(self: Any, *args: Any, **kwargs: Any) -> None:
        subject = args[0] if args else kwargs.get("instrument_id", kwargs.get("bar_type"))
        if way == "subscribe":
            self.services.check_given(handler, self.desk.strategy_id)
        getattr(self.services.turns, way)(handler, str(subject), self)
        target(self, *args, **kwargs)
        self.services.lend(handler, str(subject))

    return method
