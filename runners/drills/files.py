"""Where drills are, and how one is read."""

from __future__ import annotations

import difflib
from pathlib import Path

from adapters.simulated_binance.settings import check_symbols
from errors import ConfigError, UsageError
from runners.config import document
from runners.config.load import check_version, validated
from runners.drills.model import NAMES, Drill

PROJECT = Path(__file__).resolve().parents[2]
FOLDER = PROJECT / "live_configs" / "drills"


def path_of(name: str) -> Path:
    """The file of a drill: one of ours by its name, or one's own by its path.

    Raises
    ------
    UsageError
        When there is none, with the nearest name.
    """
    given = Path(name)
    if given.suffix in (".yaml", ".yml"):
        return given
    if name in NAMES:
        return FOLDER / f"{name}.yaml"
    near = difflib.get_close_matches(name, NAMES, n=1)
    meant = f"did you mean {near[0]}? " if near else ""
    raise UsageError(f"there is no drill {name}; {meant}The drills are {', '.join(NAMES)}; or give the path of a file.")


def load_drill(path: Path) -> Drill:
    """Read and validate one file.

    Raises
    ------
    ConfigError
        Naming file, line, key and what would be right.
    """
    found = document.read(path)
    check_version(found)
    drill = validated(Drill, found.data, found)
    if drill.name != path.stem:
        raise ConfigError(
            f"{found.where(('name',))}: the drill is called {drill.name}, its file {path.name}; one name."
        )
    faults = (*drill.venue.faults, *(step.fault() for step in drill.steps if step.step == "break"))
    check_symbols(faults, drill.venue.symbols)
    return drill
