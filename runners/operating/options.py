"""Options of `cancel`, `flatten` and `audit`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

Config = Annotated[
    Path | None, typer.Argument(metavar="[CONFIG]", help="Live file; or name the account with --account.")
]
Symbols = Annotated[
    list[str] | None, typer.Option("--symbol", metavar="SYMBOL", help="Only this symbol; may be repeated.")
]
Everyone = Annotated[bool, typer.Option("--all", help="Orders that are not ours too, and protective stops.")]
Yes = Annotated[bool, typer.Option("--yes", help="Do not ask for confirmation.")]
PatienceSecs = Annotated[
    float, typer.Option("--patience", min=5, help="How long the venue may fail, seconds; a ban is waited out besides.")
]  # fmt: skip
State = Annotated[
    Path | None, typer.Option("--state", help="Folder of the accounts' state; default: the file's, or state.")
]
