"""What is recorded, where to, and how patiently."""

from __future__ import annotations

import re
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, field_validator

from adapters.binance.streams import Endpoints, Market, Trades, endpoints

_SYMBOL = re.compile(r"[A-Z0-9_]{2,40}")


class RecorderSettings(BaseModel):
    """One recorder: one market, one or more symbols, one folder."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    market: Market = Field(description="usdm or spot")
    symbols: tuple[str, ...] = Field(min_length=1, description="as the venue writes them, BTCUSDT")
    folder: Path = Field(description="where the files go; made when missing")
    url: str | None = Field(None, description="another venue that speaks the same; None is Binance")
    socket_url: str | None = Field(None, description="its streams, where they are on another host; without a path")
    routed: bool | None = Field(None, description="whether its streams have routes; None: as Binance's own")
    trades: Trades = Field("trade", description="which print streams; the reader of recordings takes trade")
    flush_secs: float = Field(0.5, gt=0, le=1, description="how often lines go to the disk")
    silence_secs: float = Field(30.0, gt=0, description="a socket that is silent for so long is opened anew")
    first_pause_secs: float = Field(0.5, gt=0, description="wait before the second attempt to connect")
    longest_pause_secs: float = Field(30.0, gt=0, description="limit to which that wait doubles")
    request_secs: float = Field(10.0, gt=0, description="how long a connection or snapshot may take")
    snapshot_spacing_secs: float = Field(1.0, ge=0, description="least time between two REST snapshots")
    handover_secs: float = Field(82_800.0, gt=0, description="age at which a socket is replaced without a gap")
    most_waiting_bytes: int = Field(268_435_456, gt=0, description="unwritten lines at which a slow disk ends it")

    @field_validator("symbols")
    @classmethod
    def _upper(cls, symbols: tuple[str, ...]) -> tuple[str, ...]:
        names = tuple(dict.fromkeys(symbol.upper() for symbol in symbols))
        wrong = [name for name in names if not _SYMBOL.fullmatch(name)]
        if wrong:
            raise ValueError(f"{wrong[0]!r} is no symbol: write it like BTCUSDT")
        return names

    def endpoints(self) -> Endpoints:
        """Addresses of the venue."""
        return endpoints(self.market, self.url, self.socket_url, routed=self.routed)
