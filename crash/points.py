"""Write points: every place at which something is written, sent or heard, and how a process is ended there."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

from crash.killing import Stage, Trigger
from crash.venue_side import Moment, Role, Sight

ORDER, CANCEL, STOP = "POST /fapi/v1/order", "DELETE /fapi/v1/order", "POST /fapi/v1/algoOrder"
COUNTDOWN = "POST /fapi/v1/countdownCancelAll"
type Reach = Literal["start", "before", "sent", "answered", "filled", "ended", "trip", "recovery"]
"""How far the target has come at that point: nothing is there yet; decided; on its way; known; executed; over; second start."""

STAGES: tuple[Stage, ...] = ("written", "committed")


@dataclass(frozen=True, slots=True)
class Point:
    """One write point.

    Attributes
    ----------
    name
        In the printout.
    reach
        How far the target has come.
    trigger, sight
        Where it is struck: at a statement of the journal or a file of the kill switch, or at a request as the venue sees it.
    life
        Which start of the node is struck: the first, or (second crash) the second.
    flight
        The request in flight: method with path, and whose.
    scene
        ``trip``: a person trades while the node runs, which trips its switch; ``midnight``: a UTC day ends while it is dead.
    refuses
        The next start must refuse, with one of these words: what was struck cannot be told from a trip.
    """

    name: str
    reach: Reach
    trigger: Trigger | None = None
    sight: Sight | None = None
    life: int = 1
    flight: tuple[str, Role] = (ORDER, "target")
    refuses: tuple[str, ...] = ()
    scene: Literal["", "trip", "midnight"] = ""


def _about(flight: tuple[str, Role], *points: Point) -> tuple[Point, ...]:
    return tuple(replace(point, flight=flight) for point in points)


def _db(name: str, reach: Reach, label: str, stage: Stage, nth: int = 1, life: int = 1) -> Point:
    return Point(name, reach, Trigger(label, stage, nth), None, life)


def _net(name: str, reach: Reach, what: str, moment: Moment, role: Role = "any") -> Point:
    return Point(name, reach, None, Sight(what, moment, role))


START = (
    _db("migration, uncommitted", "start", "schema/version", "written", 2),
    _db("migration, committed", "start", "schema/version", "committed", 2),
    _db("session row, uncommitted", "start", "runs/insert/-", "written"),
    _db("session row, committed", "start", "runs/insert/-", "committed"),
    _db("epoch of closes, committed", "start", "epochs/closes/-", "committed"),
    Point("token, before", "start", Trigger("token/write", "before"), refuses=("arm token is gone",)),
    _db("token, written", "start", "token/write", "committed"),
    _db("wallet reading, uncommitted", "start", "wallet/start/-", "written"),
    _db("wallet reading, committed", "start", "wallet/start/-", "committed"),
    _db("risk state, committed", "start", "risk_state/losses/-", "committed"),
)
SUBMIT = (
    _db("before the row", "before", "orders/insert/target", "before"),
    _db("row written, uncommitted", "before", "orders/insert/target", "written"),
    _db("committed, before send", "before", "orders/insert/target", "committed"),
    Point(
        "committed, checkpointed, before send", "before", Trigger("orders/insert/target", "committed", 1, "checkpoint")
    ),
    _net("bytes out, request arrived", "sent", ORDER, "arrived", "target"),
    _net("bytes out, executed, no answer", "sent", ORDER, "executed", "target"),
    _net("answer out, not written", "sent", ORDER, "answered", "target"),
)
EVENTS = (
    _db("ack received, not written", "answered", "events/OrderAccepted/target", "before"),
    _db("ack written, uncommitted", "answered", "events/OrderAccepted/target", "written"),
    _db("ack written", "answered", "events/OrderAccepted/target", "committed"),
    _db("fill received, not written", "filled", "fills/insert/target", "before"),
    _db("fill written, uncommitted", "filled", "fills/insert/target", "written"),
    _db("fill written", "filled", "fills/insert/target", "committed"),
    _db("end received, not written", "ended", "events/Order[CERD]*/target", "before"),
    _db("end written", "ended", "events/Order[CERD]*/target", "committed"),
)
CANCELS = _about(
    (CANCEL, "target"),
    _db("cancel row, uncommitted", "answered", "cancels/insert/target", "written"),
    _db("cancel row, committed", "answered", "cancels/insert/target", "committed"),
    _net("cancel arrived", "sent", CANCEL, "arrived", "target"),
    _net("cancel executed, no answer", "sent", CANCEL, "executed", "target"),
    _net("cancel answered, not written", "sent", CANCEL, "answered", "target"),
    _db("cancel answer written", "ended", "cancels/update-answered_ms/*", "committed", 2),
)
EXITS = _about(
    (ORDER, "exit"),
    _db("exit row, uncommitted", "before", "orders/insert/exit", "written"),
    _db("exit row, committed", "before", "orders/insert/exit", "committed"),
    _net("exit arrived", "sent", ORDER, "arrived", "exit"),
    _net("exit executed, no answer", "sent", ORDER, "executed", "exit"),
)
GUARDS = (
    *_about(
        (STOP, "any"),
        _db("stop row, uncommitted", "before", "orders/insert/protective", "written"),
        _db("stop row, committed", "before", "orders/insert/protective", "committed"),
        _net("stop arrived", "sent", STOP, "arrived"),
        _net("stop executed, no answer", "sent", STOP, "executed"),
        _net("stop answered, not written", "sent", STOP, "answered"),
    ),
    *_about(
        (COUNTDOWN, "later"),  # something is held by then: what comes before it protects nothing yet
        _net("countdown sent", "sent", COUNTDOWN, "arrived", "later"),
        _net("countdown answered", "sent", COUNTDOWN, "answered", "later"),
    ),
)
_GONE, _STANDS = ("arm token is gone",), ("kill switch stands",)
TRIP = (
    Point("trip: token, not deleted yet", "trip", Trigger("token/delete", "before"), scene="trip"),
    Point("trip: token, deleted", "trip", Trigger("token/delete", "committed"), refuses=_GONE, scene="trip"),
    Point("trip: record, not written yet", "trip", Trigger("latch/append", "before", 2), refuses=_GONE, scene="trip"),
    Point("trip: record, written", "trip", Trigger("latch/append", "committed", 2), refuses=_STANDS, scene="trip"),
)
DAY_ROLL = tuple(
    Point(f"day roll: {name}, {stage}", "recovery", Trigger(label, stage), life=2, scene="midnight")
    for name, label in (("its action", "actions/8.midnight*"), ("the loss ledger", "risk_state/losses/-"))
    for stage in STAGES
)
RECOVERY = tuple(
    _db(f"recovery: {name}, {stage}", "recovery", label, stage, life=2)
    for name, label in (
        ("its run row", "runs/insert/-"), ("its epoch", "epochs/recovery/-"), ("an action", "actions/*"),
        ("a fill", "fills/*"), ("an order's end", "events/Settled/*"), ("an income", "income/*"),
        ("its wallet reading", "wallet/recovery/-"), ("its checkpoint", "risk_state/recovery*"), ("its end", "runs/update-*"),
    )
    for stage in STAGES
)  # fmt: skip
POINTS: tuple[Point, ...] = (*START, *SUBMIT, *EVENTS, *CANCELS, *EXITS, *GUARDS, *TRIP, *DAY_ROLL, *RECOVERY)
BY_NAME = {point.name: point for point in POINTS}
