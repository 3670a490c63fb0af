"""Wallet and positions of the account, booked exactly: money in 1e-8, quantities in whole units.

A position keeps its cost, not a rounded average price: a closing trade releases ``cost * closed / quantity`` rounded to
1e-8, and what is not released stays. So ``wallet + Σ(quantity * price - cost)`` equals the sum of all cash flows to the
last unit, whatever was rounded on the way.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from adapters.simulated_binance.contract import Contract
from adapters.simulated_binance.ledger import Ledger
from adapters.simulated_binance.orders import Side
from adapters.simulated_binance.scale import money, plain
from adapters.simulated_binance.settings import AccountSettings

BPS = Decimal("1e-4")


@dataclass(slots=True)
class Position:
    """Net position in one contract (one-way mode).

    Attributes
    ----------
    quantity
        Signed, in quantity units.
    cost
        Signed Σ price × quantity of what is held.
    realised
        Realised profit since the start, before fees.
    """

    contract: Contract
    leverage: int
    margin_type: str
    quantity: int = 0
    cost: Decimal = Decimal(0)
    realised: Decimal = Decimal(0)
    updated_ms: int = 0

    @property
    def amount(self) -> Decimal:
        """Signed quantity in base units."""
        return self.contract.size.value(self.quantity)

    @property
    def entry_price(self) -> Decimal:
        """Average entry price, 0 when flat."""
        return money(self.cost / self.amount) if self.quantity else Decimal(0)

    def unrealised(self, mark: Decimal) -> Decimal:
        """Profit if closed at `mark`, before fees."""
        return money(self.amount * mark - self.cost)

    def trade(self, side: Side, quantity: int, price: Decimal) -> Decimal:
        """Book an execution and return the realised profit."""
        closing = min(quantity, abs(self.quantity)) if self.quantity * side < 0 else 0
        realised = self._close(side, closing, price) if closing else Decimal(0)
        opening = quantity - closing
        self.quantity += side * opening
        self.cost += side * self.contract.size.value(opening) * price
        self.realised += realised
        return realised

    def _close(self, side: Side, quantity: int, price: Decimal) -> Decimal:
        released = self.cost if quantity == abs(self.quantity) else money(self.cost * quantity / abs(self.quantity))
        self.cost -= released
        self.quantity += side * quantity
        return -side * self.contract.size.value(quantity) * price - released


class Account:
    """The account: wallet, positions, fees, income.

    Parameters
    ----------
    settings
        Balances, fees and modes at the start.
    contracts
        Contracts by symbol.
    ledger
        Every change of wallet or position is written to it.

    Attributes
    ----------
    wallet
        Balance in the quote asset; unrealised profit not included.
    income
        Entries as ``/fapi/v1/income`` lists them, oldest first.
    """

    def __init__(self, settings: AccountSettings, contracts: dict[str, Contract], ledger: Ledger) -> None:
        self.settings, self._ledger = settings, ledger
        self.hedge_mode = settings.hedge_mode
        self.wallet = money(settings.balance_quote)
        self.positions = {
            name: Position(contract, settings.leverage, settings.margin_type) for name, contract in contracts.items()
        }
        self.income: list[dict[str, Any]] = []
        self._transaction = 9_000_000
        for name, held in settings.positions.items():
            units = self.positions[name].contract.size.units(str(held.quantity))
            self.positions[name].trade(Side.BUY if units > 0 else Side.SELL, abs(units), held.entry_price)
        ledger.write("balance", asset="USDT", wallet=self.wallet, change=self.wallet, reason="START")
        for name, position in self.positions.items():
            self._note_position(name, position, "START")

    def rate(self, *, maker: bool) -> Decimal:
        """Fee as a fraction of notional."""
        return (self.settings.maker_bps if maker else self.settings.taker_bps) * BPS

    def fill(
        self, contract: Contract, side: Side, quantity: int, price: Decimal, *, maker: bool, trade_id: int, now_ms: int
    ) -> tuple[Decimal, Decimal]:
        """Book a fill; return (realised profit, fee), the fee positive when paid."""
        position = self.positions[contract.name]
        realised = money(position.trade(side, quantity, price))
        fee = money(contract.size.value(quantity) * price * self.rate(maker=maker))
        position.updated_ms = now_ms
        if realised:
            self.book("REALIZED_PNL", realised, contract.name, now_ms, trade_id=trade_id)
        if fee:
            self.book("COMMISSION", -fee, contract.name, now_ms, trade_id=trade_id)
        self._note_position(contract.name, position, "ORDER")
        return realised, fee

    def book(self, kind: str, amount: Decimal, symbol: str, now_ms: int, *, trade_id: int | None = None) -> None:
        """Move the wallet by an income entry."""
        self.wallet += amount
        self._transaction += 1
        entry: dict[str, Any] = {"symbol": symbol, "incomeType": kind, "income": plain(amount), "asset": "USDT"}
        entry |= {"time": now_ms, "info": kind, "tranId": self._transaction}
        self.income.append(entry | {"tradeId": "" if trade_id is None else str(trade_id)})
        self._ledger.write(
            "income", tran_id=self._transaction, symbol=symbol, type=kind, amount=amount, trade_id=trade_id
        )
        self._ledger.write("balance", asset="USDT", wallet=self.wallet, change=amount, reason=kind)

    def unrealised(self, marks: dict[str, Decimal]) -> Decimal:
        """Unrealised profit of all positions."""
        return sum((p.unrealised(marks[name]) for name, p in self.positions.items() if p.quantity), Decimal(0))

    def initial_margin(self, marks: dict[str, Decimal]) -> Decimal:
        """Margin bound by positions."""
        held = (p for p in self.positions.values() if p.quantity)
        return sum((money(abs(p.amount) * marks[p.contract.name] / p.leverage) for p in held), Decimal(0))

    def maintenance_margin(self, marks: dict[str, Decimal]) -> Decimal:
        """Margin at which the venue liquidates."""
        held = (p for p in self.positions.values() if p.quantity)
        rates = ((p, marks[p.contract.name] * p.contract.settings.maintenance) for p in held)
        return sum((money(abs(p.amount) * rate) for p, rate in rates), Decimal(0))

    def _note_position(self, symbol: str, position: Position, reason: str) -> None:
        self._ledger.write(
            "position",
            symbol=symbol,
            quantity=position.amount,
            entry_price=position.entry_price,
            cost=position.cost,
            realised=position.realised,
            reason=reason,
        )
