"""Cases of section 13 of the recovery specification that need no venue; `docs/recovery.md` says where the others are."""

from __future__ import annotations

import ast
import itertools
import re
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from nautilus_trader.model import LiquiditySide, Money, OrderSide, Price, Quantity

from execution.ids import ClientOrderIds
from execution.journal import MemoryJournal
from execution.journal_backup import back_up
from execution.journal_live import LiveJournal
from execution.journal_venue import Whose
from execution.recovery.actions import Cancel, Ready
from execution.recovery.memory import carry
from execution.recovery.model import VenueState
from execution.recovery.plan import plan
from execution.services import Services
from tests.engine import IID, KEY
from tests.execution.recovery.scene import BTC, ID, NOW, POLICY, carried_out, journal, order, row, trade
from tests.execution.test_journals import order as journaled
from tests.execution.test_journals import run
from tests.risk.account import gate
from tests.risk.account import order as asked_for

D = Decimal
ROOT = Path(__file__).parents[2]
ME = Whose("account-1", "local", "127.0.0.1")
FENCE_MS = 10_000


# O-1: whatever becomes of the file, no id goes out twice ---------------------------------------------------------------


def session(folder: Path, number: int) -> list[str]:
    """Ids that one session gives out: of its strategies, and of the closing orders past the engine."""
    made = LiveJournal(folder / "journal.sqlite", run(f"run-{number}"), ME, durability="process", venue_ms=lambda: 7)
    makers = [ClientOrderIds("t1", made.run.epoch), ClientOrderIds("t1", made.new_epoch("closes"))]
    ids = [maker.next() for maker in makers for _ in range(50)]
    for name in ids:
        made.order(journaled(name), None)
    made.close()
    return ids


@pytest.mark.req("O-1")
def test_after_deleting_the_journal_or_restoring_yesterdays_no_id_sent_before_is_sent_again(tmp_path: Path) -> None:
    live, yesterday = tmp_path / "journal.sqlite", tmp_path / "yesterday.sqlite"
    sent = session(tmp_path, 1)
    back_up(live, yesterday)
    sent += session(tmp_path, 2)
    live.unlink()
    sent += session(tmp_path, 3)  # nothing is known of the two before
    live.unlink()
    yesterday.rename(live)
    sent += session(tmp_path, 4)  # the sequence of yesterday is known, that of the two since is not
    assert len(sent) == len(set(sent)) == 400


# O-4: an order that arrives late is found, whenever that is ------------------------------------------------------------


def recovered(arrives_ms: int | None, *, fills: bool) -> tuple[str, int, int]:
    """Recover from one row that was signed at this instant; return its end, how often it was cancelled, and how long it took.

    The venue takes the order so long after it was signed. It is looked at each 0.7 s, by a plan that is carried out at once.
    """
    known, seen, cancels, status = journal(row(), last_signed_ms=NOW), None, 0, "FILLED" if fills else "NEW"
    known = journal(row(signed_ms=NOW), last_signed_ms=NOW)
    for now in range(NOW, NOW + 30_000, 700):
        there = arrives_ms is not None and now >= NOW + arrives_ms
        traded = there and fills
        shown = order(
            status, "1" if traded else "0", created_ms=NOW + (arrives_ms or 0), updated_ms=NOW + (arrives_ms or 0)
        )
        fresh = VenueState(
            now, NOW - 5_000, (shown,) if there else (), {ID: "found" if there else "absent"},
            (trade("1", time_ms=NOW + (arrives_ms or 0)),) if traded else (), {BTC: 0},
            positions={BTC: D(1)} if traded else {}, sizes={BTC: D("0.001")}, wallet=D(1000), equity=D(1000),
        )  # fmt: skip
        seen = carry(seen, fresh, known, POLICY)
        actions = plan(known, seen, POLICY)
        if any(isinstance(one, Cancel) for one in actions):
            cancels, status = cancels + 1, "CANCELED"
        known, _ = carried_out(known, seen, actions, POLICY)
        if isinstance(actions[-1], Ready):
            return known.orders[0].status, cancels, now - NOW
    raise AssertionError(f"it did not become ready: {actions}")


@pytest.mark.req("O-4", "O-6")
@pytest.mark.parametrize("fills", [False, True], ids=["rests", "fills at once"])
def test_an_order_accepted_at_any_instant_up_to_the_fence_is_found_and_cancelled_and_nothing_is_sent_for_it(
    fills: bool,
) -> None:
    expected = ("FILLED", 0) if fills else ("CANCELED", 1)
    for arrives_ms in (0, 1, *range(250, FENCE_MS, 250), FENCE_MS - 1, FENCE_MS):
        status, cancels, took_ms = recovered(arrives_ms, fills=fills)
        assert (status, cancels) == expected, arrives_ms
        assert took_ms >= FENCE_MS  # READY is not said while something may still arrive
    assert recovered(None, fills=fills)[:2] == ("NOT_EXECUTED", 0)
    assert recovered(None, fills=fills)[2] >= FENCE_MS + POLICY.apart_ms


# O-8: whatever is doubled, and in whatever order it comes --------------------------------------------------------------


class Event:
    """An order event of the engine."""

    def __init__(self, ts_ns: int, **more: Any) -> None:
        self.client_order_id, self.instrument_id, self.ts_event, self.reason = "bt000000000001", IID, ts_ns, ""
        self.__dict__ |= more


class OrderAccepted(Event):
    """It rests."""


class OrderCanceled(Event):
    """Its rest is gone."""


