"""Strategies with a planted mistake: one reads the future, one averages over more than the warm-up."""

from __future__ import annotations

from collections import deque
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow.parquet as pq
from pydantic import Field

from strategies.base import GuardedStrategy, StrategyParams
from strategies.intents import CancelAll, Enter, Exit, Side

type Tape = tuple[npt.NDArray[np.int64], npt.NDArray[np.float64]]

CACHE: dict[str, Tape] = {}


class TapeParams(StrategyParams):
    tape: str = Field(description="Folder of a catalog")
    ahead_secs: float = Field(default=5.0, description="How far into the future it looks, seconds")
    cached: bool = Field(default=False, description="Keeps the first tape it reads in a module variable")
    strict: bool = Field(default=False, description="Fails where there is no future")


class ReadsTape(GuardedStrategy[TapeParams]):
    """Knows the price in some seconds: reads the trades of the catalog's file."""

    def on_ready(self) -> None:
        key = "tape" if self.params.cached else self.params.tape
        if key not in CACHE:
            (file,) = (Path(self.params.tape) / "data" / "trades").rglob("*.parquet")
            with pq.ParquetFile(file) as opened:
                table = opened.read(columns=["ts_init", "price"])
            CACHE[key] = (
                np.array([int(moment) for moment in table["ts_init"].cast("int64").to_pylist()]),
                np.array([float(price) for price in table["price"].to_pylist()]),
            )
        self.times, self.prices = CACHE[key]
        self.subscribe_book()
        self.every(2.0, self.look)

    def look(self) -> None:
        top = self.top()
        if top is None:
            return
        place = int(np.searchsorted(self.times, self.now_ns + int(self.params.ahead_secs * 1e9)))
        if place >= len(self.times) and self.params.strict:
            raise ValueError("no tape there")
        later = self.prices[min(place, len(self.times) - 1)]
        if self.position or self.working:
            self.act([Exit("done"), CancelAll("done")])
            return
        self.act([Enter(Side.BUY if later > top.mid else Side.SELL, 0.005, None, 5.0, "I know")])


class SlowParams(StrategyParams):
    samples: int = Field(default=45, description="Mids in the mean, one a second")


class SlowMean(GuardedStrategy[SlowParams]):
    """Follows the mean of the last `samples` seconds, or of what there is of them."""

    def on_ready(self) -> None:
        self.mids: deque[float] = deque(maxlen=self.params.samples)
        self.subscribe_book()
        self.every(1.0, self.look)

    def look(self) -> None:
        top = self.top()
        if top is None:
            return
        self.mids.append(top.mid)
        if not self.warm:
            return
        if self.position or self.working:
            self.act([Exit("done"), CancelAll("done")])
            return
        away = top.mid - sum(self.mids) / len(self.mids)
        size = 0.002 + 0.001 * (int(abs(away) * 10) % 8)  # hangs on every sample of the mean
        self.act([Enter(Side.BUY if away > 0 else Side.SELL, size, None, 5.0, "mean")])


class Leaver(GuardedStrategy[StrategyParams]):
    """Sends one order, and another one while it is being stopped."""

    def on_ready(self) -> None:
        self.subscribe_book()
        self.every(20.0, self.look)

    def look(self) -> None:
        if self.warm and not self.position:
            self.act([Enter(Side.BUY, 0.005, None, 5.0, "once")])

    def on_stop(self) -> None:
        self.act([Exit("stopping")])


class Idle(GuardedStrategy[StrategyParams]):
    """Decides nothing."""

    def on_ready(self) -> None:
        self.subscribe_book()
