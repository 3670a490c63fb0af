"""What runs beside the engine while a session trades, each as a task of the node's loop."""

from __future__ import annotations

import time
from collections.abc import Callable, Coroutine, Mapping
from decimal import Decimal
from functools import partial
from typing import TYPE_CHECKING, Any

from nautilus_trader.live import LiveNodeHandle

from risk.breach import Figure
from runners.live.audit_session import session_audit
from runners.live.clocks import Clocks
from runners.live.closes import instrument_of
from runners.live.control import Cause, Control, Stop
from runners.live.deadman.companion import DeadMan, Parts
from runners.live.forgetting import forget_what_is_over
from runners.live.gap import Gap, close_when_ready
from runners.live.garbage import collect_here
from runners.live.journaling import hear_failure
from runners.live.strangers import Strangers, Trip

if TYPE_CHECKING:
    from runners.live.session import Session


def companions(session: Session, control: Control, handle: LiveNodeHandle) -> list[Coroutine[Any, Any, None]]:
    """Make them; an exception in one ends the session."""

    def runs() -> bool:
        return handle.is_running and not handle.is_stopping

    def over() -> bool:
        return control.stop is not None

    clocks = Clocks(session.client, session.package.services, session.market.publish_message)
    session.clearing.alert = partial(session.screen.say, "alert")
    session.deadman = _deadman(session, control, runs, over)
    session.deadman.start(control.fault)  # a task of its own: it lives until the account has been verified
    hear_failure(session.journal, session.package.services, session.market.publish_message, control)
    memory = session.memory.watch(time.time_ns, over)
    audit = session_audit(session, control).watch(runs, over)
    return [
        _watched(session, control, runs, over), clocks.watch(runs, over), memory, audit, collect_here(over),
        forget_what_is_over(session.journal, over),
    ]  # fmt: skip


def _deadman(
    session: Session, control: Control, runs: Callable[[], bool], over: Callable[[], bool]
) -> DeadMan:  # fmt: skip
    services = session.package.services

    def trip(reason: str, figures: Mapping[str, Figure], flatten: bool) -> None:
        services.gate.halts.trip(time.time_ns(), reason, figures)
        services.act(session.market.publish_message)
        control.ask(Stop(Cause.LATCHED, reason, flatten=flatten))

    ticks = {symbol: services.gate.rules[instrument_of(symbol)].tick for symbol in session.config.symbols}
    return DeadMan(Parts(
        session.config, session.account, services, session.closes, session.package.journal, session.state.path, ticks,
        session.screen.say, trip, runs, over, frozenset(session.opening.positions),
    ))  # fmt: skip


async def _watched(
    session: Session, control: Control, runs: Callable[[], bool], over: Callable[[], bool]
) -> None:  # fmt: skip
    """First what happened between recovery and stream, then what others do."""
    trip = _tripper(session, control)
    gap = Gap(
        session.client, session.package.journal, session.journal.path, session.config.account.order_tag, session.config.symbols,
        session.opening.ts_ms, session.package.services.gate.id_prefix, trip, session.screen.say,
    )  # fmt: skip
    await close_when_ready(gap, runs, over)
    await _strangers(session, control, trip).watch(runs, over)


def _tripper(session: Session, control: Control) -> Trip:
    services = session.package.services

    def trip(reason: str, figures: Mapping[str, Figure]) -> None:
        services.gate.halts.trip(time.time_ns(), reason, figures)
        services.act(session.market.publish_message)  # entries that rest are taken back now, not with the next event
        control.ask(Stop(Cause.LATCHED, reason))

    return trip


def _strangers(session: Session, control: Control, trip: Trip) -> Strangers:
    services = session.package.services

    def net(instrument_id: str) -> Decimal:
        return services.view.net(instrument_id)

    return Strangers(
        session.client, session.package.journal, session.config.account.order_tag, session.config.symbols,
        session.opening.ts_ms, net, trip, control.fault, session.doubts.waits,
    )  # fmt: skip
