"""Metrics of several classes against scikit-learn over a grid of cases with ties, and by hand on edge cases."""

import itertools

import numpy as np
import pytest
from sklearn import metrics as sklearn_metrics
from sklearn.calibration import calibration_curve

from busline.metrics import classification as binary
from busline.metrics import multiclass as own
from busline.metrics.calibration import expected_calibration_error

GRID = list(itertools.product([3, 5], [1, 4, 30, 200], [2, 20, 10**6], range(4)))
"""Number of classes, of cases (few: not all classes have any), of distinct steps (few: many ties), seed."""
NAN = float("nan")


def draw(classes, size, steps, seed):
    """Draw classes of unequal frequency and probabilities that lean to the true one."""
    generator = np.random.default_rng([classes, size, steps, seed])
    truth = generator.choice(classes, size, p=np.arange(1, classes + 1) / np.arange(1, classes + 1).sum())
    lean = generator.dirichlet(np.ones(classes), size) + 0.4 * np.eye(classes)[truth]
    return truth, generator.multinomial(steps, lean / lean.sum(axis=1, keepdims=True)) / steps


def calls(probabilities):
    return np.array([max(range(len(row)), key=row.__getitem__) for row in probabilities.tolist()])


def one_hot(indices, classes):
    """Probabilities that call these classes."""
    return np.eye(classes)[list(indices)]


def present(truth, probabilities):
    return np.union1d(truth, calls(probabilities))


def precisions(truth, probabilities):
    everyone = np.arange(probabilities.shape[1])
    scores = sklearn_metrics.precision_score(
        truth, calls(probabilities), labels=everyone, average=None, zero_division=0.0
    )
    return np.where(np.isin(everyone, present(truth, probabilities)), scores, NAN)


def per_class(metric):
    return lambda truth, probabilities: metric(
        truth, calls(probabilities), labels=range(probabilities.shape[1]), average=None, zero_division=NAN
    )


PER_CLASS = {
    "precision": precisions,
    "recall": per_class(sklearn_metrics.recall_score),
    "f1": per_class(sklearn_metrics.f1_score),
}
MEANS = {
    "accuracy": lambda truth, value: sklearn_metrics.accuracy_score(truth, calls(value)),
    "balanced_accuracy": lambda truth, value: sklearn_metrics.recall_score(
        truth, calls(value), labels=np.unique(truth), average="macro"
    ),
    "macro_precision": lambda truth, value: sklearn_metrics.precision_score(
        truth, calls(value), average="macro", zero_division=0.0
    ),
    "macro_f1": lambda truth, value: sklearn_metrics.f1_score(truth, calls(value), average="macro", zero_division=0.0),
}
"""scikit-learn's macro mean without ``labels`` is over the classes that have cases or are called."""


def test_grid_has_classes_without_cases_classes_never_called_and_ties():
    drawn = [(case[0], *draw(*case)) for case in GRID]
    assert any(len(np.unique(truth)) < classes for classes, truth, _ in drawn)
    assert any(not set(truth) <= set(calls(value)) for _, truth, value in drawn)
    assert any(not set(calls(value)) <= set(truth) for _, truth, value in drawn)
    assert any((np.sum(value == value.max(axis=1, keepdims=True), axis=1) > 1).any() for _, _, value in drawn)


def test_called_is_the_first_of_the_most_probable():
    for case in GRID:
        _, value = draw(*case)
        assert own.called(value).tolist() == calls(value).tolist(), case
    tied = own.called([[0.4, 0.4, 0.2], [0.2, 0.4, 0.4], [1 / 3] * 3, [0.1, 0.2, 0.7]])
    assert (tied.tolist(), tied.dtype) == ([0, 1, 0, 2], np.int64)


def test_confusion_equals_scikit_learn():
    for case in GRID:
        truth, value = draw(*case)
        theirs = sklearn_metrics.confusion_matrix(truth, calls(value), labels=range(case[0]))
        assert own.confusion(truth, calls(value), case[0]).tolist() == theirs.tolist(), case


def test_rows_of_a_confusion_are_actual_classes():
    counts = own.confusion([0, 0, 0, 2], [1, 1, 0, 2], 3)
    assert (counts.tolist(), counts.dtype) == ([[1, 2, 0], [0, 0, 0], [0, 0, 1]], np.int64)


@pytest.mark.parametrize("name", PER_CLASS)
def test_scores_of_each_class_equal_scikit_learn(name):
    for case in GRID:
        truth, value = draw(*case)
        found = own.PER_CLASS_METRICS[name](truth, value)
        assert found == pytest.approx(PER_CLASS[name](truth, value), abs=1e-12, nan_ok=True), case


@pytest.mark.parametrize("name", MEANS)
def test_means_equal_scikit_learn(name):
    for case in GRID:
        truth, value = draw(*case)
        assert own.CLASS_METRICS[name](truth, value) == pytest.approx(MEANS[name](truth, value), abs=1e-12), case


