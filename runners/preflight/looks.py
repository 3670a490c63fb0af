"""The requests of preflight: questions, and one POST that gives the account's listen key. It has no way to change anything."""

from __future__ import annotations

from collections.abc import Mapping

from msgspec import Struct, field

from execution.safety.endpoints import Endpoint
from execution.safety.reads import Reads
from execution.safety.wire import Outgoing

LISTEN_KEY = Endpoint("POST", "/fapi/v1/listenKey", signed=False)
ACCOUNT_CONFIG = Endpoint("GET", "/fapi/v1/accountConfig", weight=5)


class ListenKey(Struct, frozen=True):
    """Name of the account's private stream; a secret."""

    key: str = field(name="listenKey")


class AccountConfig(Struct, frozen=True):
    """What the account may do."""

    can_trade: bool = field(name="canTrade")


class Looks(Reads):
    """Asks the venue."""

    async def account_config(self) -> AccountConfig:
        """What the account may do, whatever the key."""
        return await self._ask(ACCOUNT_CONFIG, AccountConfig, {})

    async def listen_key(self) -> int:
        """Make or renew the account's listen key and return its length; it is shared, so it is never deleted.

        A running node of the same account is not disturbed: the venue gives the living key, with an hour more.
        """
        return len((await self._ask(LISTEN_KEY, ListenKey, {})).key)

    def _outgoing(self, endpoint: Endpoint, texts: Mapping[str, str]) -> Outgoing:
        """Send the listen key's request with the key and without a signature, as Binance wants it."""
        if endpoint is LISTEN_KEY and self._credentials is not None:
            return Outgoing(endpoint.method, self._base_url + endpoint.path, headers=self._credentials.headers())
        return super()._outgoing(endpoint, texts)
