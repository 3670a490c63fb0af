"""Configurations of a few generated minutes in which every strategy of ours decides something."""

from __future__ import annotations

from pathlib import Path

from tests.runners.configs import GOOD

WAIVED = '{entry_order: market, edge: {waived: "a test of the machinery"}, max_open_entries: 4}'
STRATEGIES = {
    "order_flow": ("strategies.order_flow:OrderFlow", "{order_notional_quote: 500, imbalance_entry: 0.2}"),
    "avellaneda_stoikov": (
        "strategies.avellaneda_stoikov:AvellanedaStoikov",
        "{order_notional_quote: 500, risk_aversion: 0.01, horizon_secs: 30, requote_ticks: 50, decide_every_ms: 1000}",
    ),
    "breakout": (
        "strategies.breakout:Breakout",
        "{bar_secs: 5, channel_bars: 3, volume_bars: 3, volume_ratio: 0, atr_bars: 3}",
    ),
    "mean_reversion": (
        "strategies.mean_reversion:MeanReversion",
        "{bar_secs: 5, ema_bars: 5, adx_bars: 3, max_adx: 100, z_entry: 0.5, z_exit: 0.1, max_hold_secs: 20}",
    ),
}


def short(
    folder: Path,
    cls: str,
    params: str,
    *,
    minutes: int = 5,
    warmup_secs: int = 30,
    policy: str = WAIVED,
    more: str = "",
) -> Path:
    """Write a configuration of one strategy."""
    old = GOOD[GOOD.index("strategies:") : GOOD.index("risk:")]
    head = f'strategies:\n  - id: one\n    order_id_tag: "001"\n    class: {cls}\n'
    entry = f"{head}    params: {params}\n    policy: {policy}\n{more}"
    text = GOOD.replace(old, entry).replace("minutes: 2", f"minutes: {minutes}")
    path = folder / "short.yaml"
    path.write_text(text.replace("warmup_secs: 10", f"warmup_secs: {warmup_secs}"), encoding="utf-8")
    return path
