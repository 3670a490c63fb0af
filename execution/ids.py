"""Client order ids: unique across restarts, short enough for the broker prefix (`recovery.md` 2)."""

from __future__ import annotations

import random
import secrets

_ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"  # Crockford base32: no i, l, o, u
_WIDTH = 6


def encode(value: int, width: int = _WIDTH) -> str:
    """Write `value` in base32 with a fixed width.

    Raises
    ------
    ValueError
        When the value does not fit.

    Examples
    --------
    >>> encode(33)
    '000011'
    """
    if not 0 <= value < 32**width:
        raise ValueError(f"{value} does not fit into {width} base32 digits")
    digits = []
    for _ in range(width):
        value, digit = divmod(value, 32)
        digits.append(_ALPHABET[digit])
    return "".join(reversed(digits))


def decode(digits: str) -> int | None:
    """Undo `encode`; None where a character is no base32 digit.

    Examples
    --------
    >>> decode("000011")
    33
    """
    value = 0
    for digit in digits:
        place = _ALPHABET.find(digit)
        if place < 0:
            return None
        value = value * 32 + place
    return value


def seeded_epoch(seed: int) -> int:
    """30-bit epoch of a backtest: the same seed gives the same ids."""
    return random.Random(seed).getrandbits(30)  # noqa: S311 - reproducible on purpose


def random_epoch() -> int:
    """30-bit epoch of a live start: a lost journal can never repeat an id."""
    return secrets.randbits(30)


class ClientOrderIds:
    """Generator of ``<tag 2><epoch 6><sequence 6>``, e.g. ``h1k7q2mz00001a``.

    Parameters
    ----------
    tag
        Two characters ``[a-z0-9]`` that mark this account's orders.
    epoch
        30-bit value, journaled before the first order.

    Attributes
    ----------
    prefix
        What every id of this run begins with.
    """

    def __init__(self, tag: str, epoch: int) -> None:
        if len(tag) != 2 or not all(c in "abcdefghijklmnopqrstuvwxyz0123456789" for c in tag):
            raise ValueError(f"order tag {tag!r} must be two characters a-z or 0-9")
        self.prefix = tag + encode(epoch)
        self._sequence = 0

    def next(self) -> str:
        """Return the next id."""
        self._sequence += 1
        return self.prefix + encode(self._sequence)
