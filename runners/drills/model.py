"""What a drill file holds: the venue and its faults, how the node is run and broken, what must be true at the end."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field, JsonValue, model_validator

from adapters.simulated_binance.faults.actions import Action
from adapters.simulated_binance.faults.script import Fault, When
from adapters.simulated_binance.settings import Scenario
from runners.drills.expect import Expect, Moment, Piece, Rows

NAMES = (
    "feed_drop", "feed_gap", "user_stream_silence", "delayed_ack", "unknown_result", "lost_cancel_ack", "duplicate_report",
    "restart_with_exposure", "fast_market", "clock_skew", "rate_limited", "name_resolution", "venue_outage",
)  # fmt: skip
"""The thirteen of L-3, in its order."""


class Start(Piece):
    """Start the node."""

    step: Literal["start"]
    set: dict[str, JsonValue] = Field(
        default_factory=dict, description="Keys of the configuration, for this start only"
    )


class Until(Piece):
    """Wait until something is so; the drill fails if it does not come, or the node ends before."""

    step: Literal["until"]
    what: str = Field(min_length=1, description="What is waited for, as a person says it")
    venue: Rows | None = Field(default=None, description="Lines of the ledger since the step before this one")
    count: int = Field(default=1, ge=1, description="So many of those lines")
    state: Literal["rests", "holds", "flat"] | None = Field(
        default=None, description="By the ledger: an order of ours rests, a position is held, or there is none"
    )
    node: str | None = Field(
        default=None, description="The node has said this since it was started (its `event`); for the timing only"
    )
    within_secs: float = Field(default=90.0, gt=0, le=600, description="Longest time, seconds")

    @model_validator(mode="after")
    def _one(self) -> Self:
        if sum(one is not None for one in (self.venue, self.state, self.node)) != 1:
            raise ValueError("give exactly one of venue, state and node")
        return self


class Break(Piece):
    """Break something at the venue, in the language of fault scripts."""

    step: Literal["break"]
    name: str = Field(min_length=1, description="Stands in the ledger, and is a mark")
    when: When = Field(default=When(at_secs=0), description="When it happens; without it at once")
    do: tuple[Action, ...] = Field(min_length=1, description="What happens")

    @model_validator(mode="after")
    def _is_a_fault(self) -> Self:
        self.fault()
        return self

    def fault(self) -> Fault:
        """The line of a fault script that it is."""
        return Fault(name=self.name, when=self.when, do=self.do)


class Move(Piece):
    """Let the venue's name lead elsewhere: its listener closes, and opens again at another port, which the next start is told."""

    step: Literal["move"]
    name: str = Field(min_length=1, description="Stands in the ledger, and is a mark")
    secs: float = Field(default=2.0, gt=0, le=60, description="Until it is there, seconds")


class Wait(Piece):
    """Let time pass."""

    step: Literal["wait"]
    secs: float | None = Field(default=None, gt=0, le=600, description="Seconds")
    until: Moment | None = Field(
        default=None, description="Until an instant of the drill; one that is over is not waited for"
    )
    why: str = Field(min_length=1, description="What for")

    @model_validator(mode="after")
    def _one(self) -> Self:
        if (self.secs is None) == (self.until is None):
            raise ValueError("give exactly one of secs and until")
        return self


class Kill(Piece):
    """End the node's process at once, as a power switch does."""

    step: Literal["kill"]


class Freeze(Piece):
    """Let the node's process stand still."""

    step: Literal["freeze"]


class Resume(Piece):
    """Let it go on."""

    step: Literal["resume"]


class Stop(Piece):
    """Ask the node to stop, by a file STOP in its state folder; waits for nothing."""

    step: Literal["stop"]


class Ended(Piece):
    """Wait for the node's process to end."""

    step: Literal["ended"]
    codes: tuple[int, ...] = Field(min_length=1, description="Exit codes that are right here")
    within_secs: float = Field(default=90.0, gt=0, le=600, description="Longest time, seconds")


Step = Annotated[
    Start | Until | Break | Move | Wait | Kill | Freeze | Resume | Stop | Ended, Field(discriminator="step")
]


class NodeSettings(Piece):
    """The node of a drill."""

    config: str = Field(
        default="../binance_local.yaml", min_length=1, description="Live file, relative to the drill's file"
    )
    set: dict[str, JsonValue] = Field(default_factory=dict, description="Keys of it, as --set names them")


class Drill(Piece):
    """One drill."""

    version: Literal[1] = Field(description="Format of this file: 1")
    name: str = Field(pattern=r"^[a-z][a-z0-9_]{0,40}$", description="Name of the drill, and of its file")
    title: str = Field(min_length=1, description="The drill in one line")
    broken: str = Field(min_length=1, description="What is broken")
    right: str = Field(min_length=1, description="What a sound system does about it")
    secs: int = Field(ge=1, le=900, description="About how long it takes, seconds")
    venue: Scenario = Field(description="The simulated venue, as a scenario file describes it")
    node: NodeSettings = Field(default_factory=NodeSettings, description="The node")
    steps: tuple[Step, ...] = Field(min_length=3, description="What happens, in order")
    expect: Expect = Field(description="What must be true at the end")

    @model_validator(mode="after")
    def _breaks_something_once_by_name(self) -> Self:
        names = self.fault_names
        if len(set(names)) < len(names):
            raise ValueError("two faults have the same name; the ledger tells them apart by it")
        if not names and not any(isinstance(step, Kill | Freeze) for step in self.steps):
            raise ValueError("nothing is broken: give a fault, a step break, kill or freeze")
        if not isinstance(self.steps[0], Start):
            raise ValueError("the first step must be start")
        return self

    @property
    def fault_names(self) -> tuple[str, ...]:
        """Names of all faults, of scenario and steps."""
        return (
            *(fault.name for fault in self.venue.faults),
            *(step.name for step in self.steps if isinstance(step, Break | Move)),
        )
