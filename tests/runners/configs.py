"""A configuration that is right, for tests that make it wrong."""

from __future__ import annotations

from pathlib import Path

GOOD = """\
version: 1
mode: backtest
name: tiny
seed: 7
instruments: [BTCUSDT-PERP.BINANCE]
data:
  sample: {minutes: 2}
  fidelity: l2
  warmup_secs: 10
venue:
  market: usdm
  starting_balance_quote: 10000
  leverage: 3
  fees: {maker_bps: 2.0, taker_bps: 5.0}
  funding: {constant_bps_per_8h: 1.0}
strategies:
  - id: flow-1
    order_id_tag: "001"
    class: strategies.order_flow:OrderFlow
    params:
      order_notional_quote: 500
risk:
  max_order_notional_quote: 1000
  max_position_notional_quote: 2000
  max_daily_loss_quote: 100
  max_drawdown_pct: 5.0
"""


def written(folder: Path, *changes: tuple[str, str]) -> Path:
    """Write `GOOD` with each (old, new) replaced."""
    text = GOOD
    for old, new in changes:
        assert old in text, old
        text = text.replace(old, new)
    path = folder / "tiny.yaml"
    path.write_text(text, encoding="utf-8")
    return path
