"""Whose code a command may import: the workspace, or anything after `--trust-code`."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from errors import UsageError

if TYPE_CHECKING:
    from runners.config import Trust

Workspace = Annotated[Path, typer.Option("--workspace", help="Folder of your own strategies.")]
TrustCode = Annotated[bool, typer.Option("--trust-code", help="Import strategies from anywhere.")]
Setting = Annotated[list[str] | None, typer.Option("--set", metavar="K=V", help="Change a value: venue.leverage=2.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print the result as JSON.")]

DEFAULT_WORKSPACE = Path("my")
_OWN = frozenset({
    "adapters", "benchmarks", "catalog", "execution", "monitoring", "research", "risk", "runners", "strategies", "tests",
})  # fmt: skip


def trust_of(workspace: Path, trust_code: bool) -> Trust:
    """Make the workspace importable by the name of its folder.

    Raises
    ------
    UsageError
        When that name cannot be a package.
    """
    from runners.config import Trust  # noqa: PLC0415 - imports the engine, and --help must not

    place = workspace.resolve()
    if not place.is_dir():
        if workspace != DEFAULT_WORKSPACE:
            raise UsageError(f"there is no workspace {workspace}; make one with: python -m runners new strategy NAME")
        return Trust(None, trust_code)
    check_name(workspace)
    if str(place.parent) not in sys.path:
        sys.path.append(str(place.parent))
    return Trust(place, trust_code)


def check_name(workspace: Path) -> None:
    """Refuse a workspace folder whose name cannot be imported, or hides something that is.

    Raises
    ------
    UsageError
        With the reason.
    """
    name = workspace.resolve().name
    if not (name.isidentifier() and name.islower() and name.isascii()):
        raise UsageError(f"workspace {workspace}: its folder name is the package name; use a-z, 0-9 and _, such as my.")
    if name in sys.stdlib_module_names or name in _OWN:
        raise UsageError(f"workspace {workspace}: {name} is the name of a package already; choose another, such as my.")
