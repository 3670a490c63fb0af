"""Decision-to-book latency: constant, or drawn from measured values.

The engine takes a constant latency model only (a Python object is refused), so a sampled latency is split: the smallest
measured value is the engine's constant, and what is above it is waited out by the guard with a clock alert before the
order leaves. An order then arrives at the first event after the sum, as with a constant.
"""

from __future__ import annotations

import json
import random
from dataclasses import dataclass
from pathlib import Path

from nautilus_trader.execution import StaticLatencyModel
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from errors import ConfigError
from runners.config.venue import VenueConfig

NS_PER_MS = 1_000_000


class LatencyFile(BaseModel):
    """Measured latencies, decision to book."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    insert_ms: tuple[float, ...] = Field(min_length=1, description="New orders, milliseconds")
    cancel_ms: tuple[float, ...] = Field(min_length=1, description="Cancels, milliseconds")


class SampledLatency:
    """Draws, with replacement, of what lies above the engine's constant; the same seed gives the same draws.

    Parameters
    ----------
    insert_ns, cancel_ns
        Measured latencies minus the smallest, nanoseconds.
    seed
        Of the random stream.
    """

    def __init__(self, insert_ns: tuple[int, ...], cancel_ns: tuple[int, ...], seed: int) -> None:
        self._insert, self._cancel = insert_ns, cancel_ns
        self._random = random.Random(seed)  # noqa: S311 - reproducible on purpose

    def insert_ns(self) -> int:
        """Draw for a new order."""
        return self._random.choice(self._insert)

    def cancel_ns(self) -> int:
        """Draw for a cancel."""
        return self._random.choice(self._cancel)


@dataclass(frozen=True, slots=True)
class LatencyPlan:
    """What a run does about latency.

    Attributes
    ----------
    insert_ns, cancel_ns
        Possible latencies; one value where it is constant.
    source
        Where they came from, for the report.
    """

    insert_ns: tuple[int, ...]
    cancel_ns: tuple[int, ...]
    source: str

    @property
    def longest_ns(self) -> int:
        """Latest that anything arrives."""
        return max(*self.insert_ns, *self.cancel_ns)

    def model(self) -> StaticLatencyModel:
        """Build the engine's constant part."""
        insert, cancel = min(self.insert_ns), min(self.cancel_ns)
        return StaticLatencyModel(
            base_latency_nanos=0, insert_latency_nanos=insert, update_latency_nanos=insert, cancel_latency_nanos=cancel
        )

    def sampler(self, seed: int) -> SampledLatency | None:
        """Build what the guard draws from, new for every run; None where the latency is constant."""
        if len(set(self.insert_ns)) == len(set(self.cancel_ns)) == 1:
            return None
        above = [tuple(value - min(values) for value in values) for values in (self.insert_ns, self.cancel_ns)]
        return SampledLatency(above[0], above[1], seed)

    def marks(self) -> dict[str, object]:
        """Figures for the manifest: constants, or none where values were sampled."""
        constant = self.sampler(0) is None
        return {
            "insert_ms": self.insert_ns[0] / NS_PER_MS if constant else None,
            "cancel_ms": self.cancel_ns[0] / NS_PER_MS if constant else None,
            "source": self.source,
        }


def plan_latency(venue: VenueConfig) -> LatencyPlan:
    """Take the latency of a configuration.

    Raises
    ------
    ConfigError
        When the latency file is missing or does not hold what it should.
    """
    if venue.latency_file is not None:
        measured = _read(Path(venue.latency_file))
        source = (
            f"sampled from {venue.latency_file}: {len(measured.insert_ms)} inserts, {len(measured.cancel_ms)} cancels"
        )
        return LatencyPlan(_ns(measured.insert_ms), _ns(measured.cancel_ms), source)
    if venue.latency_ms is None:
        raise ConfigError("venue.latency_ms and venue.latency_file are both missing; give one of them.")
    return LatencyPlan(_ns((venue.latency_ms.insert,)), _ns((venue.latency_ms.cancel,)), "config")


def _ns(milliseconds: tuple[float, ...]) -> tuple[int, ...]:
    return tuple(round(value * NS_PER_MS) for value in milliseconds)


def _read(path: Path) -> LatencyFile:
    wanted = 'wanted JSON {"insert_ms": [...], "cancel_ms": [...]} with values from 0 to 60000'
    try:
        measured = LatencyFile.model_validate(json.loads(path.read_text(encoding="utf-8")))
    except OSError as error:
        raise ConfigError(
            f"venue.latency_file {path} cannot be read: {(error.strerror or str(error)).lower()}."
        ) from error
    except (ValueError, ValidationError) as error:
        raise ConfigError(f"venue.latency_file {path} is not valid; {wanted}.") from error
    if not all(0 <= value <= 60_000 for value in (*measured.insert_ms, *measured.cancel_ms)):
        raise ConfigError(f"venue.latency_file {path} holds an impossible latency; {wanted}.")
    return measured