@pytest.mark.filterwarnings("ignore:y_pred contains classes not in y_true")
@pytest.mark.filterwarnings("ignore:A single label was found")
def test_balanced_accuracy_is_scikit_learns():
    for case in GRID:
        truth, value = draw(*case)
        theirs = sklearn_metrics.balanced_accuracy_score(truth, calls(value))
        assert own.balanced_accuracy(truth, value) == pytest.approx(theirs, abs=1e-12), case


def test_roc_auc_equals_scikit_learn():
    compared = 0
    for case in GRID:
        truth, value = draw(*case)
        if len(np.unique(truth)) < case[0]:
            assert np.isnan(own.roc_auc_ovr(truth, value)), case
            continue
        compared += 1
        theirs = sklearn_metrics.roc_auc_score(truth, value, multi_class="ovr", average=None)
        assert own.roc_auc(truth, value) == pytest.approx(theirs, abs=1e-12), case
        mean = sklearn_metrics.roc_auc_score(truth, value, multi_class="ovr", average="macro")
        assert own.roc_auc_ovr(truth, value) == pytest.approx(mean, abs=1e-12), case
    assert compared > len(GRID) / 4


@pytest.mark.parametrize("classes", [3, 5])
@pytest.mark.parametrize("seed", range(3))
def test_calibration_error_equals_scikit_learns_curves(classes, seed):
    truth, _ = draw(classes, 200, 20, seed)
    value = np.random.default_rng(seed).dirichlet(np.ones(classes), 200)
    curves = [calibration_curve(truth == k, value[:, k], n_bins=10, strategy="quantile") for k in range(classes)]
    gaps = [np.mean(np.abs(observed - predicted)) for observed, predicted in curves]
    assert own.calibration_error(truth, value, 10) == pytest.approx(gaps)
    assert own.classwise_calibration_error(truth, value, 10) == pytest.approx(sum(gaps) / classes)


def test_calibration_error_by_hand():
    """One bin: |0.4 - 1/2|, |0.35 - 1/2| and |0.25 - 0|; the class without cases counts."""
    truth, value = [0, 1], [[0.6, 0.3, 0.1], [0.2, 0.4, 0.4]]
    assert own.calibration_error(truth, value, 1) == pytest.approx([0.1, 0.15, 0.25])
    assert own.classwise_calibration_error(truth, value, 1) == pytest.approx(0.5 / 3)


def test_a_class_without_cases_and_calls():
    truth, value = [0, 0, 0, 1], one_hot([0, 0, 1, 1], 3)
    assert own.precision(truth, value) == pytest.approx([1, 1 / 2, NAN], nan_ok=True)
    assert own.recall(truth, value) == pytest.approx([2 / 3, 1, NAN], nan_ok=True)
    assert own.f1(truth, value) == pytest.approx([4 / 5, 2 / 3, NAN], nan_ok=True)
    assert own.roc_auc(truth, value) == pytest.approx([2.5 / 3, 2.5 / 3, NAN], nan_ok=True)
    found = {name: metric(np.array(truth), value) for name, metric in own.CLASS_METRICS.items()}
    means = {"balanced_accuracy": 5 / 6, "macro_precision": 3 / 4, "macro_f1": 11 / 15}
    assert found == pytest.approx({"accuracy": 3 / 4, **means, "roc_auc_ovr": NAN}, nan_ok=True)


def test_a_class_that_is_called_without_having_cases():
    truth, value = [0, 0, 1, 1], one_hot([0, 2, 1, 1], 3)
    assert own.precision(truth, value).tolist() == [1, 1, 0]
    assert own.recall(truth, value) == pytest.approx([1 / 2, 1, NAN], nan_ok=True)
    assert own.f1(truth, value) == pytest.approx([2 / 3, 1, 0])
    assert own.macro_precision(truth, value) == pytest.approx(2 / 3)
    assert own.balanced_accuracy(truth, value) == pytest.approx(3 / 4)
    assert own.macro_f1(truth, value) == pytest.approx(5 / 9)


def test_a_class_that_has_cases_and_is_never_called():
    truth, value = [0, 0, 1, 2], one_hot([0, 0, 1, 1], 3)
    assert own.precision(truth, value).tolist() == [1, 1 / 2, 0]
    assert own.recall(truth, value).tolist() == [1, 1, 0]
    assert own.f1(truth, value) == pytest.approx([1, 2 / 3, 0])
    assert own.macro_precision(truth, value) == pytest.approx(1 / 2)
    assert own.balanced_accuracy(truth, value) == pytest.approx(2 / 3)
    assert own.macro_f1(truth, value) == pytest.approx(5 / 9)


def test_all_cases_of_one_class():
    truth, value = [1, 1, 1], [[0.1, 0.8, 0.1], [0.2, 0.6, 0.2], [0.7, 0.2, 0.1]]
    assert own.precision(truth, value) == pytest.approx([0, 1, NAN], nan_ok=True)
    assert own.recall(truth, value) == pytest.approx([NAN, 2 / 3, NAN], nan_ok=True)
    assert own.f1(truth, value) == pytest.approx([0, 4 / 5, NAN], nan_ok=True)
    assert np.isnan(own.roc_auc(truth, value)).all()
    assert np.isnan(own.roc_auc_ovr(truth, value))
    assert own.balanced_accuracy(truth, value) == own.accuracy(truth, value) == pytest.approx(2 / 3)


