"""A replay in which messages only pass by the strategy leaves the same tables as one in which each is looked at."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from catalog.sample.generate import generate
from catalog.sample.spec import SampleSpec
from catalog.store import Catalog, Kind
from execution.services import Services
from risk.config import RiskConfig
from risk.costs import FeeRates
from risk.policy import Policy, WaiveEdge
from risk.quiet import Quiet
from runners import wiring
from runners.config.models import StrategyEntry
from runners.config.venue import VenueConfig
from runners.engine_venue import VenuePlan, with_margins
from runners.host import Outcome, replay
from runners.latency import plan_latency
from strategies.base import GuardedStrategy, StrategyParams
from strategies.intents import Exit, Intent, Level, Quote

NAME = "BTCUSDT-PERP.BINANCE"


class QuoterParams(StrategyParams):
    """Whether the book is read as a book once."""

    reads_the_book: bool = False


class Quoter(GuardedStrategy[QuoterParams]):
    """Quotes both sides of the touch at each message, and leaves when it holds something."""

    def on_ready(self) -> None:
        """Subscribe."""
        self.messages = 0
        self.subscribe_book()

    def on_book_deltas(self, _deltas: Any) -> None:
        """Quote."""
        self.messages += 1
        top = self.top()
        if top is None:
            return
        if self.params.reads_the_book and self.messages == 500:
            assert self.book is not None
            assert float(self.book.best_bid_price() or 0) == pytest.approx(top.bid)
        wish: Intent = Quote((Level(top.bid, 0.01),), (Level(top.ask, 0.01),), None, "quote", requote_ticks=5)
        self.act([Exit("held") if abs(self.position) > 0.02 else wish])


@pytest.fixture(scope="module")
def catalog(tmp_path_factory: pytest.TempPathFactory) -> Catalog:
    """Three generated minutes."""
    folder: Path = tmp_path_factory.mktemp("quiet") / "catalog"
    generate(SampleSpec(seed=9, minutes=3, funding_at_minute=None), folder)
    return Catalog(folder)


def ran(catalog: Catalog, *, reads_the_book: bool = False) -> Outcome:
    """Replay it in small chunks."""
    venue = VenueConfig.model_validate({
        "market": "usdm", "starting_balance_quote": 100_000, "leverage": 10, "fees": {"maker_bps": 2.0, "taker_bps": 5.0},
        "funding": {"constant_bps_per_8h": 0.0}, "latency_ms": {"insert": 40, "cancel": 30},
    })  # fmt: skip
    entry = StrategyEntry.model_validate({
        "id": "quoter", "order_id_tag": "001", "class": f"{__name__}:Quoter", "params": {"reads_the_book": reads_the_book},
    }).model_copy(update={"policy": Policy(edge=WaiveEdge(waived="a test"), max_open_entries=4)})  # fmt: skip
    limits = RiskConfig(
        max_order_notional_quote=10_000, max_position_notional_quote=20_000, max_daily_loss_quote=9_999,
        max_drawdown_pct=99,
    )  # fmt: skip
    instrument = with_margins(catalog.instrument(NAME), 10)
    chunks = list(
        catalog.chunks([NAME], None, kinds=frozenset({Kind.DELTAS, Kind.TRADES}), max_events=1_500, foresee=True)
    )
    assert len(chunks) > 2
    plan = wiring.Plan(
        {NAME: instrument}, {NAME: FeeRates(2.0, 5.0)}, limits, chunks[0][0].ts_init + 5_000_000_000, epoch=1,
        workspace=Path(__file__).parents[2], replayed=True, trusted=True,
    )  # fmt: skip
    engine = VenuePlan(venue, {NAME: instrument}, plan_latency(venue), top_only=False, queue_position=True)
    return replay(engine, wiring.build([entry], plan), chunks)


@pytest.mark.req("B-6")
@pytest.mark.parametrize("reads_the_book", [False, True])
def test_messages_that_pass_change_no_row_of_any_table(
    catalog: Catalog, monkeypatch: pytest.MonkeyPatch, reads_the_book: bool
) -> None:
    looked: list[int] = []
    real = Services.on_deltas

    def counted(self: Services, *args: Any) -> None:
        looked.append(1)
        real(self, *args)

    monkeypatch.setattr(Services, "on_deltas", counted)
    swift, looked_at = ran(catalog, reads_the_book=reads_the_book), len(looked)
    monkeypatch.setattr(Quiet, "begin", lambda *_: None)
    looked.clear()
    slow = ran(catalog, reads_the_book=reads_the_book)
    assert swift.tables["orders"].num_rows > 20
    assert swift.tables["fills"].num_rows > 5
    for name, table in slow.tables.items():
        assert swift.tables[name].equals(table), name
    assert swift.market is not None
    assert slow.market is not None
    assert swift.market.equals(slow.market)
    assert swift.account == slow.account
    assert looked_at < len(looked) if reads_the_book else looked_at < len(looked) / 2
