"""The two spellings of a client order id: ours, and the one that the engine puts on the wire (`recovery.md` 2)."""

from __future__ import annotations

import re

BROKER_PREFIX = "x-aHRE4BCj-R"
OPERATOR_PREFIX = "operator-"
"""Begins the id of every order that `flatten` or a watchdog sends: no node takes it for one that its journal has lost."""
LONGEST = 24
"""With the prefix it makes Binance's 36 characters; the engine sends longer ids without prefix."""

_OURS = re.compile(rf"[a-z0-9]{{1,{LONGEST}}}")


def wire_id(logical: str) -> str:
    """Spell an id as the engine sends it.

    Raises
    ------
    ValueError
        When the id is not 1 to 24 characters of a-z and 0-9: the engine spells other ids in other ways, some of which collide.

    Examples
    --------
    >>> wire_id("h1k7q2mz00001a")
    'x-aHRE4BCj-Rh1k7q2mz00001a'
    """
    if not _OURS.fullmatch(logical):
        raise ValueError(f"client order id {logical!r} must be 1 to {LONGEST} characters a-z or 0-9")
    return BROKER_PREFIX + logical


def logical_id(wire: str) -> str:
    """Undo `wire_id`; an id that is not spelled so (another bot's, a person's) comes back as it is."""
    return wire.removeprefix(BROKER_PREFIX) or wire


def carries_tag(wire: str, tag: str) -> bool:
    """Whether an id on the wire is of ours: prefix and tag. The prefix alone is every Nautilus user's."""
    return wire.startswith(BROKER_PREFIX + tag)


def is_operators(wire: str) -> bool:
    """Whether an order was sent by `flatten` or by a watchdog, past any node: a closing order, or a stop that protects."""
    return wire.startswith(OPERATOR_PREFIX)
