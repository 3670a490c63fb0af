"""Schema of the SQLite journal and its migrations.

Money, prices and quantities are decimal text; times are UTC nanoseconds. A migration is a tuple of statements; it is never changed
once released, a new one is added.
"""

from __future__ import annotations

import sqlite3

from errors import SafetyRefusal

APPLICATION_ID = 0x48545244
"""Marks the file as ours ("HTRD")."""

_FIRST = (
    """CREATE TABLE runs (
        run_id TEXT PRIMARY KEY, started_ns INTEGER NOT NULL, mode TEXT NOT NULL, account TEXT NOT NULL,
        config_hash TEXT NOT NULL, epoch INTEGER NOT NULL, ended_ns INTEGER, outcome TEXT
    ) STRICT""",
    """CREATE TABLE intents (
        intent_id INTEGER PRIMARY KEY, run_id TEXT NOT NULL REFERENCES runs, ts_ns INTEGER NOT NULL,
        strategy_id TEXT NOT NULL, instrument_id TEXT NOT NULL, client_order_id TEXT NOT NULL UNIQUE, why TEXT NOT NULL,
        edge_bps REAL, horizon_secs REAL NOT NULL, source TEXT NOT NULL
    ) STRICT""",
    """CREATE TABLE orders (
        order_id INTEGER PRIMARY KEY, run_id TEXT NOT NULL REFERENCES runs, client_order_id TEXT NOT NULL UNIQUE,
        ts_ns INTEGER NOT NULL, strategy_id TEXT NOT NULL, instrument_id TEXT NOT NULL, side TEXT NOT NULL,
        order_type TEXT NOT NULL, price TEXT, quantity TEXT NOT NULL, filled_quantity TEXT NOT NULL DEFAULT '0',
        avg_price TEXT, post_only INTEGER NOT NULL, reduce_only INTEGER NOT NULL, time_in_force TEXT NOT NULL,
        status TEXT NOT NULL, ts_accepted INTEGER, ts_closed INTEGER, reject_reason TEXT, why TEXT NOT NULL,
        edge_bps REAL, mid_decision REAL, queue_ahead REAL, source TEXT NOT NULL
    ) STRICT""",
    "CREATE INDEX orders_by_run ON orders (run_id, order_id)",
    "CREATE INDEX orders_by_status ON orders (status)",
    """CREATE TABLE events (
        event_id INTEGER PRIMARY KEY, run_id TEXT NOT NULL REFERENCES runs, ts_ns INTEGER NOT NULL,
        client_order_id TEXT NOT NULL, event TEXT NOT NULL, detail TEXT NOT NULL
    ) STRICT""",
    "CREATE INDEX events_by_run ON events (run_id, event_id)",
    "CREATE INDEX events_by_order ON events (client_order_id)",
    """CREATE TABLE fills (
        fill_id INTEGER PRIMARY KEY, run_id TEXT NOT NULL REFERENCES runs, instrument_id TEXT NOT NULL,
        trade_id TEXT NOT NULL, ts_ns INTEGER NOT NULL, strategy_id TEXT NOT NULL, client_order_id TEXT NOT NULL,
        side TEXT NOT NULL, price TEXT NOT NULL, quantity TEXT NOT NULL, liquidity TEXT NOT NULL, fee TEXT NOT NULL,
        fee_asset TEXT NOT NULL, position_after TEXT NOT NULL, mid_decision REAL, ts_decision INTEGER NOT NULL,
        ts_arrival INTEGER, UNIQUE (instrument_id, trade_id)
    ) STRICT""",
    "CREATE INDEX fills_by_run ON fills (run_id, fill_id)",
    "CREATE INDEX fills_by_instrument ON fills (instrument_id, fill_id)",
    """CREATE TABLE refusals (
        refusal_id INTEGER PRIMARY KEY, run_id TEXT NOT NULL REFERENCES runs, ts_ns INTEGER NOT NULL,
        strategy_id TEXT NOT NULL, instrument_id TEXT NOT NULL, client_order_id TEXT NOT NULL, side TEXT NOT NULL,
        order_type TEXT NOT NULL, price TEXT, quantity TEXT NOT NULL, reason TEXT NOT NULL, detail TEXT NOT NULL,
        figures TEXT NOT NULL
    ) STRICT""",
    "CREATE INDEX refusals_by_run ON refusals (run_id, refusal_id)",
    """CREATE TABLE funding (
        funding_id INTEGER PRIMARY KEY, run_id TEXT NOT NULL REFERENCES runs, ts_ns INTEGER NOT NULL,
        instrument_id TEXT NOT NULL, strategy_id TEXT NOT NULL, position TEXT NOT NULL, rate TEXT, amount TEXT NOT NULL
    ) STRICT""",
    "CREATE TABLE risk_state (name TEXT PRIMARY KEY, ts_ns INTEGER NOT NULL, value TEXT NOT NULL) STRICT",
    """CREATE TABLE risk_events (
        risk_event_id INTEGER PRIMARY KEY, run_id TEXT NOT NULL REFERENCES runs, ts_ns INTEGER NOT NULL, kind TEXT NOT NULL,
        name TEXT NOT NULL, instrument_id TEXT NOT NULL, state TEXT NOT NULL, level TEXT NOT NULL, detail TEXT NOT NULL,
        figures TEXT NOT NULL
    ) STRICT""",
    """CREATE TABLE equity (
        run_id TEXT NOT NULL REFERENCES runs, ts_ns INTEGER NOT NULL, equity TEXT NOT NULL, PRIMARY KEY (run_id, ts_ns)
    ) STRICT, WITHOUT ROWID""",
)

