"""The same strategies, handed the same again, decide the same; whoever is handed something else is found out."""

from __future__ import annotations

import copy
from typing import Any

import pytest
from nautilus_trader.model import AggressorSide, ClientOrderId, OrderSide, Price, Quantity
from nautilus_trader.trading import Strategy, StrategyConfig
from pydantic import Field

from errors import CorruptData
from execution.tape.events import deltas_of
from runners.tapes.difference import Difference
from runners.tapes.score import Score
from runners.tapes.script import scenes
from strategies.base import GuardedStrategy, StrategyParams
from strategies.intents import CancelAll, Enter, Exit, Level, Quote, Side
from tests.engine import FREE, IID, MAKER, Entry, Stepped, book, entry, opening, quiet, quote, trade
from tests.runners.tapes.support import first, played, session


class BusyParams(StrategyParams):
    """What a test changes."""

    size: float = Field(default=2.0, gt=0, description="Base units")
    ask: float = Field(default=100.3, gt=0, description="Quote")


class Busy(GuardedStrategy[BusyParams]):
    """Does one of everything: quotes, partial fills, cancels, a refusal, a wish too small, an exit, a timer, the clock."""

    def on_ready(self) -> None:
        self.heard: list[str] = []
        self.prints = 0.0
        self.subscribe_book()
        self.subscribe_prints()
        self.place_stops(lambda entry: entry * 0.5)
        self.every(0.25, self.beat)

    def beat(self) -> None:
        top = self.top()
        self.heard.append(f"{self.now_ns} {top.bid if top else 0}")
        if sum(word[0].isdigit() for word in self.heard) == 2:
            self.act([CancelAll(why=f"{len(self.heard)} {self.now_ns}")])

    def on_trade(self, trade: Any) -> None:
        self.prints += float(trade.size)

    def on_order_event(self, event: Any) -> None:
        self.heard.append(type(event).__name__)

    def on_order_filled(self, event: Any) -> None:
        self.heard.append(f"filled {event.last_qty}")

    def on_position_opened(self, event: Any) -> None:
        self.heard.append(f"opened {event.quantity} {event.side.name} {event.avg_px_open}")

    def on_book_deltas(self, deltas: Any) -> None:
        said = f"{self.prints:g} {self.position:g} {self.entry_price:g} {self.stop_price} {'|'.join(self.heard)}"
        match deltas.ts_init // 100_000_000:
            case 11:
                self.act([Quote((Level(100.0, self.params.size),), (Level(self.params.ask, 1.0),), None, said)])
            case 13:
                self.act([Enter(Side.BUY, 0.0001, None, 60, said)])
            case 14:
                self.act([Enter(Side.BUY, 1e7, None, 60, said)])  # the gate refuses
            case 22:
                self.act([Exit(why=said)])
            case 24 if self.working:
                self.act([CancelAll(why=said)])


def market() -> list[Any]:
    """Two and a half seconds in which the bid is sold through in two parts."""
    sells = [trade(1210, 100.0, 5.5, AggressorSide.SELL, 1), trade(1250, 100.0, 1.0, AggressorSide.SELL, 2)]
    return sorted([*quiet(16), *sells], key=lambda event: int(event.ts_init))


def busy(**params: Any) -> list[Entry]:
    return [entry(Busy, "busy", policy=FREE, params=params)]


@pytest.fixture(scope="module")
def rows() -> list[list[Any]]:
    ran, rows = session(busy(), market())
    assert ran.faults.first is None
    kinds = [event for _, _, event, _ in ran.package.journal.events]
    assert {"OrderAccepted", "OrderFilled", "OrderCanceled"} <= set(kinds)
    assert len({fill["client_order_id"] for fill in ran.package.journal.fills}) < len(
        ran.package.journal.fills
    )  # in parts
    assert len(ran.package.journal.refusals) == 2  # the gate's, and the wish below one step
    return rows


def differing(score: Score) -> Difference:
    assert score.first is not None
    assert score.same < score.decisions
    return score.first


