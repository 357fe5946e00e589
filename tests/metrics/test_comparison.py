"""Paired tests against brute force, SciPy, published figures and by hand on edge cases."""

import math

import numpy as np
import pytest
from scipy import stats

from busline.metrics.comparison import corrected_t_test, delong_covariance, delong_test, holm, mcnemar_exact
from busline.metrics.intervals import corrected_interval


def structural_components(truth, score):
    """DeLong, DeLong and Clarke-Pearson 1988, equations 3 to 6, pair by pair."""
    positive, negative = score[truth], score[~truth]
    kernel = np.array([[(x > y) + 0.5 * (x == y) for y in negative] for x in positive])
    return kernel.mean(), kernel.mean(axis=1), kernel.mean(axis=0)


def brute_force(truth, scores):
    parts = [structural_components(truth, score) for score in scores]
    m, n = int(truth.sum()), int((~truth).sum())
    covariance = np.zeros((len(scores), len(scores)))
    for r, (area_r, tens_r, ones_r) in enumerate(parts):
        for s, (area_s, tens_s, ones_s) in enumerate(parts):
            ten = sum((tens_r - area_r) * (tens_s - area_s)) / (m - 1)
            one = sum((ones_r - area_r) * (ones_s - area_s)) / (n - 1)
            covariance[r, s] = ten / m + one / n
    return np.array([area for area, *_ in parts]), covariance


@pytest.mark.parametrize("decimals", [1, 8])
@pytest.mark.parametrize("seed", range(4))
def test_delong_is_the_definition_pair_by_pair_with_and_without_ties(seed, decimals):
    generator = np.random.default_rng(seed)
    truth = generator.random(50) < 0.4
    scores = (generator.normal(size=(3, 50)) + np.outer([0.5, 1.0, 2.0], truth)).round(decimals)
    found = delong_covariance(truth, scores)
    auc, covariance = brute_force(truth, scores)
    assert found.auc == pytest.approx(auc, abs=1e-12)
    assert found.covariance == pytest.approx(covariance, abs=1e-14)


def test_delong_by_hand():
    """Positives 3, 1 against negatives 2, 0: V10 = 1, 1/2; V01 = 1/2, 1. The second model parts them: no variance."""
    truth, scores = [1, 1, 0, 0], [[3, 1, 2, 0], [3, 2, 1, 0]]
    found = delong_covariance(truth, scores)
    assert found.auc.tolist() == [0.75, 1.0]
    assert found.covariance == pytest.approx(np.array([[0.125 / 2 + 0.125 / 2, 0.0], [0.0, 0.0]]))
    test = delong_test(found, 0, 1)
    assert test.difference == -0.25
    assert test.p_value == pytest.approx(2 * stats.norm.sf(0.25 / math.sqrt(0.125)))
    assert delong_test(found, 1, 0) == type(test)(0.25, test.p_value)


def test_delong_of_the_null_is_uniform():
    generator = np.random.default_rng(3)
    truth = np.arange(120) < 50
    p_values = []
    for _ in range(400):
        common = generator.normal(size=120) + truth
        scores = common + generator.normal(size=(2, 120))
        p_values.append(delong_test(delong_covariance(truth, scores), 0, 1).p_value)
    assert stats.kstest(p_values, "uniform").pvalue > 0.01


def test_identical_scores_have_a_p_value_of_one():
    generator = np.random.default_rng(1)
    truth, score = generator.random(40) < 0.5, generator.random(40)
    found = delong_test(delong_covariance(truth, [score, score]), 0, 1)
    assert (found.difference, found.p_value) == (0.0, 1.0)
    monotone = delong_test(delong_covariance(truth, [score, score**3]), 0, 1)
    assert (monotone.difference, monotone.p_value) == (0.0, 1.0)


def test_a_difference_without_variance_is_certain():
    """One model parts the classes, the other reverses them: every placement is 1, or 0."""
    found = delong_test(delong_covariance([1, 1, 0, 0], [[4, 3, 2, 1], [1, 2, 3, 4]]), 0, 1)
    assert (found.difference, found.p_value) == (1.0, 0.0)


@pytest.mark.parametrize("truth", [[1, 1, 1], [0, 0, 0], [1, 0, 0]])
def test_delong_needs_two_cases_of_each_class(truth):
    found = delong_covariance(truth, [[0.1, 0.2, 0.3], [0.3, 0.2, 0.1]])
    assert np.isnan(found.covariance).all()
    assert math.isnan(delong_test(found, 0, 1).p_value)


def test_one_pair_ordered_otherwise_is_seen_among_thousands():
    truth = np.arange(4000) < 2000
    score = np.where(truth, 1.0, 0.0) + np.arange(4000) / 1e6
    other = score.copy()
    other[0], other[-1] = 0.0039985, 1.0
    found = delong_test(delong_covariance(truth, [score, other]), 0, 1)
    assert 0 < found.difference < 1e-3
    assert 0.0 < found.p_value < 1.0


