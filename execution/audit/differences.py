"""What may differ between journal and account, and what each difference would mean."""

from __future__ import annotations

import enum
from dataclasses import dataclass

NOTHING = "–"
"""Stands for what one side does not have."""


class Kind(enum.StrEnum):
    """Kinds of difference."""

    ORDER_UNKNOWN = "order not in the journal"
    ORDER_FOREIGN = "order of somebody else"
    ORDER_OPEN = "order still open"
    ORDER_ENDED = "order over at the venue"
    ORDER_ABSENT = "order not at the venue"
    ORDER_UNHEARD = "order not heard of"
    ORDER_FILLED = "executed quantity"
    FILL_MISSING = "fill not in the journal"
    FILL_EXTRA = "fill not at the venue"
    FILL_DIFFERS = "fill"
    POSITION = "position"
    INCOME_MISSING = "income not in the journal"
    INCOME_EXTRA = "income not at the venue"
    INCOME_DIFFERS = "income"
    WALLET = "wallet"
    POSITION_MODE = "position mode"
    ASSET_MODE = "asset mode"
    MARGIN_TYPE = "margin type"
    LEVERAGE = "leverage"


SETTINGS = frozenset({Kind.POSITION_MODE, Kind.ASSET_MODE, Kind.MARGIN_TYPE, Kind.LEVERAGE})
MONEY = frozenset({Kind.INCOME_MISSING, Kind.INCOME_EXTRA, Kind.INCOME_DIFFERS, Kind.WALLET})
"""Alert and refuse nothing (`recovery.md` 8)."""


@dataclass(frozen=True, slots=True)
class Difference:
    """One difference.

    Attributes
    ----------
    kind
        Of what.
    symbol, key
        Where; `key` names order, trade or transaction.
    journal, venue
        Both figures.
    meaning
        What it would mean, one clause.
    mark
        What makes two looks see the same difference.
    """

    kind: Kind
    symbol: str
    key: str
    journal: str
    venue: str
    meaning: str
    mark: str = ""

    @property
    def identity(self) -> tuple[str, str, str, str]:
        """What is the same in two looks that see the same difference."""
        return self.kind, self.symbol, self.key, self.mark

    @property
    def shuts(self) -> bool:
        """Whether entries may not go on with it: everything but money, which is counted anew from the venue."""
        return self.kind not in MONEY

    def __str__(self) -> str:
        """One sentence with both figures."""
        where = " ".join(part for part in (self.symbol, self.key) if part)
        return f"{self.kind}{f' {where}' if where else ''}: journal {self.journal}, venue {self.venue}; {self.meaning}"
