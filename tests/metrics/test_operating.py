"""Thresholds against an exhaustive search, scikit-learn, and by hand on ties and single classes."""

import math

import numpy as np
import pytest
from sklearn.metrics import roc_curve

from busline.metrics.operating import (
    POINTS,
    sensitivity_at_specificity,
    sensitivity_threshold,
    specificity_threshold,
    youden_threshold,
)


def rates(truth, score, threshold):
    called = score >= threshold
    return called[truth].mean(), (~called[~truth]).mean()


def made(seed, decimals=8):
    generator = np.random.default_rng(seed)
    truth = np.arange(37) < 14
    return truth, (generator.normal(size=37) + truth).round(decimals)


@pytest.mark.parametrize("decimals", [0, 1, 8])
@pytest.mark.parametrize("seed", range(6))
def test_thresholds_against_all_there_are(seed, decimals):
    truth, score = made(seed, decimals)
    tried = {threshold: rates(truth, score, threshold) for threshold in np.unique(score)}
    best = max(sum(pair) for pair in tried.values())
    youden = rates(truth, score, youden_threshold(truth, score))
    assert sum(youden) == pytest.approx(best)
    assert youden[0] == max(sens for sens, spec in tried.values() if sens + spec == pytest.approx(best))
    for target in (0.5, 0.9, 0.95, 1.0):
        found = sensitivity_threshold(truth, score, target)
        assert found == max(threshold for threshold, (sens, _) in tried.items() if sens >= target)
        able = [threshold for threshold, (_, spec) in tried.items() if spec >= target]
        found = specificity_threshold(truth, score, target)
        assert found == min(able) if able else found > score.max()


@pytest.mark.parametrize("seed", range(6))
def test_the_curves_own_sensitivity_is_scikit_learns(seed):
    truth, score = made(seed, 1)
    alarms, hits, _ = roc_curve(truth, score, drop_intermediate=False)
    for target in (0.5, 0.9, 1.0):
        assert sensitivity_at_specificity(truth, score, target) == hits[alarms <= 1 - target + 1e-12].max()


def test_by_hand():
    """Positives 0.9, 0.6, 0.4, 0.2, negatives 0.5, 0.3, 0.1."""
    truth = np.array([1, 1, 1, 1, 0, 0, 0])
    score = np.array([0.9, 0.6, 0.4, 0.2, 0.5, 0.3, 0.1])
    # J: 1/4, 1/2, 1/6, 5/12, 1/12, 1/3, 0 at 0.9, 0.6, 0.5, 0.4, 0.3, 0.2, 0.1
    assert youden_threshold(truth, score) == 0.6
    assert [sensitivity_threshold(truth, score, target) for target in (0.75, 0.76, 0.95)] == [0.4, 0.2, 0.2]
    assert [specificity_threshold(truth, score, target) for target in (0.66, 0.67, 0.9)] == [0.4, 0.6, 0.6]
    assert sensitivity_at_specificity(truth, score, 0.9) == 0.5


def test_a_target_is_reached_by_the_very_number():
    """19 of 20 are 95 %, and 18 of 20 are 90 %, whatever floats say."""
    truth, score = np.arange(40) < 20, np.r_[np.arange(20), np.arange(20)].astype(float)
    assert sensitivity_threshold(truth, score, 0.95) == 1.0
    assert specificity_threshold(truth, score, 0.90) == 18.0
    assert 0.07 * 100 > 7
    assert sensitivity_threshold([1] * 100 + [0], np.r_[np.arange(100), 0.5], 0.07) == 93.0


def test_of_equally_good_thresholds_the_one_that_misses_fewest():
    assert youden_threshold([1, 0, 1, 0], [0.8, 0.6, 0.4, 0.2]) == 0.4
    # a model that is worse than none: nothing beats calling everybody
    assert youden_threshold([0, 0, 1, 1], [0.9, 0.8, 0.2, 0.1]) == 0.1


def test_a_threshold_above_all_scores_calls_nobody_and_is_a_number():
    truth, score = np.array([1, 1, 0, 0]), np.array([0.7, 0.7, 0.7, 0.2])
    found = specificity_threshold(truth, score, 0.9)
    assert 0.7 < found < 0.7 + 1e-9
    assert sensitivity_at_specificity(truth, score, 0.9) == 0.0


def test_constant_scores_call_everybody_or_nobody():
    truth, score = [1, 0, 0], [0.5, 0.5, 0.5]
    assert youden_threshold(truth, score) == sensitivity_threshold(truth, score, 0.95) == 0.5
    assert specificity_threshold(truth, score, 0.9) > 0.5


def test_perfect_separation():
    truth, score = [1, 1, 0, 0], [0.9, 0.8, 0.2, 0.1]
    assert {point.choose(np.array(truth), np.array(score)) for point in POINTS.values()} == {0.8}


@pytest.mark.parametrize("truth", [[1, 1], [0, 0], []])
@pytest.mark.parametrize("name", POINTS)
def test_one_class_has_no_operating_point(truth, name):
    score = np.arange(len(truth), dtype=float)
    assert math.isnan(POINTS[name].choose(np.array(truth, dtype=bool), score))
    assert math.isnan(sensitivity_at_specificity(truth, score, 0.9))
