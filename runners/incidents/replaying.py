"""The replay of an incident: same strategies, breakers and gate on the little catalog, through the ordinary backtest path.

What went before the window is carried over as far as an incident holds it: equity, start of the day, peak. Positions, orders that
were open, what breakers and features had learnt are not in it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from catalog.store import Catalog, Kind
from errors import ConfigError
from execution.journal import RiskEvent
from monitoring.incidents.record import CATALOG, Incident
from risk.breakers.board import BreakerBoard
from risk.halts import Halts
from risk.kill_switch import run_switch
from risk.loss import NS_PER_DAY, LossLedger, LossState
from runners.config import Resolved, Trust
from runners.config.digest import config_hash
from runners.config.document import Document
from runners.config.load import code_of, validated, with_params
from runners.config.models import BacktestConfig
from runners.host import replay
from runners.incidents.matching import Known, Match, match
from runners.latency import plan_latency
from runners.market import open_market
from runners.session import prepare

CHUNK = 500
"""Events a chunk: so often the replay looks which breakers have learnt enough."""
LIVE_LATENCY_MS = 200
HEARD_SECS = 2.0
"""A market that ends sooner than this after a trip may hide it from a slower replay."""


@dataclass(frozen=True, slots=True)
class Replayed:
    """What a replay gave.

    Attributes
    ----------
    matches
        Recorded and replayed risk events, paired.
    never_ready
        Breakers that were still learning when the excerpt ended.
    fills, orders, refusals
        How many the replay had.
    remarks
        What is not in the incident and so not in the replay, one sentence each.
    """

    matches: list[Match]
    never_ready: tuple[str, ...]
    fills: int
    orders: int
    refusals: int
    remarks: tuple[str, ...]

    def trip(self, incident: Incident) -> Match | None:
        """The pair of the incident's own event."""
        return next(
            (m for m in self.matches if m.recorded is not None and m.ts_ns == incident.ts_ns and m.recorded.name == incident.cause),
            None,
        )  # fmt: skip


def replay_incident(folder: Path, incident: Incident, trust: Trust) -> Replayed:
    """Replay an incident.

    Parameters
    ----------
    folder
        Where it lies, with its catalog.
    incident
        The record.
    trust
        Whose code may be imported.

    Raises
    ------
    HyperTradingError
        When there is no excerpt, the strategies' code is gone, or one of them raises.
    """
    resolved = resolve(folder, incident, trust)
    market = open_market(resolved.config, accept_grade="F")
    latency = plan_latency(resolved.config.venue)
    bound = incident.bound if incident.bound == "optimistic" else "conservative"
    venue, package = prepare(
        resolved, market, latency, trust, bound, record_tops=False, halts=_halts(incident, resolved.config)
    )
    gate = package.services.gate
    watch = _Learning(gate.board, market.period.start_ns)
    replay(venue, package, market.chunks(CHUNK), tops={}, progress=watch.look)
    before = frozenset(_name(mark) for mark in incident.opening_breakers)
    known = Known(watch.ready_ns, before, market.period.end_ns, halted=bool(incident.opening_halt))
    recorded = [_event(row) for row in incident.risk_events]
    journal = package.journal
    again = [event for event in journal.risk_events if event.ts_ns >= incident.start_ns]
    return Replayed(
        match(recorded, again, known), gate.board.learning(), len(journal.fills), len(journal.orders),
        len(journal.refusals), tuple(_remarks(incident, market.period.end_ns)),
    )  # fmt: skip


class _Learning:
    """Notes when each breaker had enough samples."""

    def __init__(self, board: BreakerBoard, start_ns: int) -> None:
        self._board, self._before = board, start_ns
        self.ready_ns: dict[str, int | None] = dict.fromkeys(board.learning())

    def look(self, ts_ns: int) -> None:
        """Look after a chunk; a breaker counts as ready from the end of the chunk on."""
        learning = set(self._board.learning())
        for name, ready in self.ready_ns.items():
            if ready is None and name not in learning:
                self.ready_ns[name] = self._before
        self._before = ts_ns


def resolve(folder: Path, incident: Incident, trust: Trust) -> Resolved:
    """Make the backtest of an incident: its configuration on its own catalog.

    Raises
    ------
    ConfigError
        When the configuration in the incident is not one of this version, or its strategies cannot be loaded.
    """
    catalog = folder / CATALOG
    given = dict(incident.config)
    data = given if incident.origin == "backtest" else _from_live(given)
    data["data"] = _data(data.get("data"), catalog, incident)
    venue = dict(data["venue"])
    if incident.opening.equity is not None:
        venue["starting_balance_quote"] = float(incident.opening.equity)
    if venue.get("funding") == "recorded" and venue["market"] == "usdm" and not _has_funding(catalog):
        venue["funding"] = {"constant_bps_per_8h": 0.0}
    data["venue"] = {**venue, "queue": "optimistic" if incident.bound == "optimistic" else "conservative"}
    data["black_box"] = None
    found = Document(f"{folder / 'incident.json'}: config", data, {})
    config = with_params(validated(BacktestConfig, data, found), found, trust)
    return Resolved(config, config_hash(config), folder, code_of(config, trust))


