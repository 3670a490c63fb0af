"""Sockets and what they are told: fan-out of streams, with the faults that streams suffer."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Callable, Iterable, Sequence
from typing import Literal, Protocol

import msgspec

from adapters.simulated_binance.clock import Agenda, Clock
from adapters.simulated_binance.faults.actions import (
    Corrupt,
    Delay,
    Drop,
    Duplicate,
    EventAction,
    Reorder,
    Stall,
    Truncate,
)
from adapters.simulated_binance.ledger import Ledger
from adapters.simulated_binance.outlet import Message

Kind = Literal["market", "user", "trading"]
FOREVER = 2**63


class Wire(Protocol):
    """A connection that takes text."""

    def send(self, text: str) -> None:
        """Queue text for sending."""

    def close(self) -> None:
        """Close the connection soon."""


class Socket:
    """One web socket.

    Attributes
    ----------
    streams
        Names it is subscribed to (market) or its listen key (user).
    combined
        Whether messages are wrapped as ``{"stream": …, "data": …}``.
    mute_until
        Real time until which it is sent nothing.
    """

    def __init__(self, wire: Wire, kind: Kind, streams: Iterable[str] = (), *, combined: bool = False) -> None:
        self.wire, self.kind, self.streams, self.combined = wire, kind, set(streams), combined
        self.mute_until = 0


class Hub:
    """All sockets of the venue; the outlet of the exchange.

    Parameters
    ----------
    clock, agenda, ledger
        Of the venue.
    market_events
        Whether the ledger also gets every market event.

    Attributes
    ----------
    watch_all
        True when a fault waits for stream events, so that they are made even if nobody listens.
    listen_key
        Gives the living listen key.
    on_event
        Asked for the faults of each event.
    sent
        Messages handed to sockets, by stream.
    """

    def __init__(self, clock: Clock, agenda: Agenda, ledger: Ledger, *, market_events: bool = False) -> None:
        self._clock, self._agenda, self._ledger, self._log_all = clock, agenda, ledger, market_events
        self._sockets: dict[Socket, None] = {}
        self._counts: Counter[str] = Counter()
        self._held: dict[str, str] = {}
        self._stalled: dict[str, deque[tuple[str, str]]] = {}
        self.sent: Counter[str] = Counter()
        self.watch_all = False
        self.listen_key: Callable[[], str | None] = lambda: None
        self.on_event: Callable[[str, str | None], list[EventAction]] = lambda _name, _symbol: []

    def add(self, socket: Socket) -> None:
        """Let a socket hear what it is subscribed to."""
        self._sockets[socket] = None
        self._counts.update(socket.streams)
        self._ledger.write("socket", step="opened", socket=socket.kind, open=len(self._sockets))

    def remove(self, socket: Socket) -> None:
        """Forget a socket."""
        if socket in self._sockets:
            del self._sockets[socket]
            self._counts.subtract(socket.streams)
            self._ledger.write("socket", step="closed", socket=socket.kind, open=len(self._sockets))

    def subscribe(self, socket: Socket, streams: Sequence[str]) -> None:
        """Add streams to a socket."""
        fresh = set(streams) - socket.streams
        socket.streams |= fresh
        self._counts.update(fresh)

    def unsubscribe(self, socket: Socket, streams: Sequence[str]) -> None:
        """Take streams from a socket."""
        gone = set(streams) & socket.streams
        socket.streams -= gone
        self._counts.subtract(gone)

    def close(self, which: str) -> None:
        """Close sockets of a kind, or 'all'."""
        for socket in self.of(which):
            socket.wire.close()

    def silence(self, which: str, secs: float | None) -> None:
        """Send nothing on the sockets that are open now."""
        until = FOREVER if secs is None else self._clock.real_ns() + round(secs * 1e9)
        for socket in self.of(which):
            socket.mute_until = until

    def of(self, which: str) -> list[Socket]:
        """Open sockets of a kind, or 'all'."""
        return [socket for socket in self._sockets if which in ("all", socket.kind)]

    def wants(self, stream: str) -> bool:
        """Whether a market stream has a listener, a fault or the ledger waiting for it."""
        return self.watch_all or self._log_all or self._counts[stream] > 0

    def market(self, stream: str, symbol: str, message: Message) -> None:
        """Publish on a market stream."""
        actions = self.on_event(stream, symbol)
        if self._log_all or actions:
            acts = [action.act for action in actions]
            self._ledger.write("market_event", stream=stream, acts=acts, message=message)
        self._emit(stream, msgspec.json.encode(message).decode(), actions)

    def user(self, message: Message, symbol: str | None) -> None:
        """Publish on the user stream."""
        name = event_name(message)
        actions = self.on_event(name, symbol)
        hearing = sum(self._hears(socket, name) for socket in self._sockets)
        acts = [action.act for action in actions]
        self._ledger.write("user_event", name=name, listeners=hearing, acts=acts, message=message)
        self._emit(name, msgspec.json.encode(message).decode(), actions)

    def tell_key(self, message: Message) -> None:
        """Send a message to the sockets of the current listen key, past the fault script."""
        self._send("user/", msgspec.json.encode(message).decode())

    def _emit(self, name: str, text: str, actions: Sequence[EventAction]) -> None:
        copies, wait = 1, 0.0
        for action in actions:
            if isinstance(action, Drop):
                return
            if isinstance(action, Reorder) and name not in self._held:
                self._held[name] = text
                return
            if isinstance(action, Duplicate):
                copies += action.copies
            if isinstance(action, Delay):
                wait += action.secs
            if isinstance(action, Stall):
                self._stall(_stream(name), action.secs)
            if isinstance(action, Truncate | Corrupt):
                text = spoil(text, action)
        for _ in range(copies):
            if wait:
                self._agenda.after(wait, lambda: self._in_turn(name, text))
            else:
                self._in_turn(name, text)
        if (held := self._held.pop(name, None)) is not None:
            self._in_turn(name, held)

    def _stall(self, stream: str, secs: float) -> None:
        """Let a stream wait from here on, unless it does already."""
        if stream not in self._stalled:
            self._stalled[stream] = deque()
            self._agenda.after(secs, lambda: self._catch_up(stream))

    def _catch_up(self, stream: str) -> None:
        for name, text in self._stalled.pop(stream):
            self._send(name, text)

    def _in_turn(self, name: str, text: str) -> None:
        waiting = self._stalled.get(_stream(name))
        if waiting is None:
            self._send(name, text)
        else:
            waiting.append((name, text))

    def _send(self, name: str, text: str) -> None:
        for socket in list(self._sockets):
            if self._hears(socket, name):
                self.sent[name] += 1
                socket.wire.send(f'{{"stream":"{name}","data":{text}}}' if socket.combined else text)

    def _hears(self, socket: Socket, name: str) -> bool:
        if socket.mute_until > self._clock.real_ns():
            return False
        if name.startswith("user/"):
            return socket.kind == "user" and self.listen_key() in socket.streams
        return name in socket.streams


def _stream(name: str) -> str:
    """What is kept in order: all user events are one stream."""
    return "user" if name.startswith("user/") else name


def event_name(message: Message) -> str:
    """Name of a user event for fault scripts: ``user/<e>`` and, where there is one, its execution type or reason."""
    kind = str(message["e"])
    if kind == "ORDER_TRADE_UPDATE":
        return f"user/{kind}/{message['o']['x']}"
    if kind == "ALGO_UPDATE":
        return f"user/{kind}/{message['o']['X']}"
    return f"user/{kind}/{message['a']['m']}" if kind == "ACCOUNT_UPDATE" else f"user/{kind}"


def spoil(text: str, action: Truncate | Corrupt) -> str:
    """Cut a text short, or make it no JSON."""
    if isinstance(action, Truncate):
        return text[: int(len(text) * action.keep)]
    middle = len(text) // 2
    return f"{text[:middle]}\x7f{text[middle + 1 :]}".replace("{", "[", 1)
