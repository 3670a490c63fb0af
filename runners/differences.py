"""Where two configurations differ, key by key."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

MISSING = "–"


@dataclass(frozen=True, slots=True)
class Difference:
    """One key with two values; a key that one side lacks has `MISSING` there."""

    key: str
    a: Any
    b: Any


def differences(a: Mapping[str, Any], b: Mapping[str, Any]) -> list[Difference]:
    """Compare two nested mappings; list items that carry an ``id`` are compared by it, not by place."""
    left, right = dict(_leaves(a, "")), dict(_leaves(b, ""))
    keys = [*left, *(key for key in right if key not in left)]
    return [
        Difference(key, left.get(key, MISSING), right.get(key, MISSING))
        for key in keys
        if key not in left or key not in right or left[key] != right[key]
    ]


def _leaves(value: Any, prefix: str) -> Iterator[tuple[str, Any]]:
    if isinstance(value, Mapping) and value:
        for key, inner in value.items():
            yield from _leaves(inner, f"{prefix}.{key}" if prefix else str(key))
    elif isinstance(value, list) and value and all(isinstance(item, Mapping) for item in value):
        for index, item in enumerate(value):
            yield from _leaves(item, f"{prefix}.{item.get('id', index)}")
    else:
        yield prefix, value
