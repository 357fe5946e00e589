"""Slope, intercept, the error of a perfect model and the fitted calibration: by another method, and at the edges."""

import math

import numpy as np
import pytest
from scipy import optimize
from scipy.special import expit
from scipy.special import logit as scipy_logit

from busline.metrics.calibration import (
    CUT,
    calibration_line,
    expected_calibration_error,
    logit,
    perfect_calibration_error,
)
from busline.metrics.recalibration import RIDGE, Recalibration, fit_recalibration


def made(cases, slope=1.0, shift=0.0, seed=0):
    """Probabilities whose true log odds are slope · theirs + shift."""
    generator = np.random.default_rng(seed)
    odds = generator.normal(0.0, 1.5, cases)
    return generator.random(cases) < expit(slope * odds + shift), expit(odds)


def least(loss, start):
    """Minimise without derivatives: nothing in common with Newton's method."""
    options = {"xatol": 1e-10, "fatol": 1e-14, "maxiter": 10_000, "maxfev": 10_000}
    return optimize.minimize(loss, start, method="Nelder-Mead", options=options).x


def surprise(truth, odds):
    return np.sum(np.logaddexp(0.0, odds) - truth * odds)


@pytest.mark.parametrize("seed", range(4))
def test_slope_and_intercept_are_of_greatest_likelihood(seed):
    truth, score = made(80, slope=0.6, shift=0.4, seed=seed)
    odds = scipy_logit(score)
    found = calibration_line(truth, score)
    _, slope = least(lambda line: surprise(truth, line[0] + line[1] * odds), [0.0, 1.0])
    (intercept,) = least(lambda shift: surprise(truth, shift[0] + odds), [0.0])
    assert found.slope == pytest.approx(slope, abs=1e-6)
    assert found.intercept == pytest.approx(intercept, abs=1e-6)


@pytest.mark.parametrize(("slope", "shift"), [(1.0, 0.0), (0.5, 0.0), (2.0, 0.0), (1.0, -1.0)])
def test_slope_and_intercept_find_what_was_put_in(slope, shift):
    found = calibration_line(*made(40_000, slope, shift))
    assert found.slope == pytest.approx(slope, abs=0.06)
    if slope == 1.0:
        assert found.intercept == pytest.approx(shift, abs=0.05)


def test_two_groups_by_hand():
    """Predicted 0.2 and 0.8, observed 1/4 and 3/4: the line through both pairs of logits."""
    truth, score = [1, 0, 0, 0, 1, 1, 1, 0], [0.2] * 4 + [0.8] * 4
    found = calibration_line(truth, score)
    assert found.slope == pytest.approx(math.log(3) / math.log(4))
    assert found.intercept == pytest.approx(0.0, abs=1e-9)


def test_perfect_separation_has_no_slope_but_an_intercept():
    for score in ([0.1, 0.2, 0.8, 0.9], [0.9, 0.8, 0.2, 0.1], [0.1, 0.5, 0.5, 0.9]):
        found = calibration_line([0, 0, 1, 1], score)
        assert math.isnan(found.slope)
        assert found.intercept == pytest.approx(0.0, abs=1e-9)


def test_constant_scores_have_no_slope():
    for score in ([0.5] * 4, np.float64([0.5, 0.5, 0.5, 0.5]) + 1e-8 * np.array([2, 1, 3, 0])):
        found = calibration_line([0, 1, 1, 1], score)
        assert math.isnan(found.slope)
        assert found.intercept == pytest.approx(math.log(3), abs=1e-6)


@pytest.mark.parametrize("truth", [[0, 0], [1, 1], []])
def test_one_class_has_neither(truth):
    found = calibration_line(truth, [0.3] * len(truth))
    assert math.isnan(found.slope)
    assert math.isnan(found.intercept)
    assert math.isnan(fit_recalibration(truth, [0.3] * len(truth)).slope)


def test_probabilities_of_nought_and_one_are_cut():
    assert logit([0.0, 0.5, 1.0]).tolist() == pytest.approx([math.log(CUT / (1 - CUT)), 0.0, math.log((1 - CUT) / CUT)])
    assert math.isfinite(calibration_line([0, 1, 0, 1], [0.0, 0.0, 1.0, 1.0]).intercept)
    with pytest.raises(ValueError, match=r"\[0, 1\]"):
        logit([1.1])


