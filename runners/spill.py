"""Rows that a long session collects and nobody reads before its end: on disk meanwhile, so that memory stays flat."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa


class Spill:
    """Record batches of one schema by name, each name in a file of its own.

    Parameters
    ----------
    folder
        Of the files; made, and emptied of what a session has left that did not come to its end.
    schema
        Of every batch.
    """

    def __init__(self, folder: Path, schema: pa.Schema) -> None:
        self._folder, self._schema = folder, schema
        self._open: dict[str, tuple[pa.OSFile, pa.RecordBatchStreamWriter]] = {}
        folder.mkdir(parents=True, exist_ok=True)
        for left in folder.glob("*.arrow"):
            left.unlink()

    def _path(self, name: str) -> Path:
        return self._folder / f"{name}.arrow"

    def add(self, name: str, batch: pa.RecordBatch) -> None:
        """Write a batch behind those of its name.

        Raises
        ------
        OSError
            When the disk does not take it.
        """
        if name not in self._open:
            sink = pa.OSFile(str(self._path(name)), "wb")
            self._open[name] = sink, pa.ipc.new_stream(sink, self._schema)
        self._open[name][1].write_batch(batch)

    def take(self) -> dict[str, list[pa.RecordBatch]]:
        """Read everything back by name, in the order in which it was added; the files are gone then."""
        found = {}
        for name, (sink, writer) in self._open.items():
            writer.close()
            sink.close()
            with pa.OSFile(str(self._path(name)), "rb") as source:
                found[name] = list(pa.ipc.open_stream(source))
            self._path(name).unlink()
        self._open.clear()
        return found