def test_corrected_t_by_hand():
    """Differences 0.1, 0.2, 0.3: mean 0.2, variance 0.01, ratio 1/4: t = 0.2 / sqrt((1/3 + 1/4) · 0.01), 2 degrees."""
    found = corrected_t_test([0.8, 0.8, 0.8], [0.7, 0.6, 0.5], 0.25)
    t = 0.2 / math.sqrt((1 / 3 + 1 / 4) * 0.01)
    assert found.difference == pytest.approx(0.2)
    # the distribution function of Student's t with two degrees of freedom has a closed form
    assert found.p_value == pytest.approx(1 - t / math.sqrt(2 + t * t))


def test_without_test_cases_the_corrected_t_is_students():
    one, other = np.random.default_rng(2).uniform(0.6, 0.8, (2, 50))
    theirs = stats.ttest_rel(one, other)
    assert corrected_t_test(one, other, 0.0).p_value == pytest.approx(theirs.pvalue, abs=1e-12)


@pytest.mark.parametrize("seed", range(5))
def test_the_test_and_the_interval_say_the_same(seed):
    """The p-value is below 1 - c exactly if the corrected interval of the differences at c leaves out nought."""
    differences = np.random.default_rng(seed).uniform(0.0, 0.3, 10) - 0.05
    p_value = corrected_t_test(0.5 + differences, np.full(10, 0.5), 0.3).p_value
    for shift, inside in ((1e-6, True), (-1e-6, False)):
        # an interval of scores is clipped to [0, 1], so ask about a half rather than nought
        interval = corrected_interval(0.5 + differences, 0.3, confidence=1 - p_value + shift)
        assert (interval.low <= 0.5 <= interval.high) == inside


def test_equal_folds_are_no_evidence_and_a_constant_difference_is_certain():
    same = corrected_t_test([0.7, 0.8], [0.7, 0.8], 0.25)
    assert (same.difference, same.p_value) == (0.0, 1.0)
    constant = corrected_t_test([0.7, 0.8, 0.9], [0.6, 0.7, 0.8], 0.25)
    assert (constant.difference, constant.p_value) == (pytest.approx(0.1), 0.0)


def test_folds_undefined_for_one_model_are_left_out():
    nan = float("nan")
    assert corrected_t_test([0.7, nan, 0.8, 0.9], [0.6, 0.5, nan, 0.5], 0.25) == corrected_t_test(
        [0.7, 0.9], [0.6, 0.5], 0.25
    )
    for scores in ([], [0.7], [0.7, nan]):
        assert math.isnan(corrected_t_test(scores, [0.6, 0.5][: len(scores)], 0.25).p_value)
    with pytest.raises(ValueError, match="one score a fold"):
        corrected_t_test([0.7, 0.8], [0.7], 0.25)


def test_mcnemar_by_hand_and_as_published():
    """R's exact2x2: mcnemar.exact(matrix(c(21, 9, 2, 12), 2, 2)) gives b = 2, c = 9, p-value = 0.06543."""
    assert mcnemar_exact(2, 9) == mcnemar_exact(9, 2) == pytest.approx(2 * (1 + 11 + 55) / 2**11)
    assert round(mcnemar_exact(2, 9), 5) == 0.06543
    assert mcnemar_exact(0, 5) == pytest.approx(2 / 2**5)
    assert mcnemar_exact(0, 0) == mcnemar_exact(3, 3) == 1.0


def test_holm_by_hand_and_as_published():
    """R's p.adjust(c(0.01, 0.02, 0.03, 0.04, 0.05), "holm") gives 0.05 0.08 0.09 0.09 0.09."""
    assert holm([0.01, 0.02, 0.03, 0.04, 0.05]).tolist() == pytest.approx([0.05, 0.08, 0.09, 0.09, 0.09])
    assert holm([0.05, 0.01, 0.03, 0.02, 0.04]).tolist() == pytest.approx([0.09, 0.05, 0.09, 0.08, 0.09])
    assert holm([0.6, 0.9]).tolist() == [1.0, 1.0]
    assert holm([]).tolist() == []


def test_tests_that_could_not_be_made_do_not_count_for_holm():
    found = holm([0.02, float("nan"), 0.03])
    assert np.isnan(found[1])
    assert found[[0, 2]].tolist() == [0.04, 0.04]


def test_holm_is_the_definition():
    """Reject step by step while the i-th smallest p is at most α / (m - i)."""
    p_values = np.random.default_rng(4).random(12) ** 3
    for alpha in np.linspace(0.01, 0.99, 30):
        rejected = np.zeros(12, dtype=bool)
        for step, place in enumerate(np.argsort(p_values)):
            if p_values[place] > alpha / (12 - step):
                break
            rejected[place] = True
        assert ((holm(p_values) <= alpha) == rejected).all()
