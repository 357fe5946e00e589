"""The sweep against brute force in exact arithmetic, by hand, and against the search it replaces."""

from fractions import Fraction
from itertools import pairwise

import numpy as np
import pytest
from scipy.optimize import minimize_scalar
from sklearn.metrics import roc_auc_score

from busline.metrics.classification import roc_auc
from busline.metrics.voting import best_weight, vote


def exact_auc(truth, tabular, image, weight):
    """Return the AUC of whole-numbered scores at a fraction: whole-number arithmetic, no rounding."""
    score = weight.numerator * tabular + (weight.denominator - weight.numerator) * image
    difference = np.subtract.outer(score[truth], score[~truth])
    return Fraction(int((difference > 0).sum()) * 2 + int((difference == 0).sum()), 2 * difference.size)


def breakpoints(truth, tabular, image):
    a, b = (np.subtract.outer(member[truth], member[~truth]).ravel().tolist() for member in (tabular, image))
    inside = {Fraction(y, y - x) for x, y in zip(a, b, strict=True) if x * y < 0}
    return sorted({Fraction(0), Fraction(1)} | inside)


def brute_force(truth, tabular, image):
    """Return (low, high, AUC) of the preferred best plateau, by looking at every step and at every breakpoint."""
    points = breakpoints(truth, tabular, image)
    probes = [(point, point, point) for point in points]
    probes += [(low, (low + high) / 2, high) for low, high in pairwise(points)]
    plateaus = []
    for low, probe, high in sorted(probes):
        value = exact_auc(truth, tabular, image, probe)
        if plateaus and value == plateaus[-1][2]:
            plateaus[-1][1] = high
        else:
            plateaus.append([low, high, value])
    best = max(value for _, _, value in plateaus)
    return min(
        (plateau for plateau in plateaus if plateau[2] == best),
        key=lambda plateau: (plateau[0] - plateau[1], abs(plateau[0] + plateau[1] - 1), plateau[0]),
    )


@pytest.mark.parametrize("levels", [2, 4, 16, 1024])
def test_sweep_equals_brute_force_in_exact_arithmetic(levels):
    for seed in range(100):
        generator = np.random.default_rng([levels, seed])
        size = int(generator.integers(4, 14))
        truth = np.arange(size) < generator.integers(1, size)
        tabular, image = (generator.integers(0, levels + 1, truth.size) for _ in range(2))
        found = best_weight(truth, tabular / levels, image / levels)
        low, high, auc = brute_force(truth, tabular, image)
        assert found.auc == pytest.approx(float(auc), abs=1e-12), seed
        assert (found.low, found.high) == pytest.approx((float(low), float(high)), abs=1e-9), seed
        assert found.weight == (found.low + found.high) / 2
        assert max(exact_auc(truth, tabular, image, Fraction(step, 97)) for step in range(98)) <= auc


@pytest.mark.parametrize("seed", range(12))
def test_no_grid_point_beats_the_sweep_on_continuous_scores(seed):
    generator = np.random.default_rng(seed)
    truth = generator.random(60) < 0.4
    tabular, image = (np.clip(generator.normal(0.4 + 0.2 * truth, 0.3), 0, 1) for _ in range(2))
    found = best_weight(truth, tabular, image)
    grid = [roc_auc(truth, vote(w, tabular, image)) for w in np.linspace(0, 1, 201)]
    assert found.auc >= max(grid) - 1e-12
    for weight in np.linspace(found.low, found.high, 7)[1:-1]:
        assert roc_auc(truth, vote(weight, tabular, image)) == pytest.approx(found.auc, abs=1e-12)


def test_one_pair_that_turns():
    """Image right by 0.2, tabular wrong by 0.6: right while 0.2 (1 - w) > 0.6 w, that is w < 1/4."""
    found = best_weight([1, 0], [0.2, 0.8], [0.6, 0.4])
    assert (found.low, found.high, found.auc) == (0.0, pytest.approx(0.25), 1.0)
    assert found.weight == pytest.approx(0.125)


def test_two_pairs_leave_an_interval_between_their_breakpoints():
    """Positive P against A (right for w > 1/4) and B (right for w < 3/4): the best interval is (1/4, 3/4)."""
    tabular, image = [0.5, 0.2, 0.6], [0.5, 0.6, 0.2]
    found = best_weight([1, 0, 0], tabular, image)
    assert (found.low, found.high) == (pytest.approx(0.25), pytest.approx(0.75))
    assert (found.weight, found.auc) == (pytest.approx(0.5), 1.0)


