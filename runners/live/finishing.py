"""The end of a session's end: journal completed, three accounts compared, directory written, result told."""

from __future__ import annotations

import time
from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from nautilus_trader.model import Currency, InstrumentId

from errors import HyperTradingError
from execution.journal_records import symbol_of
from execution.latency import timing_rows
from execution.safety.failures import VenueError
from execution.safety.rows import IncomeRow, PositionRow
from risk.valuation import signed_units
from runners.live.control import Cause, Stop
from runners.live.node import ACCOUNT
from runners.live.output import Closing, session_place, write_session
from runners.live.settling import DAY_MS, Agreement, Settling
from runners.live.stopping import Ended

if TYPE_CHECKING:
    from runners.live.session import Session

ZERO = Decimal(0)


class Finishing:
    """Verifies and writes one session.

    Parameters
    ----------
    session
        What ran.
    cache, portfolio
        Of the engine, saved before the run.
    """

    def __init__(self, session: Session, cache: Any, portfolio: Any) -> None:
        self._session, self._cache, self._portfolio = session, cache, portfolio
        self._settling = Settling(session.package.journal, session.closes, session.client, cache, session.opening)
        self._wallet, self._transfers = session.opening.wallet, ZERO
        self._held: dict[str, PositionRow] = {}
        self._agreements: list[Agreement] = []
        self._remarks: list[str] = []

    @property
    def engine_agrees(self) -> bool:
        """Whether the engine ended with the position of the venue: if not, it has decided on a wrong one."""
        return all(found.holds for found in self._agreements)

    async def verify(self, ended: Ended) -> bool:
        """Complete the journal from the venue and say whether the account was left as it should be."""
        session, say = self._session, self._session.screen.say
        self._remarks += ended.problems
        faults = session.package.services.faults
        if faults.first is not None:
            self._remarks.append(faults.where)
        recorded = False
        try:
            await self._settling.complete(session.config.symbols, session.package.settle, no_orders=ended.no_orders)
            await self._read()
            recorded = all(found.recorded for found in self._agreements)
        except (VenueError, OverflowError) as error:
            self._remarks.append(f"the venue could not be asked at the end, figures are the engine's: {error}")
            self._believe_engine()
        self._remarks += self._settling.remarks
        for line in self._remarks:
            say("warning", line)
        if not ended.no_orders:
            say("fault", "the venue still shows orders of ours, or could not be asked")
        for text in ended.bare:
            say("fault", text)
        if ended.flat is False:
            say("fault", "the venue still shows a position, or could not be asked")
        for found in self._agreements:
            text = f"{found.instrument_id}: venue {found.venue:f}, journal {found.journal:f}, engine {found.engine:f}"
            say("position", text if found.holds else f"{text}: THEY DIFFER", holds=found.holds)
        return ended.clean and recorded

    def _believe_engine(self) -> None:
        """Take wallet and positions from the engine: better than nothing, and the exit code says what it is worth."""
        session = self._session
        session.package.settle(self._cache, over=False)
        account = self._cache.account(ACCOUNT)
        total = account.balance_total(Currency.from_str("USDT")) if account is not None else None
        self._wallet = total.as_decimal() if total is not None else self._wallet
        for iid in session.config.instruments:
            for position in self._cache.positions_open(None, InstrumentId.from_str(iid)):
                signed, price = signed_units(position), Decimal(repr(position.avg_px_open))
                self._held[symbol_of(iid)] = PositionRow(symbol=symbol_of(iid), amount=signed, entry_price=price)

    async def _read(self) -> None:
        session = self._session
        self._wallet = (await session.client.account()).wallet
        self._held = await session.account.positions()
        self._agreements = self._settling.agreements(session.config.instruments, self._held, self._portfolio)
        now_ms, opened_ms = session.client.clock.ms(), session.opening.ts_ms
        moved = await session.client.income_since(opened_ms, kind="TRANSFER")
        for row in (*moved, *await self._last_day(max(opened_ms, now_ms - DAY_MS))):
            session.journal.income(row.kind, row.transaction_id, row.symbol, row.asset, row.amount, row.time_ms)
        session.journal.wallet(now_ms, "USDT", self._wallet, "end")
        self._transfers = sum((row.amount for row in moved), ZERO)

    async def _last_day(self, since_ms: int) -> list[IncomeRow]:
        """Everything that moved the wallet; where it is more than the venue lists, none of it, which is told."""
        try:
            return await self._session.client.income_since(since_ms)
        except OverflowError as error:
            self._remarks.append(f"fees of the last day are not in the journal's list of income: {error}")
            return []

    async def write(self, stop: Stop, code: int, now: datetime) -> None:
        """Write the directory and tell where it is; a failure here changes nothing about the account, and is told."""
        session = self._session
        final = session_place(session.config.output, session.config.name, session.resolved.hash, now)
        try:
            place, summary = write_session(final, session.resolved, session.instruments, self._closing(stop, code))
        except (HyperTradingError, ArithmeticError, LookupError, ValueError) as error:
            session.screen.say("fault", f"the session's directory could not be written: {error}")
            return
        session.place = place
        if summary is not None:
            session.screen.result(summary, place)
        net = "no market was seen" if summary is None else f"net {summary.net_pnl:+f} {summary.currency}"
        orders, fills = session.package.journal.order_count, session.package.journal.fill_count
        session.screen.say(
            "ended", f"{net}, {orders} orders, {fills} fills; exit code {code}; {place}", exit_code=code, path=place.as_posix(),
            cause=stop.cause, orders=orders, fills=fills,
        )  # fmt: skip

    def _closing(self, stop: Stop, code: int) -> Closing:
        session, market = self._session, self._session.market
        tables = market.tables()
        stamps = tables["market"].column("ts_ns")
        start = stamps[0].as_py() if len(stamps) else session.opening.ts_ms * 1_000_000
        halted = session.package.services.gate.halted is not None
        failed = stop.cause is Cause.FAULT or code == 6
        return Closing(
            opening=session.opening, wallet=self._wallet, transfers=self._transfers, held=self._held,
            agreements=self._agreements, tables=session.package.journal.tables(), market=tables, last=market.last(),
            events=market.events, wall_seconds=time.time() - session.opening.ts_ms / 1e3,
            status="failed" if failed else "halted" if halted else "completed", start_ns=start,
            trading_start_ns=max(start, session.trading_start_ns) if self._traded() else start, end_ns=time.time_ns(),
            timings=timing_rows(session.package.services.latency),
            remarks=tuple(self._remarks), exit_code=code,
        )  # fmt: skip

    def _traded(self) -> bool:
        """Whether the warm-up was over, and nothing was booked before its end."""
        start = self._session.trading_start_ns
        return time.time_ns() > start and all(fill["ts_ns"] >= start for fill in self._session.package.journal.fills)