class OrderFilled(Event):
    """A trade; ``TRADE_LITE`` and ``ORDER_TRADE_UPDATE`` tell of each, and a reconnect tells again."""

    def __init__(self, ts_ns: int, trade_id: str, quantity: str, price: str) -> None:
        super().__init__(
            ts_ns, trade_id=trade_id, order_side=OrderSide.BUY, last_qty=Quantity.from_str(quantity),
            last_px=Price.from_str(price), liquidity_side=LiquiditySide.MAKER, commission=Money.from_str("0.02 USDT"),
        )  # fmt: skip


ACCEPTED = OrderAccepted(10)
FIRST, AGAIN = OrderFilled(20, "7", "0.400", "100.0"), OrderFilled(21, "7", "0.400", "100.0")
SECOND, GONE = OrderFilled(30, "8", "0.600", "100.1"), OrderCanceled(40)


def journaled_after(events: tuple[Event, ...]) -> tuple[Any, ...]:
    """What the journal holds, and what still counts, after these events in this order."""
    services = Services(gate(), MemoryJournal())
    request = asked_for(client_order_id=ACCEPTED.client_order_id)
    services.journal.order(request, 100.05)
    services.view.add(request)
    services.lives.begin(request)
    for event in events:
        services.relay.order(event, "s")
    (kept,) = services.journal.orders.values()  # type: ignore[attr-defined]
    fills = {(one["trade_id"], one["quantity"], one["price"], one["fee"]) for one in services.journal.fills}  # type: ignore[attr-defined]
    booked = len(services.journal.fills)  # type: ignore[attr-defined]
    net = services.journal.net(KEY)  # type: ignore[attr-defined]
    return kept["status"], kept["filled_quantity"], kept["avg_price"], fills, booked, net, dict(services.view.working)


@pytest.mark.req("O-8")
@pytest.mark.parametrize(
    ("events", "status", "filled", "booked"),
    [
        ((ACCEPTED, FIRST, AGAIN, SECOND), "FILLED", "1.000", 2),
        ((ACCEPTED, FIRST, AGAIN, GONE), "CANCELED", "0.400", 1),
    ],
    ids=["filled", "partly filled, then cancelled"],
)
def test_events_that_are_doubled_replayed_or_shuffled_across_types_give_the_same_journal(
    events: tuple[Event, ...], status: str, filled: str, booked: int
) -> None:
    plain = journaled_after(tuple(one for one in events if one is not AGAIN))
    assert (plain[0], plain[1], plain[4], plain[6]) == (status, D(filled), booked, {})
    for shuffled in itertools.permutations(events):
        assert journaled_after(shuffled) == plain, [type(one).__name__ for one in shuffled]
    assert journaled_after((*events, *events)) == plain  # a reconnect replays everything


# no safety timer reads a clock that can step ----------------------------------------------------------------------

TIMED = (
    "execution/deadman", "execution/safety", "runners/live/deadman", "runners/watchdog", "runners/live/clearing.py",
    "runners/live/doubts.py", "runners/live/rejects.py", "runners/live/running.py", "runners/live/strangers.py",
    "runners/operating/patience.py", "runners/operating/clearing.py",
)  # fmt: skip
STAMPS = {
    "execution/safety/venue_clock.py": "the wall clock is what is compared with the venue's",
    "runners/live/deadman/companion.py": "stalls: a suspend is a gap between the two clocks",
    "runners/live/deadman/pulse.py": "written into the beat for people",
    "runners/live/running.py": "instant of a trip, and the word warm-up on the screen",
    "runners/watchdog/watching.py": "instant of a trip",
    "runners/watchdog/__main__.py": "shown before each line",
    "runners/operating/patience.py": "shown: until when a ban lasts",
}
WALL = {("time", "time"), ("time", "time_ns"), ("datetime", "now"), ("datetime", "utcnow"), ("datetime", "today")}


def wall_clocks(path: Path) -> bool:
    """Whether a module names a clock that can be set."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    names = (node for node in ast.walk(tree) if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name))
    return any((node.value.id, node.attr) in WALL for node in names if isinstance(node.value, ast.Name))


@pytest.mark.req("R-8")
def test_countdowns_fences_stalls_bans_and_silences_are_counted_on_the_monotonic_clock() -> None:
    places = [ROOT / name for name in TIMED]
    files = [path for place in places for path in (place.rglob("*.py") if place.is_dir() else [place])]
    assert len(files) > 25
    assert {path.relative_to(ROOT).as_posix() for path in files if wall_clocks(path)} == STAMPS.keys()


# The page that says where each case is shown ---------------------------------------------------------------------------


def named_tests() -> list[tuple[str, str]]:
    """File and beginning of the name of every test in the table of `docs/recovery.md`; a file alone has the name ""."""
    page = (ROOT / "docs" / "recovery.md").read_text(encoding="utf-8").partition("## Further cases")[2]
    found, file = [], ""
    for path, name in re.findall(r"`(?:([\w/]+\.py)|…)(?:::)?(test_\w+…?)?`", page):
        file = path if path else file
        if (ROOT / "tests" / file).is_file():  # the rest are modules
            found.append((file, name))
    return found


def test_every_further_case_names_tests_that_exist() -> None:
    named = named_tests()
    assert len(named) > 30
    for file, name in named:
        text = (ROOT / "tests" / file).read_text(encoding="utf-8")
        known = re.findall(r"^def (test_\w+)", text, re.MULTILINE)
        short = name.removesuffix("…")
        matching = [one for one in known if one == name or (short != name and one.startswith(short))]
        assert len(matching) == 1 or not name, f"{file}::{name} is {matching}"