@pytest.mark.req("L-2")
def test_every_decision_comes_again_with_its_reason_order_id_and_time(rows: list[list[Any]]) -> None:
    score = played(busy(), rows)
    assert (score.same, score.first, dict(score.unplayable), score.cut) == (score.decisions, None, {}, False)
    assert score.kinds["act"] >= 5
    assert score.kinds["submit_order"] >= 4
    assert score.kinds["cancel_order"] >= 1
    assert score.kinds["wish"] == 1
    assert {"timer", "on_trade", "on_order_filled", "on_position_opened", "on_start"} <= set(score.handed)
    assert "on_order_denied" not in score.handed  # the class does not override it


@pytest.mark.req("L-2")
def test_a_changed_parameter_is_named_with_both_values(rows: list[list[Any]]) -> None:
    found = differing(played(busy(ask=100.2), rows))
    assert (found.number, found.strategy, found.handler) == (1, "busy", "on_book_deltas")
    assert found.ts_ns == 1_100_000_000
    told = "\n".join(found.lines())
    assert "price: 100.3 in the session, 100.2 in the replay" in told
    assert "100 × 5 | 100.1 × 1" in told


@pytest.mark.req("L-2")
def test_a_print_that_is_missing_shows_at_the_next_decision_that_knows_it(rows: list[list[Any]]) -> None:
    broken = [
        row
        for row in rows
        if not (row[0] in ("[", "!") and row[2] == "on_trade" and row[3] == [["#", number_of(rows, 1)]])
    ]
    assert len(broken) == len(rows) - 1
    score = played(busy(), broken)
    assert "1 5.5" not in str(differing(score).played)
    assert list(score.unplayable) == [f"the session wrote {len(rows) - 1} rows, the tape has {len(broken) - 1}"]


def number_of(rows: list[list[Any]], trade_id: int) -> int:
    """Number of a print on the tape."""
    found = (row for row in rows if row[0] == "m" and row[2][1].get("trade_id") == str(trade_id))
    return int(next(found)[1])


@pytest.mark.req("L-2")
def test_two_messages_that_changed_places_are_found(rows: list[list[Any]]) -> None:
    broken = copy.deepcopy(rows)
    one, other = first(broken, "d", 2), first(broken, "d", 3)
    broken[one], broken[other] = broken[other], broken[one]
    score = played(busy(), broken)
    assert "market message 2 is not where it was on the tape" in score.unplayable
    broken = copy.deepcopy(rows)
    broken[other][2][1], broken[one][2][1] = 4, 5
    assert f"depth of {IID} goes back from update 5 to 4" in played(busy(), broken).unplayable


@pytest.mark.req("L-2")
def test_a_fill_that_is_missing_shows_at_the_next_decision_that_knows_it(rows: list[list[Any]]) -> None:
    place = next(place for place, row in enumerate(rows) if row[0] == "!" and row[2] == "on_order_filled")
    broken = [row for index, row in enumerate(rows) if index != place]
    found = differing(played(busy(), broken))
    assert found.taped is not None
    assert found.played is not None
    assert found.taped.content != found.played.content


@pytest.mark.req("L-2")
def test_a_decision_that_the_session_did_not_make_and_one_that_it_alone_made_are_both_counted(
    rows: list[list[Any]],
) -> None:
    class Quiet(Busy):
        def on_book_deltas(self, deltas: Any) -> None:
            if deltas.ts_init // 100_000_000 == 12:
                self.cancel_order(ClientOrderId("nobody"))

    score = played([entry(Quiet, "busy", policy=FREE)], rows)
    assert score.same == 2  # the timer's list of intents, and the cancel that follows from it
    assert differing(score).played is None
    assert score.decisions == sum(score.kinds.values()) + 1


