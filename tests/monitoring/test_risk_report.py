"""The risk part of the report: every figure against an example worked by hand."""

from __future__ import annotations

import io
import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from rich.console import Console

from monitoring.report import Summary, load, summarise, terminal
from monitoring.report.limit_use import most_within
from monitoring.report.refused import measure
from monitoring.report.risk_lanes import PROBING, clipped
from monitoring.report.risk_models import LimitSummary, RiskSummary
from risk.breakers.board import BreakerBoard
from risk.breakers.config import BreakersConfig
from tests.monitoring.build_run import IID, SECOND, START, Scene, at, edge, fill, halt, order, quote, refusal

ETH = "ETHUSDT-PERP.BINANCE"


def quiet(**more: Any) -> Scene:
    """A hundred seconds of trading at a mid of 100, from second 100 to second 200."""
    quotes = [quote(0, 99, 101), quote(200, 99, 101)]
    return Scene(quotes=quotes, manifest={"trading_start_ns": at(100)} | more.pop("manifest", {}), **more)


def configured(**risk: Any) -> dict[str, Any]:
    return {"config": {"risk": risk}}


def summary_of(scene: Scene, path: Path) -> Summary:
    return summarise(load(scene.write(path)))


def risk_of(scene: Scene, path: Path) -> RiskSummary:
    return summary_of(scene, path).bounds["conservative"].risk


def printed(summary: Summary) -> str:
    out = io.StringIO()
    Console(file=out, width=110, force_terminal=False).print(terminal(summary, Path("runs") / "x"))
    return out.getvalue()


def named(risk: RiskSummary, name: str) -> LimitSummary:
    return next(found for found in risk.limits if found.name == name)


def test_a_breaker_shuts_entries_from_its_opening_to_its_closing_half_open_included(tmp_path: Path) -> None:
    """Open at 110, half open at 115, closed at 117; open again at 150, hard at 152, closed at 160: 7 + 10 = 17 s of 100."""
    events = [
        edge(110, "spread_multiple", "open"),
        edge(115, "spread_multiple", "half_open"),
        edge(117, "spread_multiple", "closed", "none"),
        edge(150, "spread_multiple", "open"),
        edge(152, "spread_multiple", "open", "hard"),
        edge(160, "spread_multiple", "closed", "none"),
    ]
    risk = risk_of(quiet(risk_events=events), tmp_path)
    (found,) = risk.breakers
    assert (found.opened, found.hard) == (2, 1)  # soft to hard is an escalation, not an opening
    assert (found.shut_secs, found.shut_share, found.longest_secs) == (17.0, 0.17, 10.0)
    assert found.reduced_secs == 0.0
    assert (risk.trading_secs, risk.shut_secs, risk.shut_share) == (100.0, 17.0, 0.17)


def test_warm_up_does_not_count_and_what_stays_open_counts_to_the_end(tmp_path: Path) -> None:
    """Open from 90 (warm-up) to 104: 4 s and no opening in trading time. Open again from 195 to T = 200: 5 s."""
    events = [edge(90, "book_gaps", "open"), edge(104, "book_gaps", "closed", "none"), edge(195, "book_gaps", "open")]
    (found,) = risk_of(quiet(risk_events=events), tmp_path).breakers
    assert (found.opened, found.shut_secs) == (1, 9.0)


def test_a_soft_limit_that_only_shrinks_entries_reduces_and_its_hard_limit_shuts(tmp_path: Path) -> None:
    """Soft at half size from 110 to 130 (20 s reduced), hard from 130 to 136 (6 s shut)."""
    events = [
        edge(110, "atr_multiple", "open"),
        edge(130, "atr_multiple", "open", "hard"),
        edge(136, "atr_multiple", "closed", "none"),
    ]
    manifest = configured(breakers={"atr_multiple": {"soft": 4.0, "hard": 8.0, "size_factor": 0.5}})
    risk = risk_of(quiet(risk_events=events, manifest=manifest), tmp_path)
    assert [(b.shut_secs, b.reduced_secs) for b in risk.breakers] == [(6.0, 20.0)]
    assert risk.shut_secs == 6.0


def test_a_half_open_breaker_that_needs_an_order_of_ours_lets_entries_pass(tmp_path: Path) -> None:
    """Open 110 to 120 (10 s shut), half open 120 to 180: probes pass."""
    events = [
        edge(110, "slippage_bps", "open"),
        edge(120, "slippage_bps", "half_open"),
        edge(180, "slippage_bps", "closed", "none"),
    ]
    (found,) = risk_of(quiet(risk_events=events), tmp_path).breakers
    assert (found.shut_secs, found.reduced_secs) == (10.0, 0.0)


