"""Both intervals by hand and against SciPy, and what they cover."""

import math

import numpy as np
import pytest
from scipy import stats

from busline.metrics.intervals import (
    bootstrap_interval,
    corrected_interval,
    corrected_logit_interval,
    corrected_wilson_interval,
    reported_interval,
)


def test_corrected_interval_by_hand():
    """Three scores, mean 0.7, variance 0.01, ratio 1/4: 0.7 ± 4.302653 · sqrt((1/3 + 1/4) · 0.01)."""
    found = corrected_interval([0.6, 0.7, 0.8], 0.25)
    reach = 4.302652729911275 * math.sqrt((1 / 3 + 1 / 4) * 0.01)
    assert (found.low, found.high, found.folds) == (pytest.approx(0.7 - reach), 1.0, 3)
    assert 0.7 + reach > 1.0
    narrow = corrected_interval([0.69, 0.70, 0.71], 0.25)
    assert (narrow.low, narrow.high) == (pytest.approx(0.7 - reach / 10), pytest.approx(0.7 + reach / 10))


@pytest.mark.parametrize("confidence", [0.5, 0.9, 0.95, 0.99])
def test_without_test_cases_the_corrected_interval_is_students(confidence):
    scores = np.random.default_rng(2).uniform(0.6, 0.8, 50)
    found = corrected_interval(scores, 0.0, confidence=confidence)
    theirs = stats.t.interval(confidence, 49, loc=scores.mean(), scale=stats.sem(scores))
    assert (found.low, found.high) == pytest.approx(theirs, abs=1e-12)


def test_corrected_interval_against_an_independent_form():
    """Bouckaert and Frank 2004: 5 x 10 folds, t with 49 degrees of freedom, 1/50 + 1/4 in place of 1/50."""
    scores = np.random.default_rng(4).uniform(0.5, 0.9, 50)
    wider = math.sqrt(1 + 50 / 4) * stats.sem(scores) * stats.t.ppf(0.975, 49)
    found = corrected_interval(scores, 1 / 4)
    assert (found.low, found.high) == pytest.approx((scores.mean() - wider, scores.mean() + wider), abs=1e-12)


def test_bootstrap_interval_is_scipys_percentile_interval():
    scores = np.random.default_rng(1).beta(8, 3, 50)
    found = bootstrap_interval(scores, np.random.default_rng(5), samples=20_000, confidence=0.9)
    theirs = stats.bootstrap(
        (scores,), np.mean, n_resamples=20_000, confidence_level=0.9, method="percentile", rng=np.random.default_rng(6)
    ).confidence_interval
    assert (found.low, found.high) == pytest.approx((theirs.low, theirs.high), abs=1e-3)


def test_bootstrap_of_two_scores_by_hand():
    """The mean of two draws is 0.2, 0.5 or 0.8 with probability 1/4, 1/2, 1/4."""
    quarter = bootstrap_interval([0.2, 0.8], np.random.default_rng(0), confidence=0.4)
    assert (quarter.low, quarter.high, quarter.folds) == (0.5, 0.5, 2)
    half = bootstrap_interval([0.2, 0.8], np.random.default_rng(0), confidence=0.6)
    assert (half.low, half.high) == (pytest.approx(0.2), pytest.approx(0.8))


def test_bootstrap_covers_the_mean_of_independent_scores_as_often_as_it_says():
    generator = np.random.default_rng(9)
    truth, trials = 8 / 11, 400
    hits = 0
    for _ in range(trials):
        found = bootstrap_interval(generator.beta(8, 3, 50), generator, samples=400, confidence=0.9)
        hits += found.low <= truth <= found.high
    assert hits / trials == pytest.approx(0.9, abs=4 * math.sqrt(0.9 * 0.1 / trials))


def test_intervals_depend_on_the_generator_alone():
    scores = np.random.default_rng(3).random(20)
    first, again = (bootstrap_interval(scores, np.random.default_rng(8)) for _ in range(2))
    other = bootstrap_interval(scores, np.random.default_rng(9))
    assert first == again
    assert first != other


def test_undefined_folds_are_left_out():
    with_gaps, without = [0.6, float("nan"), 0.7, 0.8, float("nan")], [0.6, 0.7, 0.8]
    for interval in (
        lambda scores: bootstrap_interval(scores, np.random.default_rng(0)),
        lambda scores: corrected_interval(scores, 0.25),
    ):
        assert interval(with_gaps) == interval(without)
        assert interval(with_gaps).folds == 3


@pytest.mark.parametrize(("scores", "folds"), [([], 0), ([float("nan")], 0), ([0.7], 1), ([0.7, float("nan")], 1)])
def test_fewer_than_two_folds_have_no_interval(scores, folds):
    for found in (bootstrap_interval(scores, np.random.default_rng(0)), corrected_interval(scores, 0.25)):
        assert math.isnan(found.low)
        assert math.isnan(found.high)
        assert found.folds == folds


def test_intervals_stay_between_nought_and_one():
    found = corrected_interval([0.0, 1.0], 0.25)
    assert (found.low, found.high) == (0.0, 1.0)
    same = corrected_interval([1.0, 1.0, 1.0], 0.25)
    assert (same.low, same.high) == (1.0, 1.0)


