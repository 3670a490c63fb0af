"""The parts of shadow and paper, worked by hand: funding times, payments, the ledger, the sandbox's rules, doubtful fills."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from errors import CorruptData
from runners.config import load_live
from runners.latency import plan_latency
from runners.live.funding import Due, FundingClock, payments
from runners.live.ledger import FILE, PaperLedger, read_ledger, write_ledger
from runners.live.sandbox import sandbox_client
from runners.live.suspect import on_arrival_of_another

IID = "BTCUSDT-PERP.BINANCE"
CONFIGS = Path(__file__).parents[3] / "live_configs"
SEC = 1_000_000_000


def fill(ts_ns: int, side: str, quantity: str, strategy: str = "a", **more: Any) -> dict[str, Any]:
    row = {"ts_ns": ts_ns, "side": side, "quantity": Decimal(quantity), "strategy_id": strategy, "instrument_id": IID}
    return row | {"trade_id": f"t{ts_ns}", "client_order_id": f"o{ts_ns}", "liquidity": "MAKER"} | more


def test_funding_falls_due_once_at_the_last_rate_and_the_last_mark_before_it() -> None:
    clock = FundingClock()
    clock.on_mark(8 * SEC, Decimal(100))
    assert clock.on_rate(8 * SEC, Decimal("0.0001"), 10 * SEC) is None
    clock.on_mark(9 * SEC, Decimal(101))
    assert clock.on_rate(9 * SEC, Decimal("0.0002"), 10 * SEC) is None
    clock.on_mark(11 * SEC, Decimal(150))  # after it: not the price of this payment
    assert clock.on_rate(11 * SEC, Decimal("0.0009"), 20 * SEC) == Due(10 * SEC, Decimal("0.0002"), Decimal(101))
    clock.on_mark(12 * SEC, Decimal(151))
    assert clock.on_rate(12 * SEC, Decimal("0.0009"), 20 * SEC) is None
    assert clock.on_rate(20 * SEC, Decimal("0.0009"), 20 * SEC) == Due(20 * SEC, Decimal("0.0009"), Decimal(151))
    assert clock.on_rate(21 * SEC, Decimal("0.0009"), 20 * SEC) is None  # the venue has not moved on yet: paid once


def test_a_mark_at_the_very_funding_time_is_the_price() -> None:
    clock = FundingClock()
    clock.on_rate(8 * SEC, Decimal("0.0001"), 10 * SEC)
    clock.on_mark(9 * SEC, Decimal(101))
    clock.on_mark(10 * SEC, Decimal(102))
    assert clock.on_rate(10 * SEC, Decimal("0.0003"), 20 * SEC) == Due(10 * SEC, Decimal("0.0001"), Decimal(102))


def test_a_feed_that_was_dead_at_the_funding_time_pays_late_at_the_last_mark() -> None:
    clock = FundingClock()
    clock.on_mark(8 * SEC, Decimal(100))
    clock.on_rate(8 * SEC, Decimal("0.0001"), 10 * SEC)
    clock.on_mark(25 * SEC, Decimal(130))
    assert clock.on_rate(25 * SEC, Decimal("0.0004"), 30 * SEC) == Due(10 * SEC, Decimal("0.0001"), Decimal(100))


def test_a_long_pays_a_short_receives_and_what_was_filled_later_does_not_count() -> None:
    fills = [
        fill(1, "BUY", "0.3"), fill(2, "SELL", "0.1"), fill(3, "SELL", "0.5", "b"), fill(4, "BUY", "1", "flat"),
        fill(5, "SELL", "1", "flat"), fill(11, "BUY", "7"), fill(6, "BUY", "9", instrument_id="ETHUSDT-PERP.BINANCE"),
    ]  # fmt: skip
    due = Due(10, Decimal("0.0001"), Decimal("60000.1"))
    assert payments(fills, IID, due) == [
        ("a", Decimal("0.2"), Decimal("-1.20000200")),  # 0.2 · 60000.1 · 0.0001
        ("b", Decimal("-0.5"), Decimal("3.00000500")),
    ]


def test_what_the_journal_has_let_go_of_is_still_held() -> None:
    earlier = {(IID, "a"): Decimal("0.3"), (IID, "gone"): Decimal(0), ("ETHUSDT-PERP.BINANCE", "a"): Decimal(9)}
    assert payments([fill(2, "SELL", "0.1")], IID, Due(10, Decimal("0.0001"), Decimal("60000.1")), earlier) == [
        ("a", Decimal("0.2"), Decimal("-1.20000200")),
    ]  # fmt: skip


def test_a_ledger_begins_with_the_configured_balance_and_then_goes_its_own_way(tmp_path: Path) -> None:
    assert read_ledger(tmp_path, Decimal(500)) == PaperLedger(first=Decimal(500), equity=Decimal(500))
    write_ledger(tmp_path, PaperLedger(first=Decimal(500), equity=Decimal("487.12345678"), sessions=3))
    found = read_ledger(tmp_path, Decimal(10_000))
    assert (found.first, found.equity, found.sessions) == (Decimal(500), Decimal("487.12345678"), 3)
    (tmp_path / FILE).write_text('{"equity": ', encoding="utf-8")
    with pytest.raises(CorruptData, match="remove it to begin anew with 500 USDT"):
        read_ledger(tmp_path, Decimal(500))


@pytest.mark.req("L-1")
@pytest.mark.parametrize(("queue", "modelled"), [("conservative", True), ("optimistic", False)])
def test_the_sandbox_is_given_the_rules_of_the_base_s_backtest(queue: str, modelled: bool) -> None:
    config = load_live(CONFIGS / "binance_local.yaml", ["mode=paper", f"simulated.queue={queue}"]).config
    assert config.simulated.starting_balance_quote == 10_000  # the base's venue, which says both queues
    latency = plan_latency(config.simulated.venue(config.fees, config.account.leverage))
    client = sandbox_client(config, Decimal("9876.5"), latency)
    assert (client.queue_position, client.liquidity_consumption, client.use_reduce_only) == (modelled, True, True)
    assert (str(client.starting_balances[0]), client.default_leverage) == ("9876.50000000 USDT", Decimal(3))
    assert (latency.insert_ns, latency.cancel_ns) == ((200_000_000,), (200_000_000,))
    assert client.latency_model is not None
    assert (client.book_type.name, client.account_type.name, client.oms_type.name) == ("L2_MBP", "MARGIN", "NETTING")


def test_a_latency_of_the_live_file_puts_the_base_s_away() -> None:
    config = load_live(CONFIGS / "binance_local.yaml", ["mode=shadow", "simulated.latency_file=measured.json"]).config
    assert (config.simulated.latency_ms, config.simulated.latency_file) == (None, "measured.json")


def test_a_maker_fill_on_the_arrival_of_another_order_is_doubtful() -> None:
    orders: list[dict[str, Any]] = [
        {"instrument_id": IID, "client_order_id": "resting", "ts_accepted": 1 * SEC},
        {"instrument_id": IID, "client_order_id": "later", "ts_accepted": 5 * SEC},
        {"instrument_id": IID, "client_order_id": "never", "ts_accepted": None},
    ]
    fills = [
        fill(5 * SEC - 40_000, "BUY", "1", client_order_id="resting"),
        fill(3 * SEC, "BUY", "1", client_order_id="resting"),
        fill(5 * SEC, "BUY", "1", client_order_id="later"),
        fill(5 * SEC + 1, "BUY", "1", client_order_id="other", liquidity="TAKER"),
    ]
    assert on_arrival_of_another(fills, orders) == [f"t{5 * SEC - 40_000}"]
