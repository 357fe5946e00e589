"""The simulation's truth against large samples, its learner against scikit-learn, its candidates against others'."""

import numpy as np
import pytest
from scipy import stats
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis

from bench import simulation
from bench.areas import fold_areas, weighted_delong
from bench.ends import NORMAL, bootstrap_t, on_logit, wilson
from bench.operating import thresholds, tuned_thresholds, tuning_cases
from bench.simulation import Scheme, World, draw_folds, fit, of_own_fold, run
from busline.metrics.classification import roc_auc
from busline.metrics.comparison import delong_covariance
from busline.metrics.operating import POINTS
from busline.metrics.resampling import draw_patients, weighted_aucs

STEADY = World("steady", np.stack([np.full(6, 0.5), np.full(6, 0.3)]), shared=0.5)
UNSTEADY = World("unsteady", np.repeat([0.8, 0.0], (3, 5))[None], drawn=5)


def generator(seed=0):
    return np.random.default_rng(seed)


@pytest.mark.parametrize("world", [STEADY, UNSTEADY])
def test_the_true_figures_are_those_of_a_large_sample(world):
    found = run(world, Scheme(2, 1, 0.2), 60_000, 1, generator())
    limits = tuned_thresholds(found)["youden"]
    for model, fold in np.ndindex(len(world.effects), 2):
        inside, score = found.fold[0, 0] == fold, found.scores[0, model, 0, fold]
        truth, called = found.truth[inside], score[inside] >= limits[0, model, 0, fold]
        assert found.aucs[0, model, 0, fold] == pytest.approx(roc_auc(truth, score[inside]), abs=0.005)
        rates = {name: values[0, model, 0, fold] for name, values in found.rates(limits).items()}
        assert rates["sensitivity"] == pytest.approx(called[truth].mean(), abs=0.015)
        assert rates["specificity"] == pytest.approx(1 - called[~truth].mean(), abs=0.015)


def test_equally_good_models_are_equal_and_a_better_one_is_better():
    equal = run(World("equal", np.full((2, 5), 0.5), shared=0.5), Scheme(5, 1), 100, 400, generator())
    difference = (equal.aucs[:, 0] - equal.aucs[:, 1]).mean(axis=(1, 2))
    assert abs(difference.mean()) < 4 * stats.sem(difference)
    assert (run(STEADY, Scheme(5, 1), 500, 20, generator()).aucs[:, 0] > 0.7).all()
    scores = equal.out_of_fold[:, :, 0]
    inside = [np.corrcoef(one[:, 40:])[0, 1] for one in scores]
    assert np.mean(inside) == pytest.approx(0.5, abs=0.1)


def test_the_learner_is_scikit_learns_without_a_ridge(monkeypatch):
    monkeypatch.setattr(simulation, "RIDGE", 0.0)
    draw = generator(1)
    values, truth = draw.standard_normal((1, 1, 50, 4)), np.arange(50) < 20
    train = draw.random((1, 1, 2, 50)) < 0.7
    slope, offset = fit(values, truth, train, np.ones((1, 1, 1, 2, 4), dtype=bool))
    for fold in range(2):
        rows = train[0, 0, fold]
        theirs = LinearDiscriminantAnalysis(solver="lsqr").fit(values[0, 0, rows], truth[rows])
        shrunk = (rows.sum() - 2) / rows.sum()  # theirs divides by n
        assert slope[0, 0, 0, fold] == pytest.approx(theirs.coef_[0] * shrunk)
        prior = np.log(truth[rows].sum() / (~truth[rows]).sum())
        assert offset[0, 0, 0, fold] - prior == pytest.approx((theirs.intercept_[0] - prior) * shrunk)


def test_a_fit_learns_from_its_training_cases_and_the_features_it_drew():
    found = run(UNSTEADY, Scheme(5, 2, 0.15), 100, 3, generator())
    assert not (found.tune & (found.fold[:, :, None, :] == np.arange(5)[:, None])).any()
    assert (found.tune[..., found.truth].sum(axis=-1) == 5).all()
    assert (found.tune[..., ~found.truth].sum(axis=-1) == 7).all()
    values, truth = generator(1).standard_normal((1, 1, 60, 4)), np.arange(60) < 30
    used = np.array([True, True, False, True])
    slope, _ = fit(values, truth, np.ones((1, 1, 1, 60), dtype=bool), used[None, None, None, None])
    alone, _ = fit(values[..., used], truth, np.ones((1, 1, 1, 60), dtype=bool), np.ones((1, 1, 1, 1, 3), dtype=bool))
    assert slope[0, 0, 0, 0, 2] == 0.0
    assert slope[0, 0, 0, 0, used] == pytest.approx(alone[0, 0, 0, 0])
    changed = values.copy()
    changed[0, 0, :10] += 5.0
    apart = np.arange(60) >= 10
    for seen in (values, changed):
        learnt, _ = fit(seen, truth, apart[None, None, None], np.ones((1, 1, 1, 1, 4), dtype=bool))
        assert learnt == pytest.approx(
            fit(values[:, :, 10:], truth[10:], apart[None, None, None, 10:], np.ones((1, 1, 1, 1, 4), dtype=bool))[0]
        )


