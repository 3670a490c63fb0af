"""What an endpoint is: a function of the venue and the parameters, and who may call it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from adapters.simulated_binance.venue import Venue

Params = Mapping[str, str]
Handler = Callable[["Venue", Params], object]
Security = Literal["open", "key", "signed", "trade"]


@dataclass(frozen=True, slots=True)
class Endpoint:
    """A handler and its security: open, key only, signed, or signed by a key that may trade."""

    handler: Handler
    security: Security


Routes = dict[str, Endpoint]


def bounded(params: Params, name: str, default: int, most: int) -> int:
    """Read a ``limit`` parameter; nonsense counts as the default."""
    text = params.get(name, "")
    return max(1, min(int(text), most)) if text.isdigit() else default
