"""The `account` block of a live file: whose account, where, and what it must look like."""

from __future__ import annotations

from typing import Literal, Self
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, model_validator

Environment = Literal["local", "demo", "testnet", "production"]
LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", validate_default=True)


class AccountConfig(_Frozen):
    """One account at one venue; state, lock and journal are kept under its alias."""

    alias: str = Field(
        pattern=r"^[a-z0-9][a-z0-9_-]{0,31}$", description="Name of the account on this machine: a-z, 0-9, - and _"
    )
    venue: Literal["binance"] = Field(default="binance", description="binance")
    market: Literal["usdm"] = Field(default="usdm", description="usdm (USD-M perpetuals)")
    environment: Environment = Field(
        description="local (our simulated venue), demo (Binance's play money), testnet (its older one) or production"
    )
    url: str | None = Field(
        default=None, description="Only for local: where the simulated venue listens, such as http://127.0.0.1:8800"
    )
    key_env: str | None = Field(
        default=None,
        pattern=r"^[A-Z][A-Z0-9_]*$",
        description="Variable that holds the API key; its value stands in .env",
    )
    secret_env: str | None = Field(
        default=None, pattern=r"^[A-Z][A-Z0-9_]*$", description="Variable that holds the API secret"
    )
    order_tag: str = Field(
        default="h1",
        pattern=r"^[a-z0-9]{2}$",
        description="Two characters a-z or 0-9 that begin every client order id of this account",
    )
    foreign_orders: Literal["refuse", "count"] = Field(
        default="refuse", description="Open orders that are not ours: refuse the start, or count and leave them"
    )
    position_mode: Literal["one_way"] = Field(default="one_way", description="one_way; hedge mode is refused")
    margin_mode: Literal["isolated", "cross"] = Field(
        default="isolated", description="isolated or cross; set at the venue at the start"
    )
    leverage: int = Field(default=1, ge=1, le=125, description="Leverage that is set at the venue at the start")

    @model_validator(mode="after")
    def _place_and_keys(self) -> Self:
        if (self.url is not None) != (self.environment == "local"):
            raise ValueError("account.url goes with environment local, and only with it: http://127.0.0.1:8800")
        if self.url is not None:
            _check_loopback(self.url)
        if (self.key_env is None) != (self.secret_env is None):
            raise ValueError("give both of account.key_env and account.secret_env, or neither")
        return self


def _check_loopback(url: str) -> None:
    parts = urlsplit(url)
    try:
        port = parts.port
    except ValueError:
        port = None
    if parts.scheme != "http" or parts.hostname not in LOOPBACK or not port or parts.path.strip("/"):
        raise ValueError(f"account.url {url} is not an address of this machine, such as http://127.0.0.1:8800")
