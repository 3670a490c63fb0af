"""The journal file as `plan` wants it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from execution.ids import encode
from execution.journal_read import JournalState as File
from execution.journal_read import OrderRecord, reading
from execution.journal_schema import version
from execution.recovery.model import JournalOrder, JournalState, WalletAnchor
from execution.safety.wire_ids import BROKER_PREFIX

CHECKPOINT = "recovery"
"""Name of the checkpoint among the risk states."""
SETTLEMENT = "USDT"
LOSSES = "losses"
"""Name of the loss ledger's state (`runners.live.risk_memory`)."""
NOT_OURS_MS = 2**62
"""Until a journal has begun, nobody's trades are its business but those of its own orders."""
_WITH_ACCOUNTS = 2
_HEARD = frozenset({"ACK", "PARTIALLY_FILLED"})


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """What the last recovery has verified.

    Attributes
    ----------
    began_ms
        Venue time from which on every trade is in the journal; None: no recovery has ended yet.
    verified_ms
        Venue time of the last READY; 0: none yet.
    first
        No node has traded this account from here before.
    """

    began_ms: int | None = None
    verified_ms: int = 0
    first: bool = False

    def to_json(self) -> dict[str, Any]:
        """Plain values for the journal."""
        return {"began_ms": self.began_ms, "verified_ms": self.verified_ms, "first": self.first}

    @classmethod
    def from_json(cls, row: dict[str, Any]) -> Self:
        """Inverse of `to_json`."""
        return cls(row["began_ms"], int(row["verified_ms"]), bool(row["first"]))


def known(file: File, checkpoint: Checkpoint, day: int | None = None) -> JournalState:
    """Say what a journal knows.

    Parameters
    ----------
    file
        As it was read.
    checkpoint
        Of the last recovery.
    day
        UTC day number of the loss ledger.
    """
    wallet = file.wallet.get(SETTLEMENT)
    return JournalState(
        orders=tuple(map(_order, file.orders)),
        trades=frozenset(
            (symbol, int(number)) for symbol, numbers in file.trade_ids.items() for number in numbers if number.isdecimal()
        ),
        nets=file.net,
        epochs={encode(epoch.epoch): epoch.last_sequence for epoch in file.epochs},
        incomes=file.income_keys,
        wallet=None if wallet is None else WalletAnchor(wallet.balance, wallet.ts_ms + 1),
        day=day,
        began_ms=NOT_OURS_MS if checkpoint.began_ms is None else checkpoint.began_ms,
        orders_from_ms=checkpoint.began_ms or 0,
        last_signed_ms=max((row.signed_ms or 0 for row in file.orders), default=0),  # a cancel that lands late harms nobody
        first_start=checkpoint.first and checkpoint.verified_ms == 0,
    )  # fmt: skip


def read_checkpoint(path: Path) -> tuple[Checkpoint | None, int | None]:
    """Read the checkpoint of a journal file, and the UTC day of its loss ledger; None where there is none.

    Raises
    ------
    DataError
        When there is no file.
    SafetyRefusal
        When it is no journal of ours.
    """
    with reading(path) as db:
        rows = {row["name"]: json.loads(row["value"]) for row in db.execute("SELECT name, value FROM risk_state")}
        traded = db.execute("SELECT EXISTS (SELECT 1 FROM orders) OR EXISTS (SELECT 1 FROM fills)").fetchone()[0]
        claimed = db.execute("SELECT since_ns FROM accounts").fetchone() if version(db) >= _WITH_ACCOUNTS else None
    seen = int(rows[LOSSES]["day"]) if LOSSES in rows else -1
    day = seen if seen >= 0 else None  # -1: no reading of equity was ever taken
    if CHECKPOINT in rows:
        return Checkpoint.from_json(rows[CHECKPOINT]), day
    if traded and claimed is not None:  # written before there were checkpoints
        return Checkpoint(claimed["since_ns"] // 1_000_000), day
    return None, day


def _order(record: OrderRecord) -> JournalOrder:
    heard = record.ts_accepted is not None or record.venue_order_id is not None or record.algo_id is not None
    return JournalOrder(
        record.client_order_id, record.wire_id or BROKER_PREFIX + record.client_order_id, record.symbol, record.side,
        record.quantity, record.status, record.signed_ms or record.ts_ns // 1_000_000, record.filled_quantity,
        record.venue_order_id, heard or record.status in _HEARD, record.strategy_id, record.is_algo,
    )  # fmt: skip
