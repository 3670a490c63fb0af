"""The scripted strategies of the crash matrix: one that does everything once, and the canary that shows that all is well again.

Both are one class, since the configuration of an account may not differ from one start to the next; which of them it is, is said by
the launcher.
"""

from __future__ import annotations

import math
from typing import ClassVar, Literal

from pydantic import Field

from strategies.base import GuardedStrategy, StrategyParams
from strategies.intents import CancelAll, Enter, Exit, Intent, Level, Quote, Side

Target = Literal["rest", "part", "full", "cross"]
PRELUDE, BASE, TARGET, CANARY = "prelude", "base", "target", "canary"
SIZES = {PRELUDE: 0.011, BASE: 0.02, TARGET: 0.037, CANARY: 0.25}
"""Base units by intent. Of entries, only that of the target ends in 7 thousandths, so that the venue can tell it."""


class ScriptParams(StrategyParams):
    """What a cell sets."""

    target: Target = Field(
        default="rest", description="rest: far away; part: takes what the best level has, and rests; full: takes all; cross: "
        "post-only where it would take"
    )  # fmt: skip
    base: bool = Field(default=True, description="Holds a position before the target is sent")
    beat_secs: float = Field(default=0.1, gt=0, description="Between two decisions")
    pause_secs: float = Field(default=0.5, gt=0, description="A step lasts at least so long")
    order_notional_quote: float = Field(
        default=1000, description="Not used; keeps the size check of the configuration happy"
    )


class Script(GuardedStrategy[ScriptParams]):
    """Prelude (rest, cancel), base (take), target, cancel, exit, and again from the target; or the canary."""

    role: ClassVar[Literal["script", "canary"]] = "script"

    def on_ready(self) -> None:
        """Subscribe and start the timer."""
        self.subscribe_book()
        self.step_name, self.since_ns = "wait", 0
        self.every(self.params.beat_secs, self.beat)

    def beat(self) -> None:
        """Go on with the script."""
        if self.top() is None or not self.warm:
            return
        elapsed = (self.now_ns - self.since_ns) / 1e9
        step = self.canary_step(elapsed) if self.role == "canary" else self.script_step(elapsed)
        if step is None:
            return
        name, intents = step
        before = set(self.working)
        if intents:
            self.act(intents)
        if any(isinstance(intent, Enter | Quote) for intent in intents) and set(self.working) <= before:
            return  # refused at the gate, say because the countdown is not acknowledged yet: asked again with the next beat
        self.step_name, self.since_ns = name, self.now_ns

    # The script -------------------------------------------------------------------------------------------------------

    def script_step(self, elapsed: float) -> tuple[str, list[Intent]] | None:  # noqa: PLR0911 - one line a step
        """Next step of the script, or None while the present one lasts."""
        over = elapsed > self.params.pause_secs
        match self.step_name:
            case "wait":
                return "prelude", [self.far(PRELUDE)]
            case "prelude" if over:
                return "prelude_cancel", [CancelAll(why="prelude over")]
            case "prelude_cancel" if over and not self.working:
                return "base", [self.taking(BASE)] if self.params.base else []
            case "base" if over and self.settled():
                return "target", [self.target()]
            case "target" if elapsed > 2 * self.params.pause_secs:
                return "cancel", [CancelAll(why="target over")]
            case "cancel" if over and self.settled():
                return "exit", [Exit(why="exit")] if self.position else []
            case "exit" if over and self.settled():
                return "prelude_cancel", []
        return None

    def settled(self) -> bool:
        """Nothing of ours is under way."""
        return not self.working

    def target(self) -> Intent:
        """What the cell is about."""
        match self.params.target:
            case "rest":
                return self.far(TARGET)
            case "part":
                return self.at_the_ask()
            case "full":
                return self.taking(TARGET)
            case "cross":
                return self.crossing()

    # The canary -------------------------------------------------------------------------------------------------------

    def canary_step(self, elapsed: float) -> tuple[str, list[Intent]] | None:
        """Rest and cancel, buy once, leave; then nothing more."""
        over = elapsed > self.params.pause_secs / 2
        match self.step_name:
            case "wait":
                return "rest", [self.far("rehearsal")]
            case "rest" if over and any(order.accepted for order in self.working.values()):
                return "rest_cancel", [CancelAll(why="rehearsal over")]
            case "rest_cancel" if over and not self.working:
                return "canary", [self.taking(CANARY)]
            case "canary" if over and self.settled():
                return "leave", [Exit(why="canary_over")]
        return None

    # Orders -----------------------------------------------------------------------------------------------------------

    def far(self, why: str) -> Enter:
        """Rest where nobody comes."""
        return Enter(Side.BUY, SIZES.get(why, 0.012), None, 60.0, why, offset_ticks=300)

    def taking(self, why: str) -> Enter:
        """Take through the best levels."""
        return Enter(Side.BUY, SIZES[why], None, 60.0, why, offset_ticks=-200)

    def crossing(self) -> Quote:
        """Post-only where it would take: the venue has to refuse it or to let it expire."""
        top = self.top()
        price = top.ask + 2 * self.tick if top is not None else 0.0
        return Quote((Level(price, SIZES[TARGET]),), (), None, TARGET)

    def at_the_ask(self) -> Enter:
        """Take what the best level has; the rest stays."""
        top = self.top()
        spread = round((top.ask - top.bid) / self.tick) if top is not None else 1
        more = top.ask_size if top is not None else 0.0
        return Enter(
            Side.BUY, math.floor(more * 100) / 100 + 0.01 + SIZES[TARGET], None, 60.0, TARGET, offset_ticks=-spread
        )
