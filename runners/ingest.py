"""`ingest`: bring market data into a catalog."""

from __future__ import annotations

import json
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from errors import DataError, UsageError
from runners._cli import new_app, run
from runners._progress import progress_bar

if TYPE_CHECKING:  # the readers take half a second to import, --help needs none of them
    from catalog.recording.ingest import Ingested

app = new_app("Bring a recording, Tardis files or a generated sample into a catalog.", no_args_is_help=True)

CatalogOption = Annotated[Path, typer.Option("--catalog", help="Catalog folder; made when missing.")]
JsonOption = Annotated[bool, typer.Option("--json", help="Print the result as JSON.")]


class MarketName(StrEnum):
    """Which Binance market a recording is of."""

    USDM = "usdm"
    SPOT = "spot"


@app.command()
def recording(
    file: Annotated[Path, typer.Argument(help="Lines of '<local UNIX ns> <json>', gzip or plain.")],
    market: Annotated[MarketName, typer.Option(help="Market the streams come from.")],
    symbol: Annotated[str, typer.Option(help="Symbol as the venue writes it, BTCUSDT.")],
    catalog: CatalogOption = Path("data/catalog"),
    from_deltas_alone: Annotated[
        bool, typer.Option("--from-deltas-alone", help="Build the book without a snapshot; grade C at best.")
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Ingest a raw WebSocket recording.

    Example: python -m runners ingest recording btc.gz --market usdm --symbol BTCUSDT --catalog data/catalog
    """
    if not file.is_file():
        raise DataError(f"there is no file {file}.")
    from catalog.recording.ingest import ingest_recording  # noqa: PLC0415

    with progress_bar(f"reading {file.name}", file.stat().st_size) as advance:
        done = ingest_recording(
            file,
            market=market.value,
            symbol=symbol.upper(),
            catalog=catalog,
            from_deltas_alone=from_deltas_alone,
            on_bytes=advance,
        )
    for warning in done.warnings:
        typer.echo(f"warning: {warning}.", err=True)
    typer.echo(_as_json(done) if as_json else _as_text(done, catalog))


@app.command()
def tardis(
    files: Annotated[list[Path], typer.Argument(help="incremental_book_L2, trades, book_ticker; CSV, plain or gzip.")],
    market: Annotated[MarketName, typer.Option(help="Market the files are of.")],
    symbol: Annotated[str, typer.Option(help="Symbol as the venue writes it, BTCUSDT.")],
    catalog: CatalogOption = Path("data/catalog"),
    as_json: JsonOption = False,
) -> None:
    """Ingest Tardis CSV files; give all kinds of one day together.

    Example: python -m runners ingest tardis book.csv.gz trades.csv.gz ticker.csv.gz --market usdm --symbol BTCUSDT
    """
    from catalog.tardis.ingest import ingest_tardis  # noqa: PLC0415 (only this command needs it)

    missing = [file for file in files if not file.is_file()]
    if missing:
        raise DataError(f"there is no file {missing[0]}.")
    with progress_bar(f"reading {len(files)} files", sum(file.stat().st_size for file in files)) as advance:
        done = ingest_tardis(files, market=market.value, symbol=symbol.upper(), catalog=catalog, on_bytes=advance)
    for warning in done.warnings:
        typer.echo(f"warning: {warning}.", err=True)
    typer.echo(_as_json(done) if as_json else _as_text(done, catalog))


@app.command()
def sample(
    catalog: CatalogOption = Path("data/sample"),
    seed: Annotated[int, typer.Option(min=0, help="Seed of the generator.")] = 7,
    minutes: Annotated[int, typer.Option(min=1, help="Length of the sample.")] = 60,
    funding_at_minute: Annotated[int | None, typer.Option(help="Minute at which funding is settled.")] = None,
    as_json: JsonOption = False,
) -> None:
    """Generate a synthetic order book; it shows the machinery and says nothing about profit.

    Example: python -m runners ingest sample --seed 7 --minutes 60 --catalog data/sample
    """
    from pydantic import ValidationError  # noqa: PLC0415

    from catalog.recording.ingest import Ingested  # noqa: PLC0415
    from catalog.sample import INSTRUMENT_ID, SampleSpec, generate  # noqa: PLC0415 (only this command needs it)
    from catalog.store import Catalog  # noqa: PLC0415

    try:
        spec = SampleSpec(seed=seed, minutes=minutes, funding_at_minute=funding_at_minute)
    except ValidationError as error:
        raise UsageError(f"the sample cannot be made: {error.errors()[0]['msg']}.") from error
    with progress_bar(f"generating {minutes} minutes", 1.0) as advance:
        generate(spec, catalog, advance)
    done = Ingested(True, INSTRUMENT_ID, tuple(Catalog(catalog).certificates(INSTRUMENT_ID)), ())
    typer.echo(_as_json(done) if as_json else _as_text(done, catalog))


def _as_json(done: Ingested) -> str:
    out = {
        "new": done.new,
        "instrument_id": done.instrument_id,
        "warnings": list(done.warnings),
        "certificates": [certificate.model_dump(mode="json") for certificate in done.certificates],
    }
    return json.dumps(out, indent=1)


def _as_text(done: Ingested, catalog: Path) -> str:
    if not done.new:
        return f"{done.instrument_id} of this file is in {catalog} already: nothing to do."
    lines = []
    for certificate in done.certificates:
        measures = certificate.measures
        counts = f"{measures.deltas:,} deltas, {measures.trades:,} trades, {measures.quotes:,} quotes"
        lines.append(f"{certificate.instrument_id} {certificate.day}: grade {certificate.grade}, {counts}")
        lines += [f"  {reason}" for reason in certificate.reasons]
    offsets = {source.clock_offset_ns for c in done.certificates for source in c.sources if source.clock_offset_ns}
    lines += [f"the recorder's clock was corrected by {offset / 1e6:+.3f} ms" for offset in sorted(offsets)]
    return "\n".join(lines)


if __name__ == "__main__":
    run(app, prog="python -m runners.ingest")
