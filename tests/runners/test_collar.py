"""R-9: a collar that no price could be inside is a mistake in the file, found before anything runs."""

from __future__ import annotations

from pathlib import Path

import pytest

from errors import ConfigError
from runners.collar import check_collar
from runners.config import Trust, load_backtest
from runners.market import open_market

BTC = Path(__file__).resolve().parents[2] / "backtest_configs" / "btc.yaml"


@pytest.mark.req("R-9")
@pytest.mark.parametrize(("bps", "wrong"), [("0.016", True), ("0.017", False)])
def test_a_collar_narrower_than_a_tick_names_file_line_and_the_least_width(
    in_samples: Path, tmp_path: Path, bps: str, wrong: bool
) -> None:
    lines = BTC.read_text(encoding="utf-8").replace("\nrisk:", f"\nrisk:\n  throttles: {{collar_mid_bps: {bps}}}")
    path = tmp_path / "btc.yaml"
    path.write_text(lines, encoding="utf-8")
    line = next(n for n, text in enumerate(lines.splitlines(), start=1) if "collar_mid_bps" in text)
    resolved = load_backtest(path, ("data.sample.minutes=32",), Trust())
    market = open_market(resolved.config)
    if not wrong:
        check_collar(resolved, market)
        return
    with pytest.raises(ConfigError, match=rf"btc.yaml:{line}: BTCUSDT-PERP.BINANCE: collar_mid_bps 0.016 is narrower"):
        check_collar(resolved, market)
