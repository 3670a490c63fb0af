"""Trust marks: where the data, the latency and the fees came from, and what was waived."""

from __future__ import annotations

from monitoring.report.models import TrustMark
from monitoring.report.run import Latency, Manifest

GOOD_GRADES = frozenset("AB")
WOULD_BE = {
    "shadow": "nothing was sent: would-be orders with would-be fills, no reaction of the market",
    "paper": "nothing was sent: live data, a simulated ledger, no reaction of the market",
}
"""Modes whose fills no venue has seen."""
SHOWN_HASH = 12
"""Digits of a hash that a person compares; `summary.json` has all of them."""


def trust_marks(manifest: Manifest) -> list[TrustMark]:
    """List the marks in the order in which a page shows them."""
    marks = [_mark("Data", manifest.data_source)]
    if manifest.synthetic:
        marks.insert(0, _mark("SYNTHETIC", "generated market: shows the machinery, says nothing about profit", "bad"))
    marks += [
        _mark("Fidelity", manifest.fidelity, "plain" if manifest.fidelity == "l2" else "warn"),
        _certificates(manifest),
        _mark("Warm-up", f"{manifest.warmup_secs:g} s", "plain" if manifest.warmup_secs > 0 else "warn"),
        _mark("Latency", _latency(manifest.latency)),
        _mark("Fees", _fees(manifest)),
        *[_mark("Edge check waived", f"{w.strategy_id}: {w.reason}", "warn") for w in manifest.waived],
        _mark("Config", manifest.config_hash[:SHOWN_HASH]),
        _mark("Code", manifest.code_version),
    ]
    if manifest.mode in WOULD_BE:
        marks.insert(0, _mark(manifest.mode.upper(), WOULD_BE[manifest.mode], "bad"))
    if manifest.status != "completed":
        marks.insert(0, _mark("Status", manifest.status, "bad"))
    return marks


def _certificates(manifest: Manifest) -> TrustMark:
    if not manifest.certificates:
        return _mark("Certificates", "none", "bad")
    grades = sorted({c.grade for c in manifest.certificates})
    days = f"{len(manifest.certificates)} instrument-day{'' if len(manifest.certificates) == 1 else 's'}"
    level = "plain" if set(grades) <= GOOD_GRADES else "warn"
    return _mark("Certificates", f"{days}, grade {', '.join(grades)}", level)


def _latency(latency: Latency) -> str:
    figures = [("insert", latency.insert_ms), ("cancel", latency.cancel_ms)]
    known = ", ".join(f"{name} {ms:g} ms" for name, ms in figures if ms is not None)
    return f"{known or 'sampled'} ({latency.source})"


def _fees(manifest: Manifest) -> str:
    rates = [("maker", manifest.fees.maker_bps), ("taker", manifest.fees.taker_bps)]
    known = ", ".join(f"{name} {bps:g} bps" for name, bps in rates if bps is not None)
    return f"{known or 'not recorded'} ({manifest.fees.source})"


def _mark(label: str, text: str, level: str = "plain") -> TrustMark:
    return TrustMark(label=label, text=text, level=level)
