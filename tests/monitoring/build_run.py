"""Build run directories for tests: by hand, row by row, or a whole random session.

The account is kept as an exchange would (average entry price, realised P&L booked on reductions), never by the report's
own formulas, so that a waterfall can miss it.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq

from execution.records import BY_NAME, MARKET, VOLUME, table

START = 1_723_075_200_000_000_000  # 2024-08-08T00:00:00Z
SECOND = 1_000_000_000
IID = "BTCUSDT-PERP.BINANCE"
UNIT = Decimal("0.00000001")


def at(seconds: float) -> int:
    """Nanoseconds of an instant `seconds` after the start."""
    return START + round(seconds * 1e9)


def fill(seconds: float, side: str, quantity: str, price: str, **more: Any) -> dict[str, Any]:
    """One fill, maker without fee unless told otherwise."""
    number = more.pop("number", round(seconds * 1000))
    row = {
        "ts_ns": at(seconds),
        "trade_id": f"T-{number}",
        "strategy_id": "S-1",
        "instrument_id": IID,
        "client_order_id": f"O-{number}",
        "side": side,
        "price": Decimal(price),
        "quantity": Decimal(quantity),
        "liquidity": "MAKER",
        "fee": Decimal(0),
        "fee_asset": "USDT",
        "mid_decision": None,
        "ts_decision": at(seconds),
        "ts_arrival": None,
    }
    return row | more


def quote(seconds: float, bid: float, ask: float, bid_size: float = 1.0, ask_size: float = 1.0) -> dict[str, Any]:
    """One row of the top of book."""
    row = {"ts_ns": at(seconds), "instrument_id": IID, "bid": bid, "bid_size": bid_size}
    return row | {"ask": ask, "ask_size": ask_size}


def paid(seconds: float, amount: str, position: str = "0", strategy: str = "S-1") -> dict[str, Any]:
    """One funding payment."""
    row = {"ts_ns": at(seconds), "instrument_id": IID, "strategy_id": strategy, "position": Decimal(position)}
    return row | {"rate": Decimal("0.0001"), "amount": Decimal(amount)}


def order(seconds: float, side: str = "BUY", **more: Any) -> dict[str, Any]:
    """One filled post-only order."""
    number = more.pop("number", round(seconds * 1000))
    row = {
        "ts_ns": at(seconds),
        "strategy_id": "S-1",
        "instrument_id": IID,
        "client_order_id": f"O-{number}",
        "side": side,
        "order_type": "LIMIT",
        "price": Decimal(100),
        "quantity": Decimal(1),
        "filled_quantity": Decimal(1),
        "avg_price": None,
        "post_only": True,
        "reduce_only": False,
        "time_in_force": "GTC",
        "status": "FILLED",
        "ts_accepted": at(seconds + 0.2),
        "ts_closed": at(seconds + 1),
        "reject_reason": None,
        "why": "test",
        "edge_bps": None,
        "mid_decision": None,
        "queue_ahead": None,
        "source": "strategy",
    }
    return row | more


def refusal(seconds: float, reason: str, **more: Any) -> dict[str, Any]:
    """One order that the gate refused."""
    row = {"ts_ns": at(seconds), "strategy_id": "S-1", "instrument_id": IID, "client_order_id": f"R-{seconds}"}
    what = {"side": "BUY", "order_type": "LIMIT", "price": None, "quantity": Decimal(1), "reason": reason}
    return row | what | {"detail": "", "figures": "{}"} | more


def edge(seconds: float, name: str, state: str, level: str = "soft", **more: Any) -> dict[str, Any]:
    """One edge of a breaker; `halt` makes a halt of it."""
    row = {"ts_ns": at(seconds), "kind": "breaker", "name": name, "instrument_id": IID, "state": state}
    return row | {"level": level, "detail": f"{name} {state}", "figures": "{}"} | more


def halt(seconds: float, name: str, reason: str, **more: Any) -> dict[str, Any]:
    """One halt."""
    return edge(seconds, name, "open", "hard", kind="halt", instrument_id="", detail=reason) | more


@dataclass
class Scene:
    """Everything one run directory is made of."""

    quotes: list[dict[str, Any]]
    fills: list[dict[str, Any]] = field(default_factory=list)
    orders: list[dict[str, Any]] = field(default_factory=list)
    funding: list[dict[str, Any]] = field(default_factory=list)
    refusals: list[dict[str, Any]] = field(default_factory=list)
    risk_events: list[dict[str, Any]] | None = None
    volume: list[dict[str, Any]] = field(default_factory=list)
    optimistic: list[dict[str, Any]] | None = None
    starting: str = "10000"
    manifest: dict[str, Any] = field(default_factory=dict)
    account: dict[str, Any] = field(default_factory=dict)

    def write(self, path: Path) -> Path:
        """Write the run directory and return it."""
        path.mkdir(parents=True, exist_ok=True)
        pq.write_table(table(MARKET, self.quotes), path / "market.parquet")
        pq.write_table(table(VOLUME, self.volume), path / "volume.parquet")
        (path / "manifest.json").write_text(json.dumps(manifest(self) | self.manifest), encoding="utf-8")
        self._bound(path / "conservative", self.fills)
        if self.optimistic is not None:
            self._bound(path / "optimistic", self.optimistic)
        return path

    def _bound(self, folder: Path, fills: list[dict[str, Any]]) -> None:
        folder.mkdir(exist_ok=True)
        rows = {"orders": self.orders, "order_events": [], "refusals": self.refusals, "funding": self.funding}
        rows |= {} if self.risk_events is None else {"risk_events": self.risk_events}
        for name, plain in (rows | {"fills": _with_positions(fills)}).items():
            numbered = [{"seq": i} | row for i, row in enumerate(plain)]
            pq.write_table(table(BY_NAME[name], numbered), folder / f"{name}.parquet")
        account = account_of(fills, self.funding, self.quotes, self.starting) | self.account
        (folder / "account.json").write_text(json.dumps(account), encoding="utf-8")


def manifest(scene: Scene) -> dict[str, Any]:
    """Manifest of a scene; its period is that of the quotes."""
    return {
        "run_id": "20240808-test-0badc0de",
        "config_hash": "0badc0de",
        "code_version": "0.1.0",
        "synthetic": True,
        "data_source": "hand-made rows of a test",
        "fidelity": "l2",
        "certificates": [{"instrument_id": IID, "day": "2024-08-08", "grade": "A", "sha": "00"}],
        "warmup_secs": 300,
        "latency": {"insert_ms": 200, "cancel_ms": 200, "source": "config"},
        "fees": {"maker_bps": 2.0, "taker_bps": 5.0, "source": "config"},
        "waived": [],
        "instruments": {IID: {"price_precision": 1, "size_precision": 3, "tick": 0.1, "step": 0.001}},
        "period": {"start_ns": scene.quotes[0]["ts_ns"], "end_ns": scene.quotes[-1]["ts_ns"] + 1},
        "trading_start_ns": scene.quotes[0]["ts_ns"],
        "catalog": None,
        "config": {},
        "status": "completed",
        "events": len(scene.quotes),
        "wall_seconds": 1.0,
    }


def account_of(
    fills: Sequence[dict[str, Any]], funding: Sequence[dict[str, Any]], quotes: Sequence[dict[str, Any]], starting: str
) -> dict[str, Any]:
    """Keep the account by average entry price, one netted position per instrument."""
    balance, fees, received = Decimal(starting), Decimal(0), Decimal(0)
    held: dict[str, tuple[Decimal, Decimal]] = {}
    for row in fills:
        quantity, average = held.get(row["instrument_id"], (Decimal(0), Decimal(0)))
        signed = row["quantity"] if row["side"] == "BUY" else -row["quantity"]
        gained, quantity, average = _trade(quantity, average, signed, row["price"])
        held[row["instrument_id"]] = quantity, average
        balance += gained.quantize(UNIT) - row["fee"]
        fees += row["fee"]
    for row in funding:
        balance, received = balance + row["amount"], received + row["amount"]
    last = {row["instrument_id"]: (Decimal(repr(row["bid"])) + Decimal(repr(row["ask"]))) / 2 for row in quotes}
    open_pnl = sum(((last[i] - avg) * q for i, (q, avg) in held.items()), Decimal(0)).quantize(UNIT)
    return {
        "currency": "USDT",
        "starting_balance": starting,
        "ending_balance": f"{balance:f}",
        "unrealised_at_mid": f"{open_pnl:f}",
        "net_pnl": f"{balance + open_pnl - Decimal(starting):f}",
        "fees": f"{fees:f}",
        "funding": f"{received:f}",
        "positions": {
            i: {"quantity": f"{q:f}", "avg_price": f"{a:f}", "mid": f"{last[i]:f}"} for i, (q, a) in held.items()
        },
    }


def _trade(held: Decimal, average: Decimal, signed: Decimal, price: Decimal) -> tuple[Decimal, Decimal, Decimal]:
    if held * signed >= 0:
        total = held + signed
        return Decimal(0), total, (average * abs(held) + price * abs(signed)) / abs(total)
    closed = min(abs(held), abs(signed))
    gained = (price - average) * (closed if held > 0 else -closed)
    rest = held + signed
    return gained, rest, average if rest * held > 0 else price


def _with_positions(fills: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    held: dict[str, Decimal] = {}
    rows = []
    for row in fills:
        signed = row["quantity"] if row["side"] == "BUY" else -row["quantity"]
        held[row["instrument_id"]] = held.get(row["instrument_id"], Decimal(0)) + signed
        rows.append(row | {"position_after": held[row["instrument_id"]]})
    return rows


def random_scene(
    seed: int = 7, minutes: int = 60, trades: int = 400, strategies: int = 2, per_minute: int = 600
) -> Scene:
    """A session with a wandering market and a market maker of sorts; says nothing about anything."""
    rng = np.random.default_rng(seed)
    n = minutes * per_minute
    times = np.sort(rng.uniform(0, minutes * 60, n))
    steps = np.round(np.cumsum(rng.choice([-1, 0, 0, 0, 1], n))) * 0.1
    bids, sizes = np.round(60_000 + steps, 1), rng.gamma(2.0, 2.0, (2, n)).round(3) + 0.001
    quotes = [
        quote(t, float(b), float(np.round(b + 0.1, 1)), float(s), float(z))
        for t, b, s, z in zip(times.tolist(), bids, *sizes, strict=True)
    ]
    fills, orders = [], []
    for number, row in enumerate(np.sort(rng.choice(np.arange(n // 12, n - 1), trades, replace=False)).tolist()):
        fills.append(_random_fill(rng, quotes[row], number, strategies))
        orders.append(_random_order(rng, fills[-1], number))
    better = [f | ({"price": f["price"] + (Decimal("-2") if f["side"] == "BUY" else Decimal("2"))}) for f in fills]
    reasons = rng.choice(["EDGE_TOO_SMALL", "POSITION_LIMIT", "OPEN_ENTRY", "STALE_BOOK"], 90, p=[0.6, 0.2, 0.15, 0.05])
    volume = [
        {"minute_ns": at(60 * m), "instrument_id": IID, "buy_volume": float(a), "sell_volume": float(b), "trades": 60}
        for m, (a, b) in enumerate(rng.gamma(2.0, 2.0, (minutes, 2)).round(3).tolist())
    ]
    return Scene(
        quotes=quotes,
        fills=fills,
        orders=orders,
        optimistic=better,
        funding=[paid(minutes * 30, "-0.12340000", "0.01")],
        refusals=[refusal(float(i), str(reason)) for i, reason in enumerate(reasons)],
        volume=volume,
        manifest={"trading_start_ns": at(300), "waived": [{"strategy_id": "S-2", "reason": "a quoting test"}]},
    )


def _random_fill(rng: np.random.Generator, row: dict[str, Any], number: int, strategies: int) -> dict[str, Any]:
    side = "BUY" if rng.random() < 0.5 else "SELL"
    maker = bool(rng.random() < 0.8)
    price = Decimal(repr(row["bid" if (side == "BUY") == maker else "ask"]))
    size = Decimal(int(rng.integers(1, 20))).scaleb(-3)
    fee = (price * size * (Decimal("0.0002") if maker else Decimal("0.0005"))).quantize(UNIT)
    waited = float(rng.exponential(5.0)) if maker else 0.0
    decided = row["ts_ns"] - round((waited + 0.2) * 1e9)
    more = {
        "number": number,
        "strategy_id": f"S-{number % strategies + 1}",
        "liquidity": "MAKER" if maker else "TAKER",
        "fee": fee,
        "ts_decision": decided,
        "ts_arrival": decided + 200_000_000 + int(rng.integers(0, 30_000_000)) if maker else None,
        "mid_decision": float(price) + float(rng.normal(0, 3)),
    }
    return fill((row["ts_ns"] - START) / 1e9, side, f"{size:f}", f"{price:f}", **more) | {"ts_ns": row["ts_ns"]}


def _random_order(rng: np.random.Generator, done: dict[str, Any], number: int) -> dict[str, Any]:
    maker = done["liquidity"] == "MAKER"
    outcome = str(rng.choice(["FILLED", "CANCELED", "REJECTED"], p=[0.7, 0.25, 0.05])) if maker else "FILLED"
    return order((done["ts_decision"] - START) / 1e9, done["side"], number=number) | {
        "ts_ns": done["ts_decision"],
        "strategy_id": done["strategy_id"],
        "order_type": "LIMIT" if maker else "MARKET",
        "price": done["price"] if maker else None,
        "quantity": done["quantity"],
        "filled_quantity": done["quantity"] if outcome == "FILLED" else Decimal(0),
        "status": outcome,
        "ts_accepted": done["ts_arrival"] if outcome != "REJECTED" else None,
        "ts_closed": done["ts_ns"],
        "queue_ahead": float(rng.gamma(2.0, 2.0)) if maker else None,
    }
