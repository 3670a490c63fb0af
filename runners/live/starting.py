"""Before the first order: what the account must look like, and what is done about what is found on it (O-9)."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal

from adapters.binance.environments import Environment
from errors import RunFailed, SafetyRefusal
from execution.safety.client import SafetyClient
from execution.safety.failures import VenueError
from execution.safety.response_class import Consequence
from execution.safety.rows import PositionRow
from runners.config import LiveConfig
from runners.config.account import AccountConfig
from runners.live.account import Account
from runners.live.recovering import Recovered
from runners.live.secrets import Keys
from runners.live.state import Identity

ZERO = Decimal(0)
TRIES = 3
"""A position that changes between READY and the start begins it again."""


@dataclass(frozen=True, slots=True)
class Opening:
    """The account when everything was in order.

    Attributes
    ----------
    ts_ms
        Venue time, ms.
    wallet
        Wallet balance, settlement currency.
    positions
        What was adopted, by symbol.
    offset_ms
        Venue time minus ours.
    done
        What was found and done, one line each: symbol, side, quantity, action.
    """

    ts_ms: int
    wallet: Decimal
    positions: Mapping[str, PositionRow] = field(default_factory=dict)
    offset_ms: float = 0.0
    done: tuple[str, ...] = ()

    @property
    def equity(self) -> Decimal:
        """Wallet and unrealised profit at the mark, the starting balance of the session."""
        return self.wallet + sum(
            (row.amount * (row.mark_price - row.entry_price) for row in self.positions.values()), ZERO
        )


async def identify(client: SafetyClient, config: AccountConfig, place: Environment, keys: Keys) -> Identity:
    """Ask the venue whose key this is; nothing is changed.

    Raises
    ------
    RunFailed
        When the venue does not answer.
    SafetyRefusal
        When it does not know the key.
    """
    try:
        await client.measure_clock()
        rows = await client.balances()
    except VenueError as error:
        if error.consequence is Consequence.KEY:
            raise SafetyRefusal(
                f"{place.rest_host} refuses the key {keys.source}: {error}; is it a key of environment {config.environment}?"
            ) from error
        raise RunFailed(f"{place.rest_host} does not answer: {error}.") from error
    if not rows:
        raise RunFailed(f"{place.rest_host} lists no balance, so the account cannot be told.")
    return Identity(config.environment, place.rest_host, rows[0].account_alias, keys.fingerprint)


async def prepare_account(account: Account, config: LiveConfig, recover: Callable[[], Awaitable[Recovered]]) -> Opening:
    """Bring the account into the state in which a session may begin.

    Parameters
    ----------
    recover
        Brings journal and venue together (`runners.live.recovering`).

    Raises
    ------
    SafetyRefusal
        With the one thing that stands against it.
    RunFailed
        When the venue does not answer.
    """
    try:
        offset = await _check_clock(account, config)
        await _check_mode(account)
        await _check_fees(account, config)
    except VenueError as error:
        raise RunFailed(f"the account cannot be prepared: {error}.") from error
    for _ in range(TRIES):
        recovered = await recover()
        try:
            held = await account.positions()
        except VenueError as error:
            raise RunFailed(f"the account cannot be prepared: {error}.") from error
        if {symbol: row.amount for symbol, row in held.items()} == dict(recovered.positions):
            kept = {symbol: row for symbol, row in held.items() if symbol in config.symbols}
            return Opening(recovered.look.now_ms, recovered.look.wallet, kept, offset)
    raise RunFailed(f"the account's positions changed {TRIES} times while it was prepared: who trades it?")


async def _check_clock(account: Account, config: LiveConfig) -> float:
    reading, limits = await account.client.measure_clock(), config.safety.max_clock_offset_ms
    if abs(reading.offset_ms) - reading.bound_ms > limits.refuse:
        raise SafetyRefusal(
            f"this machine's clock is {-reading.offset_ms:+.0f} ms off the venue's, allowed are {limits.refuse}: "
            "synchronise it and start again."
        )
    return reading.offset_ms


async def _check_mode(account: Account) -> None:
    if await account.client.hedge_mode():
        raise SafetyRefusal(
            "the account is in hedge mode, where reduce-only does not protect: switch it to one-way mode "
            "(Binance: futures, preferences, position mode) while it is flat and without orders."
        )


async def _check_fees(account: Account, config: LiveConfig) -> None:
    """The edge check reckons with the configured fees: they must be those that the account pays (R-7)."""
    for symbol in config.symbols:
        row = await account.client.commission(symbol)
        for side, charged, given in (
            ("maker", row.maker, config.fees.maker_bps), ("taker", row.taker, config.fees.taker_bps),
        ):  # fmt: skip
            if charged * 10_000 != Decimal(repr(given)):
                paid = f"{(charged * 10_000).normalize():f}"
                raise SafetyRefusal(
                    f"the account pays {paid} bps as {side} of {symbol}, fees.{side}_bps is {given:g}: write the true fees "
                    "under fees, in this file or in its base."
                )
