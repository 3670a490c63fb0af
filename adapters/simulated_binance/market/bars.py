"""Klines: minute bars from our own trades, and a made-up past before the start."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, ClassVar

from adapters.simulated_binance.codes import Code, Refused
from adapters.simulated_binance.contract import Contract
from adapters.simulated_binance.scale import plain

MINUTE = 60_000
WAVES = ((86_400_000.0, 0.01), (13_700_000.0, 0.004), (2_900_000.0, 0.002), (610_000.0, 0.0008), (127_000.0, 0.0004))
"""Periods in ms and relative amplitudes of the past price."""


@dataclass(slots=True)
class Bar:
    """One minute of trades."""

    open_ms: int
    open: Decimal
    high: Decimal
    low: Decimal
    close: Decimal
    volume: Decimal = Decimal(0)
    quote: Decimal = Decimal(0)
    bought: Decimal = Decimal(0)
    bought_quote: Decimal = Decimal(0)
    trades: int = 0


class Bars:
    """Minute bars of one symbol; other intervals are put together from them."""

    INTERVALS: ClassVar[Mapping[str, int]] = {
        "1m": MINUTE,
        "3m": 3 * MINUTE,
        "5m": 5 * MINUTE,
        "15m": 15 * MINUTE,
        "30m": 30 * MINUTE,
        "1h": 60 * MINUTE,
        "2h": 120 * MINUTE,
        "4h": 240 * MINUTE,
        "6h": 360 * MINUTE,
        "8h": 480 * MINUTE,
        "12h": 720 * MINUTE,
        "1d": 1440 * MINUTE,
    }

    def __init__(self) -> None:
        self.minutes: dict[int, Bar] = {}
        self.anchor: tuple[int, Decimal] | None = None
        self._closed: dict[str, int] = {}

    def add(self, now_ms: int, price: Decimal, quantity: Decimal, bought: bool) -> None:
        """Count a trade."""
        self.anchor = self.anchor or (now_ms, price)
        start = now_ms - now_ms % MINUTE
        bar = self.minutes.get(start)
        if bar is None:
            bar = self.minutes[start] = Bar(start, price, price, price, price)
        bar.high, bar.low, bar.close = max(bar.high, price), min(bar.low, price), price
        bar.volume += quantity
        bar.quote += quantity * price
        bar.trades += 1
        if bought:
            bar.bought += quantity
            bar.bought_quote += quantity * price

    def history(self, interval: str, end_ms: int, start_ms: int | None, limit: int) -> list[Bar]:
        """Bars that open in [start, end], the last `limit` of them, or the first when a start is given.

        Raises
        ------
        Refused
            -1120 for an interval that Binance does not know.
        """
        step = self.INTERVALS.get(interval)
        if step is None:
            raise Refused(Code.BAD_INTERVAL)
        if self.anchor is None:
            return []
        last = end_ms - end_ms % step
        first = last - (limit - 1) * step if start_ms is None else -(-start_ms // step) * step
        opens = list(range(first, last + 1, step))[:limit]
        return [bar for open_ms in opens if (bar := self._bar(open_ms, step)) is not None]

    def _bar(self, open_ms: int, step: int) -> Bar | None:
        parts = [self._minute(minute) for minute in range(open_ms, open_ms + step, MINUTE)]
        known = [part for part in parts if part is not None]
        if not known:
            return None
        joined = Bar(open_ms, known[0].open, max(b.high for b in known), min(b.low for b in known), known[-1].close)
        for part in known:
            joined.volume += part.volume
            joined.quote += part.quote
            joined.bought += part.bought
            joined.bought_quote += part.bought_quote
            joined.trades += part.trades
        return joined

    def _minute(self, open_ms: int) -> Bar | None:
        if open_ms in self.minutes or self.anchor is None:
            return self.minutes.get(open_ms)
        if open_ms + MINUTE > self.anchor[0]:
            return self._quiet(open_ms)
        start, end = self._past(open_ms), self._past(open_ms + MINUTE)
        volume = Decimal(10)
        return Bar(
            open_ms,
            start,
            max(start, end),
            min(start, end),
            end,
            volume,
            volume * start,
            volume / 2,
            volume * start / 2,
            100,
        )

    def _quiet(self, open_ms: int) -> Bar | None:
        earlier = max((minute for minute in self.minutes if minute < open_ms), default=None)
        if earlier is None:
            return None
        close = self.minutes[earlier].close
        return Bar(open_ms, close, close, close, close)

    def _past(self, ms: int) -> Decimal:
        anchor_ms, price = self.anchor or (ms, Decimal(0))
        drift = sum(size * math.sin(2 * math.pi * (ms - anchor_ms) / period) for period, size in WAVES)
        return (price * Decimal(repr(round(1 + drift, 8)))).quantize(Decimal("0.01"))

    def stream(self, interval: str, now_ms: int, contract: Contract) -> list[dict[str, Any]]:
        """Kline messages due now: the bar that has just ended as closed, then the one in the making."""
        step = self.INTERVALS[interval]
        open_ms = now_ms - now_ms % step
        due = []
        if (before := self._closed.get(interval, open_ms)) < open_ms and (ended := self._bar(before, step)) is not None:
            due.append(_kline(ended, interval, step, contract, closed=True))
        self._closed[interval] = open_ms
        if (running := self._bar(open_ms, step)) is not None:
            due.append(_kline(running, interval, step, contract, closed=False))
        return due


def _kline(bar: Bar, interval: str, step: int, contract: Contract, *, closed: bool) -> dict[str, Any]:
    places = contract.settings.price_places
    shown: dict[str, Any] = {"t": bar.open_ms, "T": bar.open_ms + step - 1, "s": contract.name, "i": interval}
    shown |= {"f": -1, "L": -1, "o": f"{bar.open:.{places}f}", "c": f"{bar.close:.{places}f}"}
    shown |= {"h": f"{bar.high:.{places}f}", "l": f"{bar.low:.{places}f}", "v": plain(bar.volume), "n": bar.trades}
    return shown | {"x": closed, "q": plain(bar.quote), "V": plain(bar.bought), "Q": plain(bar.bought_quote), "B": "0"}


def row(bar: Bar, step: int) -> list[Any]:
    """A bar as ``/fapi/v1/klines`` lists it."""
    prices = [plain(value) for value in (bar.open, bar.high, bar.low, bar.close, bar.volume)]
    tail = [plain(bar.quote), bar.trades, plain(bar.bought), plain(bar.bought_quote), "0"]
    return [bar.open_ms, *prices, bar.open_ms + step - 1, *tail]