def pairs_that_turn(*differences):
    """Scores of one negative case and a positive one for each (tabular, image) difference, in sixteenths."""
    tabular = [0.5 + a / 16 for a, _ in differences] + [0.5]
    image = [0.5 + b / 16 for _, b in differences] + [0.5]
    return [1] * len(differences) + [0], tabular, image


def test_the_widest_of_several_best_intervals_is_taken():
    """Right below 3/8, above 1/2, and below 3/4: two of three on (0, 3/8) and on (1/2, 3/4), one elsewhere."""
    found = best_weight(*pairs_that_turn((-5, 3), (1, -1), (-1, 3)))
    assert (found.low, found.high, found.auc) == (0.0, 0.375, pytest.approx(2 / 3))
    assert found.weight == 0.1875


def test_of_equally_wide_ones_the_nearest_to_a_half_is_taken():
    """Right below 1/4, above 1/2, and below 3/4: two of three on (0, 1/4) and on (1/2, 3/4)."""
    found = best_weight(*pairs_that_turn((-3, 1), (1, -1), (-1, 3)))
    assert (found.low, found.high, found.weight) == (0.5, 0.75, 0.625)


def test_of_equally_near_ones_the_lower_is_taken():
    """Right below 1/4, and above 3/4."""
    found = best_weight(*pairs_that_turn((-3, 1), (1, -3)))
    assert (found.low, found.high, found.auc) == (0.0, 0.25, 0.5)


def test_an_interval_goes_on_where_one_pair_rises_as_another_falls():
    found = best_weight(*pairs_that_turn((1, -1), (-1, 1)))
    assert (found.low, found.high, found.weight, found.auc) == (0.0, 1.0, 0.5, 0.5)


def test_an_end_alone_can_be_the_best():
    """The image member ties the pair, the tabular one turns it the wrong way: only w = 0 keeps the half."""
    image_alone = best_weight([1, 0], [0.1, 0.9], [0.5, 0.5])
    assert (image_alone.weight, image_alone.low, image_alone.high, image_alone.auc) == (0.0, 0.0, 0.0, 0.5)
    tabular_alone = best_weight([1, 0], [0.5, 0.5], [0.1, 0.9])
    assert (tabular_alone.weight, tabular_alone.auc) == (1.0, 0.5)


def test_constant_members_give_a_half():
    found = best_weight([1, 0, 1], [0.5] * 3, [0.25] * 3)
    assert (found.weight, found.low, found.high, found.auc) == (0.5, 0.0, 1.0, 0.5)


@pytest.mark.parametrize("truth", [[1, 1, 1], [0, 0, 0], []])
def test_one_class_gives_a_half_and_no_auc(truth):
    scores = [0.1, 0.5, 0.9][: len(truth)]
    found = best_weight(truth, scores, scores)
    assert (found.weight, found.low, found.high) == (0.5, 0.0, 1.0)
    assert np.isnan(found.auc)


def test_equal_breakpoints_in_rounded_scores_make_no_interval_of_their_own():
    """Pairs that turn at one weight, some up and some down, with scores that rounding keeps from being equal."""
    generator = np.random.default_rng(5)
    for _ in range(50):
        scale = generator.uniform(0.01, 0.3, 8)
        side = np.where(np.arange(8) < 4, 1.0, -1.0)
        tabular = np.append(0.5 + side * scale * 0.7, 0.5)
        image = np.append(0.5 - side * scale * 0.3, 0.5)
        found = best_weight([1] * 8 + [0], tabular, image)
        assert (found.low, found.high, found.auc) == (0.0, 1.0, 0.5)


def test_scores_must_be_finite_and_of_one_length():
    with pytest.raises(ValueError, match="finite"):
        best_weight([1, 0], [0.5, float("nan")], [0.5, 0.5])
    with pytest.raises(ValueError, match="one shape"):
        best_weight([1, 0], [0.5, 0.4, 0.3], [0.5, 0.5, 0.1])


def test_brent_stalls_at_its_first_probe_where_the_sweep_does_not():
    """0.382, a weight that stands four times in Chowdhary & Dennis 2026, Table 8, is (3 - sqrt(5)) / 2."""
    generator = np.random.default_rng(48)
    truth = np.arange(25) < 10
    tabular, image = (np.clip(generator.normal(0.4 + 0.2 * truth, 0.25), 0, 1) for _ in range(2))
    search = minimize_scalar(lambda w: -roc_auc(truth, vote(w, tabular, image)), bounds=(0, 1), method="bounded")
    found = best_weight(truth, tabular, image)
    assert search.x == pytest.approx((3 - 5**0.5) / 2, abs=5e-4)
    assert found.auc > -search.fun + 0.03
    assert roc_auc_score(truth, vote(found.weight, tabular, image)) == pytest.approx(found.auc)
