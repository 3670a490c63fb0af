"""A strategy's order factory that gives every order one of our client order ids.

The engine's own ids repeat after a restart and lose the venue's broker encoding (`recovery.md` 2).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from nautilus_trader.model import ClientOrderId

_ONE = frozenset({
    "market", "limit", "stop_market", "stop_limit", "market_to_limit", "market_if_touched", "limit_if_touched",
    "trailing_stop_market", "trailing_stop_limit",
})  # fmt: skip
_BRACKET = ("entry_client_order_id", "sl_client_order_id", "tp_client_order_id")


class GuardedFactory:
    """Delegates to the engine's factory and fills in missing client order ids.

    Parameters
    ----------
    factory
        The engine's factory.
    next_id
        Makes client order ids.
    """

    def __init__(self, factory: Any, next_id: Callable[[], str]) -> None:
        self._factory = factory
        self._next_id = next_id

    def generate_client_order_id(self) -> ClientOrderId:
        """Return a new id of ours."""
        return ClientOrderId(self._next_id())

    def __getattr__(self, name: str) -> Any:
        method = getattr(self._factory, name)
        if name == "bracket":
            return self._with_ids(method, _BRACKET)
        return self._with_ids(method, ("client_order_id",)) if name in _ONE else method

    def _with_ids(self, method: Callable[..., Any], keys: tuple[str, ...]) -> Callable[..., Any]:
        def call(*args: Any, **kwargs: Any) -> Any:
            for key in keys:
                if kwargs.get(key) is None:
                    kwargs[key] = self.generate_client_order_id()
            return method(*args, **kwargs)

        return call
