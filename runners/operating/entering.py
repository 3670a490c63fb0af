"""From a named account to a client that may speak for it: keys, pin, and who else holds it. Nothing is changed at the venue."""

from __future__ import annotations

import json
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from filelock import FileLock, Timeout

from adapters.binance.environments import Environment, environment
from errors import SafetyRefusal
from execution.safety.budget import RateBudget, RateLimits
from execution.safety.client import SafetyClient
from execution.safety.failures import VenueError
from execution.safety.response_class import Consequence
from execution.safety.signing import Credentials
from execution.safety.venue_clock import VenueClock
from runners.accounts import LOCKS
from runners.live.pin import mismatches, pin_path
from runners.live.secrets import Keys, read_keys
from runners.live.state import Identity
from runners.operating.reach import Target

type Insist = Callable[[Callable[[], Awaitable[str]]], Awaitable[str]]


@dataclass(frozen=True, slots=True)
class Holder:
    """The process that holds an account's lock.

    Attributes
    ----------
    pid, alias
        As it said when it took the lock; ``unknown`` where it did not.
    """

    pid: str
    alias: str

    def __str__(self) -> str:
        """As it is told."""
        return f"process {self.pid}, alias {self.alias}"


@dataclass(frozen=True, slots=True)
class Entered:
    """A client whose account is the one that is meant.

    Attributes
    ----------
    client, identity, place
        Who speaks, for whom, where.
    key_source
        Name of the variable that held the key.
    """

    client: SafetyClient
    identity: Identity
    place: Environment
    key_source: str


def client_of(target: Target, environ: Mapping[str, str], dot_env: Path) -> tuple[SafetyClient, Keys, Environment]:
    """Read the keys, hold them against the alias's pin, and make the client; the venue hears nothing.

    Raises
    ------
    ConfigError
        When a key is missing.
    SafetyRefusal
        When the alias belongs to another key or environment, or others may read the keys.
    """
    keys = read_keys(target.account, environ, dot_env)
    place = environment(target.account.environment, target.account.url)
    _check(target, Identity(target.account.environment, place.rest_host, "", keys.fingerprint))
    budget = RateBudget(RateLimits(), time.monotonic_ns)
    client = SafetyClient(place.rest_url, Credentials(keys.key, keys.secret), budget, VenueClock())
    return client, keys, place


async def enter(target: Target, client: SafetyClient, keys: Keys, place: Environment, insist: Insist) -> Entered:
    """Ask the venue whose key this is; another account than the alias's is asked nothing more.

    Parameters
    ----------
    insist
        Asks until there is an answer.

    Raises
    ------
    SafetyRefusal
        When the venue does not know the key, or it is another account's.
    VenueError
        When the venue does not answer.
    """

    async def name() -> str:
        await client.measure_clock()
        rows = await client.balances()
        return rows[0].account_alias if rows else ""

    try:
        account_id = await insist(name)
    except VenueError as error:
        if error.consequence is Consequence.KEY:
            raise SafetyRefusal(
                f"{place.rest_host} refuses the key {keys.source}: {error}; is it a key of environment {place.name}?"
            ) from error
        raise
    if not account_id:
        raise SafetyRefusal(
            f"{place.rest_host} lists no balance for the key {keys.source}, so the account cannot be told."
        )
    identity = Identity(target.account.environment, place.rest_host, account_id, keys.fingerprint)
    _check(target, identity)
    return Entered(client, identity, place, keys.source)


def _check(target: Target, seen: Identity) -> None:
    folder = target.place.path
    differs = next(mismatches(folder, {name: value or None for name, value in asdict(seen).items()}), None)
    if differs is not None:
        raise SafetyRefusal(
            f"alias {target.account.alias} belongs to {differs}: use the key and configuration of that account, or remove "
            f"{pin_path(folder)} if the change is meant; nothing was sent."
        )


def holder_of(state: Path, entered: Entered) -> Holder | None:
    """Who holds the lock of this account, whatever its alias; None where nobody does. The lock is not kept."""
    path = state / LOCKS / f"{entered.identity.lock_name(entered.place.rest_url)}.lock"
    if not path.exists():
        return None
    try:
        with FileLock(path).acquire(timeout=0):
            return None
    except (Timeout, OSError):
        return _named(path.with_suffix(".json"))


def _named(path: Path) -> Holder:
    try:
        known = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        known = {}
    known = known if isinstance(known, dict) else {}
    return Holder(str(known.get("pid", "unknown")), str(known.get("alias", "unknown")))
