"""The one gate. Every order creation and close passes `RiskGate.check`; cancels never ask."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal

from risk.breakers.board import BreakerBoard
from risk.config import RiskConfig
from risk.costs import FeeRates
from risk.edge import check_edge, entry_cost
from risk.exits import dust_of
from risk.halts import Halts
from risk.limits import Exposure, check_exposure
from risk.policy import Policy
from risk.request import OrderRequest
from risk.sizing import drawdown_factor
from risk.throttles import Throttles, check_collar
from risk.venue_rules import VenueRules, check_venue_rules
from risk.verdict import APPROVED, Reason, Refused, Verdict, plain
from risk.view import AccountView

_ORDER_RANK = {"post_only": 0, "limit": 1, "market": 2}
ID_LENGTH = 14
EQUITY_EVERY_NS = 1_000_000_000
AT_ONCE_NS = -(1 << 63)
"""Before every instant: the equity is read with the next event."""
type Lock = Callable[[OrderRequest], Refused | None]
"""Refuses an entry while something outside the gate is not in order; cheap, asked before every entry."""
_FACTOR_SLACK = 1e-9  # a factor that was multiplied back must not differ by an ulp


@dataclass(slots=True)
class RiskGate:
    """Checks orders against rules, policy, edge, limits, breakers and switch, and remembers what it approved.

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
    halts
        Kill switch and loss limits of the account, or of the run (B-9).
    trading_start_ns, trading_end_ns
        Entries are refused before and after; warm-up ends at the first.
    id_prefix
        Tag and epoch of this run's client order ids; an order with any other id is refused.

    Attributes
    ----------
    board
        Breakers.
    throttles
        Rates and repetitions.
    approved
        Every id that was approved, ever.
    expected
        Approved ids that the engine has not yet seen.
    venue_budget
        Asked last for each order that may go: why the venue's rate budget keeps it back. None: there is no venue to ask.
    locks
        Asked before each entry, right after the switch: what a live session demands beside it (dead-man). Empty in a backtest.
    look_ns
        From this instant on `observe` reads the equity.
    """

    config: RiskConfig
    view: AccountView
    rules: Mapping[str, VenueRules]
    policies: Mapping[str, Policy]
    halts: Halts
    trading_start_ns: int = 0
    trading_end_ns: int | None = None
    id_prefix: str = ""
    board: BreakerBoard = field(init=False)
    throttles: Throttles = field(init=False)
    approved: set[str] = field(default_factory=set)
    expected: set[str] = field(default_factory=set)
    venue_budget: Callable[[OrderRequest], str | None] | None = None
    locks: list[Lock] = field(default_factory=list)
    look_ns: int = AT_ONCE_NS

    def __post_init__(self) -> None:
        self.board = BreakerBoard(self.config.breakers, tuple(self.rules), self.view.books.quiet)
        self.throttles = Throttles(self.config.throttles)

    @property
    def halted(self) -> str | None:
        """Why entries are shut, or None."""
        return self.halts.reason

    def halt(self, why: str, ts_ns: int = 0, *, latch: bool = True) -> None:
        """Trip the kill switch, or shut entries only for the life of this process; the first reason wins."""
        if latch:
            self.halts.trip(ts_ns, why)
        else:
            self.halts.shut(ts_ns, why)

    def check(self, request: OrderRequest) -> Verdict:
        """Approve or refuse one order; an approved id can never be used again."""
        verdict = self._identity(request)
        if verdict is None:
            verdict = self._entry(request) if request.is_entry else self._exit(request)
            if not isinstance(verdict, Refused) and self.venue_budget is not None:
                held = self.venue_budget(request)
                verdict = verdict if held is None else Refused(Reason.ORDER_RATE, held)
        if not isinstance(verdict, Refused):
            self.approved.add(request.client_order_id)
            self.expected.add(request.client_order_id)
            self.throttles.on_sent(request)
        return verdict

    def closed(self, instrument_id: str, ts_ns: int) -> Refused | None:
        """What shuts every entry of an instrument now, as far as memory knows: a halt or a breaker; the check looks further."""
        if self.halts.reason is None:
            return self._restricted(instrument_id)
        breach = self.halts.refusal(ts_ns)
        return None if breach is None else Refused.of(breach)

    def last_look(self, request: OrderRequest) -> Refused | None:
        """Ask switch and locks once more right before an entry is sent: its row may have waited for the disk meanwhile."""
        if not self.locks or not request.is_entry:
            return None
        breach = self.halts.refusal(request.ts_ns)
        if breach is not None:
            return Refused.of(breach)
        return next((locked for lock in self.locks if (locked := lock(request)) is not None), None)

    def saw(self, client_order_id: str) -> bool:
        """Take note that the engine has an order; False when it was not approved for exactly this one send."""
        if client_order_id not in self.expected:
            return False
        self.expected.remove(client_order_id)
        return True

    def observe(self, ts_ns: int) -> None:
        """Read the equity with every second and after every fill: loss limits hold also while nothing is sent (R-13)."""
        if ts_ns >= self.look_ns:
            self.look_ns = (ts_ns // EQUITY_EVERY_NS + 1) * EQUITY_EVERY_NS
            self.view.refresh()
            equity = self.view.equity()
            if equity is not None:
                self.halts.read(ts_ns, equity)

    def look_again(self) -> None:
        """A fill has changed the account: read the equity with the next event, not only when a second is over."""
        self.look_ns = AT_ONCE_NS
        self.view.books.quiet.end()

    def size_factor(self, instrument_id: str) -> float:
        """Share of the usual size that an entry may have now: soft breakers and the drawdown throttle, 0 to 1."""
        restriction = self.board.restriction(instrument_id)
        throttle = self.config.drawdown_throttle
        if throttle is None:
            return restriction.size_factor
        equity = self.view.equity()
        if equity is None:
            return restriction.size_factor
        fall = self.halts.drawdown_pct(equity)
        return restriction.size_factor * float(drawdown_factor(fall, throttle.start_pct, throttle.stop_pct))

    def _identity(self, request: OrderRequest) -> Verdict | None:
        order_id = request.client_order_id
        if order_id in self.approved:
            return Refused(Reason.ID_REUSED, f"client order id {order_id} has been used")
        if len(order_id) != ID_LENGTH or not order_id.startswith(self.id_prefix):
            return Refused(Reason.ID_FORM, f"client order id {order_id} was not made by this run")
        if request.instrument_id not in self.rules:
            return Refused(Reason.UNSUPPORTED, f"{request.instrument_id} is not an instrument of this configuration")
        return None

    def _exit(self, request: OrderRequest) -> Verdict:
        """Only what the venue cannot take is refused: its filters, and a position that no order is small enough for."""
        rules = self.rules[request.instrument_id]
        net = self.view.net(request.instrument_id)
        if net * request.side < 0 and dust_of(net, rules) == abs(net):
            least = max(rules.step, rules.min_quantity or rules.step)
            figures = {"position": plain(net), "minimum": plain(least)}
            return Refused(Reason.DUST, f"position {plain(net)} is below the venue's minimum {plain(least)}", figures)
        return check_venue_rules(request, rules, None, 0)

    def _entry(self, request: OrderRequest) -> Verdict:
        return next((v for v in self._entry_checks(request) if isinstance(v, Refused)), APPROVED)

    def _entry_checks(self, request: OrderRequest) -> Iterator[Verdict]:
        """Each check in turn; the next one is made only where the one before approved."""
        equity = self.view.equity()
        yield self._allowed_now(request, equity)
        if not request.closes_own:
            yield self._policy(request)
        yield self._rules(request)
        if not request.closes_own:
            yield self._throttled(request)
        yield self._collar(request)
        yield self._limits(request, equity)
        if not request.closes_own:
            yield self._edge(request)

    def _allowed_now(self, request: OrderRequest, equity: Decimal | None) -> Verdict:
        if request.ts_ns < self.trading_start_ns:
            return Refused(Reason.WARM_UP, "features and breakers are still learning")
        if self.trading_end_ns is not None and request.ts_ns >= self.trading_end_ns:
            return Refused(Reason.AFTER_END, "the run is closing its positions")
        if equity is not None:
            self.halts.read(request.ts_ns, equity)
        breach = self.halts.refusal(request.ts_ns)
        if breach is not None:
            return Refused.of(breach)
        locked = next((found for lock in self.locks if (found := lock(request)) is not None), None)
        if locked is not None:
            return locked
        verdict = self._book(request.instrument_id)
        return verdict if isinstance(verdict, Refused) else self._breakers(request)

    def _book(self, instrument_id: str) -> Verdict:
        top = self.view.books.top_of(instrument_id)
        if top is None:
            return Refused(Reason.BOOK_UNUSABLE, f"{instrument_id} has no book")
        if top.is_crossed:
            figures = {"bid": top.bid, "ask": top.ask}
            return Refused(Reason.BOOK_UNUSABLE, f"the book is crossed: bid {top.bid} >= ask {top.ask}", figures)
        return APPROVED

    def _breakers(self, request: OrderRequest) -> Verdict:
        restricted = self._restricted(request.instrument_id)
        if restricted is not None:
            return restricted
        factor = self.size_factor(request.instrument_id)
        if request.size_factor > factor + _FACTOR_SLACK:
            detail = f"{request.size_factor:.0%} of the usual size, {factor:.0%} allowed"
            return Refused(Reason.SIZE_FACTOR, detail, {"asked": request.size_factor, "allowed": factor})
        return APPROVED

    def _restricted(self, instrument_id: str) -> Refused | None:
        restriction = self.board.restriction(instrument_id)
        if restriction.entries_allowed:
            return None
        detail = f"{restriction.breakers[0]}: {restriction.reason}"
        return Refused(Reason.BREAKER, detail, {"open": ", ".join(restriction.breakers)})

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
        iid = request.instrument_id
        open_orders = sum(1 for _ in self.view.open_orders(iid))
        return check_venue_rules(request, self.rules[iid], self.view.reference(iid), open_orders)

    def _throttled(self, request: OrderRequest) -> Verdict:
        breach = self.throttles.check(request)
        return APPROVED if breach is None else Refused.of(breach)

    def _collar(self, request: OrderRequest) -> Verdict:
        iid = request.instrument_id
        breach = check_collar(
            request, self.view.touch(iid, request.side), self.view.mid(iid), self.view.mark(iid), self.rules[iid].tick,
            self.config.throttles,
        )  # fmt: skip
        return APPROVED if breach is None else Refused.of(breach)

    def _limits(self, request: OrderRequest, equity: Decimal | None) -> Verdict:
        view, iid = self.view, request.instrument_id
        price = view.reference(iid)
        if price is None or equity is None:
            return Refused(Reason.NO_PRICE, f"{iid} has no price, or the account no equity, yet")
        net, resting = view.net(iid), view.resting(iid)
        worst = resting.worst(net)
        if request.closes_own and net * request.side < 0:
            net = Decimal(0)  # what this side could still reduce is being reduced by the flagged part
        elsewhere = view.elsewhere(iid, request.side)
        exposure = Exposure(
            net=net, resting_same_side=resting.on(request.side), price=price,
            gross_elsewhere=elsewhere.gross, worst_here=worst, equity=equity,
            net_elsewhere=elsewhere.net, margin_elsewhere=elsewhere.margin, margin_rate=view.margin_rate(iid),
            open_entries=resting.entries,
        )  # fmt: skip
        return check_exposure(request, exposure, self.config)

    def _edge(self, request: OrderRequest) -> Verdict:
        policy = self.policies[request.strategy_id]
        top = self.view.books.top_of(request.instrument_id)
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
