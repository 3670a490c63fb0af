"""What runs beside the engine while a session trades, each as a task of the node's loop."""

from __future__ import annotations

import time
from collections.abc import Coroutine, Mapping
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from nautilus_trader.live import LiveNodeHandle

from risk.breach import Figure
from runners.live.clocks import Clocks
from runners.live.control import Cause, Control, Stop
from runners.live.strangers import Strangers

if TYPE_CHECKING:
    from runners.live.session import Session


def companions(session: Session, control: Control, handle: LiveNodeHandle) -> list[Coroutine[Any, Any, None]]:
    """Make them; an exception in one ends the session."""

    def runs() -> bool:
        return handle.is_running and not handle.is_stopping

    def over() -> bool:
        return control.stop is not None

    clocks = Clocks(session.client, session.package.services, session.market.publish_message)
    return [_strangers(session, control).watch(runs, over), clocks.watch(runs, over)]


def _strangers(session: Session, control: Control) -> Strangers:
    services = session.package.services

    def trip(reason: str, figures: Mapping[str, Figure]) -> None:
        services.gate.halts.trip(time.time_ns(), reason, figures)
        services.act(session.market.publish_message)  # entries that rest are taken back now, not with the next event
        control.ask(Stop(Cause.LATCHED, reason))

    def net(instrument_id: str) -> Decimal:
        return services.view.net(instrument_id)

    return Strangers(
        session.client, session.package.journal, session.config.account.order_tag, session.config.symbols,
        session.opening.ts_ms, net, trip, control.fault,
    )  # fmt: skip
