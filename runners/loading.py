"""Import what a configuration names, from the project or the workspace only."""

from __future__ import annotations

import hashlib
import importlib
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from errors import ConfigError

OWN_PACKAGES = frozenset({"strategies"})
PROJECT = Path(__file__).resolve().parents[1]


def load_class(path: str, *, trusted: bool = False, workspace: Path | None = None) -> Any:
    """Import ``package.module:Class``.

    Parameters
    ----------
    path
        Import path.
    trusted
        True after ``--trust-code``: code outside project and workspace may run.
    workspace
        Folder of the user's own code; its name is the package.

    Raises
    ------
    ConfigError
        When the path has another form, may not be imported, or does not exist.
    """
    module_name, separator, name = path.partition(":")
    if not separator or not name.isidentifier() or not all(part.isidentifier() for part in module_name.split(".")):
        raise ConfigError(f"class {path!r} is not of the form package.module:Class")
    package = module_name.split(".")[0]
    allowed = package in OWN_PACKAGES or (workspace is not None and package == workspace.name)
    if not allowed and not trusted:
        raise ConfigError(
            f"class {path!r} lies outside the project and the workspace: it runs with your rights, so pass --trust-code "
            "if you trust it"
        )
    try:
        module = importlib.import_module(module_name)
    except ModuleNotFoundError as error:
        raise ConfigError(f"class {path!r}: there is no module {error.name!r}") from error
    except Exception as error:
        raise ConfigError(f"class {path!r}: importing {module_name!r} raised {error!r}") from error
    if not hasattr(module, name):
        raise ConfigError(f"class {path!r}: module {module_name!r} has no {name!r}")
    return getattr(module, name)


@dataclass(frozen=True, slots=True)
class CodeMark:
    """Where the code that a configuration names lies; stands in a run's manifest.

    Attributes
    ----------
    path
        ``package.module:Class``.
    origin
        ``project``, ``workspace``, or ``outside`` (allowed by ``--trust-code``).
    file, sha256
        The module's file and the hash of its content; empty where there is no file.
    """

    path: str
    origin: str
    file: str
    sha256: str


def code_mark(path: str, workspace: Path | None = None) -> CodeMark:
    """Describe code that `load_class` has imported."""
    package = path.split(".", maxsplit=1)[0]
    origin = "project" if package in OWN_PACKAGES else "outside"
    if workspace is not None and package == workspace.name:
        origin = "workspace"
    source = getattr(sys.modules.get(path.partition(":")[0]), "__file__", None)
    if source is None:
        return CodeMark(path, origin, "", "")
    file = Path(source)
    shown = file.relative_to(PROJECT) if file.is_relative_to(PROJECT) else file
    return CodeMark(path, origin, shown.as_posix(), hashlib.sha256(file.read_bytes()).hexdigest())