_SECOND = (
    "ALTER TABLE orders ADD COLUMN wire_id TEXT",
    "ALTER TABLE orders ADD COLUMN venue_order_id INTEGER",
    "ALTER TABLE orders ADD COLUMN algo_id INTEGER",
    "ALTER TABLE orders ADD COLUMN signed_ms INTEGER",
    "ALTER TABLE orders ADD COLUMN is_protective INTEGER NOT NULL DEFAULT 0",
    "ALTER TABLE orders ADD COLUMN is_algo INTEGER NOT NULL DEFAULT 0",
    "CREATE INDEX orders_by_venue_id ON orders (venue_order_id)",
    "ALTER TABLE runs ADD COLUMN chain_seq INTEGER",
    "ALTER TABLE runs ADD COLUMN chain_hash TEXT",
    """CREATE TABLE accounts (
        only_one INTEGER PRIMARY KEY CHECK (only_one = 1), account_id TEXT NOT NULL, environment TEXT NOT NULL,
        host TEXT NOT NULL, since_ns INTEGER NOT NULL
    ) STRICT""",
    """CREATE TABLE epochs (
        epoch INTEGER PRIMARY KEY, run_id TEXT NOT NULL REFERENCES runs, purpose TEXT NOT NULL, created_ns INTEGER NOT NULL
    ) STRICT""",
    "INSERT OR IGNORE INTO epochs SELECT epoch, run_id, 'strategies', started_ns FROM runs",
    """CREATE TABLE cancels (
        cancel_id INTEGER PRIMARY KEY, run_id TEXT NOT NULL REFERENCES runs, client_order_id TEXT NOT NULL,
        sent_ms INTEGER NOT NULL, answered_ms INTEGER, outcome TEXT
    ) STRICT""",
    "CREATE INDEX cancels_by_order ON cancels (client_order_id, cancel_id)",
    """CREATE TABLE income (
        kind TEXT NOT NULL, transaction_id INTEGER NOT NULL, run_id TEXT NOT NULL REFERENCES runs, symbol TEXT NOT NULL,
        asset TEXT NOT NULL, amount TEXT NOT NULL, ts_ms INTEGER NOT NULL, PRIMARY KEY (kind, transaction_id)
    ) STRICT, WITHOUT ROWID""",
    "CREATE INDEX income_by_time ON income (ts_ms)",
    """CREATE TABLE wallet (
        wallet_id INTEGER PRIMARY KEY, run_id TEXT NOT NULL REFERENCES runs, ts_ms INTEGER NOT NULL, asset TEXT NOT NULL,
        balance TEXT NOT NULL, source TEXT NOT NULL
    ) STRICT""",
    """CREATE TABLE actions (
        action_id INTEGER PRIMARY KEY, run_id TEXT NOT NULL REFERENCES runs, ts_ns INTEGER NOT NULL, kind TEXT NOT NULL,
        subject TEXT NOT NULL, detail TEXT NOT NULL, figures TEXT NOT NULL
    ) STRICT""",
    """CREATE TABLE venue_messages (
        seq INTEGER PRIMARY KEY, run_id TEXT NOT NULL REFERENCES runs, ts_ns INTEGER NOT NULL, kind TEXT NOT NULL,
        body TEXT NOT NULL, hash TEXT NOT NULL
    ) STRICT""",
    """CREATE TRIGGER venue_messages_stay BEFORE UPDATE ON venue_messages
        BEGIN SELECT RAISE(ABORT, 'venue messages are append-only'); END""",
    """CREATE TRIGGER venue_messages_remain BEFORE DELETE ON venue_messages
        BEGIN SELECT RAISE(ABORT, 'venue messages are append-only'); END""",
)

MIGRATIONS: tuple[tuple[str, ...], ...] = (_FIRST, _SECOND)
"""Statements that lead from version n to n + 1."""


def version(connection: sqlite3.Connection) -> int:
    """Schema version of an open file; 0 for an empty one."""
    return int(connection.execute("PRAGMA user_version").fetchone()[0])


def migrate(connection: sqlite3.Connection, migrations: tuple[tuple[str, ...], ...] = MIGRATIONS) -> None:
    """Bring a file to the newest version, each step in one transaction.

    Raises
    ------
    SafetyRefusal
        When the file is not a journal of ours, or of a newer program.
    sqlite3.Error
        When a statement fails; that step is undone.
    """
    found = version(connection)
    mark = int(connection.execute("PRAGMA application_id").fetchone()[0])
    tables = int(connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0])
    if mark != APPLICATION_ID and (tables or mark):
        raise SafetyRefusal("the file is a database, but not a journal of this system")
    if found > len(migrations):
        raise SafetyRefusal(f"the journal has schema version {found}, this program knows {len(migrations)}: update it")
    for number, statements in enumerate(migrations[found:], start=found + 1):
        connection.execute("BEGIN IMMEDIATE")
        try:
            for statement in statements:
                connection.execute(statement)
            connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
            connection.execute(f"PRAGMA user_version = {number}")
            connection.execute("COMMIT")
        except sqlite3.Error:
            connection.execute("ROLLBACK")
            raise
