"""YAML with line numbers: every key knows where it stands, and a key that is there twice is an error."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from errors import ConfigError

type KeyPath = tuple[str | int, ...]


@dataclass(slots=True)
class Document:
    """A parsed file.

    Attributes
    ----------
    file
        Name for messages.
    data
        Plain dicts, lists and scalars.
    lines
        Line of each key or list item, counted from 1.
    overridden
        Keys that came from ``--set``, with the text as it was written there.
    """

    file: str
    data: dict[str, Any]
    lines: Mapping[KeyPath, int]
    overridden: dict[KeyPath, str] = field(default_factory=dict)

    def where(self, path: KeyPath) -> str:
        """Name the place of a key: its own line, else that of the nearest key around it."""
        for end in range(len(path), -1, -1):
            text = self.overridden.get(path[:end])
            if text is not None:
                return f"--set {text}"
            line = self.lines.get(path[:end])
            if line is not None:
                return f"{self.file}:{line}"
        return self.file


class _Loader(yaml.SafeLoader):
    """SafeLoader as it is; a class of its own so that nothing is registered on the shared one."""


def parse(text: str, file: str) -> Document:
    """Parse one YAML mapping.

    Raises
    ------
    ConfigError
        When the text is not YAML, not a mapping, or holds a key twice.
    """
    loader = _Loader(text)
    try:
        node = loader.get_single_node()
        if not isinstance(node, yaml.MappingNode):
            raise ConfigError(f"{file} must hold keys and values (key: value), and does not.")
        lines: dict[KeyPath, int] = {}
        _collect(node, (), lines, file)
        return Document(file, loader.construct_document(node), lines)
    except yaml.YAMLError as error:
        raise ConfigError(_syntax(error, file)) from error
    finally:
        loader.dispose()


def read(path: Path) -> Document:
    """Parse a file.

    Raises
    ------
    ConfigError
        When it cannot be read or is not a YAML mapping.
    """
    try:
        return parse(path.read_text(encoding="utf-8"), str(path))
    except OSError as error:
        raise ConfigError(f"{path} cannot be read: {(error.strerror or str(error)).lower()}.") from error
    except UnicodeDecodeError as error:
        raise ConfigError(f"{path} is not UTF-8 text.") from error


def _collect(node: yaml.Node, path: KeyPath, lines: dict[KeyPath, int], file: str) -> None:
    lines.setdefault(path, node.start_mark.line + 1)
    if isinstance(node, yaml.MappingNode):
        seen: dict[str, int] = {}
        for key, value in node.value:
            name, line = str(key.value), key.start_mark.line + 1
            if name in seen:
                where = ".".join(map(str, (*path, name)))
                raise ConfigError(f"{file}:{line}: {where} is there twice, first on line {seen[name]}; keep one.")
            seen[name] = lines[(*path, name)] = line
            _collect(value, (*path, name), lines, file)
    elif isinstance(node, yaml.SequenceNode):
        for index, item in enumerate(node.value):
            _collect(item, (*path, index), lines, file)


def _syntax(error: yaml.YAMLError, file: str) -> str:
    mark = getattr(error, "problem_mark", None)
    problem = getattr(error, "problem", None) or "it cannot be parsed"
    where = f"{file}:{mark.line + 1}" if mark is not None else file
    return f"{where}: not valid YAML: {problem}."
