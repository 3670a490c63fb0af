"""R-9: how often, how repetitively and how far off the market entries may be. Exits and cancels never ask.

Bounded memory: each window holds at most as many instants as its limit.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from errors import ConfigError
from risk.breach import Breach, Limit
from risk.request import OrderRequest

NS = 1_000_000_000
_BPS = Decimal(10_000)


class ThrottleConfig(BaseModel):
    """Rates, repetitions, cool-down and collar of entries; a limit that is None is not checked."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    max_orders_per_sec: int | None = Field(
        default=10, ge=1, le=300, description="Entries of the account within one second"
    )
    max_cancels_per_fill: float | None = Field(
        default=None, gt=0, le=1e6, description="Cancels per fill of a strategy within cancel_window_secs"
    )
    cancel_window_secs: float = Field(default=600, gt=0, le=86_400, description="Window of the cancel ratio, seconds")
    min_cancels: int = Field(
        default=50, ge=1, le=100_000, description="Cancels in the window before the ratio is looked at"
    )
    max_identical_orders: int | None = Field(
        default=5, ge=1, le=1000, description="Same side, price and quantity on a symbol within identical_window_secs"
    )
    identical_window_secs: float = Field(default=10, gt=0, le=3600, description="Window of identical orders, seconds")
    reentry_cooldown_secs: float = Field(
        default=0,
        ge=0,
        le=86_400,
        description="No entry of a strategy on a symbol this long after it went flat, seconds",
    )
    collar_mid_bps: Decimal | None = Field(
        default=Decimal(200), gt=0, le=5000, description="Furthest an entry's price may be from the mid, basis points"
    )
    collar_mark_bps: Decimal | None = Field(
        default=Decimal(300), gt=0, le=5000, description="Furthest an entry's price may be from the mark, basis points"
    )


