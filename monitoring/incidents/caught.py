"""One trip of a running node, caught on the trading thread and written elsewhere."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

from catalog.encode import encode
from catalog.excerpt import Part, write_excerpt
from catalog.tables import Precision
from execution.journal import refusal_row, risk_row
from execution.relay import to_fill
from monitoring.blackbox import BlackBoxConfig, Entry
from monitoring.incidents import record
from monitoring.incidents.record import BreakerMark, Incident, Standing, Touch, plain_row
from monitoring.incidents.rows import breakers_at, halt_at
from monitoring.incidents.triggers import Trip


@dataclass(frozen=True, slots=True)
class FlightSetup:
    """What an incident says about the node.

    Attributes
    ----------
    config
        What is kept.
    name, account, config_hash, resolved
        Of the configuration; `resolved` is all of it as plain values, so that an incident can be replayed.
    trading_start_ns
        End of the warm-up.
    instruments
        Nautilus instruments by id.
    order
        Row of an order by client order id, as the journal has it; None where there is none.
    """

    config: BlackBoxConfig
    name: str
    account: str
    config_hash: str
    resolved: Mapping[str, Any]
    trading_start_ns: int
    instruments: Mapping[str, Any]
    order: Callable[[str], Mapping[str, Any] | None]


@dataclass(slots=True)
class Pending:
    """A trip whose aftermath is still being watched, and what stood at it.

    Attributes
    ----------
    trip
        What tripped.
    standing, touches, breakers, learning
        Account, tops, and breakers then.
    """

    trip: Trip
    standing: Standing
    touches: dict[str, Touch]
    breakers: tuple[BreakerMark, ...]
    learning: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Caught:
    """Everything of one incident that has to be read on the trading thread.

    Attributes
    ----------
    pending
        The trip.
    opening
        The account at the start of the window.
    end_ns
        End of the window, excluded.
    market, orders, risks
        From the rings.
    rows
        Rows of the orders named in them.
    dropped
        What had no room, by kind.
    """

    pending: Pending
    opening: Standing
    end_ns: int
    market: tuple[Entry, ...]
    orders: tuple[Entry, ...]
    risks: tuple[Entry, ...]
    rows: Mapping[str, Mapping[str, Any]]
    dropped: Mapping[str, int]


def write_caught(setup: FlightSetup, folder: Path, caught: Caught) -> Path:
    """Write one incident: its catalog, then its record.

    Raises
    ------
    OSError, HyperTradingError
        When it cannot be written.
    """
    trip, event = caught.pending.trip, caught.pending.trip.event
    market_start = min((entry.ts_ns for entry in caught.market), default=event.ts_ns - setup.config.window_ns)
    # Where the session is younger than the window, it begins with the first look at the account.
    start_ns = max(event.ts_ns - setup.config.window_ns, market_start, min(caught.opening.ts_ns, event.ts_ns))
    place = folder / record.folder_name(trip.number, trip.cause)
    parts = _parts(setup, caught)
    excerpt = (
        write_excerpt(place / record.CATALOG, parts, f"received by {setup.account} before {event.name}")
        if parts
        else {}
    )
    risks = [entry.event for entry in caught.risks if start_ns <= entry.ts_ns < caught.end_ns]
    earlier = [entry.event for entry in caught.risks if entry.ts_ns < start_ns]
    record.write(place, Incident(
        origin="live", name=setup.name, bound="live", account=setup.account, number=trip.number, ts_ns=event.ts_ns,
        cause=trip.cause, instrument_id=event.instrument_id, reason=event.detail, figures=dict(event.figures),
        also=trip.also, start_ns=start_ns, end_ns=caught.end_ns, market_start_ns=market_start,
        trading_start_ns=setup.trading_start_ns, opening=caught.opening, trip=caught.pending.standing,
        market=caught.pending.touches, breakers=caught.pending.breakers, learning=caught.pending.learning,
        opening_breakers=breakers_at(earlier, start_ns), opening_halt=halt_at(earlier, start_ns),
        risk_events=tuple(plain_row(risk_row(i, one)) for i, one in enumerate(risks)), **_order_rows(caught, start_ns),
        dropped={name: count for name, count in caught.dropped.items() if count}, excerpt=excerpt,
        config_hash=setup.config_hash, config=dict(setup.resolved),
    ))  # fmt: skip
    return place


def _parts(setup: FlightSetup, caught: Caught) -> list[Part]:
    """The market of each instrument from its first full book on; one without any is left out."""
    parts = []
    for name, instrument in setup.instruments.items():
        mine = [entry for entry in caught.market if entry.source == name and entry.ts_ns < caught.end_ns]
        first = next((i for i, entry in enumerate(mine) if entry.anchor), None)
        if first is not None:
            precision = Precision(instrument.price_precision, instrument.size_precision)
            parts.append(Part(instrument, encode((entry.event for entry in mine[first:]), precision)))
    return parts


def _order_rows(caught: Caught, start_ns: int) -> dict[str, tuple[dict[str, Any], ...]]:
    entries = [entry for entry in caught.orders if start_ns <= entry.ts_ns < caught.end_ns]
    refused = [entry.event for entry in entries if isinstance(entry.event, tuple)]
    events = [entry for entry in entries if not isinstance(entry.event, tuple)]
    filled = [entry.event for entry in events if type(entry.event).__name__ == "OrderFilled"]
    named = dict.fromkeys(entry.source for entry in events)
    return {
        "orders": tuple(plain_row(dict(caught.rows[name])) for name in named if name in caught.rows),
        "order_events": tuple(_event_row(i, entry) for i, entry in enumerate(events)),
        "refusals": tuple(plain_row(refusal_row(i, *pair)) for i, pair in enumerate(refused)),
        "fills": _fill_rows(filled, caught),
    }


def _event_row(seq: int, entry: Entry) -> dict[str, Any]:
    detail = str(getattr(entry.event, "reason", "") or "")
    kind = type(entry.event).__name__
    return {"seq": seq, "ts_ns": entry.ts_ns, "client_order_id": entry.source, "event": kind, "detail": detail}


def _fill_rows(events: Sequence[Any], caught: Caught) -> tuple[dict[str, Any], ...]:
    """Fills with the position after each, counted from the position when the window began."""
    net: dict[str, Decimal] = dict(caught.opening.positions)
    rows = []
    for seq, event in enumerate(events):
        row = caught.rows.get(str(event.client_order_id), {})
        fill = to_fill(event, str(row.get("strategy_id", event.strategy_id)))
        if fill.ts_ns > caught.opening.ts_ns:
            signed = fill.quantity if fill.side == "BUY" else -fill.quantity
            net[fill.instrument_id] = net.get(fill.instrument_id, Decimal(0)) + signed
        values = {name: getattr(fill, name) for name in type(fill).__dataclass_fields__}
        after = net.get(fill.instrument_id, Decimal(0))
        rows.append(plain_row({"seq": seq, **values, "position_after": after, "mid_decision": row.get("mid_decision")}))
    return tuple(rows)
