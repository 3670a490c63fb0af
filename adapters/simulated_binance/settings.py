"""The scenario file: account, symbols, market, limits, behaviour, faults."""

from __future__ import annotations

from collections.abc import Container, Iterable
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError

from adapters.simulated_binance.faults.script import Fault
from errors import ConfigError


class Frozen(BaseModel):
    """Base of all settings: unknown keys are errors."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class KeySettings(Frozen):
    """One API key of the account."""

    key: str = Field("local-key", description="What the client sends as X-MBX-APIKEY.")
    secret: SecretStr = Field(SecretStr("local-secret"), description="Secret that signs requests.")
    can_trade: bool = Field(True, description="False: every order request is refused with -2015.")
    can_withdraw: bool = Field(False, description="Reported by apiRestrictions; preflight refuses True.")
    can_transfer: bool = Field(False, description="Reported by apiRestrictions for internal and universal transfers.")
    ip_restricted: bool = Field(True, description="Reported by apiRestrictions: works from listed addresses only.")


class HoldingSettings(Frozen):
    """A position that exists before the first request."""

    quantity: Decimal = Field(description="Signed quantity in base units.")
    entry_price: Decimal = Field(gt=0, description="Average entry price.")


class AccountSettings(Frozen):
    """The only account of the venue."""

    balance_quote: Decimal = Field(Decimal(10_000), description="Wallet balance in USDT at the start.")
    keys: tuple[KeySettings, ...] = Field((KeySettings(),), min_length=1, description="API keys.")
    hedge_mode: bool = Field(False, description="True: orders without a LONG or SHORT side are refused with -4061.")
    can_trade: bool = Field(True, description="Reported by accountConfig and account.")
    multi_assets: bool = Field(False, description="Reported multi-assets margin mode.")
    leverage: int = Field(20, ge=1, le=125, description="Leverage of every symbol until it is changed.")
    margin_type: Literal["cross", "isolated"] = Field("cross", description="Reported margin type of every symbol.")
    maker_bps: Decimal = Field(Decimal(2), description="Maker fee in basis points; negative is a rebate.")
    taker_bps: Decimal = Field(Decimal(5), description="Taker fee in basis points.")
    positions: dict[str, HoldingSettings] = Field(
        default_factory=dict, description="Positions at the start, by symbol."
    )
    alias: str = Field("simulated-1", description="Reported account alias; part of every listen key.")


class RecordingSettings(Frozen):
    """Background market from a raw recording."""

    kind: Literal["recording"]
    path: Path = Field(description="Gzip of '<ns> <json>' lines, relative to the scenario file.")
    speed: float = Field(1.0, gt=0, description="1 = at life speed; 10 = ten recorded seconds each second.")
    skip_secs: float = Field(0.0, ge=0, description="Recorded seconds that are applied at once before the start.")
    loop: bool = Field(True, description="Start over at the end; False: the market stands still then.")


class SyntheticSettings(Frozen):
    """Background market made up on the spot."""

    kind: Literal["synthetic"] = "synthetic"
    mid: Decimal = Field(Decimal("60000"), gt=0, description="Price at the start.")
    levels: int = Field(20, ge=2, le=200, description="Levels a side.")
    level_quantity: Decimal = Field(Decimal("1.0"), gt=0, description="Mean quantity of a level in base units.")
    events_per_sec: float = Field(20.0, ge=0, le=5000, description="Book changes each second; 0: a still book.")
    trades_per_sec: float = Field(5.0, ge=0, le=5000, description="Market orders of others each second.")
    volatility_ticks: float = Field(0.6, ge=0, description="Probability scale of a one-tick move at a book change.")
    speed: float = Field(1.0, gt=0, description="1 = at life speed.")


class SymbolSettings(Frozen):
    """One contract: filters as Binance publishes them, and its market."""

    base: str = Field("BTC", description="Base asset.")
    quote: str = Field("USDT", description="Quote and margin asset.")
    price_places: int = Field(2, ge=0, le=8, description="pricePrecision.")
    quantity_places: int = Field(3, ge=0, le=8, description="quantityPrecision.")
    tick: Decimal = Field(Decimal("0.10"), gt=0, description="PRICE_FILTER tickSize.")
    step: Decimal = Field(Decimal("0.001"), gt=0, description="LOT_SIZE stepSize and minQty.")
    max_quantity: Decimal = Field(Decimal(1000), gt=0, description="LOT_SIZE maxQty.")
    market_max_quantity: Decimal = Field(Decimal(120), gt=0, description="MARKET_LOT_SIZE maxQty.")
    min_price: Decimal = Field(Decimal("0.10"), gt=0, description="PRICE_FILTER minPrice.")
    max_price: Decimal = Field(Decimal(10_000_000), gt=0, description="PRICE_FILTER maxPrice.")
    min_notional: Decimal = Field(Decimal(5), ge=0, description="MIN_NOTIONAL notional; reduce-only is exempt.")
    percent_price: Decimal = Field(Decimal("0.05"), gt=0, description="PERCENT_PRICE distance from the mark price.")
    max_orders: int = Field(200, ge=1, description="MAX_NUM_ORDERS.")
    max_algo_orders: int = Field(10, ge=1, description="MAX_NUM_ALGO_ORDERS.")
    maintenance: Decimal = Field(Decimal("0.004"), gt=0, description="Maintenance margin rate.")
    liquidation_fee: Decimal = Field(Decimal("0.0125"), ge=0, description="Share of notional taken at a liquidation.")
    status: Literal["TRADING", "BREAK", "HALT", "PRE_TRADING"] = Field("TRADING", description="Symbol status.")
    funding_rate: Decimal = Field(Decimal("0.0001"), description="Rate paid by longs at each funding time.")
    funding_interval_secs: float = Field(28_800, gt=0, description="Real seconds between funding times.")
    first_funding_secs: float | None = Field(None, gt=0, description="First one after the start; None: next interval.")
    market: Annotated[RecordingSettings | SyntheticSettings, Field(discriminator="kind")] = Field(
        default_factory=SyntheticSettings, description="Background liquidity."
    )


class LimitSettings(Frozen):
    """Rate limits."""

    weight_per_minute: int = Field(2400, ge=1, description="REQUEST_WEIGHT of one address.")
    orders_per_10_secs: int = Field(300, ge=1, description="ORDERS of the account in 10 s.")
    orders_per_minute: int = Field(1200, ge=1, description="ORDERS of the account in a minute.")
    ban_after: int = Field(10, ge=1, description="Requests answered 429 in a minute until 418.")
    ban_secs: float = Field(120.0, gt=0, description="Length of the first ban.")


class BehaviourSettings(Frozen):
    """What Binance's documentation leaves open, or what accounts configure."""

    countdown_reaches_algo_orders: bool = Field(False, description="Whether the countdown cancels algo orders too.")
    cancel_all_reaches_algo_orders: bool = Field(False, description="Same for DELETE allOpenOrders.")
    post_only: Literal["reject", "expire"] = Field(
        "reject", description="Crossing GTX: -5022, or accepted and EXPIRED."
    )
    self_trade: Literal["EXPIRE_MAKER", "EXPIRE_TAKER", "EXPIRE_BOTH", "NONE"] = Field(
        "EXPIRE_MAKER", description="Self-trade mode."
    )
    trade_lite: bool = Field(True, description="Send TRADE_LITE before each ORDER_TRADE_UPDATE of a fill.")
    listen_key_secs: float = Field(3600.0, gt=0, description="Validity of a listen key.")
    query_lag_secs: float = Field(0.0, ge=0, description="By-id queries answer -2013 for so long after acceptance.")
    matching_enforces_window: bool = Field(True, description="A delayed request is held to recvWindow at the book.")
    liquidations: bool = Field(True, description="Whether the venue liquidates at the maintenance margin.")


