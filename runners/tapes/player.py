"""Plays a tape: hands the strategies of a session the same again and notes where they decide otherwise.

Everything that a strategy is handed comes from the tape, its own order and position events too, and what it sees of its orders is
set to what it saw then. So one decision that differs does not make all the following ones differ.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from execution.tape.events import NotOnTape, deltas_of, event_of
from execution.tape.plain import plain
from risk.verdict import Reason, Refused
from risk.view import StrategyPosition
from runners.tapes.difference import Decided, Difference
from runners.tapes.score import Score
from runners.tapes.script import Row, Scene
from runners.tapes.seen import given_text, order_of, state_text
from runners.tapes.stage import NotPlayable, StagedView
from runners.wiring import Package

KEPT_EVENTS = 2000
"""Market events that a later row may still refer to."""
_DECIMALS = frozenset({"equity", "net", "mark"})


@dataclass(slots=True)
class _Frame:
    """A call or a decision that is being played."""

    strategy: Any
    rest: deque[Row | Scene]


class TapePlayer:
    """One replay.

    Parameters
    ----------
    package
        Strategies as `runners.tapes.stage` makes them, new.
    """

    def __init__(self, package: Package) -> None:
        self.score = Score()
        self._view = package.services.view
        if isinstance(self._view, StagedView):
            self._view.played_by = self
        self._strategies: dict[str, Any] = {s.desk.strategy_id: s for s in package.strategies}  # type: ignore[attr-defined]
        self._events: dict[int, Any] = {}
        self._updates: dict[Any, int] = {}
        self._frames: list[_Frame] = []
        self._answers: dict[str, Any] = {"clock": 0}
        self._where = ("", "")
        self._made_ids = self._number = 0
        for strategy in self._strategies.values():
            strategy.played_by = self
            strategy.desk.next_id = self._asking(strategy, "id")
            strategy.desk.closed = self._closed(strategy)
            strategy.desk.refuse = self._refusing(strategy)

    def play(self, script: Iterator[Row | Scene]) -> Score:
        """Play to the end."""
        for item in script:
            self._happen(item)
        return self.score

    def follow(self, item: Row | Scene) -> None:
        """Play one more row or scene."""
        self._happen(item)

    # The tape hands out ---------------------------------------------------------------------------------------------

    def _happen(self, item: Row | Scene) -> None:
        if isinstance(item, Scene):
            if item.is_call:
                self._call(item)
            return
        match item[0]:
            case "d":
                self.score.market += 1
                deltas = self._keep(item[1], deltas_of(item[2]))
                self._in_order(deltas)
                self._view.books.apply_deltas(deltas, self)
            case "m":
                self.score.market += 1
                self._taken(lambda: self._keep(item[1], event_of(item[2])))
            case "w":
                self._see(item)
            case "end":
                self.score.cut = False
                if item[1] != item[3]:
                    self.score.unplayable[f"the session wrote {item[1]:,} rows, the tape has {item[3]:,}"] += 1

    def _in_order(self, deltas: Any) -> None:
        """Depth comes in the order of its update ids, but for an order book that was fetched."""
        before = self._updates.get(deltas.instrument_id, 0)
        self._updates[deltas.instrument_id] = deltas.sequence
        if deltas.sequence < before and not deltas.is_snapshot:
            why = f"depth of {deltas.instrument_id} goes back from update {before} to {deltas.sequence}"
            self.score.unplayable[why] += 1

    def _keep(self, number: int, event: Any) -> Any:
        if number != self._number + 1:
            self.score.unplayable[f"market message {self._number + 1} is not where it was on the tape"] += 1
        self._number = number
        self._events[number] = event
        self._events.pop(number - KEPT_EVENTS, None)
        return event

    def _call(self, scene: Scene) -> None:
        _, name, handler, given = scene.row
        strategy = self._strategies.get(name)
        if strategy is None:
            self.score.unplayable[f"{name} is no strategy of this configuration"] += 1
            return
        self.score.handed[handler] += 1
        before, self._where = self._where, (handler, given_text(given, self._events))
        frame = _Frame(strategy, deque(scene.inside))
        self._frames.append(frame)
        try:
            self._taken(lambda: self._hand(strategy, handler, [self._argument(value) for value in given]))
        except Exception as error:  # noqa: BLE001 - what a strategy raises is a decision like any other
            self.decided(strategy, "raised", repr(error))
        self._missed(frame)
        self._frames.pop()
        self._where = before

    def _hand(self, strategy: Any, handler: str, args: list[Any]) -> None:
        if args and hasattr(args[0], "ts_init"):
            self._answers["clock"] = max(self._answers["clock"], args[0].ts_init)
        if handler == "timer":
            callback = strategy.clock.callbacks.get(args[0].name)
            if callback is None:
                raise NotPlayable(f"timer {args[0].name} fired, and the replay has not set it")
            callback(*args)
            return
        if handler == "reprice":
            strategy.desk.reprice(*args)
            return
        if handler == "on_position_event" and strategy.desk.moved is not None:
            strategy.desk.moved()
        getattr(strategy, handler)(*args)

    def _argument(self, value: Any) -> Any:
        if not isinstance(value, list):
            return value
        if value[0] != "#":
            return event_of(value)
        if value[1] not in self._events:
            raise NotOnTape(f"market message {value[1]} is not on the tape")
        return self._events[value[1]]

    def _taken(self, work: Callable[[], object]) -> None:
        try:
            work()
        except (NotOnTape, NotPlayable) as error:
            self.score.unplayable[str(error)] += 1

    def _see(self, row: Row) -> None:
        """Set what a strategy sees of its orders; an order that was there stays the same object, as it was in the session."""
        _, name, orders, positions, end_ns = row
        view, strategy = self._view, self._strategies.get(name)
        if strategy is None:
            return
        mine = {key: order for key, order in view.working.items() if order.strategy_id == name}
        for key in mine:
            view.close(key)
        for fields in orders:
            made = order_of(name, fields)
            kept = mine.get(made.client_order_id)
            if kept is None:
                view.count(made)
                continue
            view.count(kept)
            kept.leaves, kept.filled = made.leaves, made.filled
            kept.accepted, kept.pending_cancel = made.accepted, made.pending_cancel
        for instrument_id, held in positions:
            view.set_position(name, instrument_id, StrategyPosition(**held[1]))
        strategy.desk.trading_end_ns = end_ns

    # The strategy asks and decides ----------------------------------------------------------------------------------

    def ask(self, strategy: Any, what: str) -> Any:
        """Give the answer of the session; where it did not ask here, the last one."""
        del strategy
        frame = self._frames[-1] if self._frames else None
        if frame is not None:
            self._up_to_asked(frame)
            self._answer(frame, what)
        if what == "id" and "id" not in self._answers:
            self._made_ids += 1  # the session made none here
            return f"played{self._made_ids:08d}"
        value = self._answers.pop("id") if what == "id" else self._answers.get(what)
        return Decimal(value) if what in _DECIMALS and value is not None else value

    def decided(self, strategy: Any, what: str, content: Any) -> None:
        """Hold a decision against the session's, then let happen what happened in it."""
        scene = self._held_against(strategy, what, content)
        if scene is not None:
            self._finish(_Frame(strategy, deque(scene.inside)))

    def acting(self, strategy: Any, intents: Any, act: Callable[[], None]) -> None:
        """Hold intents against the session's; the orders that follow are decisions of their own."""
        scene = self._held_against(strategy, "act", intents)
        frame = _Frame(strategy, deque(scene.inside if scene is not None else ()))
        self._frames.append(frame)
        try:
            act()
        finally:
            self._missed(frame)
            self._frames.pop()

    def _asking(self, strategy: Any, what: str) -> Callable[[], Any]:
        return lambda: self.ask(strategy, what)

    def _answer(self, frame: _Frame, what: str) -> None:
        """Take the next answer of that name; other questions, which the session asked before, keep theirs."""
        for place, item in enumerate(frame.rest):
            if isinstance(item, Scene) or item[0] != "v":
                return
            if item[1] == what:
                self._answers[what] = item[2]
                del frame.rest[place]
                return

    def _closed(self, strategy: Any) -> Callable[..., Refused | None]:
        def closed(*_args: Any) -> Refused | None:
            told = self.ask(strategy, "closed")
            return None if told is None else Refused(**(told[1] | {"reason": Reason(told[1]["reason"])}))

        return closed

    def _refusing(self, strategy: Any) -> Callable[..., None]:
        def refuse(request: Any, refused: Any) -> None:
            content = (request.side, request.order_type, request.quantity, request.price, request.purpose)
            self.decided(strategy, "wish", (*content, refused.reason, refused.detail))

        return refuse

    def _held_against(self, strategy: Any, what: str, content: Any) -> Scene | None:
        frame = self._frames[-1] if self._frames else None
        scene = self._next_decision(frame) if frame is not None else None
        self._count(strategy, scene, Decided(what, plain(content)))
        return scene

    def _next_decision(self, frame: _Frame) -> Scene | None:
        while frame.rest:
            item = frame.rest.popleft()
            if isinstance(item, Scene) and not item.is_call:
                return item
            self._happen(item)
        return None

    def _up_to_asked(self, frame: _Frame) -> None:
        """Let happen what happened before the next question or decision."""
        while frame.rest:
            item = frame.rest[0]
            if (isinstance(item, Scene) and not item.is_call) or (isinstance(item, list) and item[0] == "v"):
                return
            self._happen(frame.rest.popleft())

    def _missed(self, frame: _Frame) -> None:
        """What the session decided and the replay did not."""
        while (scene := self._next_decision(frame)) is not None:
            self._count(frame.strategy, scene, None)
            self._finish(_Frame(frame.strategy, deque(scene.inside)))

    def _finish(self, frame: _Frame) -> None:
        self._frames.append(frame)
        self._missed(frame)
        self._frames.pop()

    def _count(self, strategy: Any, scene: Scene | None, played: Decided | None) -> None:
        taped = None if scene is None else Decided(scene.row[1], scene.row[2])
        score = self.score
        score.decisions += 1
        if taped is not None:
            score.kinds[taped.what] += 1
        if taped == played:
            score.same += 1
        elif score.first is None:
            name, (handler, event) = strategy.desk.strategy_id, self._where
            score.first = Difference(
                score.decisions, self._answers["clock"], name, handler, event, taped, played, state_text(self._view, name)
            )  # fmt: skip
