"""The end of a session of mode shadow or paper: the simulated account is verified, valued and written down."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from nautilus_trader.model import InstrumentId, Price

from errors import HyperTradingError
from execution.journal_records import symbol_of
from execution.latency import timing_rows
from execution.records import signed
from execution.safety.rows import PositionRow
from risk.valuation import unfloated
from risk.view import AccountView
from runners.live.clearing import LOOK_SECS
from runners.live.control import Cause, Stop
from runners.live.node import ACCOUNT
from runners.live.output import Closing, session_place, write_session
from runners.live.sandbox import CURRENCY
from runners.live.settling import DIGITS, Agreement
from runners.live.stopping import Ended
from runners.live.suspect import on_arrival_of_another

if TYPE_CHECKING:
    from runners.live.simulated import SimulatedSession

ZERO = Decimal(0)
PATIENCE_SECS = 5.0
"""For cancels under way: longer than any sensible latency."""


class SimulatedClearing:
    """Looks at the simulated account where `runners.live.clearing` asks a venue: there is nobody past the engine.

    Parameters
    ----------
    view
        Of the session.

    Attributes
    ----------
    problems
        What failed, in order.
    """

    def __init__(self, view: AccountView) -> None:
        self._view = view
        self.problems: list[str] = []

    async def cancel_at_once(self) -> None:
        """Wait until the engine's cancels have arrived: an exit after them then meets nothing of ours."""
        for _ in range(round(PATIENCE_SECS / LOOK_SECS)):
            if not self._view.working:
                return
            await asyncio.sleep(LOOK_SECS)

    async def flatten(self) -> bool:
        """Whether the engine's own exits have closed everything."""
        return not await self.holds()

    async def cancel_until_none(
        self, *, keep_protection: bool = False, settled: Callable[[], Awaitable[bool]] | None = None
    ) -> bool:
        """Say that nothing is open: what the engine leaves open ends with it."""
        del keep_protection, settled
        return True

    async def holds(self) -> bool:
        """Whether a position is held."""
        return any(self._view.net(name) for name in self._view.instruments)

    async def knows(self, symbol: str, client_order_id: str) -> bool:
        """Nothing has left the process."""
        del symbol, client_order_id
        return True


