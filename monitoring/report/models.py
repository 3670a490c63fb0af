"""`summary.json`: the keys of a run's summary, documented.

Money is `Decimal` in memory and a plain JSON number of at most 8 decimals in the file.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, PlainSerializer

from monitoring.report.risk_models import RiskSummary
from monitoring.report.timings import TimingSummary

SCHEMA_VERSION = 1

Money = Annotated[Decimal, PlainSerializer(float, return_type=float, when_used="json")]


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class WaterfallSummary(_Frozen):
    """P&L by cause, in account currency.

    `net = spread + markout + inventory − fees + funding`,

    up to the bound's `rounding` and `residual`."""

    spread: Money = Field(description="Σ s·q·(mid_fill − p): spread captured by makers, paid by takers.")
    markout: Money = Field(description="Σ s·q·(mid_{t+h} − mid_fill), h as in `horizon_secs`.")
    inventory: Money = Field(description="Σ s·q·(mid_T − mid_{t+h}): what the position did after h.")
    fees: Money = Field(description="Fees paid; a rebate is negative.")
    funding: Money = Field(description="Funding received; paid is negative.")
    net: Money = Field(description="Net P&L; of the account as a whole it is read from the engine's account.")
    horizon_secs: float = Field(description="h, seconds.")


class MarkoutSummary(_Frozen):
    """Notional-weighted markout of one kind of fill at one horizon."""

    liquidity: str = Field(description="ALL, MAKER or TAKER.")
    horizon_secs: float = Field(description="Seconds after the fill.")
    gross_bps: float | None = Field(description="s·(mid_{t+h} − p)/p in basis points.")
    net_bps: float | None = Field(description="The same after the fee.")
    net_low_bps: float | None = Field(description="Lower end of the 95 % block-bootstrap interval of `net_bps`.")
    net_high_bps: float | None = Field(description="Upper end; null with fewer than five blocks of fills.")
    fills: int = Field(description="Fills that count.")
    excluded: int = Field(description="Fills with less than the horizon of data left.")


class ShortfallSummary(_Frozen):
    """Implementation shortfall (slippage) against the mid at the decision; positive is a cost."""

    total_bps: float | None = Field(description="s·(p − mid_decision), notional-weighted, basis points.")
    delay_bps: float | None = Field(description="Part of it from decision to arrival at the venue.")
    spread_impact_bps: float | None = Field(description="Part of it from arrival to the fill price.")
    quote: float = Field(description="Total in account currency.")
    fills: int = Field(description="Fills that count.")
    excluded: int = Field(description="Fills without a decision mid.")


class QuantileSummary(_Frozen):
    """Median and 95th percentile; fractions."""

    p50: float | None = Field(description="Median.")
    p95: float | None = Field(description="95th percentile.")
    count: int = Field(description="Observations.")
    excluded: int = Field(description="Observations without a denominator.")


class CapacitySummary(_Frozen):
    """Estimated net at another size."""

    scale: float = Field(description="Multiple of the size that was run.")
    net_bps: float | None = Field(description="Net over turnover after estimated impact, basis points.")
    impact_bps: float | None = Field(description="Square-root impact charged, basis points.")
    share_p95: float | None = Field(description="Share of the market's volume per minute, p95.")
    beyond_data: bool = Field(description="True above 10 % of the market's volume: a guess.")
    reason: str | None = Field(description="Why there is no figure.")


class StrategySummary(_Frozen):
    """One strategy's part of the netted account."""

    strategy_id: str = Field(description="As in the config.")
    fills: int = Field(description="Fills.")
    turnover: Money = Field(description="Traded notional, account currency.")
    waterfall: WaterfallSummary = Field(description="Its own waterfall; the strategies' parts add up to the run's.")
    round_trips: int = Field(description="Closed round trips.")
    hit_rate: float | None = Field(description="Share of them with a positive net.")


class ExposureSummary(_Frozen):
    """Σ |position| × mid over time."""

    mean_quote: float = Field(description="Time-weighted mean, account currency.")
    max_quote: float = Field(description="Largest, account currency.")
    mean_leverage: float = Field(description="Time-weighted mean of exposure / equity.")
    max_leverage: float = Field(description="Largest exposure / equity.")
    time_in_market: float = Field(description="Share of the time with a position.")


class ConductSummary(_Frozen):
    """How the strategies behave: changes of direction, and waiting after a close."""

    flips: int = Field(description="Stays in the market of the opposite direction to the one before, per strategy.")
    flips_per_hour: float | None = Field(description="The same per hour of trading time.")
    cooldown_secs: float = Field(
        description="`risk.throttles.reentry_cooldown_secs`: least time from flat to an entry."
    )
    reentries: int = Field(description="Entries sent from flat after an earlier stay.")
    reentries_early: int = Field(description="Those decided before the cool-down was over; the gate lets none through.")
    reentries_refused: int = Field(description="Entries that the gate refused for the cool-down.")
    shortest_secs: float | None = Field(description="Shortest time from flat to the decision of an entry, seconds.")


