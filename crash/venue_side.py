"""The venue's side of a cell: kills seen from there, and what becomes of the request in flight."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from adapters.simulated_binance.call import Call, Reply
from adapters.simulated_binance.faults.script import Fault
from adapters.simulated_binance.gateway import Gateway
from adapters.simulated_binance.server import Server
from adapters.simulated_binance.settings import Scenario
from adapters.simulated_binance.venue import Venue

type Role = Literal["target", "exit", "later", "any"]
type Moment = Literal["arrived", "executed", "answered"]
ANSWERED_SECS = 0.004
"""After the answer was handed to the socket."""
MARKET = {
    "kind": "synthetic", "mid": "60000", "levels": 60, "level_quantity": "0.03", "trades_per_sec": 0,
    "volatility_ticks": 0,
}  # fmt: skip
"""Thin levels, and hardly anything that moves by itself: what happens, happens because of the script."""


@dataclass(frozen=True, slots=True)
class Sight:
    """A request as the venue recognises it.

    Attributes
    ----------
    what
        ``METHOD /path``.
    role
        ``target`` only counts what concerns the target's order, ``exit`` what may only reduce, ``later`` what comes once the target
        has come; ``any`` everything.
    moment
        When it came, when it was executed, when its answer was out.
    """

    what: str
    moment: Moment = "arrived"
    role: Role = "any"


class WatchedGateway(Gateway):
    """A gateway that tells when something is about to happen.

    Attributes
    ----------
    on_moment
        Told of each moment of each request.
    """

    on_moment: Callable[[Call, Moment], None]

    async def handle(self, call: Call) -> Reply:
        """See `Gateway.handle`."""
        self.on_moment(call, "arrived")
        reply = await super().handle(call)
        asyncio.get_running_loop().call_later(ANSWERED_SECS, self.on_moment, call, "answered")
        return reply

    def execute(self, call: Call, arrived_ms: int, *, enforce_window: bool = True) -> Reply:
        """See `Gateway.execute`."""
        reply = super().execute(call, arrived_ms, enforce_window=enforce_window)
        self.on_moment(call, "executed")
        return reply


class WatchedServer(Server):
    """A venue that one cell trades on.

    Parameters
    ----------
    venue
        To serve.
    faults, flight
        Done to the first request of this kind: method with path, and whose.
    behind_secs
        So long the user stream is behind, where that is the target's order; 0: it may be faster than the answer.
    """

    def __init__(
        self, venue: Venue, faults: tuple[Mapping[str, Any], ...], flight: tuple[str, Role], behind_secs: float = 0.0
    ) -> None:
        super().__init__(venue)
        gateway = WatchedGateway(venue)
        gateway.on_moment = self._moment
        self._gateway = gateway
        self._faults, self._flight, self._behind_secs = faults, flight, behind_secs
        self._sight: Sight | None = None
        self._target_came = False
        self._strike: Callable[[], None] | None = None
        self.struck = False
        self.intruder: Mapping[str, Any] | None = None

    def strike_at(self, sight: Sight | None, strike: Callable[[], None]) -> None:
        """Say when to strike, once."""
        self._sight, self._strike = sight, strike

    def calm(self) -> None:
        """The process has ended: what was to be done to its request in flight is not done to a later one."""
        self._faults = ()

    def arm_now(self, name: str, *acts: Mapping[str, Any]) -> None:
        """Let the venue do something at once, and write it into its ledger."""
        self.venue.arm(Fault.model_validate({"name": name, "when": {"at_secs": 0}, "do": list(acts)}))
        self.venue.advance()

    def _moment(self, call: Call, moment: Moment) -> None:
        if moment == "arrived":
            self._target_came = self._target_came or (call.method == "POST" and self.is_target(call))
            self._spoil(call)
        elif moment == "executed" and self.intruder is not None and self._is("target", call) and call.method == "POST":
            act, self.intruder = self.intruder, None
            self.arm_now("a person trades", act)
        sight = self._sight
        if sight is None or moment != sight.moment or call.what != sight.what or not self._is(sight.role, call):
            return
        if self._strike is not None:
            self._sight, self.struck = None, True
            self._strike()

    def _spoil(self, call: Call) -> None:
        what, role = self._flight
        if not self._faults or call.what != what or not self._is(role, call):
            return
        fault = {"name": "in flight", "when": {"request": what}, "do": list(self._faults)}
        self._faults = ()
        self.venue.arm(Fault.model_validate(fault))
        if self._behind_secs and role == "target" and call.method == "POST":
            stall = {
                "when": {"event": "user/ORDER_TRADE_UPDATE/NEW"},
                "do": [{"act": "stall", "secs": self._behind_secs}],
            }
            self.venue.arm(Fault.model_validate({"name": "the stream is behind", **stall}))

    def _is(self, role: str, call: Call) -> bool:
        if role == "target":
            return self.is_target(call)
        if role == "exit":
            return call.params.get("reduceOnly") == "true"
        return role == "any" or self._target_came

    def is_target(self, call: Call) -> bool:
        """Whether a request concerns the target: an entry whose size ends in 7 thousandths."""
        quantity, params = call.params.get("quantity"), call.params
        if quantity is None and ("orderId" in params or "origClientOrderId" in params):
            number = params.get("orderId")
            order = self.venue.exchange.desk.find(
                params.get("symbol", ""), int(number) if number else None, params.get("origClientOrderId")
            )
            if order is None or order.reduce_only:
                return False
            quantity = str(self.venue.exchange.contracts[order.symbol].size.value(order.quantity))
        return quantity is not None and f"{float(quantity):.3f}".endswith("7") and params.get("reduceOnly") != "true"


def build_venue(ledger: Path, seed: int, behaviour: Mapping[str, Any], events_per_sec: float) -> Venue:
    """Make the venue of a cell."""
    market = MARKET | {"events_per_sec": events_per_sec}
    scenario = Scenario.model_validate({
        "seed": seed, "symbols": {"BTCUSDT": {"market": market}, "ETHUSDT": {"base": "ETH", "market": market}},
        "account": {"balance_quote": "100000"},
        "behaviour": dict(behaviour),
    })  # fmt: skip
    return Venue(scenario, ledger_path=ledger)
