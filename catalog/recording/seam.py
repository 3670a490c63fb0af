"""Where one recording ends and the next begins.

Each file has its own clock correction. When the later file's is smaller, its first lines seem to come before the last ones
of the file before, though the recorder received them after. They are lifted to just behind it, as a receipt time that goes
back within a file is.
"""

from __future__ import annotations

from pathlib import Path

from catalog.files import MARKER, day_of, instrument_of, list_data
from catalog.store import Catalog

LONGEST_LIFT_NS = 5_000_000_000


def earliest_after(catalog: Path, instrument_id: str, first_received: int, first_corrected: int) -> int | None:
    """Return the time to which the beginning of a recording must be lifted, None when it stays.

    Parameters
    ----------
    first_received, first_corrected
        Receipt time of the first line, ns, before and after the clock correction.

    Returns
    -------
    int or None
        None as well when the receipt times overlap really, or by more than ``LONGEST_LIFT_NS``: that is refused later.
    """
    if not (catalog / MARKER).exists():
        return None
    ends = [file.end_ns for file in list_data(catalog) if instrument_of(file.kind, file.identifier) == instrument_id]
    end = max(ends, default=first_corrected - 1)
    if not 0 <= end - first_corrected < LONGEST_LIFT_NS:
        return None
    offsets = [
        source.clock_offset_ns
        for certificate in Catalog(catalog).certificates(instrument_id)
        if certificate.day == day_of(end)
        for source in certificate.sources
    ]
    received_until = end - min(offsets, default=0)
    return end + 1 if first_received > received_until else None