def test_the_report_knows_which_breakers_let_probes_pass() -> None:
    board = BreakerBoard(BreakersConfig(), [IID])
    assert {breaker.name for breaker in board.breakers() if breaker.probes} == PROBING


def test_overlapping_breakers_count_once_and_instruments_are_averaged(tmp_path: Path) -> None:
    """Account-wide 110–130, BTC 120–140, ETH never: BTC is shut for 30 s, ETH for 20 s, together 25 s."""
    events = [
        edge(110, "feed_silence_ms", "open", instrument_id=""),
        edge(120, "book_stale_ms", "open"),
        edge(130, "feed_silence_ms", "closed", "none", instrument_id=""),
        edge(140, "book_stale_ms", "closed", "none"),
    ]
    scene = quiet(risk_events=events)
    scene.quotes += [row | {"instrument_id": ETH} for row in scene.quotes]
    risk = risk_of(scene, tmp_path)
    assert [(b.name, b.shut_secs) for b in risk.breakers] == [("book_stale_ms", 20.0), ("feed_silence_ms", 20.0)]
    assert (risk.shut_secs, risk.shut_share) == (25.0, 0.25)


def test_stretches_that_touch_are_one() -> None:
    assert clipped([(5, 9), (0, 3), (3, 4), (8, 12)], 1, 10) == [(1, 4), (5, 10)]


@pytest.mark.req("R-3")
def test_a_tripped_kill_switch_shuts_to_the_end_and_the_terminal_says_why(tmp_path: Path) -> None:
    """Tripped at 175 of 200: 25 s, a quarter of the trading time."""
    events = [
        halt(175, "kill_switch", "drawdown 5.10 % > 5.00 %", figures='{"limit": "5"}'),
        halt(175, "kill_switch", "the arm token could not be deleted"),
    ]
    summary = summary_of(quiet(risk_events=events, manifest={"status": "halted"}), tmp_path)
    risk = summary.bounds["conservative"].risk
    (found,) = risk.halts
    assert (found.name, found.shut_secs, found.until_ns) == ("kill_switch", 25.0, None)
    assert (found.figures, found.problems) == ({"limit": "5"}, ["the arm token could not be deleted"])
    assert risk.shut_share == 0.25
    text = printed(summary)
    assert "HALTED (conservative) at 2024-08-08 00:02:55 UTC: drawdown 5.10 % > 5.00 %" in text
    assert "Breakers: all closed all the time" in text


def test_a_daily_loss_ends_with_its_utc_day(tmp_path: Path) -> None:
    """Halted at 23:59:00; the day ends 60 s later, the data another 40 s later."""
    day = 86_400
    quotes = [quote(day - 100, 99, 101), quote(day + 40, 99, 101)]
    scene = Scene(quotes=quotes, risk_events=[halt(day - 60, "daily_loss", "daily loss 101.00 > 100.00")])
    summary = summary_of(scene, tmp_path)
    (found,) = summary.bounds["conservative"].risk.halts
    assert (found.shut_secs, found.until_ns) == (60.0, START + day * SECOND)
    assert "Halted for the day (conservative) at 2024-08-08 23:59:00 UTC: daily loss 101.00 > 100.00" in printed(
        summary
    )


def test_the_terminal_names_the_breakers_in_one_line(tmp_path: Path) -> None:
    """Thirteen openings of 0.4 s each: 5.2 s of 100."""
    events = [
        row
        for n in range(13)
        for row in (
            edge(110 + n, "spread_multiple", "open"),
            edge(110.4 + n, "spread_multiple", "closed", "none"),
        )
    ]
    events += [edge(190, "book_gaps", "open"), edge(190.02, "book_gaps", "closed", "none")]
    text = printed(summary_of(quiet(risk_events=events), tmp_path))
    assert "Breakers: spread_multiple 13× (5.2 % of the time), book_gaps 1× (< 0.1 %)\n" in text.replace(" \n", "\n")
    assert "HALTED" not in text


def test_a_run_made_before_risk_events_were_recorded_still_loads(tmp_path: Path) -> None:
    summary = summary_of(quiet(manifest={"status": "halted"}), tmp_path)
    risk = summary.bounds["conservative"].risk
    assert (risk.recorded, risk.shut_secs, risk.shut_share, risk.breakers, risk.halts) == (False, None, None, [], [])
    assert "Breakers: not recorded" in printed(summary)
    assert "HALTED: the run recorded no reason" in printed(summary)


