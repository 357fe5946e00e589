"""Classification metrics against scikit-learn over a grid of cases with ties, and by hand where it is undefined."""

import itertools
import math

import numpy as np
import pytest
from sklearn import metrics as sklearn_metrics

from busline.metrics import classification as own

GRID = list(itertools.product([5, 30, 200], [0.1, 0.5, 0.9], [1, 3, 20, 10**6], range(3)))
"""Number of cases, share of positive ones, distinct steps of the score (few: many ties), seed."""


def draw(size, share, steps, seed):
    generator = np.random.default_rng([size, int(share * 10), steps, seed])
    truth = generator.random(size) < share
    truth[:2] = [True, False]
    score = np.clip(generator.normal(0.4 + 0.2 * truth, 0.3), 0, 1)
    return truth, np.round(score * steps) / steps


CALLED = {
    "accuracy": sklearn_metrics.accuracy_score,
    "precision": lambda truth, called: sklearn_metrics.precision_score(truth, called, zero_division=0.0),
    "recall": sklearn_metrics.recall_score,
    "f1": sklearn_metrics.f1_score,
    "specificity": lambda truth, called: sklearn_metrics.recall_score(truth, called, pos_label=0),
}
SCORED = {
    "roc_auc": sklearn_metrics.roc_auc_score,
    "average_precision": sklearn_metrics.average_precision_score,
    "brier": sklearn_metrics.brier_score_loss,
}


@pytest.mark.parametrize("name", CALLED)
def test_metrics_of_calls_equal_scikit_learn(name):
    for case in GRID:
        truth, score = draw(*case)
        called = own.call(score)
        assert getattr(own, name)(truth, called) == pytest.approx(CALLED[name](truth, called), abs=1e-12), case
        assert getattr(own, name)(truth.astype(int), called.astype(int)) == getattr(own, name)(truth, called)


@pytest.mark.parametrize("name", SCORED)
def test_metrics_of_scores_equal_scikit_learn(name):
    for case in GRID:
        truth, score = draw(*case)
        assert getattr(own, name)(truth, score) == pytest.approx(SCORED[name](truth, score), abs=1e-12), case


def test_confusion_equals_scikit_learn():
    for case in GRID:
        truth, score = draw(*case)
        counts = own.confusion(truth, score > 0.3)
        found = [[counts.true_negative, counts.false_positive], [counts.false_negative, counts.true_positive]]
        assert found == sklearn_metrics.confusion_matrix(truth, score > 0.3, labels=[False, True]).tolist()


def test_roc_curve_is_scikit_learns_without_points_on_straight_lines():
    for case in GRID:
        truth, score = draw(*case)
        fpr, tpr, threshold = own.roc_curve(truth, score)
        every_fpr, every_tpr, every_threshold = sklearn_metrics.roc_curve(truth, score, drop_intermediate=False)
        all_points = set(zip(every_fpr, every_tpr, every_threshold, strict=True))
        assert set(zip(fpr, tpr, threshold, strict=True)) <= all_points
        assert sklearn_metrics.auc(fpr, tpr) == pytest.approx(own.roc_auc(truth, score), abs=1e-12)
        turn = np.diff(fpr)[:-1] * np.diff(tpr)[1:] - np.diff(fpr)[1:] * np.diff(tpr)[:-1]
        assert (np.abs(turn) > 1e-12).all()


def test_roc_curve_by_hand():
    fpr, tpr, threshold = own.roc_curve([0, 0, 1, 0, 1, 1], [0.1, 0.2, 0.2, 0.4, 0.6, 0.7])
    assert fpr.tolist() == pytest.approx([0, 0, 1 / 3, 2 / 3, 1])
    assert tpr.tolist() == pytest.approx([0, 2 / 3, 2 / 3, 1, 1])
    assert threshold.tolist() == [np.inf, 0.6, 0.4, 0.2, 0.1]


def test_pr_curve_equals_scikit_learn():
    for case in GRID:
        truth, score = draw(*case)
        recall, precision, threshold = own.pr_curve(truth, score)
        theirs = sklearn_metrics.precision_recall_curve(truth, score, drop_intermediate=True)
        assert recall[::-1] == pytest.approx(theirs[1][:-1], abs=1e-12)
        assert precision[::-1] == pytest.approx(theirs[0][:-1], abs=1e-12)
        assert threshold[::-1].tolist() == theirs[2].tolist()


