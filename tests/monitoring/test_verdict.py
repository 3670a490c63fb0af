"""Queue bracket and the checks by which a report distrusts itself."""

from __future__ import annotations

import re
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from monitoring.report import load, summarise
from monitoring.report.verdict import Verdict, verdict
from tests.monitoring.build_run import IID, Scene, at, fill, order, quote

D = Decimal


@pytest.mark.req("B-5")
@pytest.mark.parametrize(
    ("conservative", "optimistic", "expected"),
    [
        ("-1", "2", "INCONCLUSIVE"),
        ("0", "2", "INCONCLUSIVE"),
        ("1", "2", "PROFIT"),
        ("-2", "-1", "LOSS"),
        ("0", "0", "FLAT"),
    ],
)
def test_bounds_that_differ_in_sign_are_inconclusive(conservative: str, optimistic: str, expected: str) -> None:
    assert verdict({"conservative": D(conservative), "optimistic": D(optimistic)}) == expected


def test_one_bound_alone_gives_no_verdict() -> None:
    assert verdict({"conservative": D(5)}) == "ONE_BOUND"


def session(conservative: list[dict[str, Any]], optimistic: list[dict[str, Any]] | None = None, **more: Any) -> Scene:
    return Scene(quotes=[quote(0, 99, 101), quote(9999, 99, 101)], fills=conservative, optimistic=optimistic, **more)


def trips(count: int, gain: str = "1", **more: Any) -> list[dict[str, Any]]:
    exits = f"{D(100) + D(gain)}"
    return [
        row
        for i in range(count)
        for row in (
            fill(20 * i + 1, "BUY", "1", "100", **more),
            fill(20 * i + 9, "SELL", "1", exits, **more | {"liquidity": "TAKER"}),
        )
    ]


def names(scene: Scene, path: Path) -> set[str]:
    return {doubt.name for doubt in summarise(load(scene.write(path))).doubts}


def rejected() -> dict[str, Any]:
    return order(1, status="REJECTED", filled_quantity=D(0), reject_reason="POST_ONLY")


def test_an_honest_run_raises_no_doubt(tmp_path: Path) -> None:
    assert names(session(trips(30), trips(30), orders=[order(0), rejected()]), tmp_path) == set()


def test_no_rejects_at_all_is_a_doubt(tmp_path: Path) -> None:
    assert names(session(trips(30), orders=[order(0)]), tmp_path) == {"no_rejects"}


def test_only_maker_fills_are_a_doubt(tmp_path: Path) -> None:
    fills = [row | {"liquidity": "MAKER"} for row in trips(30)]
    assert names(session(fills, orders=[rejected()]), tmp_path) == {"all_maker"}


def test_profit_in_the_optimistic_bound_alone_is_a_doubt_and_inconclusive(tmp_path: Path) -> None:
    scene = session(trips(30, "-1"), trips(30, "1"), orders=[rejected()])
    assert names(scene, tmp_path) == {"optimistic_only"}
    assert summarise(load(tmp_path)).verdict == "INCONCLUSIVE"


def test_fewer_than_thirty_round_trips_are_a_doubt(tmp_path: Path) -> None:
    assert names(session(trips(29), orders=[rejected()]), tmp_path) == {"few_round_trips"}


def test_more_than_a_tenth_of_the_market_is_a_doubt(tmp_path: Path) -> None:
    volume = [
        {"minute_ns": at(60 * m), "instrument_id": IID, "buy_volume": 20.0, "sell_volume": 20.0, "trades": 9}
        for m in range(11)
    ]
    # six fills of 1 in each minute of 40
    assert names(session(trips(30), orders=[rejected()], volume=volume), tmp_path) == {"participation"}


def test_the_docs_explain_every_doubt_and_every_verdict() -> None:
    root = Path(__file__).resolve().parents[2]
    page = (root / "docs" / "what-every-number-means.md").read_text(encoding="utf-8")
    source = (root / "monitoring" / "report" / "verdict.py").read_text(encoding="utf-8")
    doubts = set(re.findall(r'Doubt\("(\w+)"', source))
    assert len(doubts) == 7
    assert [word for word in sorted(doubts | set(Verdict)) if f"`{word}`" not in page] == []
