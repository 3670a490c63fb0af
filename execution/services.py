"""What a run's components share. New objects for every run; nothing global."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any, Protocol

from errors import ConfigError
from execution.faults import Faults
from execution.held import HeldLimits
from execution.journal import Journal
from execution.latency import LatencyProbe
from execution.lifecycle import TERMINAL, Step
from execution.lives import Lives
from execution.order_care import Care, Decision, OrderCareConfig
from execution.relay import Relay
from execution.tape.tape import Tape
from execution.topics import CARE
from execution.turns import Turns
from execution.watch import Publish, Watch
from risk.books import KeptBook
from risk.foreseen import Foreseen
from risk.gate import RiskGate
from risk.view import AccountView


class Keeper(Protocol):
    """Subscribes to the books that no strategy listens to."""

    @property
    def handler(self) -> str:
        """Name of the handler that makes a book."""

    def take(self, key: str) -> None:
        """Subscribe to an instrument, unless that is done."""

    def release(self, key: str) -> None:
        """Unsubscribe."""

    def keeps(self, key: str) -> bool:
        """Whether it is subscribed to an instrument."""


class Services:
    """Gate, journal, account view, breakers, order lives, faults and turns of one run.

    Parameters
    ----------
    gate, journal
        Made by the wiring.
    care
        Time limits of orders.
    query
        Asks the venue about one order; None where the simulator answers everything by itself.
    replayed
        True for a backtest: what the data does not hold will never come.
    """

    def __init__(
        self, gate: RiskGate, journal: Journal, care: OrderCareConfig | None = None,
        query: Callable[[str], None] | None = None, *, replayed: bool = False,
    ) -> None:  # fmt: skip
        self.gate = gate
        self.journal = journal
        self.view: AccountView = gate.view
        self.faults = Faults()
        self.turns = Turns()
        self.watch = Watch(gate, journal)
        self.held = HeldLimits(gate, self.watch.record)
        self.lives = Lives(care or OrderCareConfig(), self.watch.record)
        self.lives.moved = functools.partial(follow, journal)
        self.relay = Relay(gate, journal, self.lives, self.watch)
        self.query = query
        self.replayed = replayed
        self.keeper: Keeper | None = None
        self.latency: LatencyProbe | None = None  # a live session measures, a backtest does not
        self.quiet = self.view.books.quiet
        self.direct = True  # a message goes to its one strategy, and nobody measures: the hot path of a backtest
        self.loops = 0  # turns of the trading loop, counted by its own clock: proof of life for the dead-man
        self.pulse: Callable[[], None] | None = None
        self.tape: Tape | None = None  # likewise

    def measure(self, latency: LatencyProbe) -> None:
        """Take the time of everything from now on: ticks, decisions, answers, fills."""
        self.latency = self.relay.latency = latency
        self.direct = False

    def line_up(self, strategies: Sequence[Any]) -> None:
        """Take the strategies in the order of the configuration."""
        self.turns.line_up(strategies)
        self.direct = self.turns.alone and self.latency is None

    def check_given(self, handler: str, strategy_id: str) -> None:
        """Refuse a subscription that the replayed data cannot serve: the strategy would wait in vain.

        Raises
        ------
        ConfigError
            Naming the fidelity that has it.
        """
        if self.replayed and handler in ("on_book_deltas", "on_book_depth") and self.view.books.from_quotes:
            raise ConfigError(f"strategy {strategy_id} needs depth: run it with data.fidelity l2, not l1_trades")
        if self.replayed and handler == "on_quote" and not self.view.books.from_quotes:
            raise ConfigError(
                f"strategy {strategy_id} subscribes to quotes: run it with data.fidelity l1_trades, since l2 replays depth "
                "and trades"
            )

    def lend(self, handler: str, key: str) -> None:
        """Leave a book to the strategies that listen to it: the engine makes every message anew for each subscriber."""
        if self.keeper is not None and handler == self.keeper.handler:
            self.quiet.end()  # a message that the keeper hears of must not be counted by the strategy's handler alone
            (self.keeper.release if self.turns.anyone(handler, key) else self.keeper.take)(key)

    def on_deltas(self, deltas: object, kept: KeptBook, publish: Publish) -> None:
        """Take an applied venue message: breakers, then equity, then what both demand.

        Called by whoever is first for a market message, before any strategy acts on it: the same run halts at the same place.
        """
        if self.tape is not None:
            self.tape.deltas(deltas)
        self.watch.on_book(deltas, kept)
        if kept.ts_ns >= self.gate.look_ns or self.watch.pending:
            self._observe(kept.ts_ns, publish)
        if kept.foreseen is not None:
            self._quieten(kept, kept.foreseen)

    def _quieten(self, kept: KeptBook, foreseen: Foreseen) -> None:
        """Let messages pass where the only book of a replay is heard by its only strategy alone, and nobody reads it as a book."""
        alone = self.direct and len(self.view.instruments) == 1 and kept.book is None and self.tape is None
        if alone and self.keeper is not None and not self.keeper.keeps(kept.name):
            self.quiet.begin(foreseen, self.watch.board.lanes[kept.name], self.gate.look_ns)

    def on_quote(self, quote: object, kept: KeptBook, publish: Publish) -> None:
        """Take a quote, where there is no depth; see `on_deltas`."""
        self.watch.on_quote(quote, kept)
        self._observe(kept.ts_ns, publish)

    def on_time(self, ts_ns: int, publish: Publish) -> None:
        """Once a second: silences, cool-downs, equity, limits on what is held, and orders that take too long."""
        self.loops += 1
        self.view.forget_history(ts_ns)
        if self.pulse is not None:
            self.pulse()
        self.watch.on_time(ts_ns)
        self.gate.observe(ts_ns)
        decisions = [*self.lives.due(ts_ns), *self.held.look(ts_ns)]
        self.act(publish)
        for decision in decisions:
            self._care(decision, publish)

    def act(self, publish: Publish) -> None:
        """Do what breakers and halts demand; call after order events, outside the handlers in which nothing may be sent."""
        if self.watch.pending:
            self.watch.act(publish)

    def _observe(self, ts_ns: int, publish: Publish) -> None:
        self.gate.observe(ts_ns)
        self.act(publish)

    def _care(self, decision: Decision, publish: Publish) -> None:
        if decision.care is not Care.QUERY:
            publish(CARE, decision)
        elif self.query is not None:
            self.query(decision.client_order_id)


def follow(journal: Journal, step: Step) -> None:
    """Bring an order's row to where a query, a timer or a late fill has taken its life."""
    order_id, to, why = (
        step.client_order_id,
        str(step.to_status),
        f"{step.what} by {step.evidence}: {step.detail}".rstrip(": "),
    )
    if step.to_status in TERMINAL:
        journal.settle(order_id, to, why, step.ts_ns)
    elif step.from_status in TERMINAL:
        journal.reopen(order_id, to, why, step.ts_ns)
    else:
        journal.event(step.ts_ns, order_id, f"Life{step.to_status.title().replace('_', '')}", to, why)
