"""The live engine with every setting that is needed, each with its reason. Facts: docs/nautilus.md."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from nautilus_trader.adapters.binance import (
    BinanceDataClientConfig,
    BinanceDataClientFactory,
    BinanceEnvironment,
    BinanceExecutionClientConfig,
    BinanceExecutionClientFactory,
    BinanceInstrumentProviderConfig,
    BinanceMarginType,
    BinanceProductType,
)
from nautilus_trader.adapters.binance.instruments import load_binance_instruments
from nautilus_trader.common import Environment as NodeEnvironment
from nautilus_trader.common import FileWriterConfig, LoggerConfig, LogLevel
from nautilus_trader.live import (
    LiveDataEngineConfig,
    LiveExecutionEngineConfig,
    LiveNode,
    LiveRiskEngineConfig,
    SubmissionRecoveryPolicy,
)
from nautilus_trader.model import AccountId, TraderId

from adapters.binance.environments import Environment, EnvironmentName
from errors import RunFailed
from runners.config import LiveConfig
from runners.live.secrets import Keys

TRADER = TraderId("HT-001")
ACCOUNT = AccountId("BINANCE-001")
CONNECT_SECS = 30
"""The engine connects within this, or its start has failed."""
NEVER = 1_000_000
"""A number of retries that is not reached in the life of a node."""


def _addresses(place: Environment) -> dict[str, Any]:
    """Give every address of the simulated venue; the engine knows those of Binance, which it splits in more ways than one."""
    if place.name is not EnvironmentName.LOCAL:
        return {"environment": getattr(BinanceEnvironment, place.engine)}
    return {"base_url_http": place.rest_url, "base_url_ws": place.user_ws_url}


def _provider(config: LiveConfig) -> BinanceInstrumentProviderConfig:
    return BinanceInstrumentProviderConfig(load_all=False, load_ids=list(config.instruments))  # hundreds are not needed


def data_client(config: LiveConfig, place: Environment) -> BinanceDataClientConfig:
    """Configure the market data: public, so without keys."""
    return BinanceDataClientConfig(
        product_type=BinanceProductType.USD_M,
        instrument_status_poll_secs=0,  # polls REST beside the streams and spends the budget of cancels and queries
        instrument_provider=_provider(config),
        **_addresses(place),
    )


def execution_client(config: LiveConfig, place: Environment, keys: Keys) -> BinanceExecutionClientConfig:
    """Configure the order entry."""
    account = config.account
    margin = BinanceMarginType.ISOLATED if account.margin_mode == "isolated" else BinanceMarginType.CROSS
    return BinanceExecutionClientConfig(
        account_id=ACCOUNT,
        product_type=BinanceProductType.USD_M,
        # Over the trading socket orders and cancels share one queue of 20 a second: the last cancel of 60 came 4.8 s late,
        # over HTTP 0.03 s.
        use_ws_trading=False,
        api_key=keys.key.get_secret_value(),
        api_secret=keys.secret.get_secret_value(),
        instrument_provider=_provider(config),
        futures_leverages=dict.fromkeys(config.symbols, account.leverage),
        futures_margin_types=dict.fromkeys(config.symbols, margin),
        base_url_ws_trading=place.trading_ws_url if place.name is EnvironmentName.LOCAL else None,
        **_addresses(place),
    )


def execution_engine() -> LiveExecutionEngineConfig:
    """Configure what the engine believes about orders."""
    return LiveExecutionEngineConfig(
        # What is open or held at the start, and what is missed while a stream is down, is asked of the venue.
        reconciliation=True,
        # The default reports a late order as rejected and ignores its acceptance: an orphan that no cancel-all sees.
        submission_recovery_policy=SubmissionRecoveryPolicy.RETAIN_UNRESOLVED,
        # After so many unanswered looks the engine cancels *locally* while the venue still works the order. Never that.
        inflight_check_retries=NEVER,
        # A reconnect asks for open orders only: a fill in an outage of the user stream is seen by these two alone.
        open_check_interval_secs=3,
        position_check_interval_secs=4,
        # What is over is in the journal: without this a session grows by every order for as long as it lives.
        purge_closed_orders_interval_mins=5,
        purge_closed_orders_buffer_mins=10,
    )


def risk_engine(config: LiveConfig) -> LiveRiskEngineConfig:
    """Configure the third wall: far above our own limits, so that it never stops an exit."""
    return LiveRiskEngineConfig(
        max_order_submit_rate=f"{config.risk.wall_orders_per_sec}/00:00:01",
        max_notional_per_order=dict.fromkeys(config.instruments, f"{config.risk.wall_notional_quote:.0f}"),
    )


def logger(folder: Path) -> LoggerConfig:
    """Send the engine's log to files: standard output carries the status. The first setup wins for the process."""
    files = FileWriterConfig(directory=str(folder), file_name="engine", file_rotate=(50_000_000, 5))
    return LoggerConfig(stdout_level=LogLevel.OFF, fileout_level=LogLevel.INFO, file_config=files)


def build_node(config: LiveConfig, place: Environment, keys: Keys, log_folder: Path) -> LiveNode:
    """Make the node; nothing is connected yet.

    Parameters
    ----------
    config, place, keys
        What to trade, where and as whom.
    log_folder
        For the engine's log.
    """
    node: LiveNode = (
        node_builder(config, place, log_folder)
        .with_exec_engine_config(execution_engine())
        .add_exec_client(None, BinanceExecutionClientFactory(), execution_client(config, place, keys))
        .build()
    )
    return node


def node_builder(config: LiveConfig, place: Environment, log_folder: Path) -> Any:
    """Begin a node with everything but its order entry: market data, risk engine, log.

    Parameters
    ----------
    config, place, log_folder
        As of `build_node`.
    """
    log_folder.mkdir(parents=True, exist_ok=True)
    return (
        LiveNode.builder("HT-1", TRADER, NodeEnvironment.LIVE)
        .with_logging(logger(log_folder))
        .with_timeout_connection(CONNECT_SECS)
        .with_delay_post_stop_secs(1)  # time for the answers to the cancels of `on_stop`; the venue is asked anyway
        .with_risk_engine_config(risk_engine(config))
        # A market order without a quote or trade in the cache is denied: quotes from the book are there with the book.
        .with_data_engine_config(LiveDataEngineConfig(emit_quotes_from_book=True))
        .add_data_client(None, BinanceDataClientFactory(), data_client(config, place))
    )


async def load_instruments(config: LiveConfig, place: Environment) -> dict[str, Any]:
    """Ask the venue for the instruments of a configuration, by id.

    Raises
    ------
    RunFailed
        When the venue does not answer, or does not have one of them.
    """
    try:
        loaded = await load_binance_instruments(data_client(config, place))
    except Exception as error:
        raise RunFailed(f"{place.rest_host} gives no instruments: {error}.") from error
    found = {str(instrument.id): instrument for instrument in loaded}  # type: ignore[attr-defined]
    missing = [iid for iid in config.instruments if iid not in found]
    if missing:
        raise RunFailed(f"{place.rest_host} has no {', '.join(missing)}: correct instruments in the configuration.")
    return {iid: found[iid] for iid in config.instruments}