class Plain(Strategy):
    """A plain Nautilus strategy: its own orders and timer, nothing of ours."""

    def __init__(self, config: StrategyConfig) -> None:
        super().__init__(config)
        self.count = 0

    def on_start(self) -> None:
        self.subscribe_trades(IID)
        self.clock.set_timer_ns("beat", 300_000_000, callback=self.beat)

    def beat(self, event: Any) -> None:
        self.count += 1
        side = OrderSide.BUY if self.count % 2 else OrderSide.SELL
        self.submit_order(self.order_factory.limit(IID, side, Quantity(0.5, 3), Price(90 + event.ts_event % 7, 1)))

    def on_trade(self, _trade: Any) -> None:
        self.cancel_all_orders(IID)


def plain() -> list[Entry]:
    return [entry(Plain, "plain", policy=FREE, config_class=None)]


@pytest.mark.req("L-2")
def test_a_plain_nautilus_strategy_is_played_as_well() -> None:
    _, rows = session(plain(), market())
    score = played(plain(), rows)
    assert (score.same, dict(score.unplayable)) == (score.decisions, {})
    assert score.kinds["cancel_all_orders"] == 2
    assert score.kinds["submit_order"] >= 4


class Refused(Stepped):
    """Its post-only entry would take: refused, and tried again by the base."""

    def at(self, number: int) -> None:
        if number == 3:
            self.act([Enter(Side.BUY, 1.0, None, 60, "crosses", -1)])


@pytest.mark.req("L-2", "O-12")
def test_the_second_try_of_a_refused_entry_comes_again() -> None:
    policy = MAKER.model_copy(update={"post_only_reprices": 2})
    entries = [entry(Refused, "again", policy=policy)]
    ran, rows = session(entries, quiet())
    assert [row["status"] for row in ran.rows("orders")] == ["REJECTED"] * 3
    score = played(entries, rows)
    assert (score.same, score.handed["reprice"], score.kinds["submit_order"]) == (score.decisions, 3, 3)


class Fails(Stepped):
    """Raises at a message."""

    def at(self, number: int) -> None:
        if number == 4:
            raise ValueError(f"planted at {self.now_ns}")


@pytest.mark.req("L-2")
def test_what_a_strategy_raised_it_raises_again() -> None:
    entries = [entry(Fails, "fails")]
    _, rows = session(entries, quiet())
    score = played(entries, rows)
    assert (score.same, score.kinds["raised"]) == (1, 1)


class Peeks(Stepped):
    """Reads the engine's cache."""

    def at(self, number: int) -> None:
        if number == 2 and self.cache.instrument(IID) is not None:
            self.act([Enter(Side.BUY, 1.0, None, 60, "peeked")])


def test_a_strategy_that_reads_the_engine_itself_is_said_to_be_not_comparable() -> None:
    entries = [entry(Peeks, "peeks")]
    _, rows = session(entries, quiet())
    score = played(entries, rows)
    assert list(score.unplayable) == ["Peeks reads the engine's cache, of which a tape holds nothing"]
    assert differing(score).played is None


def test_two_strategies_are_played_in_their_own_turns() -> None:
    other = [entry(Stepped, "still", order_id_tag="002")]
    _, rows = session([*busy(), *other], market())
    score = played([*busy(), *other], rows)
    assert score.same == score.decisions
    assert score.handed["on_book_deltas"] == 32


def test_the_book_of_a_replay_is_the_book_of_the_session() -> None:
    """The opening, a change and a removal, with the flags that Nautilus gave them."""
    data = [quote(1000, 100.0, 100.1), opening(), book(1100, [(100.0, 0)], [(100.1, 3)]), *quiet(3, start=1200)[2:]]
    _, rows = session([entry(Stepped)], data)
    made = [deltas_of(row[2]) for row in rows if row[0] == "d"]
    for one, other in zip(data[1:], made, strict=True):
        assert [delta.to_dict() for delta in one.deltas] == [delta.to_dict() for delta in other.deltas]
        assert (one.flags, one.sequence, one.ts_event, one.ts_init) == (
            other.flags,
            other.sequence,
            other.ts_event,
            other.ts_init,
        )


def test_an_end_without_a_beginning_is_damage() -> None:
    with pytest.raises(CorruptData, match="without its beginning"):
        list(scenes(iter([["]"]])))