def test_folds_are_stratified_and_a_case_is_scored_by_its_own():
    truth = np.arange(103) < 41
    fold = draw_folds(truth, Scheme(5, 3), 4, generator())
    for group in (truth, ~truth):
        sizes = np.stack([(fold[..., group] == number).sum(axis=-1) for number in range(5)])
        assert sizes.max() - sizes.min() == 1
    assert (fold[0, 0] != fold[0, 1]).any()
    by_fold = np.broadcast_to(np.arange(5.0)[:, None], (4, 2, 3, 5, 103))
    assert (of_own_fold(by_fold, fold) == fold[:, None]).all()


def test_thresholds_are_those_of_the_project():
    found = run(STEADY, Scheme(5, 2, 0.15), 100, 2, generator())
    limits = tuned_thresholds(found)
    for one, model, repeat, fold in np.ndindex(2, 2, 2, 5):
        tuned = found.tune[one, repeat, fold]
        assert sorted(tuning_cases(found)[one, repeat, fold]) == np.flatnonzero(tuned).tolist()
        for point, rule in POINTS.items():
            theirs = rule.choose(found.truth[tuned], found.scores[one, model, repeat, fold, tuned])
            assert limits[point][one, model, repeat, fold] == theirs


def test_thresholds_of_samples_are_those_of_the_drawn_cases():
    draw = generator(3)
    truth, score, counts = np.arange(20) < 8, draw.standard_normal(20), draw.integers(0, 3, (60, 20))
    counts[0, :8], counts[1, 8:] = 0, 0
    found = thresholds(truth, score, counts)
    for sample, count in enumerate(counts):
        drawn = np.repeat(np.arange(20), count)
        for point, rule in POINTS.items():
            assert found[point][sample] == pytest.approx(rule.choose(truth[drawn], score[drawn]), nan_ok=True, abs=0)
    assert np.isnan(found["youden"][:2]).all()


def test_areas_of_folds_and_their_variance():
    found = run(STEADY, Scheme(5, 2), 100, 1, generator(4))
    score, fold = found.out_of_fold[0], found.fold[0]
    areas = fold_areas(found.truth, score, fold)
    covariances = []
    for repeat, number in np.ndindex(2, 5):
        inside = fold[repeat] == number
        theirs = delong_covariance(found.truth[inside], score[:, repeat, inside])
        assert areas.folds[:, repeat, number] == pytest.approx(theirs.auc)
        covariances.append(theirs.covariance)
    assert areas.covariance == pytest.approx(np.mean(covariances, axis=0))
    single = fold_areas(found.truth, score[:, :1], fold[:1])
    assert (single.share**2).sum(axis=1) == pytest.approx(np.diag(single.covariance) / 5)
    twice = fold_areas(found.truth, score[:, [0, 0]], fold[[0, 0]])
    assert twice.share == pytest.approx(single.share)


def test_delong_of_samples_is_delong_of_the_drawn_cases():
    draw = generator(5)
    truth, score = np.arange(30) < 12, draw.standard_normal(30)
    counts = draw_patients([str(n) for n in range(30)], draw, 20)
    area, variance = weighted_delong(truth, score, counts)
    assert area == pytest.approx(weighted_aucs(truth, score, counts))
    once, of_once = weighted_delong(truth, score, np.ones((1, 30), dtype=int))
    theirs = delong_covariance(truth, score)
    assert (once[0], of_once[0]) == (pytest.approx(theirs.auc[0]), pytest.approx(theirs.covariance[0, 0]))
    for count, value in zip(counts, variance, strict=True):
        drawn = np.repeat(np.arange(30), count)
        wins = (score[drawn][truth[drawn]][:, None] > score[drawn][~truth[drawn]]).astype(float)
        parts = (wins.mean(axis=1), wins.mean(axis=0))
        assert value == pytest.approx(sum(part.var(ddof=1) / part.size for part in parts))


@pytest.mark.parametrize(("right", "cases"), [(0, 12), (9, 40), (40, 40)])
def test_wilson_of_a_binomial_rate(right, cases):
    rate = right / cases
    theirs = stats.binomtest(right, cases).proportion_ci(method="wilson")
    found = wilson(rate, rate * (1 - rate) / cases, cases, NORMAL)
    assert found == pytest.approx((theirs.low, theirs.high))
    assert wilson(rate, 0.0, cases, NORMAL) == pytest.approx(found)
    if 0 < rate < 1:
        assert wilson(rate, rate * (1 - rate) / cases / 2, cases, NORMAL) == pytest.approx(found)
        wider = wilson(rate, 4 * rate * (1 - rate) / cases, cases, NORMAL)
        assert wider[0] < found[0] < found[1] < wider[1]
        assert wider == pytest.approx(wilson(rate, 0.0, cases / 4, NORMAL))


def test_the_studentised_bootstrap_turns_the_quantiles_round():
    """Samples whose t run from -1 to 3: from 3 errors below to 1 above, on the logit scale."""
    area, error = 0.8, 0.05
    t = np.linspace(-1.0, 3.0, 4001)
    scale = error / (area * (1 - area))
    areas = 1 / (1 + np.exp(-(np.log(4) + t * scale)))
    variances = (scale * areas * (1 - areas)) ** 2
    low, high = bootstrap_t(area, error**2, areas, variances)
    assert np.log(low / (1 - low)) == pytest.approx(np.log(4) - 2.9 * scale)
    assert np.log(high / (1 - high)) == pytest.approx(np.log(4) + 0.9 * scale)
    assert on_logit(1.0, 0.0) == bootstrap_t(1.0, 0.0, areas, variances) == (1.0, 1.0)
