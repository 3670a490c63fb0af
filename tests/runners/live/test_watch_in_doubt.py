"""R-13 beside O-4: while an order of ours is in doubt, what it makes of the position is not taken for a stranger's."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest

from execution.journal import MemoryJournal
from risk.request import Side
from runners.live.closes import instrument_of
from runners.live.strangers import Strangers
from tests.adapters.simulated_binance.support import still_scenario
from tests.risk.account import order as asked_for
from tests.runners.live.recovering_support import BTC, World, told

YOUNG, OLD = 60_000, -1_000
"""So long the venue may not show an order: every trade of the test is younger, or none is, however slow the machine."""


@pytest.mark.req("R-13", "O-4")
@pytest.mark.parametrize(
    ("name", "lag_secs", "in_doubt", "told_of"),
    [
        ("t1aaaaaa000001", 60, False, "trip"),  # the venue does not show the order yet: nobody says that it is ours
        ("t1aaaaaa000001", 60, True, None),
        ("t1aaaaaa000001", 0, False, "fault"),  # ours, and the private stream did not tell
        ("t1aaaaaa000001", 0, True, None),
        ("web_1", 0, True, "trip"),  # a person's is a person's
    ],
)
def test_a_difference_waits_for_the_order_in_doubt_and_for_nothing_else(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    name: str,
    lag_secs: float,
    in_doubt: bool,
    told_of: str | None,
) -> None:
    monkeypatch.setattr("runners.live.strangers.PATIENCE_SECS", 30.0)  # this process, the venue, may wait for a core

    async def story(here: World) -> None:
        since = here.client.clock.ms() - 1000  # the venue's clock is known to a few milliseconds
        here.place(name, price=None)
        heard: list[str] = []
        strangers = Strangers(
            here.client, MemoryJournal(), "t1", (BTC,), since, lambda _iid: Decimal("0.010"),
            lambda _why, _figures: heard.append("trip"), lambda _why: heard.append("fault"), lambda _symbol: in_doubt,
        )  # fmt: skip
        assert await strangers.look() is (told_of is not None)
        assert heard == ([] if told_of is None else [told_of])

    told(tmp_path, story, still_scenario(behaviour={"query_lag_secs": lag_secs}))


@pytest.mark.req("R-13", "O-4")
@pytest.mark.parametrize(
    ("side", "shown_ms", "told_of"),
    [
        (Side.BUY, YOUNG, []),  # -2013 for a few seconds: it may be the order of ours that works
        (Side.SELL, YOUNG, ["trip"]),  # we buy, and somebody sold
        (Side.BUY, OLD, ["trip"]),  # by now the venue would show it
    ],
)
def test_a_young_trade_whose_order_is_not_shown_yet_may_be_of_an_order_of_ours_that_works_on_its_side(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, side: Side, shown_ms: int, told_of: list[str]
) -> None:
    monkeypatch.setattr("runners.live.strangers.PATIENCE_SECS", 30.0)
    monkeypatch.setattr("runners.live.strangers.SHOWN_MS", shown_ms)

    async def story(here: World) -> None:
        since = here.client.clock.ms() - 1000
        here.place("t1aaaaaa000001", price=None)
        heard: list[str] = []
        journal = MemoryJournal()
        journal.order(asked_for(client_order_id="t1aaaaaa000001", instrument_id=instrument_of(BTC), side=side), None)
        strangers = Strangers(
            here.client, journal, "t1", (BTC,), since, lambda _iid: Decimal("0.010"),
            lambda why, _figures: heard.append("trip" if "by venue-" in why else why), lambda _why: heard.append("fault"),
        )  # fmt: skip
        assert await strangers.look() is bool(told_of)
        assert heard == told_of

    told(tmp_path, story, still_scenario(behaviour={"query_lag_secs": 60}))