@pytest.mark.parametrize(("truth", "score"), [([1], 1.0), ([0], 0.0)])
def test_one_case(truth, score):
    value = np.array([[0.2, 0.5, 0.3]])
    found = {name: metric(np.array(truth), value) for name, metric in own.CLASS_METRICS.items()}
    assert found == pytest.approx({**dict.fromkeys(own.CLASS_METRICS, score), "roc_auc_ovr": NAN}, nan_ok=True)
    gaps = np.abs(value[0] - np.eye(3)[truth[0]])
    assert own.classwise_calibration_error(truth, value, 10) == pytest.approx(gaps.mean())


def test_tied_probabilities_count_half_in_the_roc_auc():
    value = [[0.5, 0.25, 0.25], [0.5, 0.25, 0.25], [0.2, 0.3, 0.5]]
    assert own.roc_auc([0, 1, 2], value).tolist() == [0.75, 0.25, 1.0]
    assert own.roc_auc_ovr([0, 1, 2], value) == pytest.approx(2 / 3)


def test_without_cases_everything_is_undefined():
    truth, value = np.empty(0, dtype=np.int64), np.empty((0, 3))
    assert own.called(value).size == 0
    assert own.confusion(truth, truth, 3).tolist() == [[0] * 3] * 3
    for name, metric in own.CLASS_METRICS.items():
        assert np.isnan(metric(truth, value)), name
    for name, metric in own.PER_CLASS_METRICS.items():
        assert np.isnan(metric(truth, value)).tolist() == [True] * 3, name
    assert np.isnan(own.classwise_calibration_error(truth, value, 10))


@pytest.mark.parametrize("seed", range(5))
def test_two_classes_are_the_binary_scores(seed):
    truth, value = draw(2, 100, 10**6, seed)
    score = value[:, 1]
    assert not (score == 0.5).any()
    for name, metric in own.PER_CLASS_METRICS.items():
        assert metric(truth, value)[1] == pytest.approx(binary.FOLD_METRICS[name](truth, score), abs=1e-12), name
    assert own.accuracy(truth, value) == binary.FOLD_METRICS["accuracy"](truth, score)
    assert own.recall(truth, value)[0] == binary.FOLD_METRICS["specificity"](truth, score)
    assert own.roc_auc_ovr(truth, value) == pytest.approx(binary.roc_auc(truth, score), abs=1e-12)


@pytest.mark.parametrize("truth", [[], [0], [1], [0, 0], [1, 1], [0, 1]])
def test_two_classes_are_undefined_where_the_binary_scores_are(truth):
    for found in itertools.product([0, 1], repeat=len(truth)):
        value = one_hot(found, 2)
        for name, metric in own.PER_CLASS_METRICS.items():
            expected = binary.FOLD_METRICS[name](np.array(truth), value[:, 1])
            assert metric(np.array(truth), value)[1] == pytest.approx(expected, nan_ok=True), (name, found)


def test_a_tie_of_two_classes_is_called_the_first_where_the_binary_call_is_positive():
    assert own.called([[0.5, 0.5]]).tolist() == [0]
    assert binary.call([0.5]).tolist() == [True]


def test_class_wise_and_binary_calibration_agree_on_two_classes():
    truth, value = draw(2, 200, 10**9, 0)
    assert len(np.unique(value[:, 1])) == 200  # bins of 20 are the same from either end
    expected = expected_calibration_error(truth, value[:, 1], 10)
    assert own.calibration_error(truth, value, 10) == pytest.approx([expected, expected])


@pytest.mark.parametrize("truth", [[0, 3], [-1, 0], [[0, 1]], [0.5, 1.0], [0, NAN]])
def test_truth_must_be_class_indices_in_a_row(truth):
    value = [[0.2, 0.3, 0.5], [0.6, 0.2, 0.2]]
    for metric in (own.accuracy, own.roc_auc):
        with pytest.raises(ValueError, match="truth"):
            metric(truth, value)


@pytest.mark.parametrize("value", [[0.5, 0.5], [[1.0], [1.0]], [[0.5, NAN], [1, 0]], [[1.5, -0.5], [1, 0]]])
def test_probabilities_must_be_a_table_of_probabilities(value):
    for metric in (own.accuracy, own.roc_auc):
        with pytest.raises(ValueError, match="probabilities"):
            metric([0, 1], value)
    with pytest.raises(ValueError, match="probabilities"):
        own.called(value)


def test_arrays_must_fit_together():
    for metric in (own.accuracy, own.roc_auc):
        with pytest.raises(ValueError, match="one shape"):
            metric([0, 1, 1], [[0.2, 0.8], [0.6, 0.4]])