def edge_refusal(seconds: float, cost: float, expected: float) -> dict[str, Any]:
    figures = json.dumps({"cost_bps": cost, "edge_bps": expected})
    return refusal(seconds, "edge", detail=f"edge {expected} <= {cost}", figures=figures)


def test_refusals_are_ranked_by_how_far_beyond_they_were(tmp_path: Path) -> None:
    """Cost − edge: 1.0, 3.5, 0.5, 2.0. Sorted 0.5, 1.0, 2.0, 3.5: the lower median is 1.0, the worst 3.5."""
    rows = [edge_refusal(110, 2.5, 1.5), edge_refusal(120, 4.0, 0.5), edge_refusal(105, 2.5, 2.0),
            edge_refusal(190, 2.5, 0.5), refusal(150, "warm_up", detail="still learning")]  # fmt: skip
    first, second = risk_of(quiet(refusals=rows), tmp_path).refusals
    assert (first.reason, first.count, first.share) == ("edge", 4, 0.8)
    assert (first.first_ns, first.last_ns) == (at(105), at(190))
    assert (first.measure, first.measure_median, first.measure_max) == ("cost − edge, bps", 1.0, 3.5)
    assert (first.typical, first.extreme) == ("edge 1.5 <= 2.5", "edge 0.5 <= 4.0")
    assert (second.reason, second.typical, second.extreme, second.measure) == ("warm_up", "still learning", None, None)


def test_without_a_measure_the_middle_one_of_the_commonest_figures_is_typical(tmp_path: Path) -> None:
    names = ["spread", "feed", "spread", "spread"]
    rows = [refusal(110 + n, "breaker", detail=f"{name} {n}", figures=json.dumps({"open": name}))
            for n, name in enumerate(names)]  # fmt: skip
    (found,) = risk_of(quiet(refusals=rows), tmp_path).refusals
    assert found.typical == "spread 2"


@pytest.mark.parametrize(
    ("figures", "found"),
    [
        ({"value": "2500", "limit": "2000"}, ("value / limit", 1.25)),
        ({"free_pct": "4", "limit": "10", "margin": "1"}, ("limit − free margin, %", 6.0)),
        ({"off": "30", "allowed": "20"}, ("off / allowed", 1.5)),
        ({"seconds_left": 12.5}, ("seconds left", 12.5)),
        ({"value": "1", "limit": "0"}, None),
        ({"open": "spread_multiple"}, None),
        ({"value": "much", "limit": "2"}, None),
    ],
)
def test_how_far_beyond_is_read_from_the_figures(figures: dict[str, Any], found: tuple[str, float] | None) -> None:
    assert measure(figures) == found


def test_the_window_includes_its_end_and_excludes_its_start() -> None:
    """At 0.0, 0.5 and 1.0 s: the window that ends at 1.0 begins after 0.0, so 2. With 0.9 instead of 1.0: 3."""
    assert most_within(at_array(0.0, 0.5, 1.0), 1.0) == (2.0, at(0.5))
    assert most_within(at_array(0.0, 0.5, 0.9), 1.0) == (3.0, at(0.9))
    assert most_within(at_array(), 1.0) == (0.0, None)


def at_array(*seconds: float) -> Any:
    return np.array([at(s) for s in seconds], dtype=np.int64)


@pytest.mark.req("R-2")
def test_positions_count_resting_entries_as_their_limit_does(tmp_path: Path) -> None:
    """Mid 100. Buy 3 at 110; 1 of it fills at 120; canceled at 130; buy 1.5 at 140 with 1 held: worst 3, then 2.5."""
    orders = [
        order(110, number=1, quantity=Decimal(3), filled_quantity=Decimal(1), status="CANCELED", ts_closed=at(130)),
        order(140, number=2, quantity=Decimal("1.5"), filled_quantity=Decimal(0), status="CANCELED", ts_closed=at(145)),
        order(150, "SELL", number=3, quantity=Decimal(9), reduce_only=True, ts_closed=at(151)),
    ]
    manifest = configured(max_position_notional_quote=1000.0, max_order_notional_quote=400.0, max_gross_leverage=1.0,
                          max_open_entries_per_symbol=4, max_net_notional_quote=None)  # fmt: skip
    scene = quiet(orders=orders, fills=[fill(120, "BUY", "1", "100", number=1)], manifest=manifest)
    risk = risk_of(scene, tmp_path)
    position = named(risk, "max_position_notional_quote")
    assert (position.peak, position.use, position.at_ns) == (300.0, 0.3, at(110))
    assert named(risk, "max_gross_leverage").peak == pytest.approx(0.03)
    assert (named(risk, "max_order_notional_quote").peak, named(risk, "max_order_notional_quote").use) == (300.0, 0.75)
    assert named(risk, "max_open_entries_per_symbol").peak == 1.0
    assert "max_net_notional_quote" not in {found.name for found in risk.limits}


