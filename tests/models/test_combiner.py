"""The combiner and the encoding of signs."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LogisticRegression

from busline.models.combiner import STRENGTHS, SignWords, fit_combiner


@pytest.fixture
def cases():
    generator = np.random.default_rng(3)
    labels = (np.arange(200) < 80).astype(int)
    rows = generator.standard_normal((200, 4)) * [1.0, 5.0, 0.1, 1.0] + [0.0, 3.0, -1.0, 0.0]
    rows[:, 0] += 1.5 * labels
    return rows, labels


def test_it_is_scikit_learns_regression_on_standardised_inputs(cases):
    rows, labels = cases
    combiner = fit_combiner(rows, labels, "abcd", seed=1)
    inputs = (rows - rows.mean(axis=0)) / rows.std(axis=0)
    model = LogisticRegression(C=combiner.strength, max_iter=1000).fit(inputs, labels)
    np.testing.assert_allclose(combiner.logits(rows), model.decision_function(inputs), atol=1e-6)
    assert combiner.strength in STRENGTHS


def test_noise_is_shrunk_and_signal_is_not(cases):
    rows, labels = cases
    weights = np.abs(fit_combiner(rows, labels, "abcd", seed=1).weights)
    assert weights[0] > 4 * weights[1:].max()
    alone = fit_combiner(np.random.default_rng(0).standard_normal((200, 8)), labels, "abcdefgh", seed=1)
    assert alone.strength == STRENGTHS[0]


def test_missing_numbers_take_the_fitted_median_and_constants_do_no_harm(cases):
    rows, labels = cases
    rows[:, 3] = 7.0
    rows[:50, 1] = np.nan
    combiner = fit_combiner(rows, labels, "abcd", seed=1)
    median = np.nanmedian(rows[:, 1])
    case = rows[:1].copy()
    filled = case.copy()
    filled[0, 1] = median
    assert combiner.medians[1] == median
    np.testing.assert_array_equal(combiner.logits(case), combiner.logits(filled))
    assert np.isfinite(combiner.logits(rows)).all()


def test_the_test_cases_do_not_change_it_and_it_can_be_written(cases):
    rows, labels = cases
    combiner = fit_combiner(rows, labels, "abcd", seed=1)
    np.testing.assert_allclose(combiner.logits(rows[:5]), combiner.logits(rows)[:5], rtol=1e-12)
    assert json.loads(json.dumps(combiner.to_dict()))["names"] == list("abcd")


def test_words_of_a_cell_are_columns():
    cells = pd.Series(["no"] * 6 + ["palpable"] * 4 + ["palpable&scar", None, "scar"])
    words = SignWords.fit(cells)
    assert words.names == ("no", "palpable", "other")
    np.testing.assert_array_equal(
        words.transform(pd.Series(["no", "palpable&scar", None, "never seen"])),
        [[1, 0, 0], [0, 1, 1], [0, 0, 1], [0, 0, 1]],
    )
