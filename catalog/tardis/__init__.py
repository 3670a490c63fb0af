"""Tardis CSV files (``incremental_book_L2``, ``trades``, ``book_ticker``; plain or gzip) into the catalog."""
