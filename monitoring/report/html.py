"""Write `report.html`: one file, no network, tables that need no script, pictures by plotly."""

from __future__ import annotations

import base64
import gzip
import html
import json
from collections.abc import Sequence
from functools import partial
from itertools import batched, groupby
from pathlib import Path

import plotly
from plotly.io.json import to_json_plotly

from monitoring.report.book_source import read_levels
from monitoring.report.figures.book_section import BookReader
from monitoring.report.figures.sections import sections
from monitoring.report.figures.style import Section
from monitoring.report.models import Summary
from monitoring.report.run import Run, load
from monitoring.report.tables import doubts, halted, traded, trust, verdict
from monitoring.report.terminal import watermarks
from monitoring.report.trust import WOULD_BE

ASSETS = Path(__file__).parent / "page"
LIBRARY = Path(plotly.__file__).parent / "package_data" / "plotly.min.js"


def write_html(run_dir: Path, summary: Summary) -> Path:
    """Write the page beside the run's tables and return its path.

    Equal runs give equal pages: nothing in it depends on the clock or on chance.
    """
    path = run_dir / "report.html"
    run = load(run_dir)
    read = None if run.manifest.catalog is None else partial(read_levels, Path(run.manifest.catalog))
    path.write_text(page(run, summary, read), encoding="utf-8", newline="\n")
    return path


def page(run: Run, summary: Summary, read: BookReader | None = None) -> str:
    """Text of the whole page; `read` gives the book for the heat map."""
    found = sections(run, summary, read)
    figures = {s.key: json.loads(to_json_plotly(s.figure)) for s in found if s.figure is not None}
    parts = {
        "title": html.escape(f"{summary.run_id}"),
        "style": _asset("page.css"),
        "body": ' class="synthetic"' if watermarks(summary) else "",
        "watermark": _watermark(summary),
        "head": traded(run) + trust(summary) + halted(summary) + verdict(summary) + doubts(summary),
        "main": _body(found),
        "figures": pack(json.dumps(figures, separators=(",", ":")).encode()),
        "library": pack(LIBRARY.read_bytes()),
        "script": _asset("page.js"),
    }
    text = _asset("page.html")
    for name, value in parts.items():
        text = text.replace("{{" + name + "}}", value)
    return text


def pack(content: bytes) -> str:
    """Gzip without a time stamp, then base64: what the page unpacks by `DecompressionStream`."""
    return base64.b64encode(gzip.compress(content, 9, mtime=0)).decode("ascii")


def _watermark(summary: Summary) -> str:
    """Ribbon and big letters: a mode without real fills gives the letters, a generated market its sentence beside it."""
    words = watermarks(summary)
    if not words:
        return ""
    said = [f"{summary.mode.upper()}: {WOULD_BE[summary.mode]}"] if summary.mode in WOULD_BE else []
    said += ["SYNTHETIC market: shows the machinery, says nothing about profit"] if summary.synthetic else []
    return (
        f'<div class="ribbon">{html.escape(" · ".join(said))}</div>'
        f'<div class="watermark" aria-hidden="true"><span>{words[-1]}</span></div>'
    )


def _body(found: Sequence[Section]) -> str:
    rows = []
    for half, group in groupby(found, key=lambda section: section.half):
        blocks = [_section(section) for section in group]
        rows += [f'<div class="pair">{"".join(pair)}</div>' for pair in batched(blocks, 2)] if half else blocks
    return "\n".join(rows)


def _section(section: Section) -> str:
    title = html.escape(section.title)
    parts = [f'<section id="{html.escape(section.key)}"><h2>{title}</h2>']
    parts += [f'<p class="caption">{html.escape(section.caption)}</p>'] if section.caption else []
    if section.figure is not None:
        key, height = html.escape(section.key), section.height
        parts.append(
            f'<div class="plot" data-figure="{key}" style="height:{height}px" role="img" aria-label="{title}"></div>'
        )
    parts += [section.table] if section.table else []
    parts += [f'<p class="note">{html.escape(section.note)}</p>'] if section.note else []
    return "".join([*parts, "</section>"])


def _asset(name: str) -> str:
    return (ASSETS / name).read_text(encoding="utf-8")
