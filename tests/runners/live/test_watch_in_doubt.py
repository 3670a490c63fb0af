"""R-13 beside O-4: while an order of ours is in doubt, what it makes of the position is not taken for a stranger's."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest

from execution.journal import MemoryJournal
from runners.live.strangers import Strangers
from tests.adapters.simulated_binance.support import still_scenario
from tests.runners.live.recovering_support import BTC, World, told


@pytest.mark.req("R-13", "O-4")
@pytest.mark.parametrize(
    ("name", "lag_secs", "in_doubt", "told_of"),
    [
        ("t1aaaaaa000001", 3, False, "trip"),  # the venue does not show the order yet: nobody says that it is ours
        ("t1aaaaaa000001", 3, True, None),
        ("t1aaaaaa000001", 0, False, "fault"),  # ours, and the private stream did not tell
        ("t1aaaaaa000001", 0, True, None),
        ("web_1", 0, True, "trip"),  # a person's is a person's
    ],
)
def test_a_difference_waits_for_the_order_in_doubt_and_for_nothing_else(
    tmp_path: Path, name: str, lag_secs: float, in_doubt: bool, told_of: str | None
) -> None:
    async def story(here: World) -> None:
        since = here.client.clock.ms()
        here.place(name, price=None)
        heard: list[str] = []
        strangers = Strangers(
            here.client, MemoryJournal(), "t1", (BTC,), since, lambda _iid: Decimal("0.010"),
            lambda _why, _figures: heard.append("trip"), lambda _why: heard.append("fault"), lambda _symbol: in_doubt,
        )  # fmt: skip
        assert await strangers.look() is (told_of is not None)
        assert heard == ([] if told_of is None else [told_of])

    told(tmp_path, story, still_scenario(behaviour={"query_lag_secs": lag_secs}))
