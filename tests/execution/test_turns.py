"""Two strategies on one symbol are served in the order of the configuration, whatever the engine's order is."""

from __future__ import annotations

from typing import Any

import pytest
from nautilus_trader.model import AggressorSide, BookType

from strategies.bars import internal_bar_type
from tests.engine import Entry, Ran, Stepped, entry, quiet, run, trade

RUNS = 8  # the engine's own order is random per engine: eight in a row are right by chance once in 256


class Watcher(Stepped):
    """Notes in a shared list what it is served."""

    served: list[str] = []  # noqa: RUF012 - shared on purpose, emptied by each test
    trades = False
    bars = False

    def on_ready(self) -> None:
        super().on_ready()
        if self.trades:
            self.subscribe_prints()
        if self.bars:
            self.subscribe_bars(internal_bar_type(self.instrument_id, 1))

    def note(self, what: str) -> None:
        Watcher.served.append(f"{self.desk.strategy_id}:{what}")

    def on_book_deltas(self, deltas: Any) -> None:
        self.note(f"d{deltas.ts_init // 1_000_000}")

    def on_trade(self, trade: Any) -> None:
        self.note(f"t{trade.trade_id}")

    def on_bar(self, bar: Any) -> None:
        self.note(f"b{bar.ts_init // 1_000_000}")


def entries(*names: str, **attributes: Any) -> list[Entry]:
    made = []
    for name in names:
        cls = type(f"Watcher{name.upper()}", (Watcher,), {"__module__": __name__, **attributes})
        made.append(entry(cls, name, order_id_tag=name))
    return made


def served(found: list[Entry], data: list[Any]) -> tuple[list[str], Ran]:
    Watcher.served.clear()
    ran = run(found, data)
    return [*Watcher.served], ran


@pytest.mark.req("B-6")
def test_messages_are_served_in_the_order_of_the_configuration_once_each() -> None:
    for names in (["p", "q", "r"], ["r", "q", "p"]):
        wanted = [f"{name}:d{1000 + 100 * k}" for k in range(4) for name in names]
        for _ in range(RUNS):
            assert served(entries(*names), quiet(4))[0] == wanted


@pytest.mark.req("B-6")
def test_trades_and_bars_are_too() -> None:
    data = [*quiet(2), *[trade(1400 + 500 * k, 100.0, 0.1, AggressorSide.BUY, k) for k in range(4)]]
    for _ in range(RUNS):
        seen, _ran = served(entries("p", "q", trades=True, bars=True), data)
        assert [what for what in seen if ":t" in what] == [f"{n}:t{k}" for k in range(4) for n in ("p", "q")]
        bars = [what for what in seen if ":b" in what]
        assert len(bars) >= 2
        assert [what[0] for what in bars] == ["p", "q"] * (len(bars) // 2)


def test_messages_at_one_time_are_served_one_by_one() -> None:
    data = [*quiet(2), *[trade(1400, 100.0, 0.1, AggressorSide.BUY, k) for k in range(3)]]
    seen, _ran = served(entries("p", "q", trades=True), data)
    assert [what for what in seen if ":t" in what] == ["p:t0", "q:t0", "p:t1", "q:t1", "p:t2", "q:t2"]


def test_who_has_unsubscribed_is_not_served_any_more() -> None:
    def leave(self: Any, deltas: Any) -> None:
        Watcher.on_book_deltas(self, deltas)
        if deltas.ts_init == 1_100_000_000:
            self.unsubscribe_book_deltas(self.instrument_id)

    first = entries("p", on_book_deltas=leave)
    for _ in range(RUNS):
        seen, ran = served([*first, *entries("q")], quiet(4))
        assert ran.faults.first is None
        assert [what for what in seen if what[0] == "p"] == ["p:d1000", "p:d1100"]
        assert [what for what in seen if what[0] == "q"] == ["q:d1000", "q:d1100", "q:d1200", "q:d1300"]


def test_a_keyword_subscription_counts() -> None:
    def ready(self: Any) -> None:
        self.subscribe_book_deltas(instrument_id=self.instrument_id, book_type=BookType.L2_MBP)

    for _ in range(RUNS):
        assert served(entries("p", "q", on_ready=ready), quiet(2))[0] == ["p:d1000", "q:d1000", "p:d1100", "q:d1100"]


def test_an_exception_is_blamed_on_the_strategy_that_raised_it() -> None:
    def wrong(self: Any, deltas: Any) -> None:
        raise ValueError("planted")

    _seen, ran = served([*entries("p", on_book_deltas=wrong), *entries("q")], quiet(3))
    assert ran.faults.where.startswith("WatcherP: on_book_deltas raised")
