"""The difference between two arms: each part against SciPy, both together by hand, and what is undefined."""

import math

import numpy as np
import pytest
from scipy import stats
from scipy.special import expit, logit

from busline.metrics.contrast import contrast_arms, reach_over_cases, reach_over_seeds

SAMPLES = np.random.default_rng(0).normal(0.03, 0.01, 500)


def contrast(first, second, *, samples=SAMPLES, units=40, one_run=False, **more):
    return contrast_arms(first, second, samples, units, one_run=one_run, **more)


def reaches(found):
    return found.difference - found.low, found.high - found.difference


def test_over_cases_the_reach_is_students_t_of_the_bootstrap_with_the_missing_unit():
    """Samples 1, 2, 3: variance 1; of four units it is short by a quarter; t of three degrees of freedom is 3.182."""
    assert reach_over_cases(np.array([1.0, 2.0, 3.0]), 4, 0.95) == pytest.approx(3.182446 * math.sqrt(4 / 3), rel=1e-6)


@pytest.mark.parametrize(("first", "second"), [([1.0, 0.8, 0.7], [0.0, 0.2, 0.9]), ([1.0, 0.8], [0.0, 0.1, 0.1, 0.3])])
def test_over_seeds_figures_of_0_and_1_have_welchs_interval(first, second):
    interval = stats.ttest_ind(first, second, equal_var=False).confidence_interval(0.9)
    down, up = reach_over_seeds(np.array(first), np.array(second), 0.9, one_run=False)
    assert down == up == pytest.approx((interval.high - interval.low) / 2)


def test_over_seeds_one_noisy_arm_has_students_interval_on_the_logit_scale():
    noisy, steady = np.array([0.90, 0.95, 0.98]), np.full(3, 0.9)
    theirs = stats.ttest_1samp(logit(noisy), 0.0).confidence_interval(0.95)
    reach = (theirs.high - theirs.low) / 2
    low, high = expit(logit(noisy.mean()) - reach), expit(logit(noisy.mean()) + reach)
    down, up = reach_over_seeds(noisy, steady, 0.95, one_run=False)
    assert (down, up) == (pytest.approx(noisy.mean() - low), pytest.approx(high - noisy.mean()))
    assert down > up  # towards 1 there is less room
    assert reach_over_seeds(steady, noisy, 0.95, one_run=False) == (up, down)


def test_over_seeds_both_arms_reaches_are_added_in_squares():
    first, second = np.array([0.6, 0.7, 0.8]), np.array([0.85, 0.9, 0.97])
    quantile = stats.t(stats.ttest_ind(first, second, equal_var=False).df).ppf(0.975)
    ends = []
    for figures in (first, second):
        spread = quantile * stats.sem(logit(figures))
        middle = logit(figures.mean())
        ends.append((figures.mean() - expit(middle - spread), expit(middle + spread) - figures.mean()))
    down, up = reach_over_seeds(first, second, 0.95, one_run=False)
    assert down == pytest.approx(math.hypot(ends[0][0], ends[1][1]))
    assert up == pytest.approx(math.hypot(ends[0][1], ends[1][0]))


def test_figures_of_one_run_are_compared_seed_by_seed():
    first, second = np.array([0.70, 0.80, 0.90]), np.array([0.69, 0.77, 0.89])
    theirs = stats.ttest_rel(first, second).confidence_interval(0.95)
    down, up = reach_over_seeds(first, second, 0.95, one_run=True)
    assert down == up == pytest.approx((theirs.high - theirs.low) / 2)
    assert down < reach_over_seeds(first, second, 0.95, one_run=False)[0] / 5


def test_both_parts_are_added_in_squares_and_the_arms_change_places():
    first, second = [0.80, 0.82, 0.85], [0.75, 0.79, 0.78]
    found = contrast(first, second)
    assert found.difference == pytest.approx(np.mean(first) - np.mean(second))
    cases = reach_over_cases(SAMPLES, 40, 0.95)
    down, up = reach_over_seeds(np.array(first), np.array(second), 0.95, one_run=False)
    assert reaches(found) == (pytest.approx(math.hypot(cases, down)), pytest.approx(math.hypot(cases, up)))
    assert (found.cases_low, found.cases_high) == (found.difference - cases, found.difference + cases)
    turned = contrast(second, first, samples=-SAMPLES)
    assert (turned.difference, turned.low, turned.high) == pytest.approx((-found.difference, -found.high, -found.low))


@pytest.mark.parametrize("value", [0.1, 0.7, 1 / 3])
def test_without_noise_of_training_both_intervals_are_the_same_to_the_last_bit(value):
    """The mean of seven equal numbers is not that number, to the last bit."""
    steady = np.full(7, value), np.full(7, 0.25)
    found = contrast(*steady)
    assert (found.low, found.high) == (found.cases_low, found.cases_high)
    assert contrast(*steady, one_run=True) == found
    for one_run in (False, True):
        assert reach_over_seeds(*steady, 0.95, one_run=one_run) == (0.0, 0.0)


def test_a_wider_confidence_and_fewer_seeds_make_it_wider():
    few, more = contrast([0.8, 0.82], [0.7, 0.72]), contrast([0.8, 0.82] * 2, [0.7, 0.72] * 2)
    assert sum(reaches(few)) > 1.5 * sum(reaches(more))
    assert sum(reaches(contrast([0.8, 0.82], [0.7, 0.72], confidence=0.99))) > 1.5 * sum(reaches(few))


@pytest.mark.parametrize(
    "arguments",
    [
        {"first": [0.8], "second": [0.7, 0.8]},
        {"first": [0.8, math.nan], "second": [0.7, 0.8]},
        {"first": [0.8, 0.9], "second": [0.7, math.nan]},
        {"first": [0.8, 0.9], "second": [0.7, 0.8], "units": 1},
        {"first": [0.8, 0.9], "second": [0.7, 0.8], "samples": np.full(9, math.nan)},
    ],
)
def test_too_little_has_no_answer(arguments):
    assert all(math.isnan(number) for number in contrast(**arguments).__dict__.values())


def test_undefined_samples_are_left_out():
    assert contrast([0.8, 0.9], [0.7, 0.8], samples=[*SAMPLES, math.nan]) == contrast([0.8, 0.9], [0.7, 0.8])
