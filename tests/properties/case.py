"""An order before the gate as the oracle sees it, what a violation is, and two small translations."""

from __future__ import annotations

import json
from dataclasses import dataclass
from decimal import Decimal

from nautilus_trader.model import Price

from risk.loss import LossState
from tests.properties.followed import Ask


class Violation(AssertionError):
    """The system did what it must not do, or did not do what it must."""


@dataclass(slots=True)
class Case:
    """One order before the gate, and what the oracle thinks of it."""

    ask: Ask
    broken: set[str]
    listed: bool
    net: Decimal


def limit_price(ticks: int) -> Price:
    """A price of one decimal."""
    return Price.from_str(f"{ticks // 10}.{ticks % 10}")


def read_json(state: LossState) -> LossState:
    """Through text and back, as the journal does it."""
    return LossState.from_json(json.loads(json.dumps(state.to_json())))
