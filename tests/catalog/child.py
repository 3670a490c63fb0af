"""An ingest that ends its own process at a named step: ``python -m tests.catalog.child STEP CATALOG``."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from catalog.certificate import Certificate, Measures, Source
from catalog.kinds import Kind
from catalog.writer import CatalogWriter
from tests.catalog.samples import MIDNIGHT, PERP, PERP_ID, book_over_midnight, quotes, trades

DIED = 137


def ingest(path: Path, where: str = "never") -> None:
    """Add seven deltas, five trades, a quote and a certificate; die at `where`."""

    def die(name: str) -> None:
        if name == where:
            os._exit(DIED)

    source = Source(id="two", kind="import", name="two")
    measures = Measures(start_ns=MIDNIGHT - 20, end_ns=MIDNIGHT + 7, trades=5, lines=5)
    with CatalogWriter(path, die).transaction("two") as transaction:
        transaction.add(PERP, Kind.DELTAS, book_over_midnight())
        transaction.add(PERP, Kind.TRADES, trades([MIDNIGHT + i for i in range(5)]))
        transaction.add(PERP, Kind.QUOTES, quotes([MIDNIGHT + 3]))
        die("body")
        transaction.certificate(Certificate.issue(PERP_ID, "2024-08-09", measures, (source,)))


if __name__ == "__main__":
    ingest(Path(sys.argv[2]), sys.argv[1])
