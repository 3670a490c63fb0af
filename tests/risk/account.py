"""A gate in front of an account made of plain values: no engine."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Any

from nautilus_trader.model import Money

from risk.books import Books
from risk.config import RiskConfig
from risk.costs import FeeRates
from risk.gate import RiskGate
from risk.halts import Halts
from risk.kill_switch import run_switch
from risk.loss import LossLedger
from risk.policy import Policy
from risk.request import OrderRequest, Purpose, Side
from risk.venue_rules import VenueRules, of_instrument
from risk.view import AccountView
from tests.engine import ETH, ETH_IID, FREE, KEY, USDT, WIDE, opening, perpetual

ETH_KEY = str(ETH_IID)


@dataclass
class Account:
    """What the engine's cache and portfolio would answer; set the fields, then ask the gate."""

    cash: str | None = "10000"
    net: dict[str, str] = field(default_factory=dict)
    unrealised: str = "0"
    mark: Decimal | None = None
    funding: Any = None

    def account(self, _account_id: object) -> Any:
        return None if self.cash is None else self

    def balances_total(self) -> dict[Any, Any]:
        return {USDT: Money.from_str(f"{self.cash} USDT")}

    def purge_account_events(self, _ts_ns: int, _lookback_secs: int) -> None:
        """No past is kept."""

    def mark_price(self, _iid: object) -> Any:
        return None

    def funding_rate(self, _iid: object) -> Any:
        return self.funding

    def net_position(self, iid: object) -> Decimal:
        return Decimal(self.net.get(str(iid), "0"))

    def unrealized_pnl(self, iid: object, _price: object) -> Any:
        return Money.from_str(f"{self.unrealised} USDT") if str(iid) == KEY else None


def gate(
    account: Account | None = None, *, risk: RiskConfig = WIDE, policy: Policy = FREE, rules: VenueRules | None = None,
    start_ns: int = 0, end_ns: int | None = None, book: bool = True, fees: FeeRates | None = None,
) -> RiskGate:  # fmt: skip
    """A gate for strategy ``s`` on two perpetuals whose books stand at 100.0 / 100.1 (mid 100.05)."""
    instruments = {KEY: perpetual(), ETH_KEY: perpetual(ETH_IID, ETH)}
    rates = fees or FeeRates(2.0, 5.0)
    view = AccountView(Books(record=False), dict.fromkeys(instruments, rates), instruments)
    view.cache = view.portfolio = account or Account()
    view.settlement = USDT
    if book:
        view.books.apply_deltas(opening(), "caller")
        view.books.apply_deltas(opening(iid=ETH_IID), "caller")
    filters = rules or of_instrument(perpetual())
    halts = Halts(run_switch("run"), LossLedger(risk.losses()))
    return RiskGate(risk, view, dict.fromkeys(instruments, filters), {"s": policy}, halts, start_ns, end_ns, "bt")


_ENTRY = OrderRequest(
    "s", KEY, "bt000000000000", Side.BUY, "LIMIT", Decimal(1), Decimal("100.0"), post_only=True, reduce_only=False,
    time_in_force="GTC", ts_ns=1_000_000_000, purpose=Purpose("test", 50.0, 60.0),
)  # fmt: skip
_COUNT = iter(range(1, 10**9))


def order(**changes: Any) -> OrderRequest:
    """A post-only buy of 1 at 100.0 with a fresh id, stating an edge of 50 bps; changed as named."""
    for name in ("quantity", "price"):
        if isinstance(changes.get(name), str):
            changes[name] = Decimal(changes[name])
    if "edge_bps" in changes or "horizon_secs" in changes:
        edge, horizon = changes.pop("edge_bps", 50.0), changes.pop("horizon_secs", 60.0)
        changes["purpose"] = Purpose("test", edge, horizon)
    return replace(_ENTRY, **{"client_order_id": f"bt{next(_COUNT):012d}", **changes})


def market(**changes: Any) -> OrderRequest:
    """A market buy of 1."""
    return order(**{"order_type": "MARKET", "price": None, "post_only": False, **changes})
