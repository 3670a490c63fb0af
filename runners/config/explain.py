"""pydantic's findings as sentences: file, line, key, what is wrong and what would be right."""

from __future__ import annotations

import difflib
import types
import typing
from collections.abc import Iterator, Mapping
from typing import Any

from pydantic import BaseModel, ValidationError
from pydantic.fields import FieldInfo
from pydantic_core import ErrorDetails

from runners.config.document import Document, KeyPath

UNITS: Mapping[str, str] = {
    "secs": "seconds", "ms": "milliseconds", "ns": "nanoseconds", "minutes": "minutes", "bps": "basis points",
    "pct": "percent", "ticks": "ticks", "quote": "quote currency", "days": "days",
}  # fmt: skip
SHOWN = 5
_LATER: Mapping[str, int] = {"extra_forbidden": 1, "missing": 2}
"""A wrong value is said before an unknown or a missing key: the key may belong to another form of its section."""


def sentences(error: ValidationError, model: type[BaseModel], document: Document, prefix: KeyPath = ()) -> str:
    """Explain a failed validation, one line per key, at most five."""
    found: dict[KeyPath, str] = {}
    guessed: set[KeyPath] = set()
    for detail in sorted(error.errors(include_url=False), key=lambda detail: _LATER.get(detail["type"], 0)):
        path = _known(detail, document.data, prefix)
        other_form = len(detail["loc"]) > len(path) - len(prefix) and any(known[:-1] == path[:-1] for known in found)
        if path in found or path in guessed or (detail["type"] == "missing" and other_form):
            continue
        found[path] = f"{document.where(path)}: {_explain(detail, path, model, prefix)}"
        if detail["type"] == "extra_forbidden":
            near = _nearest(str(path[-1]), keys_at(model, path[len(prefix) : -1]))
            guessed.add((*path[:-1], near or ""))
    # What is said of a key is not said again of what holds it.
    lines = [text for path, text in found.items() if not any(other[: len(path)] == path != other for other in found)]
    more = [f"… and {len(lines) - SHOWN} more."] if len(lines) > SHOWN else []
    return "\n".join(lines[:SHOWN] + more)


def _known(detail: ErrorDetails, data: Any, prefix: KeyPath) -> KeyPath:
    """Cut what pydantic adds for unions: keep keys that are in the file, and a missing key at the end."""
    loc = detail["loc"]
    place = _walk(data, prefix)
    path: list[str | int] = list(prefix)
    for position, part in enumerate(loc):
        if _has(place, part):
            place = place[part]
        elif position == len(loc) - 1 and detail["type"] == "missing":
            path.append(part)
            break
        else:
            continue
        path.append(part)
    return tuple(path)


def _has(place: Any, part: int | str) -> bool:
    if isinstance(place, list):
        return isinstance(part, int) and part < len(place)
    return isinstance(place, dict) and part in place


def _walk(data: Any, path: KeyPath) -> Any:
    for part in path:
        data = data[part]
    return data


def _explain(detail: ErrorDetails, path: KeyPath, model: type[BaseModel], prefix: KeyPath) -> str:
    name = ".".join(map(str, path)) or "the file"
    inner = path[len(prefix) :]
    info = field_at(model, inner)
    match detail["type"]:
        case "extra_forbidden":
            return _unknown(name, str(path[-1]), keys_at(model, inner[:-1]))
        case "missing":
            return f"{name} is missing: {_wanted(info)}."
        case "value_error":
            return _ended(detail["msg"].removeprefix("Value error, "), name)
        case "literal_error" | "model_type" | "string_pattern_mismatch" | "union_tag_invalid":
            return f"{name} is {_shown(detail['input'])}, which is not valid; wanted: {_wanted(info)}."
    unit = _unit(str(path[-1])) if path else None
    in_unit = f" of {unit}" if unit and detail["type"].endswith("_parsing") else ""
    problem = (
        detail["msg"]
        .removeprefix("Input ")
        .removeprefix("String ")
        .partition(", unable")[0]
        .replace("should ", "must ")
    )
    return f"{name} {_first_lower(problem)}{in_unit}, not {_shown(detail['input'])}; wanted: {_wanted(info)}."


def _unknown(name: str, key: str, valid: Mapping[str, FieldInfo]) -> str:
    near = _nearest(key, valid)
    if near is not None and _unit(key) and near.rpartition("_")[0] == key.rpartition("_")[0]:
        return f"{name} is not a key: it is given in {_unit(near)}, as {near}."
    if near is not None:
        return f"{name} is not a key; did you mean {near} ({_wanted(valid[near])})?"
    return f"{name} is not a key; valid here: {', '.join(valid) or 'none'}."


def _nearest(key: str, valid: Mapping[str, FieldInfo]) -> str | None:
    stem, _, suffix = key.rpartition("_")
    twins = [name for name in valid if suffix in UNITS and name.rpartition("_")[0] == stem]
    return next(iter(twins or difflib.get_close_matches(key, valid, n=1, cutoff=0.5)), None)


def _wanted(info: FieldInfo | None) -> str:
    return (info.description or "a value").rstrip(".") if info is not None else "a value"


def _unit(key: str) -> str | None:
    return UNITS.get(key.rpartition("_")[2])


def _shown(value: object) -> str:
    text = repr(value) if not isinstance(value, dict) else "{" + ", ".join(map(str, value)) + "}"
    return text if len(text) <= 60 else text[:57] + "…"


def _first_lower(text: str) -> str:
    return text[:1].lower() + text[1:]


def _ended(text: str, name: str) -> str:
    text = text if name.rpartition(".")[2] in text or name == "the file" else f"{name}: {text}"
    return text if text.endswith(".") else f"{text}."


def keys_at(model: type[BaseModel], path: KeyPath) -> dict[str, FieldInfo]:
    """Fields, by the names of the file, of the models that may stand at `path`."""
    models = [model]
    for part in path:
        models = [inner for outer in models for inner in _inner(outer, part)]
    return {info.alias or name: info for found in models for name, info in found.model_fields.items()}


def field_at(model: type[BaseModel], path: KeyPath) -> FieldInfo | None:
    """Find the field that `path` ends in; a list item has the description of its list."""
    named = path
    while named and isinstance(named[-1], int):
        named = named[:-1]
    return keys_at(model, named[:-1]).get(str(named[-1])) if named else None


def _inner(model: type[BaseModel], part: str | int) -> Iterator[type[BaseModel]]:
    if isinstance(part, int):  # a list index: the models of the list stand at the key before it
        yield model
        return
    for name, info in model.model_fields.items():
        if part in (name, info.alias):
            yield from _models(info.annotation)


def _models(annotation: Any) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and not isinstance(annotation, types.GenericAlias):
        if issubclass(annotation, BaseModel):
            yield annotation
        return
    for argument in typing.get_args(annotation):
        yield from _models(argument)