def test_a_short_side_and_a_held_position_are_added_up(tmp_path: Path) -> None:
    """Short 2 since 110 by a filled order, sell 1.5 more rests at 140: worst −3.5, 350 at a mid of 100."""
    orders = [
        order(105, "SELL", number=1, quantity=Decimal(2), filled_quantity=Decimal(2), ts_closed=at(110)),
        order(140, "SELL", number=2, quantity=Decimal("1.5"), filled_quantity=Decimal(0), status="ACK", ts_closed=None),
    ]
    manifest = configured(max_position_notional_quote=1000.0, max_net_notional_quote=700.0)
    scene = quiet(orders=orders, fills=[fill(110, "SELL", "2", "100", number=1)], manifest=manifest)
    risk = risk_of(scene, tmp_path)
    assert named(risk, "max_position_notional_quote").peak == 350.0
    assert (named(risk, "max_net_notional_quote").peak, named(risk, "max_net_notional_quote").use) == (350.0, 0.5)


def test_losses_are_measured_at_every_mark_and_from_the_start_of_the_day(tmp_path: Path) -> None:
    """Long 10 at 100: +30 at a mid of 103, −20 at 98. Day: 20 of 40. Drawdown: 50 of 10,030 = 0.4985 %."""
    quotes = [quote(0, 99, 101), quote(120, 102, 104), quote(150, 97, 99), quote(200, 99, 101)]
    manifest = {"trading_start_ns": at(100)} | configured(max_daily_loss_quote=40.0, max_drawdown_pct=5.0)
    scene = Scene(quotes=quotes, fills=[fill(110, "BUY", "10", "100")], manifest=manifest)
    risk = risk_of(scene, tmp_path)
    daily, drawdown = named(risk, "max_daily_loss_quote"), named(risk, "max_drawdown_pct")
    assert (daily.peak, daily.use, daily.at_ns) == (20.0, 0.5, at(150))
    assert drawdown.peak == pytest.approx(100 * 50 / 10_030)


def test_a_new_utc_day_begins_with_its_own_equity(tmp_path: Path) -> None:
    """Long 10 at 100: −30 on the first day, another −20 on the second: the worst day lost 30, not 50."""
    day = 86_400
    quotes = [quote(day - 100, 99, 101), quote(day - 50, 96, 98), quote(day, 96, 98), quote(day + 50, 94, 96)]
    scene = Scene(
        quotes=quotes, fills=[fill(day - 90, "BUY", "10", "100")], manifest=configured(max_daily_loss_quote=60.0)
    )
    assert named(risk_of(scene, tmp_path), "max_daily_loss_quote").peak == pytest.approx(30.0)


def test_losing_round_trips_in_a_row_are_counted_and_a_winner_ends_the_row(tmp_path: Path) -> None:
    """Round trips: −1, −1, +1, −1: two in a row at most."""
    fills = []
    for n, (bought, sold) in enumerate([("100", "99"), ("100", "99"), ("100", "101"), ("100", "99")]):
        fills += [fill(110 + 10 * n, "BUY", "1", bought), fill(115 + 10 * n, "SELL", "1", sold)]
    risk = risk_of(quiet(fills=fills, manifest=configured(max_losses_in_a_row=4)), tmp_path)
    streak = named(risk, "max_losses_in_a_row")
    assert (streak.peak, streak.use, streak.at_ns) == (2.0, 0.5, at(125))


def test_rates_and_repetitions_are_counted_over_entries_alone(tmp_path: Path) -> None:
    """Three entries within 0.9 s, two of them alike, and an exit that does not count."""
    orders = [order(110, number=1), order(110.4, number=2), order(110.9, number=3, quantity=Decimal(2)),
              order(110.5, "SELL", number=4, reduce_only=True)]  # fmt: skip
    throttles = {"max_orders_per_sec": 10, "max_identical_orders": 5, "identical_window_secs": 10.0,
                 "max_cancels_per_fill": 20.0}  # fmt: skip
    risk = risk_of(quiet(orders=orders, manifest=configured(throttles=throttles)), tmp_path)
    assert named(risk, "throttles.max_orders_per_sec").peak == 3.0
    assert named(risk, "throttles.max_identical_orders").peak == 2.0
    assert risk.limits_not_computed == ["throttles.max_cancels_per_fill"]
