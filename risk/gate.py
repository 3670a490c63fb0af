"""The one gate. Every order creation and close passes `RiskGate.check`; cancels never ask."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal

from risk.config import RiskConfig
from risk.costs import FeeRates
from risk.edge import check_edge, entry_cost
from risk.limits import NS_PER_DAY, Exposure, LossLimits, check_exposure
from risk.policy import Policy
from risk.request import OrderRequest
from risk.venue_rules import VenueRules, check_venue_rules
from risk.verdict import APPROVED, Reason, Refused, Verdict
from risk.view import AccountView

_ORDER_RANK = {"post_only": 0, "limit": 1, "market": 2}
ID_LENGTH = 14
EQUITY_EVERY_NS = 1_000_000_000


@dataclass(slots=True)
class RiskGate:
    """Checks orders against rules, policy, edge and limits, and remembers what it approved.

    Parameters
    ----------
    config
        Limits.
    view
        The account.
    rules
        Venue filters by instrument id.
    policies
        What is demanded of each strategy, by strategy id.
    trading_start_ns, trading_end_ns
        Entries are refused before and after; warm-up ends at the first.
    id_prefix
        Tag and epoch of this run's client order ids; an order with any other id is refused.

    Attributes
    ----------
    halted
        Why entries are shut, or None.
    halted_day
        UTC day number with which the halt ends; None where it lasts.
    approved
        Every id that was approved, ever.
    expected
        Approved ids that the engine has not yet seen.
    losses
        Daily loss and drawdown so far.
    """

    config: RiskConfig
    view: AccountView
    rules: Mapping[str, VenueRules]
    policies: Mapping[str, Policy]
    trading_start_ns: int = 0
    trading_end_ns: int | None = None
    id_prefix: str = ""
    halted: str | None = None
    halted_day: int | None = None
    approved: set[str] = field(default_factory=set)
    expected: set[str] = field(default_factory=set)
    losses: LossLimits = field(init=False)
    _observed_ns: int = -EQUITY_EVERY_NS

    def __post_init__(self) -> None:
        self.losses = LossLimits(
            Decimal(repr(self.config.max_daily_loss_quote)), Decimal(repr(self.config.max_drawdown_pct))
        )

    def check(self, request: OrderRequest) -> Verdict:
        """Approve or refuse one order; an approved id can never be used again."""
        order_id = request.client_order_id
        if order_id in self.approved:
            return Refused(Reason.ID_REUSED, f"client order id {order_id} has been used")
        if len(order_id) != ID_LENGTH or not order_id.startswith(self.id_prefix):
            return Refused(Reason.ID_FORM, f"client order id {order_id} was not made by this run")
        verdict = self._entry(request) if request.is_entry else self._exit(request)
        if not isinstance(verdict, Refused):
            self.approved.add(order_id)
            self.expected.add(order_id)
        return verdict

    def saw(self, client_order_id: str) -> bool:
        """Take note that the engine has an order; False when it was not approved for exactly this one send."""
        if client_order_id not in self.expected:
            return False
        self.expected.remove(client_order_id)
        return True

    def observe(self, ts_ns: int) -> None:
        """Read the equity at most once a second: loss limits hold also while nothing is sent (R-13)."""
        if ts_ns - self._observed_ns >= EQUITY_EVERY_NS:
            self._observed_ns = ts_ns
            equity = self.view.equity()
            if equity is not None:
                self._read(ts_ns, equity)

    def halt(self, why: str, day: int | None = None) -> None:
        """Shut entries; the first reason wins. With `day` (UTC day number) the halt ends with that day."""
        if self.halted is None or (self.halted_day is not None and day is None):
            self.halted, self.halted_day = why, day

    def _read(self, ts_ns: int, equity: Decimal) -> None:
        if self.halted_day is not None and ts_ns // NS_PER_DAY > self.halted_day:
            self.halted = self.halted_day = None
        breach = self.losses.update(ts_ns, equity)
        if breach is not None:
            self.halt(breach.why, breach.day)

    def _exit(self, request: OrderRequest) -> Verdict:
        rules = self.rules.get(request.instrument_id)
        if rules is None:
            return Refused(Reason.UNSUPPORTED, f"{request.instrument_id} is not an instrument of this configuration")
        return check_venue_rules(request, rules, None, 0)

    def _entry(self, request: OrderRequest) -> Verdict:
        own = (self._allowed_now, self._rules, self._limits)
        for check in (
            own if request.closes_own else (self._allowed_now, self._policy, self._rules, self._limits, self._edge)
        ):
            verdict = check(request)
            if isinstance(verdict, Refused):
                return verdict
        return APPROVED

    def _allowed_now(self, request: OrderRequest) -> Verdict:
        if request.ts_ns < self.trading_start_ns:
            return Refused(Reason.WARM_UP, "features and breakers are still learning")
        if self.trading_end_ns is not None and request.ts_ns >= self.trading_end_ns:
            return Refused(Reason.AFTER_END, "the run is closing its positions")
        equity = self.view.equity()
        if equity is not None:
            self._read(request.ts_ns, equity)
        if self.halted is not None:
            return Refused(Reason.HALTED, self.halted)
        top = self.view.books.top(self.view.instrument_id(request.instrument_id))
        if top is None:
            return Refused(Reason.BOOK_UNUSABLE, f"{request.instrument_id} has no book")
        if top.is_crossed:
            figures = {"bid": top.bid, "ask": top.ask}
            return Refused(Reason.BOOK_UNUSABLE, f"the book is crossed: bid {top.bid} >= ask {top.ask}", figures)
        return APPROVED

    def _policy(self, request: OrderRequest) -> Verdict:
        policy = self.policies.get(request.strategy_id)
        if policy is None:
            return Refused(Reason.UNSUPPORTED, f"strategy {request.strategy_id} has no policy")
        kind = {"LIMIT": "post_only" if request.post_only else "limit"}.get(request.order_type, "market")
        if _ORDER_RANK[kind] > _ORDER_RANK[policy.entry_order]:
            return Refused(Reason.ORDER_TYPE, f"a {kind} entry where the policy allows {policy.entry_order}")
        open_entries = self.view.entries(request.strategy_id, request.instrument_id)
        if open_entries >= policy.max_open_entries:
            return Refused(
                Reason.OPEN_ENTRY, f"{open_entries} entries open, the policy allows {policy.max_open_entries}",
                {"open": open_entries, "limit": policy.max_open_entries},
            )  # fmt: skip
        return APPROVED

    def _rules(self, request: OrderRequest) -> Verdict:
        rules = self.rules.get(request.instrument_id)
        if rules is None:
            return Refused(Reason.UNSUPPORTED, f"{request.instrument_id} is not an instrument of this configuration")
        open_orders = sum(1 for _ in self.view.open_orders(request.instrument_id))
        return check_venue_rules(request, rules, self.view.reference(request.instrument_id), open_orders)

    def _limits(self, request: OrderRequest) -> Verdict:
        view, iid = self.view, request.instrument_id
        price, equity = view.reference(iid), view.equity()
        if price is None or equity is None:
            return Refused(Reason.NO_PRICE, f"{iid} has no price, or the account no equity, yet")
        net = view.net(iid)
        if request.closes_own and net * request.side < 0:
            net = Decimal(0)  # what this side could still reduce is being reduced by the flagged part
        exposure = Exposure(
            net=net, resting_same_side=view.resting_entries(iid, request.side), price=price,
            gross_elsewhere=view.gross_elsewhere(iid), worst_here=view.worst(iid), equity=equity,
        )  # fmt: skip
        return check_exposure(request, exposure, self.config)

    def _edge(self, request: OrderRequest) -> Verdict:
        policy = self.policies[request.strategy_id]
        top = self.view.books.top(self.view.instrument_id(request.instrument_id))
        if policy.waiver is not None or top is None:
            return APPROVED
        fees = self.view.fees[request.instrument_id]
        cost = entry_cost(
            request, top.bid, top.ask, fees, self.view.funding(request.instrument_id),
            self.config.edge_slippage_bps, self.config.edge_margin_bps, self._exit_fee(fees),
        )  # fmt: skip
        return check_edge(request, policy, cost)

    def _exit_fee(self, fees: FeeRates) -> float:
        return {"excluded": 0.0, "maker": fees.maker_bps, "taker": fees.taker_bps}[self.config.edge_exit_fee]
