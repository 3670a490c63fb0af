"""Which modes may run, and what real money takes."""

from __future__ import annotations

from errors import SafetyRefusal
from runners.config import LiveConfig


def check_mode(config: LiveConfig, *, armed: bool) -> None:
    """Refuse what may not start.

    Raises
    ------
    SafetyRefusal
        For real money, always: it takes the operator's arming and the consent of the promotion ledger.
    """
    if config.mode == "live":
        raise SafetyRefusal(
            f"real money: {echo(config)}. "
            + ("It is armed, but " if armed else "It takes --arm, which confirms exactly this; and even armed ")
            + "it takes the consent of the promotion ledger, which this version cannot give: nothing was sent."
        )


def not_in_force(config: LiveConfig) -> list[str]:
    """Keys that this version reads and does not act upon, so that nobody relies on them."""
    del config
    return ["alerts"]


def echo(config: LiveConfig) -> str:
    """Say account, symbols and limits in one line, as the operator confirms them."""
    account, risk = config.account, config.risk
    return (
        f"account {account.alias} ({account.environment}), {', '.join(config.symbols)}, leverage {account.leverage}, orders to "
        f"{risk.max_order_notional_quote:g}, positions to {risk.max_position_notional_quote:g}, daily loss to "
        f"{risk.max_daily_loss_quote:g} USDT, drawdown to {risk.max_drawdown_pct:g} %"
    )
