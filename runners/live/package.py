"""The wiring of the backtest, with what a live session gives it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from execution.ids import random_epoch
from execution.journal_live import LiveJournal
from execution.latency import LatencyProbe
from execution.order_care import OrderCareConfig
from execution.tape.layers import taped
from execution.tape.tape import Tape
from execution.venue_record import VenueRecord
from risk.costs import FeeRates
from risk.halts import Halts
from runners import wiring
from runners.config import LiveConfig, Trust
from runners.config.models import StrategyEntry
from runners.latency import LatencyPlan


def build_package(
    config: LiveConfig, instruments: Mapping[str, Any], trust: Trust, halts: Halts | None, *, trading_start_ns: int,
    latency: LatencyPlan | None = None, tape: Tape | None = None, journal: LiveJournal | None = None,
) -> wiring.Package:  # fmt: skip
    """Build strategies, gate and journal: the same function and the same classes as in a backtest.

    Parameters
    ----------
    config
        The configuration.
    instruments
        As the venue defines them, by id.
    trust
        Whose code may be imported.
    halts
        Kill switch and losses of the account; None: those of this session alone.
    trading_start_ns
        End of the warm-up.
    latency
        Of a simulated account; None where orders really travel.
    tape
        Hears the strategies; None: nothing is taped.
    journal
        Of the account, on disk; None: one in memory.
    """
    drawn = latency.sampler(random_epoch()) if latency is not None else None
    fees = FeeRates(config.fees.maker_bps, config.fees.taker_bps)
    plan = wiring.Plan(
        instruments=instruments,
        fees=dict.fromkeys(instruments, fees),
        risk=config.risk,
        trading_start_ns=trading_start_ns,
        epoch=random_epoch() if journal is None else journal.run.epoch,  # a lost journal can never repeat an id
        order_tag=config.account.order_tag,
        trusted=trust.everything,
        workspace=trust.workspace,
        care=_care(config),
        halts=halts,
        latency=drawn,
        insert_ns=min(latency.insert_ns) if latency is not None else 0,
        cancel_ns=min(latency.cancel_ns) if latency is not None else 0,
        journal=journal,
        **taped(tape),
    )
    package = wiring.build(entries_of(config), plan)
    package.services.measure(LatencyProbe())
    if journal is not None:
        record = VenueRecord(journal)
        package.services.relay.listeners.append(record.order)
        package.services.relay.position_listeners.append(record.position)
    if tape is not None:
        tape.attach(package.services, [strategy.desk for strategy in package.strategies])  # type: ignore[attr-defined]
    return package


def _care(config: LiveConfig) -> OrderCareConfig:
    given = config.execution
    return OrderCareConfig(
        ack_timeout_ms=given.ack_timeout_ms, unacked_cancel_secs=max(10.0, given.ack_timeout_ms / 1000),
        resting_order_max_age_secs=given.resting_order_max_age_secs, partial_fill=given.partial_fill,
    )  # fmt: skip


def entries_of(config: LiveConfig) -> Sequence[StrategyEntry]:
    """Entries whose post-only tries are no more than the account allows."""
    most = config.execution.post_only_reprices
    return [
        entry.model_copy(
            update={
                "policy": entry.policy.model_copy(
                    update={"post_only_reprices": min(most, entry.policy.post_only_reprices)}
                )
            }
        )
        for entry in config.strategies
    ]
