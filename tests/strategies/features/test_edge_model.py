"""What a signal is worth: the formula, the belief, and what data does to it."""

from __future__ import annotations

import math

import numpy as np
import pytest

from strategies.features.edge_model import OnlineIc, Standardiser, expected_return_bps

SEC = 1_000_000_000


def test_expected_return_is_coefficient_times_score_times_volatility() -> None:
    # 0.1 of correlation, two standard deviations, 2 bps per root second over 64 s: 0.1 * 2 * 2 * 8
    assert expected_return_bps(0.1, 2.0, 2.0, 64.0) == pytest.approx(3.2)
    assert expected_return_bps(0.1, -2.0, 2.0, 64.0) == pytest.approx(-3.2)


def test_one_settled_sample_moves_the_belief_by_the_worked_amount() -> None:
    ic = OnlineIc(prior=0.1, prior_horizons=3.0, horizon_secs=4.0, sample_secs=4.0, halflife_secs=1e9)
    ic.update(0, 100.0, 2.0, 0.5)  # scale of a 4 s return: 0.5 * 2 = 1.0
    assert ic.value == pytest.approx(0.1)
    ic.update(4 * SEC, 101.5, 0.0, 0.5)  # y = 1.5, x = 2: (3 * 0.1 + 3) / (3 + 4)
    assert ic.value == pytest.approx(3.3 / 7.0)


def test_a_jump_is_cut_at_five_standard_deviations() -> None:
    ic = OnlineIc(prior=0.0, prior_horizons=1.0, horizon_secs=1.0, sample_secs=1.0, halflife_secs=1e9)
    ic.update(0, 100.0, 1.0, 1.0)
    ic.update(SEC, 1000.0, 0.0, 1.0)
    assert ic.value == pytest.approx(5.0 / 2.0)


def test_nothing_is_learned_without_volatility() -> None:
    ic = OnlineIc(prior=0.1, prior_horizons=1.0, horizon_secs=1.0, sample_secs=1.0, halflife_secs=1e9)
    ic.update(0, 100.0, 1.0, 0.0)
    assert ic.waiting == 0


def test_waiting_samples_are_bounded_by_the_horizon() -> None:
    ic = OnlineIc(prior=0.1, prior_horizons=1.0, horizon_secs=10.0, sample_secs=1.0, halflife_secs=1e9)
    most = 0
    for tick in range(5000):
        ic.update(tick * SEC // 10, 100.0, 1.0, 1.0)
        most = max(most, ic.waiting)
    assert most == 10


def test_a_coefficient_that_is_there_is_found_and_one_that_is_not_is_unlearned() -> None:
    rng = np.random.default_rng(7)
    scores = rng.normal(size=4000)
    for truth in (0.3, 0.0):
        ic = OnlineIc(prior=0.1, prior_horizons=50.0, horizon_secs=1.0, sample_secs=1.0, halflife_secs=1e9)
        mid = 1e6
        for second, score in enumerate(scores):
            ic.update(second * SEC, mid, float(score), 1.0)
            mid += truth * float(score) + math.sqrt(1.0 - truth**2) * float(rng.normal())
        assert ic.value == pytest.approx(truth, abs=0.04)


def test_score_is_the_signal_over_its_root_mean_square_and_bounded() -> None:
    scorer = Standardiser(halflife_secs=1e9, limit=1.2)
    assert scorer.update(0, 0.0) == 0.0
    assert scorer.update(1, 3.0) == pytest.approx(1.2)  # 3 / sqrt(9 / 2) = 1.41, cut
    assert scorer.update(2, -3.0) == pytest.approx(-1.2)
    assert scorer.update(3, 1.0) == pytest.approx(1.0 / math.sqrt(19.0 / 4.0))