class BoundSummary(_Frozen):
    """Every figure of one queue bound."""

    bound: str = Field(description="conservative (queue modelled), optimistic (not), live, shadow or paper.")
    orders: int = Field(description="Orders that reached the venue.")
    rejects: int = Field(description="Of them, rejected by the venue.")
    fills: int = Field(description="Fills.")
    refusals: int = Field(description="Orders our own gate refused.")
    refusals_by_reason: dict[str, int] = Field(description="Refusals by reason, most frequent first.")
    currency: str = Field(description="Account currency of every amount.")
    net_pnl: Money = Field(description="Ending − starting balance + unrealised at mid, from the engine's account.")
    gross_pnl: Money = Field(description="P&L from prices alone: spread + markout + inventory.")
    fees: Money = Field(description="Fees paid; a rebate is negative.")
    other_fees: dict[str, Money] = Field(description="Fees in other assets, not part of any sum.")
    funding: Money = Field(description="Funding received; paid is negative.")
    fee_to_close: Money = Field(description="Taker fee of closing what is still open at the last mid; not part of net.")
    residual: Money = Field(description="Net minus the waterfall's parts and rounding; anything but 0 is an error.")
    rounding: Money = Field(description="Difference within `rounding_allowance`: the engine rounds what it books.")
    rounding_allowance: Money = Field(description="What rounding to 8 decimals can leave over this many postings.")
    waterfall: WaterfallSummary = Field(description="P&L by cause.")
    max_drawdown: float = Field(description="Deepest fall of equity at any mark, as a fraction of the running peak.")
    max_drawdown_quote: float = Field(description="Deepest fall in account currency.")
    sharpe: float | None = Field(description="Mean/std of UTC-daily returns × √365.")
    sharpe_se: float | None = Field(description="Its standard error (Lo 2002).")
    sharpe_reason: str | None = Field(description="Why there is no Sharpe ratio.")
    days: int = Field(description="UTC days of equity.")
    maker_share: float | None = Field(description="Maker notional / total notional.")
    fill_ratio: float | None = Field(description="Filled / submitted quantity.")
    round_trips: int = Field(description="Closed round trips, flat to flat, per strategy and instrument.")
    round_trips_open: int = Field(description="Round trips still open at the end.")
    hit_rate: float | None = Field(description="Share of closed round trips with a positive net.")
    holding_secs_mean: float | None = Field(description="Mean holding time of closed round trips, seconds.")
    holding_secs_median: float | None = Field(description="Median holding time, seconds.")
    turnover: Money = Field(description="Traded notional, account currency.")
    turnover_multiple: float = Field(description="Turnover / starting balance.")
    net_bps: float | None = Field(description="Net over turnover, basis points.")
    exposure: ExposureSummary = Field(description="Exposure over time.")
    markouts: list[MarkoutSummary] = Field(description="By liquidity and horizon.")
    shortfall: ShortfallSummary = Field(description="Implementation shortfall.")
    participation: QuantileSummary = Field(description="Own / market volume in the minutes traded.")
    size_of_level: QuantileSummary = Field(description="Order size / displayed size of the level it met.")
    capacity: list[CapacitySummary] = Field(description="Net at other sizes, an estimate.")
    strategies: list[StrategySummary] = Field(description="Attribution per strategy.")
    pnl_by_day: dict[str, float] = Field(description="Equity change per UTC day, account currency.")
    winning_days: float | None = Field(description="Share of UTC days with a positive change.")
    conduct: ConductSummary = Field(description="Changes of direction, and respect of the re-entry cool-down.")
    risk: RiskSummary = Field(description="Breakers, halts, refusals with their figures, use of the limits.")
    timings: list[TimingSummary] = Field(default=[], description="Measured latencies of a live session.")


class TrustMark(_Frozen):
    """One thing to know before believing a number."""

    label: str = Field(description="What it is about.")
    text: str = Field(description="What to know.")
    level: str = Field(description="plain, warn or bad.")


class DoubtSummary(_Frozen):
    """A check that failed."""

    name: str = Field(description="Stable name.")
    text: str = Field(description="Sentence with figures.")


class Summary(_Frozen):
    """`summary.json`: the headline at the top level, every figure of each queue bound in `bounds`."""

    schema_version: int = Field(default=SCHEMA_VERSION, description="Of this file.")
    run_id: str = Field(description="Name of the run.")
    config_hash: str = Field(description="Hash of the resolved config.")
    code_version: str = Field(description="Version of the code that ran.")
    status: str = Field(description="completed, halted or failed.")
    mode: str = Field(description="backtest, shadow, paper, testnet or live.")
    events: int = Field(description="Market events replayed, per bound.")
    headline: str = Field(description="Bound whose figures stand at the top level.")
    verdict: str = Field(description="PROFIT, LOSS, FLAT, INCONCLUSIVE or ONE_BOUND.")
    orders: int = Field(description="Orders that reached the venue.")
    fills: int = Field(description="Fills.")
    refusals: int = Field(description="Orders our own gate refused.")
    net_pnl: Money = Field(description="Net P&L, account currency.")
    gross_pnl: Money = Field(description="P&L from prices alone.")
    fees: Money = Field(description="Fees paid.")
    funding: Money = Field(description="Funding received.")
    residual: Money = Field(description="Net minus the waterfall's parts.")
    max_drawdown: float = Field(description="Fraction of the running peak.")
    sharpe: float | None = Field(description="Annualised; null below 30 days.")
    sharpe_se: float | None = Field(description="Standard error of the Sharpe ratio.")
    sharpe_reason: str | None = Field(description="Why there is no Sharpe ratio.")
    maker_share: float | None = Field(description="Maker notional / total notional.")
    fill_ratio: float | None = Field(description="Filled / submitted quantity.")
    round_trips: int = Field(description="Closed round trips.")
    turnover: Money = Field(description="Traded notional.")
    wall_seconds: float = Field(description="How long the run took; the only figure that differs between equal runs.")
    currency: str = Field(description="Account currency.")
    synthetic: bool = Field(description="True when the market data was generated.")
    trust: list[TrustMark] = Field(description="Trust marks.")
    doubts: list[DoubtSummary] = Field(description="Checks that failed.")
    bounds: dict[str, BoundSummary] = Field(description="Figures of each queue bound.")
