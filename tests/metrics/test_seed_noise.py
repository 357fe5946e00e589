"""The noise between seeds: by hand, against the pairs, and by how often its promises hold."""

import math
from itertools import combinations

import numpy as np
import pytest
from scipy import stats

from busline.metrics.seed_noise import seed_noise


def test_by_hand():
    """0.80, 0.82, 0.84: the variance is 0.0004, that of a difference 0.0008; chi-square of 2 is 0.0506 and 7.378."""
    found = seed_noise([0.80, 0.82, 0.84])
    assert found.sd == pytest.approx(math.sqrt(0.0008), rel=1e-9)
    assert found.low == pytest.approx(math.sqrt(0.0008 * 2 / 7.377759), rel=1e-6)
    assert found.high == pytest.approx(math.sqrt(0.0008 * 2 / 0.0506356), rel=1e-6)
    assert found.limit == pytest.approx(4.302653 * math.sqrt(0.0008), rel=1e-6)


def test_two_seeds_give_their_distance():
    """Of one difference d, the mean of the squares is d² alone."""
    assert seed_noise([0.7, 0.75]).sd == pytest.approx(0.05)


@pytest.mark.parametrize("count", [2, 3, 5, 10])
def test_the_mean_over_all_pairs_is_the_same_number(count):
    values = np.random.default_rng(count).random(count)
    pairs = [(one - other) ** 2 for one, other in combinations(values, 2)]
    assert seed_noise(values).sd == pytest.approx(math.sqrt(np.mean(pairs)))


@pytest.mark.parametrize("value", [0.1, 0.7, 1 / 3])
def test_equal_figures_have_no_noise_to_the_last_bit(value):
    found = seed_noise([value] * 3)
    assert (found.sd, found.low, found.high, found.limit) == (0.0, 0.0, 0.0, 0.0)


@pytest.mark.parametrize("values", [[], [0.5], [0.5, float("nan"), 0.6]])
def test_too_few_or_an_undefined_figure_have_no_answer(values):
    found = seed_noise(values)
    assert all(math.isnan(number) for number in (found.sd, found.low, found.high, found.limit))


@pytest.mark.parametrize(("count", "confidence"), [(2, 0.95), (5, 0.95), (5, 0.8)])
def test_interval_and_limit_hold_as_often_as_they_say_and_the_variance_is_unbiased(count, confidence):
    generator = np.random.default_rng(0)
    drawn = generator.normal(0.8, 0.02, (4000, count))
    found = [seed_noise(values, confidence=confidence) for values in drawn]
    true = math.sqrt(2) * 0.02
    assert np.mean([one.sd**2 for one in found]) == pytest.approx(true**2, rel=0.06)
    assert np.mean([one.low <= true <= one.high for one in found]) == pytest.approx(confidence, abs=0.02)
    differences = np.abs(generator.normal(0.0, true, 4000))
    within = np.mean([gap <= one.limit for gap, one in zip(differences, found, strict=True)])
    assert within == pytest.approx(confidence, abs=0.02)


def test_quantiles_are_those_of_scipy_stats():
    found = seed_noise([0.5, 0.6, 0.8, 0.7], confidence=0.9)
    assert found.low == pytest.approx(found.sd * math.sqrt(3 / stats.chi2(3).ppf(0.95)))
    assert found.high == pytest.approx(found.sd * math.sqrt(3 / stats.chi2(3).ppf(0.05)))
    assert found.limit == pytest.approx(found.sd * stats.t(3).ppf(0.95))
