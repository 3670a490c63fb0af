"""L-6: how the account is set may not change while a session runs."""

from __future__ import annotations

from collections.abc import Iterator

from execution.audit.differences import NOTHING, Difference, Kind
from execution.audit.figures import Account, Expected


def on_settings(account: Account, expected: Expected) -> Iterator[Difference]:
    """Hold position mode, asset mode, margin type and leverage against the configuration."""
    wanted, now = expected.settings, account.settings
    if wanted is None or now is None:
        return
    if wanted.hedge != now.hedge:
        meaning = "in hedge mode reduce-only does not protect, and rc6 adapts to it without a word"
        yield _of(Kind.POSITION_MODE, "", _mode(hedge=wanted.hedge), _mode(hedge=now.hedge), meaning)
    if wanted.multi_assets != now.multi_assets:
        meaning = "other coins count as margin, which no limit reckons with"
        yield _of(Kind.ASSET_MODE, "", _assets(multi=wanted.multi_assets), _assets(multi=now.multi_assets), meaning)
    for symbol, margin in wanted.margin.items():
        if now.margin.get(symbol, NOTHING) != margin:
            meaning = "a loss may reach further than was reckoned"
            yield _of(Kind.MARGIN_TYPE, symbol, margin, now.margin.get(symbol, NOTHING), meaning)
    for symbol, leverage in wanted.leverage.items():
        if now.leverage.get(symbol) != leverage:
            meaning = "margin and liquidation price are others than was reckoned"
            yield _of(Kind.LEVERAGE, symbol, str(leverage), str(now.leverage.get(symbol, NOTHING)), meaning)


def _of(kind: Kind, symbol: str, wanted: str, now: str, meaning: str) -> Difference:
    return Difference(kind, symbol, "", f"{wanted} (configured)", now, meaning, now)


def _mode(*, hedge: bool) -> str:
    return "hedge" if hedge else "one-way"


def _assets(*, multi: bool) -> str:
    return "multi-assets" if multi else "single-asset"
