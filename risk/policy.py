"""What the gate demands of one strategy."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field


class AssumeEdge(BaseModel):
    """An edge that the user vouches for, where the strategy states none."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    assume_bps: float = Field(gt=0, le=1000, description="Edge of every entry, basis points of the price")


class WaiveEdge(BaseModel):
    """No edge check; the reason stands on every report."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    waived: str = Field(min_length=3, description="Why no edge is demanded; repeated on every report")


class Policy(BaseModel):
    """Order kinds, edge and number of open entries that a strategy may use."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    entry_order: Literal["post_only", "limit", "market"] = Field(
        default="post_only", description="Most aggressive order that may open a position: post_only, limit or market"
    )
    edge: Literal["required"] | AssumeEdge | WaiveEdge = Field(
        default="required", description="required: each entry states its edge; {assume_bps: x}; or {waived: reason}"
    )
    max_open_entries: int = Field(
        default=1,
        ge=1,
        le=50,
        description="Entry orders that may be open on a symbol at once; a quoting strategy declares more",
    )
    post_only_reprices: int = Field(
        default=3, ge=0, le=20, description="New tries after the venue refuses a post-only entry that would have taken"
    )

    @property
    def waiver(self) -> str | None:
        """The reason why no edge is demanded, or None."""
        return self.edge.waived if isinstance(self.edge, WaiveEdge) else None