class _Window:
    """Instants within a sliding window, at most `capacity` of them: more say nothing new."""

    __slots__ = ("_instants", "_window_ns")

    def __init__(self, window_secs: float, capacity: int) -> None:
        self._window_ns = round(window_secs * NS)
        self._instants: deque[int] = deque(maxlen=capacity)

    def add(self, ts_ns: int) -> None:
        self._instants.append(ts_ns)

    def count(self, ts_ns: int) -> int:
        while self._instants and self._instants[0] <= ts_ns - self._window_ns:
            self._instants.popleft()
        return len(self._instants)

    def per_second(self, ts_ns: int) -> dict[str, int]:
        """How many in each second that is still in the window."""
        self.count(ts_ns)
        return {str(second): count for second, count in Counter(one // NS for one in self._instants).items()}

    def refill(self, seconds: Mapping[str, int]) -> None:
        """Undo `per_second`; an instant counts to the end of its second."""
        for second, count in sorted((int(second), count) for second, count in seconds.items()):
            self._instants.extend([(second + 1) * NS - 1] * count)


_RATIO_CAPACITY = 100_000
_SHAPES = 1000

type _Shape = tuple[str, str, int, Decimal | None, Decimal]


class Throttles:
    """Remembers what was sent, cancelled and filled, and says whether one more entry is too much.

    Parameters
    ----------
    config
        Limits.
    """

    def __init__(self, config: ThrottleConfig) -> None:
        self.config = config
        self._orders = _Window(1.0, config.max_orders_per_sec or 1)
        self._cancels: dict[str, _Window] = {}
        self._fills: dict[str, _Window] = {}
        self._shapes: dict[_Shape, _Window] = {}
        self._flat_ns: dict[tuple[str, str], int] = {}

    def check(self, request: OrderRequest) -> Breach | None:
        """Check one entry; anything that reduces passes."""
        if not request.is_entry:
            return None
        for check in (self._rate, self._ratio, self._identical, self._reentry):
            breach = check(request)
            if breach is not None:
                return breach
        return None

    def on_sent(self, request: OrderRequest) -> None:
        """Count an approved entry; exits use no allowance."""
        if not request.is_entry:
            return
        self._orders.add(request.ts_ns)
        limit = self.config.max_identical_orders
        if limit is None:
            return
        if len(self._shapes) >= _SHAPES:
            self._shapes = {shape: window for shape, window in self._shapes.items() if window.count(request.ts_ns)}
        shape = _shape(request)
        window = self._shapes.get(shape)
        if window is None:
            window = self._shapes[shape] = _Window(self.config.identical_window_secs, limit)
        window.add(request.ts_ns)

    def on_cancel(self, ts_ns: int, strategy_id: str) -> None:
        """Count a cancel that was sent."""
        self._ratio_window(self._cancels, strategy_id).add(ts_ns)

    def on_fill(self, ts_ns: int, strategy_id: str) -> None:
        """Count a fill."""
        self._ratio_window(self._fills, strategy_id).add(ts_ns)

    def on_flat(self, ts_ns: int, strategy_id: str, instrument_id: str) -> None:
        """Start the re-entry cool-down: a strategy's position on a symbol was closed."""
        self._flat_ns[(strategy_id, instrument_id)] = ts_ns

    def state(self, ts_ns: int) -> dict[str, Any]:
        """What must survive a restart, as plain values: cool-downs, cancels and fills. What is over within seconds is left out."""
        return {
            "flat_ns": [[*key, flat_ns] for key, flat_ns in sorted(self._flat_ns.items())],
            "cancels": {name: window.per_second(ts_ns) for name, window in self._cancels.items()},
            "fills": {name: window.per_second(ts_ns) for name, window in self._fills.items()},
        }

    def restore(self, state: Mapping[str, Any]) -> None:
        """Take over what `state` gave before a restart."""
        self._flat_ns.update({(strategy, instrument): flat_ns for strategy, instrument, flat_ns in state["flat_ns"]})
        for name, seconds in state["cancels"].items():
            self._ratio_window(self._cancels, name).refill(seconds)
        for name, seconds in state["fills"].items():
            self._ratio_window(self._fills, name).refill(seconds)

    def _ratio_window(self, windows: dict[str, _Window], strategy_id: str) -> _Window:
        found = windows.get(strategy_id)
        if found is None:
            found = windows[strategy_id] = _Window(self.config.cancel_window_secs, _RATIO_CAPACITY)
        return found

    def _rate(self, request: OrderRequest) -> Breach | None:
        limit = self.config.max_orders_per_sec
        if limit is None or (sent := self._orders.count(request.ts_ns)) < limit:
            return None
        return Breach(
            Limit.ORDER_RATE, f"{sent} entries in the last second, {limit} allowed", {"sent": sent, "limit": limit}
        )

    def _ratio(self, request: OrderRequest) -> Breach | None:
        limit = self.config.max_cancels_per_fill
        if limit is None:
            return None
        cancels = self._ratio_window(self._cancels, request.strategy_id).count(request.ts_ns)
        fills = self._ratio_window(self._fills, request.strategy_id).count(request.ts_ns)
        if cancels < self.config.min_cancels or cancels <= limit * max(fills, 1):
            return None
        figures = {"cancels": cancels, "fills": fills, "limit": limit}
        return Breach(Limit.CANCEL_RATIO, f"{cancels} cancels for {fills} fills, {limit:g} per fill allowed", figures)

    def _identical(self, request: OrderRequest) -> Breach | None:
        limit, window = self.config.max_identical_orders, self._shapes.get(_shape(request))
        if limit is None or window is None or (count := window.count(request.ts_ns)) < limit:
            return None
        secs = self.config.identical_window_secs
        figures = {"sent": count, "limit": limit, "window_secs": secs}
        return Breach(Limit.REPEATED_ORDER, f"{count} identical entries within {secs:g} s, {limit} allowed", figures)

    def _reentry(self, request: OrderRequest) -> Breach | None:
        flat_ns = self._flat_ns.get((request.strategy_id, request.instrument_id))
        if flat_ns is None:
            return None
        left = self.config.reentry_cooldown_secs - (request.ts_ns - flat_ns) / NS
        if left <= 0:
            return None
        figures = {"seconds_left": left, "cooldown_secs": self.config.reentry_cooldown_secs}
        return Breach(Limit.REENTRY, f"{left:.1f} s of the re-entry cool-down are left", figures)


def check_collar(
    request: OrderRequest, touch: Decimal | None, mid: Decimal | None, mark: Decimal | None, tick: Decimal,
    config: ThrottleConfig,
) -> Breach | None:  # fmt: skip
    """Check an entry's price against mid and mark.

    Parameters
    ----------
    request
        The order.
    touch
        Best opposite price, which stands for the price of an order that has none.
    mid, mark
        References; without a mid an entry is refused, without a mark only the mid counts.
    tick
        Price increment.
    config
        The collar.
    """
    if not request.is_entry or (config.collar_mid_bps is None and config.collar_mark_bps is None):
        return None
    price = request.price if request.price is not None else touch
    if price is None or mid is None:
        return Breach(Limit.PRICE_COLLAR, f"{request.instrument_id} has no price to hold the entry against")
    for name, reference, bps in (("mid", mid, config.collar_mid_bps), ("mark", mark, config.collar_mark_bps)):
        if reference is None or bps is None:
            continue
        breach = _outside(price, name, reference, bps, tick)
        if breach is not None:
            return breach
    return None


def refuse_narrow_collar(config: ThrottleConfig, price: Decimal, tick: Decimal) -> None:
    """Refuse a configuration whose collar is narrower than a tick at the present price.

    Raises
    ------
    ConfigError
        When no price but the reference itself would be inside.
    """
    for name, bps in (("collar_mid_bps", config.collar_mid_bps), ("collar_mark_bps", config.collar_mark_bps)):
        if bps is not None and price * bps / _BPS < tick:
            least = tick / price * _BPS
            raise ConfigError(
                f"{name} {bps} is narrower than a tick ({tick} at a price of {price}): write {least:.4f} or more"
            )


def _outside(price: Decimal, name: str, reference: Decimal, bps: Decimal, tick: Decimal) -> Breach | None:
    allowed = reference * bps / _BPS
    off = abs(price - reference)
    if allowed >= tick and off <= allowed:
        return None
    figures = {"price": str(price), name: str(reference), "off": str(off), "allowed": str(allowed)}
    if allowed < tick:
        return Breach(
            Limit.PRICE_COLLAR, f"collar {allowed:f} around the {name} is narrower than the tick {tick}", figures
        )
    off_bps = off / reference * _BPS
    return Breach(
        Limit.PRICE_COLLAR, f"price {price} is {off_bps:.1f} bps off the {name} {reference}, {bps} allowed", figures
    )


def _shape(request: OrderRequest) -> _Shape:
    return request.strategy_id, request.instrument_id, int(request.side), request.price, request.quantity
