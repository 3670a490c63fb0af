"""What could have been hit: every statement that writes the journal, and every request that changes something about orders."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path

from execution import journal_chain, journal_venue, journal_writes
from execution.safety import endpoints

_INSERTS = re.compile(r'insert\(db, "(\w+)"|INSERT (?:OR \w+ )?INTO (\w+)')
_UPDATES = re.compile(r'update\(db, "(\w+)"|"UPDATE (\w+) SET')
ONLY_AT_A_CLEAN_END = frozenset({"INSERT funding", "INSERT equity"})
"""Written when a session ends by itself, which no cell does: `tests/runners/live` and `tests/execution` hold them."""

SENT_BY_NO_SESSION = frozenset({"DELETE /fapi/v1/algoOpenOrders"})
"""Conditional orders are cancelled one by one, so that protective stops stay; the client can do it, nobody asks for it."""


def commit_sites() -> frozenset[str]:
    """Verb and table of every statement in the modules that write the journal, found in their source."""
    found = set()
    for module in (journal_writes, journal_venue, journal_chain):
        source = Path(str(module.__file__)).read_text(encoding="utf-8")
        found |= {f"INSERT {one or other}" for one, other in _INSERTS.findall(source)}
        found |= {f"UPDATE {one or other}" for one, other in _UPDATES.findall(source)}
    return frozenset(found) - ONLY_AT_A_CLEAN_END


def hit_sites(labels: Iterable[str]) -> frozenset[str]:
    """Verb and table of labels; see `crash.killing.Labels`."""
    found = set()
    for label in labels:
        table, _, rest = label.partition("/")
        if rest and table not in ("schema", "token", "latch"):
            found.add(f"{'UPDATE' if rest.startswith('update') else 'INSERT'} {table}")
    return frozenset(found)


def request_kinds() -> frozenset[str]:
    """``METHOD /path`` of every request that places, cancels or arms."""
    every = (value for value in vars(endpoints).values() if isinstance(value, endpoints.Endpoint))
    kinds = frozenset(one.what for one in every if one.method in ("POST", "DELETE") and "/fapi/" in one.path)
    return kinds - SENT_BY_NO_SESSION
