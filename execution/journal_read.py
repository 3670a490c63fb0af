"""What a journal file knows, read without changing it: for recovery, audit and people.

The file may be in use by a node; what is returned is one consistent moment of it.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal
from pathlib import Path
from typing import Any

from errors import DataError, SafetyRefusal
from execution.ids import decode
from execution.journal import CLOSED
from execution.journal_records import (
    AccountRecord,
    CancelRecord,
    ChainHead,
    EpochRecord,
    FillRecord,
    IncomeRecord,
    JournalState,
    OrderRecord,
    RunRecord,
    WalletRecord,
    symbol_of,
)
from execution.journal_schema import APPLICATION_ID, MIGRATIONS, version

__all__ = [
    "AccountRecord", "CancelRecord", "ChainHead", "EpochRecord", "FillRecord", "IncomeRecord", "JournalState", "OrderRecord",
    "RunRecord", "WalletRecord", "read_journal", "reading", "symbol_of",
]  # fmt: skip
ZERO = Decimal(0)


def read_journal(path: Path, *, since_ns: int | None = None) -> JournalState:
    """Read a journal, in use or not, without changing it.

    Parameters
    ----------
    path
        Of the file.
    since_ns
        Leave out closed orders, fills, cancels and income from before; ids, nets and keys are always those of the whole file.
        None: nothing is left out.

    Raises
    ------
    DataError
        When there is no file.
    SafetyRefusal
        When it is damaged, not a journal, or of a newer program.
    """
    try:
        with reading(path) as db:
            return _state(db, path, since_ns if since_ns is not None else -1)
    except sqlite3.DatabaseError as error:
        raise SafetyRefusal(f"journal {path} cannot be read: {error}.") from error


@contextmanager
def reading(path: Path) -> Iterator[sqlite3.Connection]:
    """Open a journal for reading only, as of one moment.

    Raises
    ------
    DataError
        When there is no file.
    SafetyRefusal
        When it is not a journal, or of a newer program.
    sqlite3.DatabaseError
        When it cannot be read.
    """
    if not path.is_file():
        raise DataError(f"there is no journal {path}.")
    db = sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True, timeout=2.0, isolation_level=None)
    try:
        db.row_factory = sqlite3.Row
        db.execute("BEGIN")
        if int(db.execute("PRAGMA application_id").fetchone()[0]) != APPLICATION_ID:
            raise SafetyRefusal(f"{path} is a database, but not a journal of this system.")
        if version(db) > len(MIGRATIONS):
            raise SafetyRefusal(
                f"journal {path} has schema version {version(db)}, this program knows {len(MIGRATIONS)}: update it."
            )
        yield db
    finally:
        db.close()


_CLOSED = ", ".join(f"'{status}'" for status in sorted(CLOSED))
_V2 = 2


def _state(db: sqlite3.Connection, path: Path, since_ns: int) -> JournalState:
    found, since_ms = version(db), since_ns // 1_000_000
    orders = tuple(
        _order(row) for row in db.execute(
            f"SELECT * FROM orders WHERE status NOT IN ({_CLOSED}) OR ts_ns >= ? ORDER BY order_id", (since_ns,)  # noqa: S608 - own names
        )
    )  # fmt: skip
    fills = tuple(
        _fill(row) for row in db.execute("SELECT * FROM fills WHERE ts_ns >= ? ORDER BY fill_id", (since_ns,))
    )
    runs = tuple(_run(row) for row in db.execute("SELECT * FROM runs ORDER BY started_ns, rowid"))
    ids, last = _trade_ids(db)
    if found < _V2:
        return JournalState(path, found, None, runs, _old_epochs(db, runs), orders, fills, (), (), ids, last, _net(db))
    income = tuple(_income(row) for row in db.execute("SELECT * FROM income ORDER BY ts_ms, transaction_id"))
    return JournalState(
        path=path, schema_version=found, account=_account(db), runs=runs, epochs=_epochs(db), orders=orders, fills=fills,
        cancels=tuple(
            _cancel(row) for row in db.execute("SELECT * FROM cancels WHERE sent_ms >= ? ORDER BY cancel_id", (since_ms,))
        ),
        income=tuple(row for row in income if row.ts_ms >= since_ms),
        trade_ids=ids, last_trade_id=last, net=_net(db),
        income_keys=frozenset((row.kind, row.transaction_id) for row in income),
        wallet=_wallet(db), last_signed_ms=_last_signed(db),
        last_income_ms=max((row.ts_ms for row in income), default=None), chain=_chain(db),
    )  # fmt: skip


def _order(row: sqlite3.Row) -> OrderRecord:
    known: dict[str, Any] = dict.fromkeys(("wire_id", "venue_order_id", "algo_id", "signed_ms")) | dict(row)
    price, average = known["price"], known["avg_price"]
    return OrderRecord(
        number=known["order_id"], run_id=known["run_id"], client_order_id=known["client_order_id"],
        wire_id=known["wire_id"], venue_order_id=known["venue_order_id"], algo_id=known["algo_id"], ts_ns=known["ts_ns"],
        signed_ms=known["signed_ms"], strategy_id=known["strategy_id"], instrument_id=known["instrument_id"],
        side=known["side"], order_type=known["order_type"], price=None if price is None else Decimal(price),
        quantity=Decimal(known["quantity"]), filled_quantity=Decimal(known["filled_quantity"]),
        avg_price=None if average is None else Decimal(average), post_only=bool(known["post_only"]),
        reduce_only=bool(known["reduce_only"]), time_in_force=known["time_in_force"], status=known["status"],
        ts_accepted=known["ts_accepted"], ts_closed=known["ts_closed"], reject_reason=known["reject_reason"],
        why=known["why"], source=known["source"], is_protective=bool(known.get("is_protective", 0)),
        is_algo=bool(known.get("is_algo", 0)),
    )  # fmt: skip


def _fill(row: sqlite3.Row) -> FillRecord:
    return FillRecord(
        number=row["fill_id"], run_id=row["run_id"], ts_ns=row["ts_ns"], trade_id=row["trade_id"],
        strategy_id=row["strategy_id"], instrument_id=row["instrument_id"], client_order_id=row["client_order_id"],
        side=row["side"], price=Decimal(row["price"]), quantity=Decimal(row["quantity"]), liquidity=row["liquidity"],
        fee=Decimal(row["fee"]), fee_asset=row["fee_asset"], position_after=Decimal(row["position_after"]),
    )  # fmt: skip


def _run(row: sqlite3.Row) -> RunRecord:
    return RunRecord(
        row["run_id"], row["started_ns"], row["mode"], row["account"], row["config_hash"], row["epoch"], row["ended_ns"],
        row["outcome"],
    )  # fmt: skip


def _cancel(row: sqlite3.Row) -> CancelRecord:
    return CancelRecord(
        row["cancel_id"], row["run_id"], row["client_order_id"], row["sent_ms"], row["answered_ms"], row["outcome"]
    )


def _income(row: sqlite3.Row) -> IncomeRecord:
    return IncomeRecord(
        row["kind"], row["transaction_id"], row["symbol"], row["asset"], Decimal(row["amount"]), row["ts_ms"]
    )


def _account(db: sqlite3.Connection) -> AccountRecord | None:
    row = db.execute("SELECT * FROM accounts").fetchone()
    return None if row is None else AccountRecord(row["account_id"], row["environment"], row["host"], row["since_ns"])


def _trade_ids(db: sqlite3.Connection) -> tuple[dict[str, frozenset[str]], dict[str, int]]:
    ids: dict[str, set[str]] = {}
    for instrument_id, trade_id in db.execute("SELECT instrument_id, trade_id FROM fills"):
        ids.setdefault(symbol_of(instrument_id), set()).add(trade_id)
    numeric = {symbol: [int(one) for one in found if one.isdecimal()] for symbol, found in ids.items()}
    return (
        {symbol: frozenset(found) for symbol, found in ids.items()},
        {symbol: max(found) for symbol, found in numeric.items() if found},
    )


def _net(db: sqlite3.Connection) -> dict[str, Decimal]:
    net: dict[str, Decimal] = {}
    for instrument_id, side, quantity in db.execute("SELECT instrument_id, side, quantity FROM fills"):
        symbol, signed = symbol_of(instrument_id), Decimal(quantity) * (1 if side == "BUY" else -1)
        net[symbol] = net.get(symbol, ZERO) + signed
    return {symbol: amount for symbol, amount in net.items() if amount}


def _epochs(db: sqlite3.Connection) -> tuple[EpochRecord, ...]:
    last = _last_sequences(db)
    return tuple(
        EpochRecord(row["epoch"], row["run_id"], row["purpose"], row["created_ns"], last.get(row["epoch"], 0))
        for row in db.execute("SELECT * FROM epochs ORDER BY created_ns, rowid")
    )


def _old_epochs(db: sqlite3.Connection, runs: tuple[RunRecord, ...]) -> tuple[EpochRecord, ...]:
    last = _last_sequences(db)
    return tuple(
        EpochRecord(run.epoch, run.run_id, "strategies", run.started_ns, last.get(run.epoch, 0)) for run in runs
    )


def _last_sequences(db: sqlite3.Connection) -> dict[int, int]:
    """Highest sequence by epoch, of ids that have our form."""
    last: dict[int, int] = {}
    for prefix, highest in db.execute(
        "SELECT substr(client_order_id, 1, 8), max(client_order_id) FROM orders WHERE length(client_order_id) = 14"
        " GROUP BY substr(client_order_id, 1, 8)"
    ):
        epoch, sequence = decode(prefix[2:]), decode(highest[8:])
        if epoch is not None and sequence is not None:
            last[epoch] = max(sequence, last.get(epoch, 0))
    return last


def _wallet(db: sqlite3.Connection) -> dict[str, WalletRecord]:
    rows = db.execute("SELECT * FROM wallet WHERE wallet_id IN (SELECT max(wallet_id) FROM wallet GROUP BY asset)")
    return {
        row["asset"]: WalletRecord(row["ts_ms"], row["asset"], Decimal(row["balance"]), row["source"]) for row in rows
    }


def _last_signed(db: sqlite3.Connection) -> int | None:
    row = db.execute(
        "SELECT max(ms) FROM (SELECT max(signed_ms) AS ms FROM orders UNION ALL SELECT max(sent_ms) FROM cancels)"
    ).fetchone()
    return None if row[0] is None else int(row[0])


def _chain(db: sqlite3.Connection) -> ChainHead:
    row = db.execute("SELECT seq, hash FROM venue_messages ORDER BY seq DESC LIMIT 1").fetchone()
    return ChainHead() if row is None else ChainHead(row["seq"], row["hash"])