@pytest.mark.parametrize("bins", [1, 5, 10])
def test_the_error_of_a_perfect_model_by_a_loop(bins):
    generator = np.random.default_rng(bins)
    score = generator.beta(2, 3, 90)
    loop = [expected_calibration_error(generator.random(90) < score, score, bins) for _ in range(3000)]
    found = perfect_calibration_error(score, bins, np.random.default_rng(1), samples=3000)
    assert found.mean == pytest.approx(np.mean(loop), abs=5 * np.std(loop) / math.sqrt(3000))
    assert found.high == pytest.approx(np.quantile(loop, 0.95), rel=0.05)


def test_the_error_of_a_perfect_model_at_the_edges():
    certain = perfect_calibration_error([0.0, 1.0, 1.0], 10, np.random.default_rng(0))
    assert (certain.mean, certain.high) == (0.0, 0.0)
    # one case of probability 1/2 is missed by 1/2 whatever happens
    assert perfect_calibration_error([0.5], 10, np.random.default_rng(0)).mean == 0.5
    assert math.isnan(perfect_calibration_error([], 10, np.random.default_rng(0)).mean)


def test_a_perfect_models_error_falls_with_the_number_of_cases():
    """The figures of a model of AUC 0.88 (binormal): about 0.13 at 50 cases, 0.06 at 252."""
    generator = np.random.default_rng(5)
    distance = 1.6617  # AUC = Φ(d / √2)
    odds = distance * (generator.normal(size=20_000) + distance * (generator.random(20_000) < 0.4) - distance / 2)
    score = expit(odds + scipy_logit(0.4))
    found = {
        cases: np.mean([perfect_calibration_error(part, 10, generator, samples=50).mean for part in parts])
        for cases in (50, 252)
        for parts in [np.array_split(score[: 60 * cases], 60)]
    }
    assert found[50] == pytest.approx(0.11, abs=0.025)
    assert found[252] == pytest.approx(0.05, abs=0.015)


@pytest.mark.parametrize("seed", range(5))
def test_the_fitted_calibration_is_of_greatest_penalised_likelihood(seed):
    truth, score = made(30, slope=0.7, shift=0.5, seed=seed)
    odds = scipy_logit(score)
    intercept, slope = least(
        lambda line: surprise(truth, line[0] + line[1] * odds) + RIDGE * line[1] ** 2 / 2, [0.0, 0.5]
    )
    found = fit_recalibration(truth, score)
    assert (found.slope, found.intercept) == (pytest.approx(slope, abs=1e-6), pytest.approx(intercept, abs=1e-6))
    assert found.apply(score) == pytest.approx(expit(intercept + slope * odds), abs=1e-6)
    # as an intercept that is free must make it
    assert found.apply(score).mean() == pytest.approx(truth.mean())


def test_perfect_separation_is_fitted_with_a_finite_slope():
    found = fit_recalibration([0, 0, 1, 1], [0.1, 0.2, 0.8, 0.9])
    assert 0 < found.slope < 2
    assert ((found.apply([0.1, 0.9]) > [0, 0.5]) & (found.apply([0.1, 0.9]) < [0.5, 1])).all()


def test_an_order_is_never_turned_around():
    found = fit_recalibration([1, 1, 1, 0], [0.1, 0.2, 0.3, 0.9])
    assert found.slope == 0.0
    assert found.apply([0.0, 0.5, 1.0]) == pytest.approx([0.75] * 3)


def test_constant_scores_become_the_share_of_positive_cases():
    assert fit_recalibration([1, 0, 0, 0], [0.9] * 4).apply([0.9]) == pytest.approx([0.25])


def test_a_calibration_that_could_not_be_fitted_gives_nothing():
    assert np.isnan(Recalibration(float("nan"), float("nan")).apply([0.5])).all()


def test_calibration_mends_boldness_on_new_cases():
    truth, score = made(4000, slope=0.3, seed=1)
    fitted = fit_recalibration(truth[:2000], score[:2000])
    before, after = (expected_calibration_error(truth[2000:], p[2000:], 10) for p in (score, fitted.apply(score)))
    assert before > 0.12
    assert after < 0.04
