"""Bars that the engine aggregates from trades, named by their length in seconds."""

from __future__ import annotations

from nautilus_trader.model import BarType, InstrumentId


def check_bar_secs(secs: int) -> int:
    """Return `secs` when the engine can build such bars: it must divide a minute, or be whole minutes dividing an hour.

    Raises
    ------
    ValueError
        When it does not.
    """
    minutes, rest = divmod(secs, 60)
    if secs < 1 or (60 % secs if secs < 60 else rest or 60 % minutes):
        raise ValueError(f"bar_secs must divide 60, or be whole minutes that divide 60, got {secs}")
    return secs


def internal_bar_type(instrument_id: InstrumentId, secs: int) -> BarType:
    """Return the type of bars of trades that the engine itself aggregates.

    Raises
    ------
    ValueError
        As `check_bar_secs`.
    """
    check_bar_secs(secs)
    minutes, rest = divmod(secs, 60)
    step = f"{secs}-SECOND" if rest or minutes == 0 else f"{minutes}-MINUTE"
    if minutes == 60:
        step = "1-HOUR"
    return BarType.from_str(f"{instrument_id}-{step}-LAST-INTERNAL")
