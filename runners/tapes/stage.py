"""A strategy without an engine: the class of the session with stand-ins for what the engine gave it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any, Protocol

from nautilus_trader.common import Clock, OrderFactory
from nautilus_trader.model import TraderId
from nautilus_trader.trading import Strategy

from execution.guarded_factory import GuardedFactory
from execution.tape.layers import WISHES
from risk.costs import Funding
from risk.view import ZERO, AccountView

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_SILENT = ("subscribe_", "unsubscribe_", "publish_", "request_")
_MISSING = ("cache", "portfolio", "msgbus")


class NotPlayable(Exception):
    """A strategy asks for something that a tape does not hold."""


class Player(Protocol):
    """Answers and hears a strategy that is played."""

    def ask(self, strategy: Any, what: str) -> Any:
        """Answer that the session gave here."""

    def decided(self, strategy: Any, what: str, content: Any) -> None:
        """Take a decision."""

    def acting(self, strategy: Any, intents: Any, act: Callable[[], None]) -> None:
        """Take intents, and let the strategy make orders of them."""


class StageClock:
    """Tells the times that the session was told, and keeps callbacks for the timers that the tape fires.

    Parameters
    ----------
    strategy
        Whose clock it is.
    """

    def __init__(self, strategy: Any) -> None:
        self._strategy = strategy
        self.callbacks: dict[str, Callable[[Any], None]] = {}

    def timestamp_ns(self) -> int:
        """UNIX nanoseconds."""
        return int(self._strategy.played_by.ask(self._strategy, "clock"))

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

    def set_timer(self, name: str, interval: Any, *args: Any, callback: Any = None, **more: Any) -> None:
        """Keep the callback."""
        del interval, more
        self._keep(name, callback if callback is not None else args[2] if len(args) > 2 else None)

    set_timer_ns = set_timer

    def set_time_alert(self, name: str, at: Any, callback: Any = None, *args: Any, **more: Any) -> None:
        """Keep the callback."""
        del at, args, more
        self._keep(name, callback)

    set_time_alert_ns = set_time_alert

    def cancel_timer(self, name: str) -> None:
        """Leave it to the tape: a timer that was cancelled does not fire there."""

    def cancel_timers(self) -> None:
        """See `cancel_timer`."""

    def timer_names(self) -> list[str]:
        """Timers that were set."""
        return list(self.callbacks)

    def _keep(self, name: str, callback: Any) -> None:
        if callback is not None:
            self.callbacks[name] = callback


def staged_class(cls: type[Any]) -> type[Any]:
    """Return `cls` with an engine of paper: what it asks is answered by ``played_by``, what it wants is told there."""
    body: dict[str, Any] = {"__module__": cls.__module__, "__qualname__": cls.__qualname__, "__doc__": cls.__doc__}
    body |= {name: _nothing for name in dir(Strategy) if name.startswith(_SILENT)}
    body |= {name: _missing(name) for name in _MISSING}
    body |= {name: _wish(name) for name in WISHES}
    body |= {
        "clock": property(_clock), "order_factory": property(_factory), "is_running": _yes, "is_exiting": _is_exiting,
        "log": property(lambda _self: _Log()), "shutdown_system": _nothing, "played_clock": None, "played_factory": None,
    }  # fmt: skip
    front = type("Staged", (Strategy,), body)
    if not hasattr(cls, "act"):
        return type(cls.__name__, (front, cls), {"__module__": cls.__module__})
    front.act = _acting(front)  # type: ignore[attr-defined]
    return type(cls.__name__, (front, cls), {"__module__": cls.__module__})


def _nothing(self: Any, *args: Any, **kwargs: Any) -> None:
    del self, args, kwargs


def _yes(self: Any) -> bool:
    del self
    return True


def _is_exiting(self: Any) -> bool:
    return bool(self.played_by.ask(self, "is_exiting"))


def _missing(name: str) -> property:
    def ask(self: Any) -> Any:
        raise NotPlayable(f"{type(self).__name__} reads the engine's {name}, of which a tape holds nothing")

    return property(ask)


def _wish(name: str) -> Callable[..., None]:
    def method(self: Any, *args: Any, **kwargs: Any) -> None:
        purpose = self.desk.take_purpose() if name.startswith("submit") else None
        self.played_by.decided(self, name, (args, kwargs, purpose))

    return method


def _acting(front: type[Any]) -> Callable[..., None]:
    def act(self: Any, intents: Any) -> None:
        self.played_by.acting(self, intents, lambda: super(front, self).act(intents))

    return act


def _clock(self: Any) -> StageClock:
    if self.played_clock is None:
        self.played_clock = StageClock(self)
    clock: StageClock = self.played_clock
    return clock


def _factory(self: Any) -> Any:
    if self.played_factory is None:
        plain = OrderFactory(TraderId("PLAYED-001"), self.strategy_id, Clock.new_test())
        self.played_factory = GuardedFactory(plain, self.desk.next_id)
    return self.played_factory


class _Log:
    """Takes every line and keeps none."""

    def __getattr__(self, name: str) -> Callable[..., None]:
        del name
        return _say


def _say(*args: Any, **kwargs: Any) -> None:
    del args, kwargs


@dataclass(slots=True)
class StagedView(AccountView):
    """The account view; what the session took from its engine comes from the tape."""

    played_by: Player | None = None

    def equity(self) -> Decimal | None:
        """See `AccountView.equity`."""
        value: Decimal | None = self._asked("equity")
        return value

    def net(self, instrument_id: str) -> Decimal:
        """See `AccountView.net`."""
        del instrument_id
        return self._asked("net") or ZERO

    def mark(self, instrument_id: str) -> Decimal | None:
        """See `AccountView.mark`."""
        del instrument_id
        value: Decimal | None = self._asked("mark")
        return value

    def funding(self, instrument_id: str) -> Funding | None:
        """See `AccountView.funding`."""
        del instrument_id
        given = self._asked("funding")
        return None if given is None else Funding(**given[1])

    def _asked(self, what: str) -> Any:
        return None if self.played_by is None else self.played_by.ask(None, what)
