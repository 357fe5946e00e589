"""Pipelines that leak, each in its own way, and the permutation test that must catch every one."""

import numpy as np
import pytest
from scipy import stats

from busline.audit.permutation import ALARM, permutation_test, permute_labels
from busline.audit.pipelines import Folds, TabularPipeline, fold_scores
from busline.audit.results import FoldInterval
from busline.audit.statistics import above, describe_draws, fold_interval
from busline.base.runtime import Runtime
from busline.metrics.classification import recall, roc_auc, specificity
from busline.metrics.intervals import corrected_wilson_interval
from busline.splits import CV, MASTER
from made_inputs import made_inputs, small_params

CASES, COLUMNS = 60, 200
NOISE = np.random.default_rng(8).normal(size=(CASES, COLUMNS))
GROUPS = np.arange(CASES)
TWIN = np.arange(CASES) ^ 1


def resamples(labels):
    """Three stratified folds; the training part has a few validation cases."""
    order = np.concatenate([np.flatnonzero(labels == label) for label in (0, 1)])
    fold_of = np.empty(CASES, dtype=int)
    fold_of[order] = np.arange(CASES) % 3
    made = {}
    for fold in range(3):
        rest = np.flatnonzero(fold_of != fold)
        made[0, fold] = {
            "train": rest[::2],
            "val": rest[1::2],
            "tune": rest[:0],
            "test": np.flatnonzero(fold_of == fold),
        }
    return made


def scored(labels, folds, score_of, threshold_of=lambda truth, score: 0.0):
    """Fold scores of a pipeline that gives ``score_of(roles)``, (n,), and calls at ``threshold_of(truth, score)``."""
    found = {"roc_auc": [], "balanced_accuracy": []}
    for roles in folds.values():
        truth, score = labels[roles["test"]] > 0, score_of(roles)[roles["test"]]
        called = score >= threshold_of(truth, score)
        found["roc_auc"].append(roc_auc(truth, score))
        found["balanced_accuracy"].append((recall(truth, called) + specificity(truth, called)) / 2)
    return {name: np.array(values) for name, values in found.items()}


def direction(labels, cases):
    """The difference of the classes' means over some cases: a linear model of the noise."""
    return NOISE[cases][labels[cases] > 0].mean(axis=0) - NOISE[cases][labels[cases] == 0].mean(axis=0)


def honest(labels, folds):
    return scored(labels, folds, lambda roles: NOISE @ direction(labels, roles["train"]))


def features_chosen_on_all_cases(labels, folds):
    """Fitted before the split: the ten columns that tell most of all labels, then an honest model of them."""
    best = np.argsort(-np.abs(direction(labels, np.arange(CASES))))[:10]
    return scored(labels, folds, lambda roles: NOISE[:, best] @ direction(labels, roles["train"])[best])


def encoded_on_all_cases(labels, folds):
    """Fitted before the split: a category's share of positive cases, its own label counted."""
    category = np.arange(CASES) // 3
    share = np.bincount(category, weights=labels) / np.bincount(category)
    return scored(labels, folds, lambda roles: share[category])


def stopped_on_test(labels, folds):
    """The best epoch is chosen on the test fold: here, of thirty random models."""
    epochs = np.random.default_rng(1).normal(size=(30, COLUMNS))

    def best(roles):
        test = roles["test"]
        return max((NOISE @ epoch for epoch in epochs), key=lambda score: roc_auc(labels[test] > 0, score[test]))

    return scored(labels, folds, best)


def stopped_on_val_cases(labels, folds):
    """The same, chosen as it should be."""
    epochs = np.random.default_rng(1).normal(size=(30, COLUMNS))

    def best(roles):
        stop = roles["val"]
        return max((NOISE @ epoch for epoch in epochs), key=lambda score: roc_auc(labels[stop] > 0, score[stop]))

    return scored(labels, folds, best)


def threshold_chosen_on_test(labels, folds):
    """The scores are honest, the threshold is the best of the test fold."""

    def best(truth, score):
        return max(score, key=lambda at: recall(truth, score >= at) + specificity(truth, score >= at))

    return scored(labels, folds, lambda roles: NOISE @ direction(labels, roles["train"]), best)


