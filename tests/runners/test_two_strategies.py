"""Two strategies on one symbol: one account, two results."""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from runners import backtest
from runners._cli import run

CONFIG = Path(__file__).resolve().parents[2] / "backtest_configs" / "btc_two.yaml"


def ran(samples: Path, out: Path) -> Path:
    """Run the first minutes of the shipped configuration."""
    changes = ["data.sample={minutes: 5, funding_at_minute: 3}", "data.warmup_secs=30", "venue.queue=conservative"]
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(samples)
        with pytest.raises(SystemExit) as caught:
            run(backtest.app, [str(CONFIG), "--output", str(out), *(a for c in changes for a in ("--set", c))])
    assert caught.value.code == 0
    return out


@pytest.fixture(scope="module")
def place(samples: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run directory."""
    return ran(samples, tmp_path_factory.mktemp("two") / "run")


@pytest.mark.req("B-6")
def test_the_same_run_repeats_although_the_engine_serves_subscribers_in_random_order(
    samples: Path, place: Path, tmp_path: Path
) -> None:
    for number in range(3):
        again = ran(samples, tmp_path / str(number))
        for name in ("orders", "fills", "order_events", "refusals"):
            path = Path("conservative") / f"{name}.parquet"
            assert (again / path).read_bytes() == (place / path).read_bytes(), name


@pytest.mark.req("X-7")
def test_each_strategy_has_figures_and_they_add_up_to_the_account(place: Path) -> None:
    bound = json.loads((place / "summary.json").read_text(encoding="utf-8"))["bounds"]["conservative"]
    own = {found["strategy_id"]: found for found in bound["strategies"]}
    assert set(own) == {"flow-1", "quotes-1"}
    assert all(found["fills"] > 0 for found in own.values())
    assert sum(found["fills"] for found in own.values()) == bound["fills"]
    for key in ("spread", "markout", "inventory", "fees", "funding"):
        assert sum(found["waterfall"][key] for found in own.values()) == pytest.approx(
            bound["waterfall"][key], abs=3e-8
        )
    assert sum(found["waterfall"]["net"] for found in own.values()) == pytest.approx(bound["net_pnl"], abs=3e-8)
    assert bound["residual"] == 0


def test_the_fills_of_both_fold_into_the_accounts_net_position(place: Path) -> None:
    net = Decimal(0)
    rows = pq.read_table(place / "conservative" / "fills.parquet").to_pylist()
    for row in rows:
        net += row["quantity"] if row["side"] == "BUY" else -row["quantity"]
        assert row["position_after"] == net
    account = json.loads((place / "conservative" / "account.json").read_text(encoding="utf-8"))
    held = account["positions"].get("BTCUSDT-PERP.BINANCE", {"quantity": "0"})
    assert Decimal(held["quantity"]) == net


@pytest.mark.req("R-14")
def test_no_reduce_only_order_is_sent_that_the_venue_would_have_to_reject(place: Path) -> None:
    """Walk orders and fills together: a flagged order never exceeds the account's position on its side when it is sent."""
    fills = pq.read_table(place / "conservative" / "fills.parquet").to_pylist()
    orders = pq.read_table(place / "conservative" / "orders.parquet").to_pylist()
    flagged = [order for order in orders if order["reduce_only"]]
    assert flagged
    for order in flagged:
        before = [row for row in fills if row["ts_ns"] <= order["ts_ns"]]
        net = before[-1]["position_after"] if before else Decimal(0)
        covered = -net if order["side"] == "BUY" else net
        assert order["quantity"] <= covered