class SimulatedFinishing:
    """Verifies and writes one session.

    Parameters
    ----------
    session
        What ran.
    cache, portfolio
        Of the engine, saved before the run.
    """

    def __init__(self, session: SimulatedSession, cache: Any, portfolio: Any) -> None:
        self._session, self._cache, self._portfolio = session, cache, portfolio
        self._agreements: list[Agreement] = []
        self._remarks: list[str] = []

    def verify(self, ended: Ended) -> bool:
        """Complete the journal from the engine and hold the two against each other."""
        session, say = self._session, self._session.screen.say
        session.package.settle(self._cache)
        self._remarks += ended.problems
        faults = session.package.services.faults
        if faults.first is not None:
            self._remarks.append(faults.where)
        journal = session.package.journal
        lost = journal.recall()
        self._remarks += [] if lost is None else [lost]
        doubtful = on_arrival_of_another(journal.fills, journal.orders.values())
        if doubtful:
            self._remarks.append(
                f"{len(doubtful)} of {len(journal.fills)} fills came with the arrival of another order of ours: the sandbox counts "
                "the last print again then, so they may flatter the result"
            )
        self._agreements = [self._agreement(iid) for iid in session.config.instruments]
        for line in self._remarks:
            say("warning", line)
        if ended.flat is False:
            say("fault", "a simulated position could not be closed: it is valued at the mid")
        for found in self._agreements:
            text = f"{found.instrument_id}: journal {found.journal:f}, engine {found.engine:f}"
            say("position", text if found.holds else f"{text}: THEY DIFFER", holds=found.holds)
        return ended.clean and all(found.holds for found in self._agreements)

    def write(self, stop: Stop, code: int, now: datetime) -> Decimal:
        """Write the directory, tell where it is, and return what the account is worth, open positions at the mid."""
        session = self._session
        closing = self._closing(stop, code)
        final = session_place(session.config.output, session.config.name, session.resolved.hash, now)
        worth = closing.wallet + (closing.unrealised or ZERO)
        try:
            place, summary = write_session(final, session.resolved, session.instruments, closing)
        except (HyperTradingError, ArithmeticError, LookupError, ValueError) as error:
            session.screen.say("fault", f"the session's directory could not be written: {error}")
            return worth
        session.place = place
        if summary is not None:
            session.screen.result(summary, place)
        net = "no market was seen" if summary is None else f"net {summary.net_pnl:+f} {summary.currency}"
        orders, fills = session.package.journal.order_count, session.package.journal.fill_count
        did = f"{session.config.mode}: {net}, {orders} orders (none sent), {fills} fills (simulated)"
        session.screen.say(
            "ended", f"{did}; exit code {code}; {place}", exit_code=code, path=place.as_posix(), cause=stop.cause,
            orders=orders, fills=fills,
        )  # fmt: skip
        return worth

    def _agreement(self, iid: str) -> Agreement:
        """The simulated account stands where a venue's would: what its open positions hold."""
        held = sum((quantity for quantity, _ in self._signed(iid)), ZERO)
        engine = unfloated(Decimal(self._portfolio.net_position(InstrumentId.from_str(iid))), DIGITS)
        booked = (f for f in self._session.package.journal.fills if f["instrument_id"] == iid)
        journal = sum((signed(f) for f in booked), ZERO)
        return Agreement(iid, held, journal, engine)

    def _open(self, iid: str) -> list[Any]:
        found: list[Any] = self._cache.positions_open(None, InstrumentId.from_str(iid))
        return found

    def _held(self) -> dict[str, PositionRow]:
        """Net positions by symbol."""
        rows = {}
        for iid in self._session.config.instruments:
            signed = self._signed(iid)
            amount = sum((quantity for quantity, _ in signed), ZERO)
            if amount:
                entry = sum((quantity * price for quantity, price in signed), ZERO) / amount
                rows[symbol_of(iid)] = PositionRow(symbol=symbol_of(iid), amount=amount, entry_price=entry)
        return rows

    def _unrealised(self, last: Mapping[str, tuple[float, float]]) -> Decimal:
        total = ZERO
        for iid in self._session.config.instruments:
            if (top := last.get(iid)) is not None:
                mid = (Decimal(repr(top[0])) + Decimal(repr(top[1]))) / 2
                exact = Price.from_str(f"{mid:.{self._session.instruments[iid].price_precision + 1}f}")
                total += sum((p.unrealized_pnl(exact).as_decimal() for p in self._open(iid)), ZERO)
        return total

    def _signed(self, iid: str) -> list[tuple[Decimal, Decimal]]:
        """Positions as (signed quantity, mean price), one per strategy."""
        return [
            (p.quantity.as_decimal() * (1 if p.signed_qty > 0 else -1), Decimal(repr(p.avg_px_open)))
            for p in self._open(iid)
        ]

    def _closing(self, stop: Stop, code: int) -> Closing:
        session, market = self._session, self._session.market
        tables, last = market.tables(), market.last()
        stamps = tables["market"].column("ts_ns")
        start = stamps[0].as_py() if len(stamps) else session.opening.ts_ms * 1_000_000
        account = self._cache.account(ACCOUNT)
        total = account.balance_total(CURRENCY) if account is not None else None
        wallet = (
            total.as_decimal() if total is not None else session.opening.wallet
        ) + session.package.services.view.beside
        halted = session.package.services.gate.halted is not None
        failed = stop.cause is Cause.FAULT or code == 6
        warm = time.time_ns() > session.trading_start_ns
        return Closing(
            opening=session.opening, wallet=wallet, transfers=ZERO, held=self._held(), agreements=self._agreements,
            tables=session.package.journal.tables(), market=tables, last=last, events=market.events,
            wall_seconds=time.time() - session.opening.ts_ms / 1e3,
            status="failed" if failed else "halted" if halted else "completed", start_ns=start,
            trading_start_ns=max(start, session.trading_start_ns) if warm else start, end_ns=time.time_ns(),
            timings=timing_rows(session.package.services.latency),
            remarks=tuple(self._remarks), exit_code=code, latency=session.latency.marks(),
            unrealised=self._unrealised(last),
        )  # fmt: skip
