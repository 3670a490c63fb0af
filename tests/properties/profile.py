"""What differs from one episode to the next, as plain numbers: every limit now wide, now tight enough to bind."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any

from risk.breakers.config import BreakersConfig
from risk.config import DrawdownThrottle, RiskConfig
from risk.policy import Policy, WaiveEdge
from risk.throttles import ThrottleConfig

BREAKERS: Mapping[str, Mapping[str, float]] = {
    "feed_silence_ms": {"soft": 5000, "hard": 15_000, "cooldown_secs": 1, "clear_events": 2},
    "book_stale_ms": {"soft": 20_000, "hard": 90_000, "cooldown_secs": 1, "clear_events": 1},
    "book_crossed_updates": {"soft": 0, "hard": 2, "cooldown_secs": 1, "clear_events": 2},
    "book_gaps": {"soft": 0, "hard": 2, "cooldown_secs": 1, "clear_events": 1, "window_secs": 60},
    "feed_age_ms": {"soft": 500, "hard": 3000, "cooldown_secs": 1, "clear_events": 3, "size_factor": 0.5},
    "rejects_in_a_row": {"soft": 1, "hard": 2, "cooldown_secs": 5, "clear_events": 1},
    "slippage_bps": {"soft": 15, "cooldown_secs": 10, "clear_events": 0, "size_factor": 0.25},
    "api_budget_pct": {"soft": 80, "hard": 95, "cooldown_secs": 5, "clear_events": 0},
    "clock_offset_ms": {"soft": 250, "hard": 1000, "cooldown_secs": 1, "clear_events": 2},
}
"""Breakers whose values the oracle can work out by hand; those with statistics have traces of their own in `tests/risk`."""
STRATEGIES = ("a", "b", "c")
MOST_ENTRIES = {"a": 10, "b": 2, "c": 4}
ORDER_RANKS = {"a": 2, "b": 0, "c": 1}
"""Most aggressive entry of each strategy: 0 post-only, 1 limit, 2 market."""
DEMANDS_EDGE = "c"


@dataclass(frozen=True, slots=True)
class Profile:
    """Limits of one episode; None is not checked."""

    order_quantity: float | None = None
    order_notional: float = 3000.0
    position: float = 3000.0
    gross: float | None = None
    net: float | None = None
    leverage: float = 50.0
    free_margin_pct: float = 0.0
    entries_per_symbol: int | None = None
    daily_loss: float = 1e6
    daily_latches: bool = False
    drawdown_pct: float = 100.0
    shrink: bool = False
    streak: int | None = None
    per_sec: int | None = None
    identical: int | None = None
    cancels_per_fill: float | None = None
    cooldown_secs: float = 0.0
    collar_mid: float | None = None
    collar_mark: float | None = None
    max_orders: int = 200
    breakers: bool = True
    latch: bool = False
    flatten: bool = False
    warm_up_secs: int = 0
    end_secs: int | None = None
    marks: bool = False


DOMAINS: Mapping[str, Sequence[Any]] = {
    "order_quantity": (None, None, 4.0),
    "order_notional": (3000.0, 3000.0, 900.0),
    "position": (3000.0, 4500.0, 100_000.0),
    "gross": (None, None, 4100.0),
    "net": (None, None, 3200.0),
    "leverage": (50.0, 50.0, 0.45),
    "free_margin_pct": (0.0, 0.0, 98.0),
    "entries_per_symbol": (None, None, 2),
    "daily_loss": (1e6, 25.0, 70.0),
    "daily_latches": (False, False, True),
    "drawdown_pct": (100.0, 100.0, 1.2),
    "shrink": (False, False, True),
    "streak": (None, None, 2),
    "per_sec": (None, None, 2),
    "identical": (None, None, 2),
    "cancels_per_fill": (None, None, 1.0),
    "cooldown_secs": (0.0, 0.0, 20.0),
    "collar_mid": (None, None, 40.0),
    "collar_mark": (None, None, 60.0),
    "max_orders": (200, 200, 3),
    "breakers": (True, False),
    "latch": (False, False, True),
    "flatten": (False, False, True),
    "warm_up_secs": (0, 0, 0, 0, 0, 3),
    "end_secs": (None, None, None, None, None, None, 60),
    "marks": (False, True),
}
SHRINK_START, SHRINK_STOP = 0.25, 1.0
PAUSE_SECS = 30.0
CANCEL_WINDOW_SECS, MIN_CANCELS = 60.0, 3
IDENTICAL_SECS = 10.0
EDGE_MARGIN_BPS, MAKER_BPS, TAKER_BPS = 0.5, 2.0, 5.0


def names() -> tuple[str, ...]:
    """Fields of a profile, in order."""
    return tuple(field.name for field in fields(Profile))


def breakers_of(profile: Profile) -> dict[str, dict[str, Any] | None]:
    """The `breakers:` block of an episode."""
    block: dict[str, dict[str, Any] | None] = dict.fromkeys(BreakersConfig.model_fields)
    if profile.breakers:
        block |= {name: dict(limits) for name, limits in BREAKERS.items()}
        rejects, api = block["rejects_in_a_row"], block["api_budget_pct"]
        if rejects is not None and api is not None:
            rejects["latch"] = profile.latch
            api["hard_action"] = "flatten" if profile.flatten else "cancel"
    return block


def risk_config(profile: Profile) -> RiskConfig:
    """The same numbers as the gate gets them."""
    shrink = profile.shrink and profile.drawdown_pct >= SHRINK_STOP
    return RiskConfig.model_validate({
        "max_order_notional_quote": profile.order_notional, "max_order_quantity": profile.order_quantity,
        "max_position_notional_quote": profile.position, "max_gross_notional_quote": profile.gross,
        "max_net_notional_quote": profile.net, "max_gross_leverage": profile.leverage,
        "min_free_margin_pct": profile.free_margin_pct, "max_open_entries_per_symbol": profile.entries_per_symbol,
        "max_daily_loss_quote": profile.daily_loss, "daily_loss_latches": profile.daily_latches,
        "max_drawdown_pct": profile.drawdown_pct, "max_losses_in_a_row": profile.streak, "loss_pause_secs": PAUSE_SECS,
        "edge_margin_bps": EDGE_MARGIN_BPS,
        "drawdown_throttle": DrawdownThrottle.model_validate({"start_pct": str(SHRINK_START), "stop_pct": str(SHRINK_STOP)})
        if shrink else None,
        "throttles": ThrottleConfig.model_validate({
            "max_orders_per_sec": profile.per_sec, "max_identical_orders": profile.identical,
            "identical_window_secs": IDENTICAL_SECS, "max_cancels_per_fill": profile.cancels_per_fill,
            "cancel_window_secs": CANCEL_WINDOW_SECS, "min_cancels": MIN_CANCELS,
            "reentry_cooldown_secs": profile.cooldown_secs,
            "collar_mid_bps": profile.collar_mid, "collar_mark_bps": profile.collar_mark,
        }),
        "breakers": BreakersConfig.model_validate(breakers_of(profile)),
    })  # fmt: skip


def policies() -> dict[str, Policy]:
    """Free, cautious, and one that must state its edge."""
    waived = WaiveEdge(waived="a property test")
    return {
        "a": Policy(entry_order="market", edge=waived, max_open_entries=MOST_ENTRIES["a"]),
        "b": Policy(entry_order="post_only", edge=waived, max_open_entries=MOST_ENTRIES["b"]),
        "c": Policy(entry_order="limit", edge="required", max_open_entries=MOST_ENTRIES["c"]),
    }