def test_ties_count_half():
    assert own.roc_auc([0, 1], [0.5, 0.5]) == 0.5
    assert own.roc_auc([0, 0, 1, 1], [0.1, 0.5, 0.5, 0.9]) == 3.5 / 4


def test_a_score_at_the_threshold_is_called_positive():
    assert own.call([0.5, np.nextafter(0.5, 0.0)]).tolist() == [True, False]


@pytest.mark.parametrize("truth", [[1, 1], [0, 0], []])
def test_one_class_has_no_auc_and_no_roc_curve(truth):
    score = [0.2, 0.7][: len(truth)]
    assert math.isnan(own.roc_auc(truth, score))
    assert [array.size for array in own.roc_curve(truth, score)] == [0, 0, 0]


def test_without_positive_cases():
    truth, called = [0, 0, 0], [0, 1, 0]
    assert math.isnan(own.recall(truth, called))
    assert math.isnan(own.average_precision(truth, [0.1, 0.2, 0.3]))
    assert [array.size for array in own.pr_curve(truth, [0.1, 0.2, 0.3])] == [0, 0, 0]
    assert own.precision(truth, called) == 0.0
    assert own.f1(truth, called) == 0.0
    assert own.specificity(truth, called) == pytest.approx(2 / 3)


def test_precision_and_f1_without_a_positive_call():
    assert own.precision([1, 0], [0, 0]) == 0.0
    assert own.f1([1, 0], [0, 0]) == 0.0
    assert math.isnan(own.precision([0, 0], [0, 0]))
    assert math.isnan(own.f1([0, 0], [0, 0]))


def test_without_negative_cases():
    assert math.isnan(own.specificity([1, 1], [0, 1]))
    assert own.recall([1, 1], [0, 1]) == 0.5


def test_without_cases_everything_is_undefined():
    for name in [*CALLED, *SCORED]:
        assert math.isnan(getattr(own, name)([], [])), name


def test_fold_metrics_by_hand():
    """Called positive: 0.9 rightly and 0.5 wrongly; 8 of 12 pairs are in the right order."""
    truth, score = np.array([1, 1, 1, 0, 0, 0, 0], dtype=bool), np.array([0.9, 0.4, 0.3, 0.5, 0.1, 0.2, 0.45])
    expected = {"accuracy": 4 / 7, "f1": 2 / 5, "roc_auc": 8 / 12, "precision": 1 / 2, "recall": 1 / 3}
    found = {name: metric(truth, score) for name, metric in own.FOLD_METRICS.items()}
    assert found == pytest.approx({**expected, "specificity": 3 / 4})


def test_permuted_labels_score_chance():
    generator = np.random.default_rng(7)
    score = generator.random(100)
    truth = score > 0.6
    assert own.roc_auc(truth, score) == 1.0
    permuted = [own.roc_auc(generator.permutation(truth), score) for _ in range(400)]
    assert np.mean(permuted) == pytest.approx(0.5, abs=4 * np.std(permuted) / 20)
    # the Mann-Whitney statistic's standard deviation under chance: sqrt((m + n + 1) / (12 m n))
    positives = truth.sum()
    assert np.std(permuted) == pytest.approx(np.sqrt(101 / (12 * positives * (100 - positives))), rel=0.15)


@pytest.mark.parametrize("truth", [[0, 2], [[0, 1]], [0.5, 1.0], [0, float("nan")]])
def test_truth_must_be_two_values_in_a_row(truth):
    with pytest.raises(ValueError, match="truth"):
        own.roc_auc(truth, [0.1, 0.2])


def test_arrays_must_fit_together():
    with pytest.raises(ValueError, match="one shape"):
        own.roc_auc([0, 1], [0.1, 0.2, 0.3])
    with pytest.raises(ValueError, match="one shape"):
        own.accuracy([0, 1], [1])


@pytest.mark.parametrize("bad", [float("nan"), float("inf")])
def test_scores_must_be_finite(bad):
    with pytest.raises(ValueError, match="finite"):
        own.roc_auc([0, 1], [0.1, bad])
