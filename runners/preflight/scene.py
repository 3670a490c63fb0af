"""What the checks of one preflight share, and what they learn for each other."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path

from adapters.binance.environments import Environment
from errors import RunFailed
from execution.safety.budget import Cost, Purpose
from execution.safety.failures import VenueError, Withheld
from execution.safety.response_class import Consequence
from execution.safety.rows import ExchangeInfo
from runners.config import LiveConfig
from runners.live.secrets import Keys
from runners.live.state import StateFolder
from runners.preflight.looks import Looks
from runners.preflight.report import Check, refused

ZERO = Decimal(0)


@dataclass(slots=True)
class Scene:
    """One preflight.

    Attributes
    ----------
    config, config_hash
        What is to be run.
    place, state
        Where it trades, and where its state lies.
    environ, dot_env
        Where keys may stand.
    deadline_secs
        For the public streams.
    keys, client
        Who asks; no keys: public questions only.
    info, marks
        Learned from the venue: contracts and limits, mark prices by symbol.
    account
        The venue's alias of the account; None while it is not known.
    key_in_order
        False once the key may too much or too little: it is not pinned then.
    """

    config: LiveConfig
    config_hash: str
    place: Environment
    state: StateFolder
    environ: Mapping[str, str]
    dot_env: Path
    deadline_secs: float
    keys: Keys | None = None
    client: Looks = field(init=False)
    info: ExchangeInfo | None = None
    marks: Mapping[str, Decimal] = field(default_factory=dict)
    account: str | None = None
    key_in_order: bool = True

    @property
    def sends(self) -> bool:
        """Whether the mode sends orders; shadow and paper need no keys."""
        return self.config.mode in ("testnet", "live")


async def answered(name: str, scene: Scene, look: Callable[[Scene], Awaitable[list[Check]]]) -> list[Check]:
    """Look at the venue; no answer is a line too."""
    try:
        return await look(scene)
    except VenueError as error:
        return [no_answer(name, scene, error)]


def no_answer(name: str, scene: Scene, error: VenueError) -> Check:
    """Say what a question that was not answered means."""
    if error.consequence is Consequence.KEY:
        return refused(name, f"{scene.place.rest_host} refuses the key: {error}", _key_advice(scene, error))
    shut_ns = scene.client.budget.closed_ns(Cost(), Purpose.QUERY)
    if shut_ns or error.consequence is Consequence.BACK_OFF:
        until = f" for {shut_ns / 1e9:.0f} s" if shut_ns else ""
        todo = f"stop what else asks {scene.place.rest_host} from this address, wait, and start again"
        return refused(name, f"the venue shuts this address out{until}: {error}", todo, RunFailed)
    if isinstance(error, Withheld):
        todo = f"wait {error.wait_ns / 1e9:.0f} s and start again"
        return refused(name, f"our own share of the request limit is used up: {error}", todo, RunFailed)
    if error.code is not None:
        todo = "the venue is in trouble or under maintenance: look at its status page, wait, and start again"
        return refused(name, f"{_where(scene)} cannot serve: {error}", todo, RunFailed)
    if error.answer.status is not None:
        return refused(name, f"{_where(scene)} gives no usable answer: {error}", _other_program(scene), RunFailed)
    return refused(name, f"nothing answers at {_where(scene)}: {error}", _connect(scene), RunFailed)


def _where(scene: Scene) -> str:
    return scene.place.rest_url


def _key_advice(scene: Scene, error: VenueError) -> str:
    source = "" if scene.keys is None else f" ({scene.keys.source})"
    if error.code == -1022:
        return f"the secret does not belong to the key{source}: copy both from the same key again"
    return (
        f"use a key of environment {scene.config.account.environment}{source}, with futures enabled and this address "
        "on its list"
    )


def _connect(scene: Scene) -> str:
    if scene.config.account.environment == "local":
        return "start the simulated venue (python -m runners.venue live_configs/venue_btc.yaml --port …) or correct account.url"
    return "check the connection, the firewall and the name service, and start again"


def _other_program(scene: Scene) -> str:
    if scene.config.account.environment == "local":
        return "another program may hold that port: correct account.url, or start the simulated venue on a free port"
    return "the venue may be under maintenance or a proxy may stand between: look at its status page and start again"