class LedgerSettings(Frozen):
    """What is written down."""

    path: Path | None = Field(None, description="Ledger file, relative to the scenario file; None: --ledger decides.")
    market_events: bool = Field(False, description="Also every market stream event (large).")


class Scenario(Frozen):
    """One simulated venue."""

    version: Literal[1] = 1
    seed: int = Field(1, ge=0, description="Seed of the synthetic market and of fault probabilities.")
    account: AccountSettings = AccountSettings()
    symbols: dict[str, SymbolSettings] = Field(
        default_factory=lambda: {"BTCUSDT": SymbolSettings()}, min_length=1, description="Contracts by symbol."
    )
    limits: LimitSettings = LimitSettings()
    behaviour: BehaviourSettings = BehaviourSettings()
    ledger: LedgerSettings = LedgerSettings()
    faults: tuple[Fault, ...] = Field((), description="What goes wrong, and when.")


def check_symbols(faults: Iterable[Fault], symbols: Container[str]) -> None:
    """Hold the symbols that faults name against those of the venue.

    Raises
    ------
    ConfigError
        Naming the fault and the symbol.
    """
    for fault in faults:
        named = [fault.when.symbol, *(getattr(action, "symbol", None) for action in fault.do)]
        for symbol in named:
            if symbol is not None and symbol not in symbols:
                raise ConfigError(f"fault {fault.name!r} names {symbol}, which is not a symbol of this venue")


def load_scenario(path: Path) -> Scenario:
    """Read a scenario file; paths in it are taken relative to the file.

    Raises
    ------
    ConfigError
        When the file is missing, is no YAML, or does not fit the model.
    """
    try:
        data = yaml.safe_load(path.read_text(encoding="utf-8"))
        scenario = Scenario.model_validate(data or {})
    except OSError as error:
        raise ConfigError(f"scenario {path} cannot be read: {error.strerror}") from error
    except yaml.YAMLError as error:
        raise ConfigError(f"scenario {path} is not YAML: {error}") from error
    except ValidationError as error:
        raise ConfigError(f"scenario {path}: {_first(error)}") from error
    check_symbols(scenario.faults, scenario.symbols)
    return _anchored(scenario, path.resolve().parent)


def _first(error: ValidationError) -> str:
    found = error.errors()[0]
    return f"{'.'.join(str(part) for part in found['loc']) or 'file'}: {found['msg']}"


def _anchored(scenario: Scenario, folder: Path) -> Scenario:
    symbols = {
        name: symbol.model_copy(
            update={"market": symbol.market.model_copy(update={"path": folder / symbol.market.path})}
        )
        if isinstance(symbol.market, RecordingSettings)
        else symbol
        for name, symbol in scenario.symbols.items()
    }
    file = scenario.ledger.path
    ledger = scenario.ledger if file is None else scenario.ledger.model_copy(update={"path": folder / file})
    return scenario.model_copy(update={"symbols": symbols, "ledger": ledger})
