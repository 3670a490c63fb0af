"""R-5, R-8, R-9: what the venue does with our orders: bad fills, rejects, a budget that runs out."""

from __future__ import annotations

from risk.breakers.config import BreakerConfig
from risk.breakers.events import ApiUse, FillNews, OrderAnswer, OrderNews
from risk.breakers.machine import NO_EDGES, NS_PER_SEC, Breaker, Edges, Figure, Level

_BUDGET_VALID_NS = 60 * NS_PER_SEC


class Slippage(Breaker):
    """Fill price beyond the decision mid, basis points: s · (price − mid) / mid; negative is better than the mid."""

    __slots__ = ()

    def __init__(self, name: str, config: BreakerConfig, instrument_id: str = "") -> None:
        super().__init__(name, config, instrument_id, probes=True)

    def update(self, fill: FillNews) -> Edges:
        """Take a fill; one whose decision mid is unknown says nothing."""
        mid = fill.decision_mid
        if mid is None or mid <= 0.0:
            return NO_EDGES
        slippage = fill.side * (fill.price - mid) / mid * 1e4
        level = self.judge(slippage)
        if level is Level.NONE:
            return self.normal(fill.ts_ns)
        detail = f"fill at {fill.price:g} is {slippage:.1f} bps beyond the decision mid {mid:g}"
        figures = {"price": fill.price, "decision_mid": mid, "slippage_bps": slippage}
        return self.abnormal(fill.ts_ns, level, detail, figures)


class RejectsInARow(Breaker):
    """Orders in a row that the venue rejected. A post-only refusal is how post-only works, and is not counted."""

    __slots__ = ("_in_a_row",)

    def __init__(self, name: str, config: BreakerConfig, instrument_id: str = "") -> None:
        super().__init__(name, config, instrument_id, probes=True)
        self._in_a_row = 0

    def update(self, news: OrderNews) -> Edges:
        """Take an answer of the venue."""
        if news.answer is OrderAnswer.POST_ONLY_REFUSED:
            return NO_EDGES
        if news.answer is not OrderAnswer.REJECTED:
            self._in_a_row = 0
            return self.normal(news.ts_ns)
        self._in_a_row += 1
        level = self.judge(self._in_a_row)
        if level is Level.NONE:
            return NO_EDGES
        figures: dict[str, Figure] = {"rejects": self._in_a_row, "order": news.client_order_id}
        return self.abnormal(news.ts_ns, level, f"{self._in_a_row} rejects in a row: {news.detail}", figures)


class ApiBudget(Breaker):
    """The largest used share of the venue's budgets, percent; a reading is worth a minute, as the budgets are."""

    __slots__ = ("_shares",)

    def __init__(self, name: str, config: BreakerConfig, instrument_id: str = "") -> None:
        super().__init__(name, config, instrument_id)
        self._shares: dict[str, tuple[int, float]] = {}

    def update(self, use: ApiUse) -> Edges:
        """Take one reading."""
        share = use.used / use.limit * 100.0 if use.limit > 0 else float("inf")
        self._shares[use.budget] = (use.ts_ns, share)
        self._shares = {k: v for k, v in self._shares.items() if use.ts_ns - v[0] < _BUDGET_VALID_NS}
        budget, (_, worst) = max(self._shares.items(), key=lambda item: item[1][1])
        level = self.judge(worst)
        if level is Level.NONE:
            return self.normal(use.ts_ns)
        figures: dict[str, Figure] = {"budget": budget, "used_pct": worst}
        return self.abnormal(use.ts_ns, level, f"{worst:.0f} % of budget {budget} is used", figures)
