"""Any Nautilus strategy: configured by import path, guarded, and what is refused."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from nautilus_trader.model import InstrumentId

from errors import ConfigError
from runners.config import Trust, load_backtest
from runners.foreign import build_config
from tests.engine import FREE, IID, MAKER, Entry, Ran, quiet, quote, run
from tests.runners.configs import GOOD, written

PLAIN = "tests.runners.plain"
IDS = 14


def plain(script: str, *, policy: Any = FREE, cls: str = "Plain", **params: Any) -> Entry:
    """A plain strategy that does what the script says."""
    values = {"instrument_id": str(IID), "size": "0.100", "script": script} | params
    return Entry("plain", f"{PLAIN}:{cls}", params=values, policy=policy, config_class=f"{PLAIN}:PlainConfig")


def ran(script: str, **more: Any) -> Ran:
    return run([plain(script, **more)], quiet(30))


def ended(result: Ran) -> list[tuple[str, str, str]]:
    return [(row["order_type"], row["side"], row["status"]) for row in result.rows("orders")]


@pytest.mark.req("R-12", "O-1")
@pytest.mark.parametrize(
    ("helper", "orders"),
    [
        ("market", ["MARKET"]),
        ("limit", ["LIMIT"]),
        ("stop_market", ["STOP_MARKET"]),
        ("stop_limit", ["STOP_LIMIT"]),
        ("market_to_limit", ["MARKET_TO_LIMIT"]),
        ("market_if_touched", ["MARKET_IF_TOUCHED"]),
        ("limit_if_touched", ["LIMIT_IF_TOUCHED"]),
        ("trailing_stop_market", ["TRAILING_STOP_MARKET"]),
        ("trailing_stop_limit", ["TRAILING_STOP_LIMIT"]),
        ("bracket", ["MARKET", "STOP_MARKET", "LIMIT"]),
        ("list", ["MARKET", "MARKET"]),
    ],
)
def test_every_order_helper_passes_the_gate_with_an_id_of_ours(helper: str, orders: list[str]) -> None:
    result = ran(f"market {helper}")
    assert result.faults.first is None, result.faults.where
    rows = result.rows("orders")
    assert [row["order_type"] for row in rows] == ["MARKET", *orders]
    ids = [row["client_order_id"] for row in rows]
    assert len(set(ids)) == len(ids)
    assert all(len(found) == IDS and found.startswith("bt") for found in ids)
    assert set(result.venue_orders) == set(ids)
    assert result.package.services.gate.halted is None


@pytest.mark.req("B-7")
def test_a_subscription_that_the_data_cannot_serve_ends_the_run_with_a_sentence() -> None:
    deaf = run([plain("market", cls="Quoted")], quiet(30), replayed=True)
    assert "plain subscribes to quotes: run it with data.fidelity l1_trades" in str(deaf.faults.first)
    blind = run([plain("market")], [quote(1000, 100.0, 100.1)], from_quotes=True, replayed=True)
    assert "plain needs depth: run it with data.fidelity l2" in str(blind.faults.first)


@pytest.mark.req("R-12")
@pytest.mark.parametrize("close", ["close", "close_all", "exit"])
def test_every_close_helper_closes_reduce_only_through_the_gate(close: str) -> None:
    result = ran(f"market nothing {close}")
    assert [(row["side"], row["reduce_only"], row["source"]) for row in result.rows("orders")] == [
        ("BUY", False, "strategy"),
        ("SELL", True, "close"),
    ]
    assert result.net == 0


@pytest.mark.parametrize("cancel", ["cancel", "cancel_list", "cancel_all"])
def test_every_cancel_helper_cancels(cancel: str) -> None:
    assert ended(ran(f"limit nothing {cancel}")) == [("LIMIT", "BUY", "CANCELED")]


@pytest.mark.req("R-12")
@pytest.mark.parametrize("modify", ["modify", "modify_all"])
def test_a_modification_is_refused_and_the_strategy_is_told(modify: str) -> None:
    result = ran(f"limit nothing {modify}")
    assert [row["detail"] for row in result.rows("refusals")] == [
        "orders are not modified: cancel it and send a new one"
    ]
    assert "OrderModifyRejected" in result.strategy.told


@pytest.mark.req("O-1")
def test_an_order_built_by_hand_with_the_engines_own_id_never_reaches_the_venue() -> None:
    result = ran("own_id")
    assert [row["reason"] for row in result.rows("refusals")] == ["id_form"]
    assert result.venue_orders == {}
    assert result.strategy.told == ["OrderDenied"]


@pytest.mark.req("R-12")
def test_calling_the_engines_method_past_the_gate_ends_the_run_and_sends_nothing() -> None:
    result = ran("past")
    assert "UngatedOrder('Plain.submit_order without a gate')" in result.faults.where
    assert result.venue_orders == {}


@pytest.mark.req("R-7")
def test_a_plain_strategy_is_gated_by_its_policy() -> None:
    result = ran("market", policy=MAKER)
    assert [row["reason"] for row in result.rows("refusals")] == ["order_type"]
    assert result.venue_orders == {}


def test_text_becomes_what_the_config_class_asks_for() -> None:
    config: Any = build_config(plain("market"), trusted=True)
    assert config.instrument_id == InstrumentId.from_str("BTCUSDT-PERP.BINANCE")
    assert str(config.size) == "0.100"
    assert (str(config.strategy_id), config.order_id_tag) == ("plain-001", "001")


def test_a_config_class_that_passes_no_name_on_is_given_one() -> None:
    entry = Entry("quiet", f"{PLAIN}:Bare", params={"offset": 0.5}, config_class=f"{PLAIN}:NamelessConfig")
    config: Any = build_config(entry, trusted=True)
    assert (config.offset, str(config.strategy_id)) == (Decimal("0.5"), "quiet-001")


def test_a_strategy_without_a_config_class_gets_the_engines_own() -> None:
    result = run([Entry("bare", f"{PLAIN}:Bare")], quiet(5))
    assert result.strategy.started
    assert str(result.strategy.strategy_id) == "bare-001"


REFUSED = {
    "an execution algorithm": (f"{PLAIN}:Slicer", "", "is an execution algorithm: its orders and exits pass no gate"),
    "a built-in": ("nautilus_trader.trading:EmaCrossConfig", "", "is built into NautilusTrader"),
    "the engine's base class": ("nautilus_trader.trading:Strategy", "", "is built into NautilusTrader"),
    "no strategy": ("json:JSONDecoder", "", "not a Python subclass of nautilus_trader.trading.Strategy"),
    "manage_stop": (f"{PLAIN}:Bare", "params: {manage_stop: true}", "manage_stop makes the engine send orders past"),
    "contingent orders": (f"{PLAIN}:Bare", "params: {manage_contingent_orders: true}", "manage_contingent_orders"),
    "expiry": (f"{PLAIN}:Bare", "params: {manage_gtd_expiry: true}", "manage_gtd_expiry makes"),
    "an id of its own": (f"{PLAIN}:Bare", "params: {strategy_id: mine}", r"params\.strategy_id is set from the entry"),
    "a parameter that is none": (f"{PLAIN}:Bare", "params: {treshold: 1}", r":21: params\.treshold is not a parameter"),
    "a config class that is none": (
        f"{PLAIN}:Plain", "config_class: json:JSONDecoder", ":21: config_class 'json:JSONDecoder' is not a subclass"
    ),
    "a config class that is not there": (
        f"{PLAIN}:Plain", f"config_class: {PLAIN}:Nothing", ":21: config_class: .* has no 'Nothing'"
    ),
    "a value that cannot be read": (
        f"{PLAIN}:Plain",
        f"config_class: {PLAIN}:PlainConfig\n    params: {{instrument_id: BTCUSDT, size: '1.000'}}",
        r":22: params\.instrument_id is 'BTCUSDT', which is no InstrumentId",
    ),
    "a missing value": (
        f"{PLAIN}:Plain", f"config_class: {PLAIN}:PlainConfig\n    params: {{size: '1.000'}}", "params do not fit PlainConfig"
    ),
    "a config class for one of ours": (
        "strategies.order_flow:OrderFlow", f"config_class: {PLAIN}:PlainConfig", "leave config_class out"
    ),
}  # fmt: skip


def with_class(folder: Path, path: str, more: str) -> Path:
    old = "    class: strategies.order_flow:OrderFlow\n    params:\n      order_notional_quote: 500\n"
    assert old in GOOD
    return written(
        folder, (old, f"    class: {path}\n    policy: {{entry_order: market, edge: {{waived: test}}}}\n    {more}\n")
    )


@pytest.mark.req("R-12")
@pytest.mark.parametrize(("path", "more", "sentence"), REFUSED.values(), ids=REFUSED.keys())
def test_config_refuses(tmp_path: Path, path: str, more: str, sentence: str) -> None:
    with pytest.raises(ConfigError, match=sentence) as caught:
        load_backtest(with_class(tmp_path, path, more), trust=Trust(everything=True))
    assert len(str(caught.value).splitlines()) == 1


def test_foreign_code_needs_trust_code_and_its_place_is_noted(tmp_path: Path) -> None:
    more = f"config_class: {PLAIN}:PlainConfig\n    params: {{instrument_id: {IID}, size: '0.010'}}"
    path = with_class(tmp_path, f"{PLAIN}:Plain", more)
    with pytest.raises(ConfigError, match="--trust-code"):
        load_backtest(path)
    marks = load_backtest(path, trust=Trust(everything=True)).code
    assert [(mark.path, mark.origin, mark.file) for mark in marks] == [
        (f"{PLAIN}:Plain", "outside", "tests/runners/plain.py"),
        (f"{PLAIN}:PlainConfig", "outside", "tests/runners/plain.py"),
    ]
    assert all(len(mark.sha256) == 64 for mark in marks)


@pytest.mark.parametrize(
    ("cls", "sentence"),
    [("Silent", "Silent does not hand its config to Strategy.__init__"), ("Nothing", "has no 'Nothing'")],
)
def test_the_wiring_refuses_by_name(cls: str, sentence: str) -> None:
    with pytest.raises(ConfigError, match=f"strategy plain: .*{sentence}"):
        run([Entry("plain", f"{PLAIN}:{cls}")], quiet(2))
