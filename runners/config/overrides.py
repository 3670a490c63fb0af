"""`--set key.path=value`: changes to a parsed file, before it is validated."""

from __future__ import annotations

from typing import Any

import yaml

from errors import UsageError
from runners.config.document import Document, KeyPath


def apply(document: Document, settings: list[str] | tuple[str, ...]) -> None:
    """Change `document` in place.

    A list item is named by its number or by its ``id``: ``strategies.flow-1.params.stop_bps=10``.

    Raises
    ------
    UsageError
        When a setting is not ``key=value`` or names no place in the file.
    """
    for text in settings:
        name, equals, value = text.partition("=")
        if not (equals and name.strip()):
            raise UsageError(f"--set {text} is not key=value, such as --set venue.fees.maker_bps=1.5.")
        _assign(document, text, name.strip().split("."), _value(text, value))


def _value(text: str, value: str) -> Any:
    try:
        return yaml.safe_load(value)
    except yaml.YAMLError as error:
        raise UsageError(f"--set {text}: the value is not valid YAML.") from error


def _assign(document: Document, text: str, names: list[str], value: Any) -> None:
    place: Any = document.data
    path: KeyPath = ()
    for name in names[:-1]:
        key = _key(place, name, text)
        if isinstance(place, dict) and not isinstance(place.get(key), dict | list):
            place[key] = {}
        place, path = place[key], (*path, key)
    last = _key(place, names[-1], text)
    place[last] = value
    document.overridden[(*path, last)] = text


def _key(place: Any, name: str, text: str) -> str | int:
    if isinstance(place, dict):
        return name
    if isinstance(place, list):
        for index, item in enumerate(place):
            if name == str(index) or (isinstance(item, dict) and item.get("id") == name):
                return index
        raise UsageError(
            f"--set {text}: the list has no item {name}; use a number from 0 to {len(place) - 1} or an id."
        )
    raise UsageError(f"--set {text}: {name} is inside a value that has no keys.")
