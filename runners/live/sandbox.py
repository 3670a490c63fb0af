"""The node of modes shadow and paper: market data of the venue, orders filled inside this process. No key, nothing is sent.

The engine's own sandbox client is its backtest's matching engine on live messages, with the backtest's fees, latency, queue and
consumption (`docs/decisions/0005-shadow-and-paper.md`). It never stands beside a real client: their positions would merge.
"""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

from nautilus_trader.adapters.sandbox import SandboxExecutionClientConfig, SandboxExecutionClientFactory
from nautilus_trader.execution import MakerTakerFeeModel
from nautilus_trader.live import LiveExecutionEngineConfig, LiveNode
from nautilus_trader.model import AccountType, BookType, Currency, Money, OmsType, Venue

from adapters.binance.environments import Environment
from runners.config import LiveConfig
from runners.engine_venue import bps
from runners.latency import LatencyPlan
from runners.live.node import ACCOUNT, node_builder

VENUE = Venue("BINANCE")
CURRENCY = Currency.from_str("USDT")


def sandbox_client(config: LiveConfig, wallet: Decimal, latency: LatencyPlan) -> SandboxExecutionClientConfig:
    """Configure the simulated account: what `runners.engine_venue` gives the backtest, on live messages.

    Parameters
    ----------
    config
        Fees, leverage and the `simulated` block.
    wallet
        Balance at the start, USDT.
    latency
        Its constant part; what is drawn above it is waited out by the guard, as in a backtest.
    """
    return SandboxExecutionClientConfig(
        VENUE,
        [Money.from_str(f"{wallet:.8f} {CURRENCY.code}")],
        account_id=ACCOUNT,
        oms_type=OmsType.NETTING,
        account_type=AccountType.MARGIN,
        default_leverage=Decimal(config.account.leverage),
        book_type=BookType.L2_MBP,
        fee_model=MakerTakerFeeModel(bps(config.fees.maker_bps), bps(config.fees.taker_bps)),
        queue_position=config.simulated.queue == "conservative",
        liquidity_consumption=config.simulated.liquidity_consumption,
        latency_model=latency.model(),
    )


def build_sandbox(
    config: LiveConfig, place: Environment, wallet: Decimal, latency: LatencyPlan, log_folder: Path
) -> LiveNode:
    """Make the node; nothing is connected yet. Parameters as of `sandbox_client` and `runners.live.node.build_node`."""
    node: LiveNode = (
        node_builder(config, place, log_folder)
        # There is nobody to reconcile with: the client reports no orders, and the engine would close ours.
        .with_exec_engine_config(LiveExecutionEngineConfig(reconciliation=False))
        .add_simulated_exec_client(
            "SIMULATED", SandboxExecutionClientFactory(), sandbox_client(config, wallet, latency)
        )
        .build()
    )
    return node
