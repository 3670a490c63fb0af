"""The audit of one session: what it asks, and what is done where journal and account differ."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from execution.audit.differences import SETTINGS, Difference
from execution.audit.figures import Anchor, Expected
from execution.journal import RiskEvent
from runners.live.audit import Audit, AuditPlan
from runners.live.auditing import AccountLook, expected_settings
from runners.live.closes import instrument_of
from runners.live.control import Cause, Control, Stop
from runners.live.reconnects import Reconnects

if TYPE_CHECKING:
    from runners.live.session import Session


def session_audit(session: Session, control: Control) -> Audit:
    """Make it."""
    config, opening = session.config, session.opening
    plan = AuditPlan(
        instrument_ids=config.instruments, symbols=config.symbols, anchor=Anchor(opening.wallet, opening.ts_ms),
        expected=Expected(expected_settings(config.account, config.symbols), config.symbols, config.account.foreign_orders),
        interval_secs=config.safety.audit_interval_secs,
    )  # fmt: skip
    query = session.package.services.query
    return Audit(
        AccountLook(session.client, config.account.order_tag), session.package.journal, plan,
        alert=alerting(session, control), note=lambda text: session.screen.say("audit", text),
        query=query if query is not None else _nobody, reconnects=Reconnects(session.state.path / "logs").count,
    )  # fmt: skip


def alerting(session: Session, control: Control) -> Callable[[Difference], None]:
    """What is done about a difference: told, recorded, and by policy entries are shut."""
    services, policy = session.package.services, session.config.safety.on_audit_difference

    def alert(found: Difference) -> None:
        now, text = time.time_ns(), f"audit: {found}"
        figures = {"symbol": found.symbol, "key": found.key, "journal": found.journal, "venue": found.venue}
        session.screen.say("alert", text, kind=str(found.kind), shuts=found.shuts, **figures)
        name = str(found.kind).replace(" ", "_")
        level = "hard" if found.shuts else "soft"
        where = instrument_of(found.symbol) if found.symbol else ""
        services.watch.record(RiskEvent(now, "audit", name, where, "open", level, text, figures))
        if found.shuts and policy == "halt":
            services.gate.halts.trip(now, text, figures)
        elif found.shuts and (policy == "shut" or found.kind in SETTINGS):
            services.gate.halt(text, now, latch=False)
        services.act(session.market.publish_message)
        if found.shuts and policy == "halt":
            control.ask(Stop(Cause.LATCHED, text))

    return alert


def _nobody(client_order_id: str) -> None:
    """There is nobody to ask."""
