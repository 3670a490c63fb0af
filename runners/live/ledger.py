"""The ledger of a paper account: what it is worth, carried from session to session in its state folder."""

from __future__ import annotations

import json
from decimal import Decimal, InvalidOperation
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from errors import CorruptData
from risk.arm_token import write_durably

FILE = "ledger.json"


class PaperLedger(BaseModel):
    """One paper account."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    format: int = Field(default=1, ge=1, le=1, description="Format of this file")
    currency: str = Field(default="USDT", description="Of every amount")
    first: Decimal = Field(description="Balance at the very first start")
    equity: Decimal = Field(description="Worth now, open positions at the mid")
    sessions: int = Field(default=0, ge=0, description="Sessions begun")


def read_ledger(folder: Path, first: Decimal) -> PaperLedger:
    """Read the ledger of an account; a new one begins with `first`.

    Raises
    ------
    CorruptData
        When the file does not hold what it should.
    """
    path = folder / FILE
    if not path.exists():
        return PaperLedger(first=first, equity=first)
    try:
        return PaperLedger.model_validate(json.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError, ValidationError, InvalidOperation) as error:
        raise CorruptData(
            f"{path} is no ledger of a paper account: repair it, or remove it to begin anew with {first:f} USDT."
        ) from error


def write_ledger(folder: Path, ledger: PaperLedger) -> None:
    """Write it whole or not at all."""
    write_durably(folder / FILE, ledger.model_dump_json(indent=2).encode() + b"\n")
