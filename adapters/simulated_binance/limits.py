"""Rate limits of one address and one account: weights, order counts, 429 and 418."""

from __future__ import annotations

from dataclasses import dataclass

from adapters.simulated_binance.clock import Clock
from adapters.simulated_binance.settings import LimitSettings

MINUTE_NS = 60 * 10**9
TEN_SECS_NS = 10 * 10**9
WEIGHTS = {
    "POST /fapi/v1/countdownCancelAll": 10,
    "GET /fapi/v1/allOrders": 5,
    "GET /fapi/v1/userTrades": 5,
    "GET /fapi/v2/account": 5,
    "GET /fapi/v3/account": 5,
    "GET /fapi/v2/positionRisk": 5,
    "GET /fapi/v3/positionRisk": 5,
    "GET /fapi/v2/balance": 5,
    "GET /fapi/v3/balance": 5,
    "GET /fapi/v1/income": 30,
    "GET /fapi/v1/commissionRate": 20,
    "GET /fapi/v1/positionSide/dual": 30,
    "GET /fapi/v1/depth": 20,
    "GET /fapi/v1/aggTrades": 20,
    "GET /fapi/v1/klines": 5,
    "GET /fapi/v1/trades": 5,
    "GET /fapi/v1/allAlgoOrders": 5,
    "POST /fapi/v1/batchOrders": 5,
    "POST /fapi/v1/order": 0,
}
ORDER_REQUESTS = {"POST /fapi/v1/order": 1, "PUT /fapi/v1/order": 1, "POST /fapi/v1/algoOrder": 1}
ORDERS_PER_BATCH = 5


@dataclass(slots=True)
class _Window:
    length_ns: int
    began: int = -1
    used: int = 0

    def add(self, now_ns: int, amount: int) -> int:
        if now_ns // self.length_ns != self.began:
            self.began, self.used = now_ns // self.length_ns, 0
        self.used += amount
        return self.used

    def secs_left(self, now_ns: int) -> int:
        return max(1, -(-((self.began + 1) * self.length_ns - now_ns) // 10**9))


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether a request may pass.

    Attributes
    ----------
    status
        200, 429 or 418.
    retry_after_secs
        For the Retry-After header when it may not.
    headers
        Usage headers, as Binance sends them with every answer.
    """

    status: int
    retry_after_secs: int
    headers: dict[str, str]


class Limits:
    """Counts requests; the windows are fixed minutes and ten seconds of real time."""

    def __init__(self, settings: LimitSettings, clock: Clock) -> None:
        self._settings, self._clock = settings, clock
        self._weight = _Window(MINUTE_NS)
        self._orders = {"10S": _Window(TEN_SECS_NS), "1M": _Window(MINUTE_NS)}
        self._refused = _Window(MINUTE_NS)
        self._banned_until = 0
        self._limited_until = 0
        self._bans = 0

    def ban(self, secs: float) -> None:
        """Answer 418 for `secs` from now."""
        self._banned_until = self._clock.real_ns() + round(secs * 1e9)

    def limit(self, secs: float) -> None:
        """Answer 429 for `secs` from now."""
        self._limited_until = self._clock.real_ns() + round(secs * 1e9)

    def check(self, what: str) -> Verdict:
        """Count a request 'METHOD /path' and judge it."""
        now = self._clock.real_ns()
        if now < self._banned_until:
            return Verdict(418, -(-(self._banned_until - now) // 10**9), {})
        used = self._weight.add(now, WEIGHTS.get(what, 1))
        headers = {"X-MBX-USED-WEIGHT-1M": str(used)} | self._count_orders(what, now)
        if now < self._limited_until:
            return self._refuse(now, -(-(self._limited_until - now) // 10**9), headers)
        if used > self._settings.weight_per_minute:
            return self._refuse(now, self._weight.secs_left(now), headers)
        if self._too_many_orders(what):
            return self._refuse(now, self._orders["10S"].secs_left(now), headers)
        return Verdict(200, 0, headers)

    def _count_orders(self, what: str, now: int) -> dict[str, str]:
        amount = ORDERS_PER_BATCH if what == "POST /fapi/v1/batchOrders" else ORDER_REQUESTS.get(what, 0)
        if amount == 0:
            return {}
        return {f"X-MBX-ORDER-COUNT-{name}": str(window.add(now, amount)) for name, window in self._orders.items()}

    def _too_many_orders(self, what: str) -> bool:
        if what not in ORDER_REQUESTS and what != "POST /fapi/v1/batchOrders":
            return False
        caps = {"10S": self._settings.orders_per_10_secs, "1M": self._settings.orders_per_minute}
        return any(self._orders[name].used > cap for name, cap in caps.items())

    def _refuse(self, now: int, secs: int, headers: dict[str, str]) -> Verdict:
        if self._refused.add(now, 1) > self._settings.ban_after:
            self.ban(self._settings.ban_secs * 2**self._bans)
            self._bans += 1
            return Verdict(418, round(self._settings.ban_secs), headers)
        return Verdict(429, secs, headers)
