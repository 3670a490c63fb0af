"""M-7: the record of venue messages, each link of which names the one before it.

``hash = sha256(previous hash, number, time, kind, body)``; the first link's previous hash is empty. An edited, removed or reordered
link shows at itself or at the next one. The chain alone does not show that its tail was cut off, nor does it stop somebody who can
write the whole file: the head is therefore also kept in the row of every session that came to its end, and is told by
``journal verify``, so that it can be written down elsewhere.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Generator, Iterator
from dataclasses import dataclass
from hashlib import sha256

from execution.journal_tables import insert


@dataclass(frozen=True, slots=True)
class Link:
    """The head of a chain.

    Attributes
    ----------
    seq, hash
        Of the last message; 0 and "" where there is none.
    """

    seq: int = 0
    hash: str = ""


def link_hash(previous: str, seq: int, ts_ns: int, kind: str, body: str) -> str:
    """Hash of one message after another, hexadecimal."""
    return sha256("\n".join((previous, str(seq), str(ts_ns), kind, body)).encode()).hexdigest()


def head(db: sqlite3.Connection) -> Link:
    """Return the last link of a file."""
    row = db.execute("SELECT seq, hash FROM venue_messages ORDER BY seq DESC LIMIT 1").fetchone()
    return Link() if row is None else Link(row["seq"], row["hash"])


def append(db: sqlite3.Connection, run_id: str, ts_ns: int, kind: str, body: str) -> None:
    """Write one message behind the last one."""
    last = head(db)
    seq = last.seq + 1
    digest = link_hash(last.hash, seq, ts_ns, kind, body)
    insert(db, "venue_messages", {
        "seq": seq, "run_id": run_id, "ts_ns": ts_ns, "kind": kind, "body": body, "hash": digest,
    })  # fmt: skip


def tail_breaks(db: sqlite3.Connection, most: int = 1000) -> Iterator[str]:
    """Walk the last links only: quick enough for every start."""
    before = head(db).seq - most
    row = db.execute("SELECT hash FROM venue_messages WHERE seq = ?", (before,)).fetchone()
    yield from _walked(db, Link() if before <= 0 else Link(before, "" if row is None else row["hash"]))


def breaks(db: sqlite3.Connection) -> Iterator[str]:
    """Walk the whole chain; yield what is wrong with it, one sentence each."""
    last = yield from _walked(db, Link())
    for row in db.execute(
        "SELECT run_id, chain_seq, chain_hash FROM runs WHERE chain_seq IS NOT NULL ORDER BY chain_seq"
    ):
        kept = db.execute("SELECT hash FROM venue_messages WHERE seq = ?", (row["chain_seq"],)).fetchone()
        if kept is None:
            yield f"session {row['run_id']} ended after venue message {row['chain_seq']}, the record ends with {last.seq}"
        elif kept["hash"] != row["chain_hash"]:
            yield f"venue message {row['chain_seq']} is another one than when session {row['run_id']} ended"


def _walked(db: sqlite3.Connection, last: Link) -> Generator[str, None, Link]:
    """Walk from a link on; return the last one."""
    for row in db.execute(
        "SELECT seq, ts_ns, kind, body, hash FROM venue_messages WHERE seq > ? ORDER BY seq", (last.seq,)
    ):
        if row["seq"] != last.seq + 1:
            yield f"venue messages {last.seq + 1} to {row['seq'] - 1} are missing"
        elif row["hash"] != link_hash(last.hash, row["seq"], row["ts_ns"], row["kind"], row["body"]):
            yield f"venue message {row['seq']} ({row['kind']}) is not what was written, or the one before it was exchanged"
        last = Link(row["seq"], row["hash"])
    return last
