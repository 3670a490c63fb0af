"""`catalog`: what is in a catalog, and how good it is."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.table import Table

from errors import CorruptData, InstrumentMissing
from runners._cli import new_app, run
from runners._progress import progress_bar

if TYPE_CHECKING:  # the readers take half a second to import, --help needs none of them
    from catalog.certificate import Certificate
    from catalog.store import Catalog

app = new_app("List, show, verify or remove what is in a catalog.", no_args_is_help=True)

CatalogOption = Annotated[Path, typer.Option("--catalog", help="Catalog folder.")]
JsonOption = Annotated[bool, typer.Option("--json", help="Print the result as JSON.")]
DEFAULT = Path("data/catalog")
FILE_WIDTH = 160


@app.command(name="list")
def list_(catalog: CatalogOption = DEFAULT, as_json: JsonOption = False) -> None:
    """List instruments and days with their grades.

    Example: python -m runners catalog list --catalog data/catalog
    """
    certificates = list(_certificates(_open(catalog)))
    if as_json:
        typer.echo(json.dumps([_row(certificate) for certificate in certificates], indent=1))
        return
    table = Table("instrument", "day (UTC)", "grade", "deltas", "trades", "quotes", "others", "gaps", "source")
    for certificate in certificates:
        table.add_row(*(_cell(value) for value in _row(certificate).values()))
    screen = Console()
    (screen if screen.is_terminal else Console(width=FILE_WIDTH)).print(table)


@app.command()
def show(
    instrument: Annotated[str, typer.Argument(help="Instrument id, BTCUSDT-PERP.BINANCE.")],
    catalog: CatalogOption = DEFAULT,
    day: Annotated[str | None, typer.Option(help="Only this UTC day, YYYY-MM-DD.")] = None,
    as_json: JsonOption = False,
) -> None:
    """Show an instrument's certificates in full.

    Example: python -m runners catalog show BTCUSDT-PERP.BINANCE --catalog data/catalog
    """
    store = _open(catalog)
    store.instrument(instrument)
    found = [certificate for certificate in store.certificates(instrument) if day in (None, certificate.day)]
    if not found:
        raise InstrumentMissing(f"{catalog} holds no certificate of {instrument}{f' on {day}' if day else ''}.")
    if as_json:
        typer.echo(json.dumps([certificate.model_dump(mode="json") for certificate in found], indent=1))
        return
    for certificate in found:
        _print(certificate)


@app.command()
def verify(
    instrument: Annotated[str | None, typer.Argument(help="Only this instrument id.")] = None,
    catalog: CatalogOption = DEFAULT,
    as_json: JsonOption = False,
) -> None:
    """Read everything again and compare it with the certificates; exit code 3 when something is wrong.

    Example: python -m runners catalog verify --catalog data/catalog
    """
    from catalog import maintenance  # noqa: PLC0415

    store = _open(catalog)
    names = [instrument] if instrument else store.instrument_ids()
    problems = []
    with progress_bar("verifying", len(names)) as advance:
        for done, name in enumerate(names, start=1):
            problems += maintenance.verify(catalog, name)
            advance(done)
    if as_json:
        fields = ("instrument_id", "day", "file", "what")
        typer.echo(json.dumps([{name: getattr(problem, name) for name in fields} for problem in problems], indent=1))
    for problem in problems if not as_json else []:
        typer.echo(f"{problem.instrument_id} {problem.day} {problem.file}: {problem.what}")
    if problems:
        raise CorruptData(f"{len(problems)} problem(s) in {catalog}: remove these days and ingest them again.")
    if not as_json:
        typer.echo(f"{catalog}: {len(names)} instrument(s) verified, no problem.")


@app.command()
def remove(
    instrument: Annotated[str, typer.Argument(help="Instrument id, BTCUSDT-PERP.BINANCE.")],
    catalog: CatalogOption = DEFAULT,
    day: Annotated[str | None, typer.Option(help="Only this UTC day, YYYY-MM-DD.")] = None,
    as_json: JsonOption = False,
) -> None:
    """Remove an instrument, or one day of it.

    Example: python -m runners catalog remove BTCUSDT-PERP.BINANCE --day 2024-08-08 --catalog data/catalog
    """
    from catalog import maintenance  # noqa: PLC0415

    files = maintenance.remove(catalog, instrument, day)
    what = f"{instrument}{f' {day}' if day else ''}"
    typer.echo(json.dumps(files, indent=1) if as_json else f"{what}: {len(files)} files removed from {catalog}.")


def _open(path: Path) -> Catalog:
    from catalog.store import Catalog  # noqa: PLC0415

    return Catalog(path)


def _certificates(store: Catalog) -> Iterator[Certificate]:
    for instrument_id in store.instrument_ids():
        yield from store.certificates(instrument_id)


def _row(certificate: Certificate) -> dict[str, str | int]:
    measures = certificate.measures
    return {
        "instrument": certificate.instrument_id,
        "day": certificate.day,
        "grade": certificate.grade.value,
        "deltas": measures.deltas,
        "trades": measures.trades,
        "quotes": measures.quotes,
        "others": measures.others,
        "gaps": measures.gaps,
        "source": "SYNTHETIC" if certificate.synthetic else ", ".join(source.name for source in certificate.sources),
    }


def _cell(value: str | int) -> str:
    return f"{value:,}" if isinstance(value, int) else value


def _print(certificate: Certificate) -> None:
    origin = "SYNTHETIC" if certificate.synthetic else "recorded"
    typer.echo(f"{certificate.instrument_id} {certificate.day}  grade {certificate.grade}  {origin}")
    for reason in certificate.reasons:
        typer.echo(f"  {reason}")
    for name, value in certificate.measures.model_dump().items():
        typer.echo(f"  {name:<24}{value}")
    for source in certificate.sources:
        offset = f"clock {source.clock_offset_ns / 1e6:+.3f} ms"
        typer.echo(f"  source {source.name} ({source.kind}, {source.id}, {offset})")


if __name__ == "__main__":
    run(app, prog="python -m runners.catalog")
