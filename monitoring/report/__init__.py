"""The report: one implementation of every number, for backtest, paper and live.

`load` a run directory, `summarise` it, show it with `terminal` and `write_html`.
"""

from __future__ import annotations

from monitoring.report.html import write_html
from monitoring.report.models import Summary
from monitoring.report.run import Run, load
from monitoring.report.summarise import equity_table, summarise
from monitoring.report.terminal import terminal

__all__ = [
    "Run",
    "Summary",
    "equity_table",
    "load",
    "summarise",
    "terminal",
    "write_html",
]