def duplicate_across_folds(labels, folds):
    """Each scan is there twice; the folds do not know it, and the model knows a case by its copy."""

    def copy_of(roles):
        known = np.isin(TWIN, np.concatenate([roles["train"], roles["val"]]))
        return np.where(known, 2.0 * labels[TWIN] - 1.0, 0.0)

    return scored(labels, folds, copy_of)


LEAKS = {
    features_chosen_on_all_cases: {"roc_auc", "balanced_accuracy"},
    encoded_on_all_cases: {"roc_auc"},
    stopped_on_test: {"roc_auc"},
    duplicate_across_folds: {"roc_auc"},
    threshold_chosen_on_test: {"balanced_accuracy"},
}


def run(pipeline, permutations=49):
    labels = (np.arange(CASES) // 2 % 3 == 0).astype(np.int64)
    groups = GROUPS // 2 if pipeline is duplicate_across_folds else GROUPS
    return permutation_test(
        "planted", pipeline, labels, groups, resamples, permutations=permutations, seed=4, runtime=Runtime()
    )


@pytest.mark.parametrize("leak", LEAKS, ids=lambda leak: leak.__name__)
def test_every_planted_leak_of_procedure_is_caught(leak):
    rows, problems = run(leak)
    caught = {row.metric for row in rows if row.p_mean < ALARM}
    assert caught >= LEAKS[leak]
    assert len(problems) == len(caught)
    assert all("something in the procedure sees the test labels" in line for line in problems)


def test_a_threshold_chosen_on_test_cases_does_not_show_in_the_auc():
    rows, _ = run(threshold_chosen_on_test)
    assert rows[0].metric == "roc_auc"
    assert rows[0].p_mean > ALARM


@pytest.mark.parametrize("pipeline", [honest, stopped_on_val_cases], ids=lambda pipeline: pipeline.__name__)
def test_an_honest_pipeline_passes(pipeline):
    rows, problems = run(pipeline)
    assert problems == []
    assert all(abs(row.mean - 0.5) < 0.03 for row in rows)


def test_the_observed_score_has_its_place_among_the_permuted_ones():
    labels = (np.arange(CASES) % 3 == 0).astype(np.int64)

    def knows(current, folds):
        return {"roc_auc": np.array([1.0 if (current == labels).all() else 0.5])}

    rows, problems = permutation_test("p", knows, labels, GROUPS, resamples, permutations=19, seed=1, runtime=Runtime())
    assert problems == []
    assert rows[0].observed == 1.0
    assert rows[0].p_observed == pytest.approx(1 / 20)
    rows, _ = permutation_test(
        "p",
        lambda *_: {"roc_auc": np.array([0.5])},
        labels,
        GROUPS,
        resamples,
        permutations=19,
        seed=1,
        runtime=Runtime(),
    )
    assert rows[0].p_observed == 1.0


def test_no_permutations_run_nothing_and_one_gives_no_p():
    assert run(honest, permutations=0) == ([], [])
    rows, problems = run(encoded_on_all_cases, permutations=1)
    assert problems == []
    assert all(row.p_mean is None and row.sd is None for row in rows)


def test_a_group_keeps_one_label_and_the_classes_their_number():
    labels = np.repeat([0, 1, 0, 0, 1, 0, 1, 0], 2)
    groups = np.repeat(np.arange(8), 2)
    moved = [permute_labels(labels, groups, np.random.default_rng(seed)) for seed in range(50)]
    assert all((one[::2] == one[1::2]).all() and one.sum() == labels.sum() for one in moved)
    assert len({one.tobytes() for one in moved}) > 30
    assert np.mean(moved, axis=0) == pytest.approx(np.full(16, 3 / 8), abs=0.25)


def test_the_studys_own_tabular_pipeline_passes_and_its_folds_follow_the_labels():
    params = small_params(cv__folds=3)
    inputs = made_inputs(params, cases=45)
    folds = Folds(inputs, params, np.arange(45))
    made = folds(inputs.labels)
    assert {key for key in made if key != MASTER} == {(CV, 0, fold) for fold in range(3)}
    assert all(inputs.labels[roles["test"]].sum() == 5 for key, roles in made.items() if key != MASTER)
    rows, problems = permutation_test(
        "logreg",
        TabularPipeline(inputs, params, "logreg"),
        inputs.labels,
        np.arange(45),
        folds,
        permutations=9,
        seed=2,
        runtime=Runtime(),
    )
    assert problems == []
    assert rows[0].observed > 0.6
    assert rows[0].p_observed <= 0.3


def test_a_leak_planted_in_the_studys_pipeline_is_caught(monkeypatch):
    """The encoder's fold is widened to the test cases' labels: what the stage calls is what the audit runs."""
    from busline.studies import tabular

    def leaking(context, job, learn):
        everyone = np.sort(np.concatenate([learn, job.roles["test"]]))
        return original(context, job, everyone)

    original = tabular.fit_table
    monkeypatch.setattr(tabular, "fit_table", leaking)
    params = small_params(cv__folds=3)
    inputs = made_inputs(params, cases=45)
    _, problems = permutation_test(
        "random_forest",
        TabularPipeline(inputs, params, "random_forest"),
        inputs.labels,
        np.arange(45),
        Folds(inputs, params, np.arange(45)),
        permutations=4,
        seed=2,
        runtime=Runtime(),
    )
    assert len(problems) == 2


def test_fold_scores_by_hand():
    import pandas as pd

    rows = pd.DataFrame(
        {
            "scheme": ["cv"] * 5 + ["master"],
            "repeat": [0, 0, 0, 0, 0, -1],
            "fold": [0, 0, 0, 0, 0, -1],
            "split": ["test"] * 4 + ["tune", "test"],
            "label": ["benign", "benign", "malignant", "malignant", "benign", "benign"],
            "p_malignant": [0.1, 0.6, 0.4, 0.9, 0.99, 0.99],
        }
    )
    found = fold_scores(rows, ("benign", "malignant"))
    assert found["roc_auc"].tolist() == [0.75]
    assert found["balanced_accuracy"].tolist() == [0.5]


def test_the_t_test_is_that_of_scipy():
    draws = np.random.default_rng(0).normal(0.52, 0.05, 30)
    expected = stats.ttest_1samp(draws, 0.5, alternative="greater").pvalue
    assert above(draws, 0.5) == pytest.approx(expected)
    assert above([0.7, 0.7], 0.5) == 0.0
    assert above([0.5, 0.5], 0.5) == 1.0
    assert above([0.7], 0.5) is None


def test_summaries_of_draws_and_folds():
    assert dict(describe_draws([[0.0, 1.0], [np.nan, 0.5]])) == {
        "mean": 0.5, "low": pytest.approx(0.05), "median": 0.5, "high": pytest.approx(0.95), "max": 1.0, "draws": 3
    }  # fmt: skip
    assert set(dict(describe_draws([])).values()) == {None, 0}
    folds = [(np.arange(8), np.arange(2))] * 4
    found = fold_interval([0.1, -0.1, 0.2, 0.0], folds, differences=True)
    reach = stats.t.ppf(0.975, 3) * np.sqrt((1 / 4 + 2 / 8) * np.var([0.1, -0.1, 0.2, 0.0], ddof=1))
    assert (found.low, found.high) == (pytest.approx(0.05 - reach), pytest.approx(0.05 + reach))
    aucs, reported = fold_interval([0.9, 1.0, 1.0, 1.0], folds), corrected_wilson_interval([0.9, 1.0, 1.0, 1.0], 2 / 8)
    assert (aucs.low, aucs.high) == (reported.low, reported.high)
    assert fold_interval([0.5], folds) == FoldInterval(mean=0.5, low=None, high=None)
    assert fold_interval([np.nan], folds) == FoldInterval(mean=None, low=None, high=None)