def _data(given: Any, catalog: Path, incident: Incident) -> dict[str, Any]:
    fidelity = given["fidelity"] if isinstance(given, dict) and "fidelity" in given else "l2"
    warmup_ns = max(incident.trading_start_ns, incident.start_ns) - incident.market_start_ns
    if warmup_ns >= incident.end_ns - incident.market_start_ns:
        warmup_ns = 0  # it tripped before trading began: nothing of the window would be left
    return {"catalog": catalog.as_posix(), "fidelity": fidelity, "warmup_secs": warmup_ns / 1e9, "min_grade": "F"}


def _from_live(given: Mapping[str, Any]) -> dict[str, Any]:
    """The backtest of a live configuration: its account as a simulated venue."""
    try:
        execution = given["execution"]
        return {
            "version": 1, "mode": "backtest", "name": given["name"], "instruments": given["instruments"],
            "venue": {
                "market": "usdm", "starting_balance_quote": 10_000.0, "leverage": given["account"]["leverage"],
                "fees": given["fees"], "funding": "recorded",
                "latency_ms": {"insert": LIVE_LATENCY_MS, "cancel": LIVE_LATENCY_MS},
            },
            "strategies": given["strategies"], "risk": given["risk"], "report": given["report"],
            "execution": {
                "ack_timeout_ms": execution["ack_timeout_ms"],
                "unacked_cancel_secs": max(10.0, execution["ack_timeout_ms"] / 1000),
                "resting_order_max_age_secs": execution["resting_order_max_age_secs"],
                "partial_fill": execution["partial_fill"],
            },
        }  # fmt: skip
    except (KeyError, TypeError) as error:
        raise ConfigError(f"the configuration in the incident lacks {error}: it cannot be replayed.") from error


def _has_funding(catalog: Path) -> bool:
    store = Catalog(catalog)
    return all(store.count(iid, Kind.FUNDING) for iid in store.instrument_ids())


def _halts(incident: Incident, config: BacktestConfig) -> Halts:
    """Loss limits that know what was lost before the window."""
    opening = incident.opening
    state = None
    if opening.day_start is not None:
        state = LossState(day=incident.start_ns // NS_PER_DAY, day_start=opening.day_start, peak=opening.peak)
    return Halts(run_switch("replay"), LossLedger(config.risk.losses(), state))


def _event(row: Mapping[str, Any]) -> RiskEvent:
    names = ("ts_ns", "kind", "name", "instrument_id", "state", "level", "detail", "figures")
    return RiskEvent(**{name: row[name] for name in names})


def _name(mark: Any) -> str:
    return f"{mark.name} {mark.instrument_id}".rstrip()


def _of_a_node(incident: Incident, heard_secs: float) -> list[str]:
    """Why the halt of a node may not come again: it ends the session, and with it the market that is heard."""
    said = []
    if incident.cause == "kill_switch" and not incident.figures:
        said.append("the halt has no figures: a person made it, or a fault, and no market brings it back")
    if heard_secs < HEARD_SECS:
        said.append(
            f"the market was heard for {max(heard_secs, 0.0):.1f} s after the trip, since the session ended with it: what comes "
            "later than in life is not reached"
        )
    return said


def _remarks(incident: Incident, market_end_ns: int) -> list[str]:
    lead = (incident.start_ns - incident.market_start_ns) / 1e9
    said = [
        f"breakers and features learn anew, from {lead:.0f} s of market before the window: what they knew is not in it"
    ]
    if incident.opening.positions:
        held = ", ".join(f"{iid} {quantity:f}" for iid, quantity in incident.opening.positions.items())
        said.append(
            f"the position held when the window began ({held}) is not in the replay; its value is, in the equity"
        )
    open_then = [row for row in incident.orders if row["ts_ns"] < incident.start_ns]
    if open_then:
        said.append(f"{len(open_then)} orders that were open when the window began are not in the replay")
    if incident.opening.equity is None:
        said.append("the equity at the start of the window is not known: losses before it are not in the replay")
    if incident.origin == "live":
        said += _of_a_node(incident, (market_end_ns - incident.ts_ns) / 1e9)
        said.append(
            f"the venue is simulated, with {LIVE_LATENCY_MS} ms from decision to book: fills differ from the real ones"
        )
    return said
