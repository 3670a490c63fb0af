"""Where the venue speaks to: market streams and the user stream."""

from __future__ import annotations

from typing import Any, Protocol

Message = dict[str, Any]


class Outlet(Protocol):
    """Receives everything that is published."""

    def wants(self, stream: str) -> bool:
        """Whether anybody listens to a market stream or a fault waits for it."""

    def market(self, stream: str, symbol: str, message: Message) -> None:
        """Publish on a market stream such as ``btcusdt@depth``."""

    def user(self, message: Message, symbol: str | None) -> None:
        """Publish on the user stream of the account."""


class Collector:
    """An outlet that keeps everything: for tests and for a venue without sockets."""

    def __init__(self) -> None:
        self.markets: list[tuple[str, Message]] = []
        self.users: list[Message] = []

    def wants(self, stream: str) -> bool:
        """Everything is wanted."""
        del stream
        return True

    def market(self, stream: str, symbol: str, message: Message) -> None:
        """Keep a market message."""
        del symbol
        self.markets.append((stream, message))

    def user(self, message: Message, symbol: str | None) -> None:
        """Keep a user message."""
        del symbol
        self.users.append(message)
