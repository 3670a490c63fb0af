"""The judge of the crash matrix: independent of everything that it judges.

It reads two files, the venue's ledger (JSON lines) and the journal (SQLite), with the standard library alone, and computes the
verdicts of `docs/recovery.md` 11 to the last unit. ``ledger`` and ``journal`` read, ``facts`` is what the run itself knows,
``verdicts`` judges.
"""
