"""Calibration against scikit-learn where bins are unambiguous, and by hand on ties and edge cases."""

import numpy as np
import pytest
from sklearn.calibration import calibration_curve

from busline.metrics.calibration import expected_calibration_error, reliability


@pytest.mark.parametrize("bins", [1, 4, 10])
@pytest.mark.parametrize("seed", range(5))
def test_equal_mass_bins_are_those_of_scikit_learn(bins, seed):
    generator = np.random.default_rng(seed)
    score = generator.random(200)
    truth = generator.random(200) < score
    curve = reliability(truth, score, bins)
    observed, predicted = calibration_curve(truth, score, n_bins=bins, strategy="quantile")
    assert curve.count.tolist() == [200 // bins] * bins
    assert curve.predicted == pytest.approx(predicted)
    assert curve.observed == pytest.approx(observed)


@pytest.mark.parametrize("bins", [3, 7])
def test_error_equals_a_loop_over_sorted_cases(bins):
    generator = np.random.default_rng(bins)
    score = generator.random(100)
    truth = generator.random(100) < score**2
    order = np.argsort(score)
    parts = [order[(2 * np.arange(100) + 1) * bins // 200 == part] for part in range(bins)]
    gaps = [abs(score[part].mean() - truth[part].mean()) * len(part) for part in parts]
    assert {len(part) for part in parts} <= {100 // bins, 100 // bins + 1}
    assert expected_calibration_error(truth, score, bins) == pytest.approx(sum(gaps) / 100)


def test_by_hand():
    """Two bins: predicted 0.2 and 0.8, observed 0 and 1/2."""
    truth, score = [0, 0, 1, 0], [0.1, 0.3, 0.7, 0.9]
    curve = reliability(truth, score, 2)
    assert curve.predicted.tolist() == pytest.approx([0.2, 0.8])
    assert curve.observed.tolist() == [0.0, 0.5]
    assert expected_calibration_error(truth, score, 2) == pytest.approx((0.2 + 0.3) / 2)


def test_tied_cases_share_a_bin_in_any_order():
    truth, score = np.array([0, 1, 1, 0, 1, 1, 0, 0]), np.array([0.5] * 6 + [0.9, 0.1])
    curve = reliability(truth, score, 4)
    assert curve.count.tolist() == [1, 6, 1]
    assert curve.predicted.tolist() == [0.1, 0.5, 0.9]
    assert curve.observed.tolist() == [0.0, 4 / 6, 0.0]
    for order in (np.arange(8)[::-1], np.random.default_rng(0).permutation(8)):
        assert reliability(truth[order], score[order], 4).observed.tolist() == curve.observed.tolist()


def test_a_constant_score_is_one_bin():
    curve = reliability([0, 1, 1, 1], [0.5] * 4, 10)
    assert (curve.predicted.tolist(), curve.observed.tolist(), curve.count.tolist()) == ([0.5], [0.75], [4])
    assert expected_calibration_error([0, 1, 1, 1], [0.5] * 4, 10) == 0.25


def test_perfect_and_worst_predictions():
    assert expected_calibration_error([0, 1, 0, 1], [0, 1, 0, 1], 2) == 0.0
    assert expected_calibration_error([0, 1, 0, 1], [1, 0, 1, 0], 2) == 1.0


def test_fewer_cases_than_bins():
    assert reliability([0, 1], [0.2, 0.9], 10).count.tolist() == [1, 1]


def test_no_cases():
    assert reliability([], [], 10).count.size == 0
    assert np.isnan(expected_calibration_error([], [], 10))


def test_a_perfect_model_is_biased_upwards_on_few_cases():
    generator = np.random.default_rng(11)

    def mean_error(cases):
        scores = generator.random((200, cases))
        return np.mean([expected_calibration_error(generator.random(cases) < score, score, 10) for score in scores])

    assert mean_error(50) > 1.5 * mean_error(250)


@pytest.mark.parametrize("score", [[0.5, 1.5], [0.5, -0.1], [0.5, float("nan")]])
def test_scores_must_be_probabilities(score):
    with pytest.raises(ValueError, match=r"\[0, 1\]"):
        reliability([0, 1], score, 2)


def test_arrays_must_fit_together():
    with pytest.raises(ValueError, match="one shape"):
        reliability([0, 1, 1], [0.1, 0.2], 2)
