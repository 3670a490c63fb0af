"""Files of a new strategy in the workspace, from templates."""

from __future__ import annotations

import keyword
import os
import re
from collections.abc import Mapping
from pathlib import Path
from string import Template

from errors import RunFailed, UsageError
from runners._trust import check_name

TEMPLATES = Path(__file__).parent / "templates"
PROJECT = Path(__file__).resolve().parents[1]
NAME = re.compile(r"^[a-z][a-z0-9_]{1,30}$")
_INIT = '"""Strategies of one\'s own; the project never touches this folder."""\n'
_CONFTEST = '''"""Lets pytest find the project, which lies elsewhere."""

import sys
from pathlib import Path

sys.path.insert(0, str((Path(__file__).resolve().parent / "{project}").resolve()))
'''


def write_strategy(name: str, workspace: Path) -> list[Path]:
    """Write strategy, test and configuration; all of them or none.

    Returns
    -------
    list of Path
        Strategy, test and YAML, then what the workspace itself needed.

    Raises
    ------
    UsageError
        When the name is not usable or a file is there already.
    """
    _check(name)
    check_name(workspace)
    folder = workspace.resolve()
    new = {folder / path: text for path, text in _files(name, folder.name).items()}
    taken = [path for path in new if path.exists()]
    if taken:
        raise UsageError(f"{_shown(taken[0])} exists already and is kept; choose another name than {name}.")
    once = {path: text for path, text in _workspace_files(folder).items() if not path.exists()}
    _write({**new, **once})
    return [*new, *once]


def class_name(name: str) -> str:
    """`mean_revert` → `MeanRevert`."""
    return "".join(part.capitalize() for part in name.split("_"))


def _check(name: str) -> None:
    if not NAME.match(name) or keyword.iskeyword(name) or name.endswith("_") or "__" in name:
        raise UsageError(f"{name} cannot name a strategy; use a-z, 0-9 and _, two to 31 characters, such as my_idea.")
    if name.startswith("test_") or name in ("conftest", "strategies", "runners"):
        raise UsageError(f"{name} would be taken for something else; choose another name.")


def _files(name: str, package: str) -> dict[str, str]:
    dashed = name.replace("_", "-")
    values = {
        "name": name, "package": package, "class_name": class_name(name), "id": dashed, "run_name": dashed,
        "title": name.replace("_", " ").capitalize(),
    }  # fmt: skip
    made = {f"{name}.py": "strategy", f"test_{name}.py": "test", f"{name}.yaml": "config"}
    return {file: _filled(template, values) for file, template in made.items()}


def _filled(template: str, values: Mapping[str, str]) -> str:
    return Template((TEMPLATES / f"{template}.txt").read_text(encoding="utf-8")).substitute(values)


def _workspace_files(folder: Path) -> dict[Path, str]:
    """What makes the folder a package, and, outside the project, lets its tests find the project."""
    files = {folder / "__init__.py": _INIT}
    if folder.parent != PROJECT:
        files[folder / "conftest.py"] = _CONFTEST.format(project=_way_to_project(folder))
    return files


def _way_to_project(folder: Path) -> str:
    try:
        return Path(os.path.relpath(PROJECT, folder)).as_posix()
    except ValueError:  # another drive on Windows: there is no relative way
        return PROJECT.as_posix()


def _write(files: Mapping[Path, str]) -> None:
    written: list[Path] = []
    try:
        for path, text in files.items():
            path.parent.mkdir(parents=True, exist_ok=True)
            with path.open("x", encoding="utf-8", newline="\n") as handle:
                written.append(path)
                handle.write(text)
    except OSError as error:
        for path in written:
            path.unlink(missing_ok=True)
        raise RunFailed(f"{_shown(path)} cannot be written: {(error.strerror or str(error)).lower()}.") from error


def _shown(path: Path) -> str:
    here = Path.cwd()
    return str(path.relative_to(here) if path.is_relative_to(here) else path)
