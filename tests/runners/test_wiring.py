"""The composition root: what it builds, and what it refuses to build."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from nautilus_trader.common import DataActor
from nautilus_trader.model import Currency, CurrencyPair, Money, Price, Quantity, StrategyId, Symbol
from nautilus_trader.trading import StrategyConfig
from pydantic import Field

from errors import ConfigError
from execution.guard import Guard
from execution.guarding import guard_class
from runners.wiring import Plan, build, params_class
from strategies.base import GuardedStrategy, StrategyParams, StrategySetup
from tests.engine import (
    ETH,
    ETH_IID,
    FREE,
    IID,
    KEY,
    SPOT_IID,
    Entry,
    Setup,
    Stepped,
    entry,
    perpetual,
    plan,
    quiet,
    run,
)


class Params(StrategyParams):
    """Parameters with one bound."""

    levels: int = Field(default=3, ge=1, le=10, description="Levels")


class Parametrised(GuardedStrategy[Params]):
    """Names its own parameters."""


def built(*entries: Entry, **changes: Any) -> Any:
    return build(entries, replace(plan(Setup()), **changes))


@pytest.mark.req("P-2", "R-12")
def test_every_strategy_stands_behind_the_guard_under_its_own_name() -> None:
    package = built(entry(Parametrised, "flow", params={"levels": 5}))
    strategy: Any = package.strategies[0]
    assert isinstance(strategy, Guard)
    assert isinstance(strategy, Parametrised)
    assert type(strategy).__name__ == "Parametrised"
    assert type(strategy).__mro__[2] is Guard  # before the strategy's own class
    assert (strategy.params.levels, strategy.desk.strategy_id, str(strategy.strategy_id)) == (5, "flow", "flow-001")
    assert strategy.services is package.services
    assert strategy.services.gate.policies == {"flow": FREE}


@pytest.mark.req("B-9")
def test_two_packages_share_nothing() -> None:
    one, other = built(entry(Stepped)), built(entry(Stepped))
    assert one.strategies[0] is not other.strategies[0]
    for name in ("gate", "journal", "view", "faults"):
        assert getattr(one.services, name) is not getattr(other.services, name)
    one.services.gate.halt("a test")
    assert other.services.gate.halted is None


@pytest.mark.req("O-1")
def test_the_gate_knows_the_ids_of_its_run() -> None:
    package = built(entry(Stepped), epoch=1, order_tag="h1")
    first = package.strategies[0].desk.next_id()
    assert first.startswith(package.services.gate.id_prefix)
    assert package.services.gate.id_prefix == "h1000001"
    assert first == "h1000001000001"


@pytest.mark.parametrize(
    ("second", "told"),
    [
        ({"name": "a", "order_id_tag": "002"}, "the id 'a'"),
        ({"name": "b", "order_id_tag": "001"}, "the order_id_tag '001'"),
    ],
)
def test_ids_and_tags_may_not_repeat(second: dict[str, str], told: str) -> None:
    with pytest.raises(ConfigError, match=f"two strategies have {told}"):
        built(entry(Stepped, "a"), entry(Stepped, **second))


@pytest.mark.parametrize(
    ("params", "told"),
    [({"levels": 11}, "params.levels: Input should be less than"), ({"level": 1}, "params.level: Extra inputs")],
)
def test_wrong_parameters_name_strategy_and_key(params: dict[str, Any], told: str) -> None:
    with pytest.raises(ConfigError, match=f"strategy flow: {told}"):
        built(entry(Parametrised, "flow", params=params))


class NotAStrategy:
    """Something else."""


class AnActor(DataActor):
    """Cannot trade, and is no strategy."""


@pytest.mark.req("R-12")
@pytest.mark.parametrize("cls", [NotAStrategy, AnActor])
def test_what_is_no_strategy_is_refused(cls: type[Any]) -> None:
    with pytest.raises(ConfigError, match="is not a Python subclass of"):
        built(entry(cls))


@pytest.mark.req("R-12")
def test_built_in_strategies_and_execution_algorithms_are_refused() -> None:
    import nautilus_trader.trading as trading

    names = [
        name
        for name in ("ExecutionAlgorithm", "Controller", "EmaCross", "TwapExecutionAlgorithm")
        if hasattr(trading, name)
    ]
    assert names
    for name in names:
        with pytest.raises(ConfigError):
            built(Entry("x", f"nautilus_trader.trading:{name}"))


@pytest.mark.req("R-12")
@pytest.mark.parametrize("option", ["manage_stop", "manage_contingent_orders", "manage_gtd_expiry"])
def test_engine_options_that_send_past_the_gate_are_refused(option: str) -> None:
    class Own(StrategySetup[Any]):
        def nautilus(self) -> StrategyConfig:
            return StrategyConfig(strategy_id=StrategyId("own-001"), order_id_tag="001", **{option: True})  # type: ignore[arg-type]

    class Managing(Stepped):
        def __new__(cls, setup: Any) -> Any:
            return super().__new__(cls, Own(setup.params, "own", "001", setup.instrument))

        def __init__(self, setup: Any) -> None:
            super().__init__(Own(setup.params, "own", "001", setup.instrument))

    with pytest.raises(ConfigError, match=f"{option} .* past the gate"):
        built(entry(Managing, "own"))


@pytest.mark.parametrize("name", ["services", "desk", "wire", "guard_anything"])
def test_names_of_the_guard_are_refused(name: str) -> None:
    class Plain(Stepped):
        pass

    if name != "desk":  # the base refuses that one itself
        setattr(Plain, name, 1)
        with pytest.raises(ConfigError, match=f"Plain defines {name}"):
            built(entry(Plain))
    else:
        setattr(Plain, name, 1)
        with pytest.raises(TypeError, match="Plain defines desk"):
            guard_class(Plain)


def test_an_instrument_that_the_file_does_not_name_is_refused() -> None:
    with pytest.raises(ConfigError, match=r"instrument ETHUSDT-PERP\.BINANCE is not in"):
        built(entry(Stepped, instrument=str(ETH_IID)))


def test_the_first_instrument_is_meant_when_none_is_named() -> None:
    instruments = {KEY: perpetual(), str(ETH_IID): perpetual(ETH_IID, ETH)}
    fees = dict.fromkeys(instruments, Setup().fees)
    package = built(
        entry(Stepped, "a"),
        entry(Stepped, "b", order_id_tag="002", instrument=str(ETH_IID)),
        instruments=instruments,
        fees=fees,
    )
    assert [strategy.instrument_id for strategy in package.strategies] == [IID, ETH_IID]


@pytest.mark.req("B-3")
def test_an_instrument_without_fees_is_refused() -> None:
    with pytest.raises(ConfigError, match="has no fee rates"):
        built(entry(Stepped), fees={})


@pytest.mark.req("R-2")
def test_what_the_limits_do_not_understand_is_refused() -> None:
    with pytest.raises(ConfigError, match="inverse or quanto"):
        built(entry(Stepped), instruments={KEY: perpetual(inverse=True)})
    euro = Currency.from_str("EUR")
    pair = CurrencyPair(SPOT_IID, Symbol("BTCEUR"), ETH, euro, 1, 3, Price(0.1, 1), Quantity(0.001, 3), 0, 0)
    both = {KEY: perpetual(), str(SPOT_IID): pair}
    with pytest.raises(ConfigError, match="settle in EUR, USDT"):
        built(entry(Stepped), instruments=both, fees=dict.fromkeys(both, Setup().fees))


def test_parameter_models_are_found_through_inheritance_and_past_other_generics() -> None:
    class Other[T]:
        pass

    class Mixed(Other[int], GuardedStrategy[Params]):
        pass

    class Child(Mixed):
        pass

    assert params_class(Parametrised) is params_class(Mixed) is params_class(Child) is Params
    with pytest.raises(ConfigError, match="names no parameter model"):
        params_class(GuardedStrategy)


@pytest.mark.req("B-7")
def test_instruments_that_no_strategy_trades_have_a_book_too() -> None:
    class Looking(Stepped):
        def at(self, number: int) -> None:
            if number == 5:
                self.other = self.desk.view.mid(str(ETH_IID))

    data = sorted([*quiet(), *quiet(iid=ETH_IID)], key=lambda event: int(event.ts_init))
    ran = run(Looking, data, instruments=[perpetual(), perpetual(ETH_IID, ETH)])
    assert float(ran.strategy.other) == 100.05


def test_a_plan_needs_only_what_every_run_has() -> None:
    made = Plan({KEY: perpetual()}, {KEY: Setup().fees}, Setup().risk, 0, 7)
    assert (made.trading_end_ns, made.latency, made.trusted, made.insert_ns) == (None, None, False, 0)
    assert Money(1, ETH).currency == ETH
