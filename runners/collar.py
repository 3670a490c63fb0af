"""A price collar narrower than a tick lets no order pass: known only once instrument and price are."""

from __future__ import annotations

from typing import Any

from catalog.store import Kind
from errors import ConfigError
from risk.throttles import refuse_narrow_collar
from runners.config import Resolved
from runners.config.document import read
from runners.market import Market


def check_collar(resolved: Resolved, market: Market) -> None:
    """Hold the configured collars against the first traded price of every instrument.

    Raises
    ------
    ConfigError
        Naming file, line and the least width that is right.
    """
    for iid, instrument in market.instruments().items():
        first: list[Any] = next(
            market.catalog.chunks([iid], market.period, kinds=frozenset({Kind.TRADES}), max_events=1), []
        )
        price = next((event.price.as_decimal() for event in first if hasattr(event, "price")), None)
        if price is None:
            continue
        try:
            refuse_narrow_collar(resolved.config.risk.throttles, price, instrument.price_increment.as_decimal())
        except ConfigError as error:
            key = str(error).split(maxsplit=1)[0]
            where = read(resolved.source).where(("risk", "throttles", key))
            raise ConfigError(f"{where}: {iid}: {error}.") from error
