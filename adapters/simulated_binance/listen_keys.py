"""Listen keys: one per account, shared by all its clients, alive for a while."""

from __future__ import annotations

import hashlib
from collections.abc import Callable

from adapters.simulated_binance.clock import Agenda, Clock
from adapters.simulated_binance.codes import Code, Refused
from adapters.simulated_binance.ledger import Ledger


class ListenKeys:
    """The listen key of the account.

    Parameters
    ----------
    alias
        Of the account.
    lifetime_secs
        Validity after creation or renewal.
    clock, agenda, ledger
        Of the venue.
    on_expired
        Told the key that ran out, before it stops to work.
    """

    def __init__(
        self,
        alias: str,
        lifetime_secs: float,
        clock: Clock,
        agenda: Agenda,
        ledger: Ledger,
        on_expired: Callable[[str], None],
    ) -> None:
        self._alias, self._lifetime = alias, lifetime_secs
        self._clock, self._agenda, self._ledger, self._on_expired = clock, agenda, ledger, on_expired
        self._count = 0
        self._renewals = 0
        self.current: str | None = None

    def create(self) -> str:
        """Give the living key, renewed, or a new one."""
        if self.current is None:
            self._count += 1
            self.current = hashlib.sha256(f"{self._alias}/{self._count}".encode()).hexdigest()
            self._ledger.write("listen_key", key=self.current, step="created")
        self.renew()
        return self.current

    def renew(self, key: str | None = None) -> str:
        """Start its lifetime anew.

        Raises
        ------
        Refused
            -1125 when there is no such living key.
        """
        if self.current is None or key not in (None, self.current):
            raise Refused(Code.INVALID_LISTEN_KEY)
        self._renewals += 1
        now, mine = self._renewals, self.current
        self._agenda.after(
            self._lifetime, lambda: self.expire() if (self._renewals, self.current) == (now, mine) else None
        )
        return self.current

    def expire(self) -> None:
        """End the key as its lifetime does: with an event."""
        if self.current is not None:
            self._ledger.write("listen_key", key=self.current, step="expired")
            self._on_expired(self.current)
            self.current = None

    def delete(self) -> None:
        """End the key without a word."""
        if self.current is not None:
            self._ledger.write("listen_key", key=self.current, step="deleted")
            self.current = None
