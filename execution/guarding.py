"""Puts the guard in front of a strategy class."""

from __future__ import annotations

from typing import Any

from nautilus_trader.trading import Strategy

from execution.guard import Guard
from execution.handlers import wrapped_handlers
from execution.turns import noted_subscriptions

RESERVED = frozenset({"services", "desk", "wire"})


def guard_class[S: Strategy](
    cls: type[S], *, before: type[Any] | None = None, behind: type[Any] | None = None
) -> type[S]:
    """Return `cls` behind the gate: same name, same constructor, every handler recorded, books kept.

    Parameters
    ----------
    cls
        A strategy class.
    before, behind
        Layers that a decision tape puts around the guard; see `execution.tape.layers`.

    Raises
    ------
    TypeError
        When the class uses a name that the guard needs.
    """
    own = {name for base in cls.__mro__ if issubclass(base, Strategy) and base is not Strategy for name in vars(base)}
    taken = sorted(name for name in own if name in RESERVED or name.startswith("guard_"))
    if taken:
        raise TypeError(
            f"{cls.__name__} defines {', '.join(taken)}: services, desk, wire and guard_… belong to the guard"
        )
    parts = tuple(part for part in (before, Guard, behind, cls) if part is not None)
    inner: type[Any] = type(cls.__name__, parts, {"__module__": cls.__module__})
    body: dict[str, Any] = {"__module__": cls.__module__, "__qualname__": cls.__qualname__, "__doc__": cls.__doc__}
    return type(cls.__name__, (inner,), body | noted_subscriptions(inner) | wrapped_handlers(inner))