def test_an_interval_of_distances_goes_on_beyond_one_but_not_below_nothing():
    scores = [2.0, 3.0, 10.0]
    wide = corrected_interval(scores, 0.5, most=math.inf)
    assert wide.low == 0.0
    assert wide.high == pytest.approx(corrected_interval(scores, 0.5, bounded=False).high)
    assert wide.high > 10.0
    drawn = bootstrap_interval(scores, np.random.default_rng(0), most=math.inf)
    assert (drawn.low, drawn.high) == (2.0, 10.0)
    assert bootstrap_interval(scores, np.random.default_rng(0)).high == 1.0


def test_corrected_logit_interval_by_hand():
    """Mean 0.7, error sqrt((1/3 + 1/4) · 0.0001), which divided by 0.7 · 0.3 is the error on the logit scale."""
    found = corrected_logit_interval([0.69, 0.70, 0.71], 0.25)
    reach = 4.302652729911275 * math.sqrt((1 / 3 + 1 / 4) * 0.0001) / 0.21
    odds = [math.log(end / (1 - end)) for end in (found.low, found.high)]
    assert odds == pytest.approx([math.log(7 / 3) - reach, math.log(7 / 3) + reach])
    assert found.folds == 3


def test_corrected_logit_interval_stays_inside_and_agrees_where_it_is_narrow():
    wide = corrected_logit_interval([0.8, 1.0, 0.9, float("nan")], 0.5)
    assert 0.0 < wide.low < 0.9 < wide.high < 1.0
    assert wide.folds == 3
    assert wide.high - 0.9 < 0.9 - wide.low
    scores = np.random.default_rng(1).uniform(0.69, 0.71, 10)
    narrow, plain = corrected_logit_interval(scores, 0.25), corrected_interval(scores, 0.25)
    assert (narrow.low, narrow.high) == pytest.approx((plain.low, plain.high), abs=1e-4)
    narrower = corrected_logit_interval(scores, 0.25, confidence=0.5)
    assert narrow.low < narrower.low < narrower.high < narrow.high


@pytest.mark.parametrize("score", [0.0, 1.0])
def test_corrected_logit_interval_of_folds_without_a_spread_is_their_score(score):
    found = corrected_logit_interval([score] * 3, 0.25)
    assert (found.low, found.high, found.folds) == (score, score, 3)
    assert math.isnan(corrected_logit_interval([score], 0.25).low)


def test_corrected_wilson_interval_solves_its_equation():
    scores, ratio = [0.6, 0.7, 0.95, float("nan")], 0.25
    found = corrected_wilson_interval(scores, ratio)
    error = math.sqrt((1 / 3 + ratio) * np.var(scores[:3], ddof=1))
    for end in (found.low, found.high):
        distance = (0.75 - end) / (error * math.sqrt(end * (1 - end) / (0.75 * 0.25)))
        assert abs(distance) == pytest.approx(4.302652729911275)
    assert 0.0 < found.low < 0.75 < found.high < 1.0
    assert found.folds == 3
    narrower = corrected_wilson_interval(scores, ratio, confidence=0.5)
    assert found.low < narrower.low < narrower.high < found.high


def test_corrected_wilson_interval_of_many_folds_is_that_of_a_rate():
    """Folds whose corrected variance is a binomial rate's over 40 cases; with so many folds Student's t is normal."""
    spread = math.sqrt(0.8 * 0.2 / 40 * (1 - 1e-6))
    scores = np.tile([0.8 - spread, 0.8 + spread], 500_000)
    theirs = stats.binomtest(32, 40).proportion_ci(method="wilson")
    found = corrected_wilson_interval(scores, 1.0)
    assert (found.low, found.high) == pytest.approx((theirs.low, theirs.high), abs=1e-5)


def test_corrected_wilson_interval_claims_no_more_than_its_cases():
    perfect = corrected_wilson_interval([1.0] * 3, 0.5, cases=40)
    squared = 4.302652729911275**2
    assert (perfect.low, perfect.high) == (pytest.approx(40 / (40 + squared)), pytest.approx(1.0))
    alike = corrected_wilson_interval([0.9, 0.9, 0.9 + 1e-12], 0.5, cases=40)
    assert alike.low < 0.8
    point = corrected_wilson_interval([1.0] * 3, 0.5)
    assert (point.low, point.high) == (1.0, 1.0)
    none = corrected_wilson_interval([0.0, 0.0], 0.5, cases=10)
    assert none.low == 0.0 < none.high < 1.0
    assert math.isnan(corrected_wilson_interval([0.7], 0.5).low)


def test_the_reported_interval_is_wilsons_and_of_distances_the_plain_one():
    scores = [0.9, 1.0, 1.0]
    assert reported_interval(scores, 0.5) == corrected_wilson_interval(scores, 0.5)
    few = reported_interval([1.0, 1.0], 0.5, cases=40, confidence=0.9)
    assert few == corrected_wilson_interval([1.0, 1.0], 0.5, cases=40, confidence=0.9)
    assert few.low < 1.0
    distances = reported_interval([2.0, 3.0, 10.0], 0.5, most=math.inf, confidence=0.9)
    assert distances == corrected_interval([2.0, 3.0, 10.0], 0.5, most=math.inf, confidence=0.9)
    assert distances.high > 10.0
