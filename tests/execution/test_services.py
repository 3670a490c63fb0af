"""What a run's components share: what is done once in a while."""

from __future__ import annotations

from typing import Any

from strategies.intents import Enter, Exit, Side
from tests.engine import Stepped, book, opening, quote, run


def test_the_engine_forgets_the_accounts_past_states_but_for_the_last_second() -> None:
    """Every read of the account copies all of them: of ten minutes of round trips hardly any are left."""
    kept: list[int] = []

    class Busy(Stepped):
        def at(self, number: int) -> None:
            if number % 2:
                self.act([Enter(Side.BUY, 0.1, None, 60.0, "in")])
            else:
                self.act([Exit("out")])

        def on_stop(self) -> None:
            view: Any = self.desk.view
            kept.append(len(view.cache.account(view.account_id).events))

    messages = [
        book(1000.0 * second, [(100.0, 5.0 + second % 2)], [(100.1, 5.0 + second % 2)]) for second in range(2, 600)
    ]
    ran = run(Busy, [quote(1000, 100.0, 100.1), opening(1000), *messages])
    assert ran.faults.first is None
    fills = len(ran.rows("fills"))
    assert fills > 150
    assert 0 < kept[0] < fills / 4
