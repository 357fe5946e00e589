"""The combiner and the encoding of signs."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LogisticRegression

from busline.models.combiner import INNER_FOLDS, STRENGTHS, SignWords, fit_combiner, inner_folds


@pytest.fixture
def cases():
    generator = np.random.default_rng(3)
    labels = (np.arange(200) < 80).astype(int)
    rows = generator.standard_normal((200, 4)) * [1.0, 5.0, 0.1, 1.0] + [0.0, 3.0, -1.0, 0.0]
    rows[:, 0] += 1.5 * labels
    return rows, labels


def test_it_is_scikit_learns_regression_on_standardised_inputs(cases):
    rows, labels = cases
    combiner = fit_combiner(rows, labels, np.arange(200), "abcd", seed=1)
    inputs = (rows - rows.mean(axis=0)) / rows.std(axis=0)
    model = LogisticRegression(C=combiner.strength, max_iter=1000).fit(inputs, labels)
    np.testing.assert_allclose(combiner.logits(rows), model.decision_function(inputs), atol=1e-6)
    assert combiner.strength in STRENGTHS


def test_noise_is_shrunk_and_signal_is_not(cases):
    rows, labels = cases
    weights = np.abs(fit_combiner(rows, labels, np.arange(200), "abcd", seed=1).weights)
    assert weights[0] > 4 * weights[1:].max()
    alone = fit_combiner(np.random.default_rng(0).standard_normal((200, 8)), labels, np.arange(200), "abcdefgh", seed=1)
    assert alone.strength == STRENGTHS[0]


def test_missing_numbers_take_the_fitted_median_and_constants_do_no_harm(cases):
    rows, labels = cases
    rows[:, 3] = 7.0
    rows[:50, 1] = np.nan
    combiner = fit_combiner(rows, labels, np.arange(200), "abcd", seed=1)
    median = np.nanmedian(rows[:, 1])
    case = rows[:1].copy()
    filled = case.copy()
    filled[0, 1] = median
    assert combiner.medians[1] == median
    np.testing.assert_array_equal(combiner.logits(case), combiner.logits(filled))
    assert np.isfinite(combiner.logits(rows)).all()


def test_the_test_cases_do_not_change_it_and_it_can_be_written(cases):
    rows, labels = cases
    combiner = fit_combiner(rows, labels, np.arange(200), "abcd", seed=1)
    np.testing.assert_allclose(combiner.logits(rows[:5]), combiner.logits(rows)[:5], rtol=1e-12)
    assert json.loads(json.dumps(combiner.to_dict()))["names"] == list("abcd")


def test_a_patients_cases_are_on_one_side_of_every_inner_fold(cases):
    _, labels = cases
    patients = np.random.default_rng(5).integers(0, 70, 200)
    folds = inner_folds(labels, patients, seed=1)
    assert len(folds) == INNER_FOLDS
    assert sorted(np.concatenate([score for _, score in folds])) == list(range(200))
    for learn, score in folds:
        assert sorted([*learn, *score]) == list(range(200))
        assert not set(patients[learn]) & set(patients[score])
        assert set(labels[score]) == {0, 1}


def test_recognising_a_patient_does_not_weaken_the_penalty():
    """Five scans of each of 24 patients and noise that tells them apart: a known patient is guessed."""
    generator = np.random.default_rng(2)
    patients = np.repeat(np.arange(24), 5)
    labels = np.repeat(np.arange(24) % 2, 5)
    rows = np.repeat(generator.standard_normal((24, 12)), 5, axis=0) + 0.1 * generator.standard_normal((120, 12))
    assert fit_combiner(rows, labels, patients, "abcdefghijkl", seed=1).strength <= STRENGTHS[1]
    assert fit_combiner(rows, labels, np.arange(120), "abcdefghijkl", seed=1).strength == STRENGTHS[-1]


@pytest.mark.parametrize(
    ("labels", "patients", "count"),
    [
        ([1, 1, 1, 0, 0, 0, 0, 0], [0, 0, 0, 1, 2, 3, 4, 5], 0),  # all malignant cases are of one patient
        ([1, 1, 1, 0, 0, 0, 0, 0], [0, 0, 9, 1, 2, 3, 4, 5], 2),
        ([1, 1, 1, 1, 0, 0, 0, 0], [0, 1, 2, 3, 0, 1, 2, 3], 4),  # every patient has one of each
        ([0, 0, 0, 1, 1], [2, 2, 3, 3, 0], 1),  # both malignant patients are in one fold
        ([0, 0, 0], [0, 1, 2], 0),
    ],
)
def test_there_are_no_more_inner_folds_than_a_class_has_patients(labels, patients, count):
    folds = inner_folds(np.array(labels), np.array(patients), seed=1)
    assert len(folds) == count
    assert all(set(np.array(labels)[learn]) == {0, 1} for learn, _ in folds)


def test_words_of_a_cell_are_columns():
    cells = pd.Series(["no"] * 6 + ["palpable"] * 4 + ["palpable&scar", None, "scar"])
    words = SignWords.fit(cells)
    assert words.names == ("no", "palpable", "other")
    np.testing.assert_array_equal(
        words.transform(pd.Series(["no", "palpable&scar", None, "never seen"])),
        [[1, 0, 0], [0, 1, 1], [0, 0, 1], [0, 0, 1]],
    )
