"""`record`: write the public streams of some symbols to files, a file a day."""

from __future__ import annotations

import asyncio
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from errors import DataError, UsageError
from runners._cli import new_app, run

if TYPE_CHECKING:  # aiohttp and pydantic take a while to import, --help needs neither
    from adapters.binance.recorder.settings import RecorderSettings

STOPPED_BY_SIGNAL = 5
app = new_app("Record public market streams to files.", no_args_is_help=True)


class MarketName(StrEnum):
    """Which Binance market is recorded."""

    USDM = "usdm"
    SPOT = "spot"


class TradesName(StrEnum):
    """Which streams of prints are recorded."""

    TRADE = "trade"
    AGG_TRADE = "aggTrade"
    BOTH = "both"


@app.command()
def record(
    symbol: Annotated[list[str], typer.Option(help="Symbol as the venue writes it, BTCUSDT; may be repeated.")],
    market: Annotated[MarketName, typer.Option(help="Market of the symbols.")] = MarketName.USDM,
    out: Annotated[Path, typer.Option(help="Folder of the files; made when missing.")] = Path("data/recordings"),
    url: Annotated[str | None, typer.Option(help="Another venue, http://127.0.0.1:8800; else Binance.")] = None,
    trades: Annotated[TradesName, typer.Option(help="Prints to record; `ingest` reads trade.")] = TradesName.TRADE,
    ingest: Annotated[Path | None, typer.Option(help="Catalog that takes in each finished file.")] = None,
    stop_after: Annotated[float | None, typer.Option(min=0, help="Stop by itself after so many seconds.")] = None,
    status_secs: Annotated[float, typer.Option(min=0.1, help="How often JSON lines tell how it stands.")] = 10.0,
    as_json: Annotated[bool, typer.Option("--json", help="JSON lines, also on a terminal.")] = False,
) -> None:
    """Record until Ctrl-C. Needs no keys.

    Example: python -m runners record --symbol BTCUSDT --symbol ETHUSDT --out data/recordings --ingest data/catalog
    """
    settings = _settings(market.value, symbol, out, url, trades.value)
    from runners.recording import Session  # noqa: PLC0415

    session = Session(settings, catalog=ingest, as_json=as_json, status_secs=status_secs)
    signalled = asyncio.run(session.run(stop_after))
    if session.not_ingested:
        raise DataError(f"not ingested: {', '.join(session.not_ingested)}; the files are in {out}.")
    if signalled:
        raise typer.Exit(STOPPED_BY_SIGNAL)


def _settings(market: str, symbols: list[str], out: Path, url: str | None, trades: str) -> RecorderSettings:
    from pydantic import ValidationError  # noqa: PLC0415

    from adapters.binance.recorder.settings import RecorderSettings  # noqa: PLC0415

    values = {"market": market, "symbols": tuple(symbols), "folder": out, "url": url, "trades": trades}
    try:
        settings = RecorderSettings.model_validate(values)
    except ValidationError as error:
        raise UsageError(f"{error.errors()[0]['msg'].removeprefix('Value error, ')}.") from error
    settings.endpoints()  # a wrong address is said before anything is made
    return settings


if __name__ == "__main__":
    run(app, prog="python -m runners.record")
