"""Tabular models: encoding fitted on given rows alone, class weights, and files without pickle."""

import numpy as np
import pandas as pd
import pytest

from busline.models.encoding import TableEncoder
from busline.models.tabular import CLASSIFIERS, fit_classifier, load_classifier, probabilities, save_classifier
from made_inputs import small_params

MODELS = small_params().tabular.models
TABLE = pd.DataFrame({"Age": [30.0, 50.0, np.nan, 90.0], "Signs": ["no", "palpable", None, "no"]})


def made_rows(cases=80):
    generator = np.random.default_rng(0)
    labels = (np.arange(cases) % 3 == 0).astype(np.int64)
    rows = np.column_stack([generator.normal(labels, 1.0), generator.integers(0, 2, cases)]).astype(np.float32)
    return rows, labels


def test_encoding_by_hand():
    encoder = TableEncoder.fit(TABLE, ["Age"], ["Signs"])
    assert encoder.names == ["Age", "Signs=no", "Signs=not available", "Signs=palpable"]
    age = np.array([30.0, 50.0, 50.0, 90.0])
    rows = encoder.transform(TABLE)
    np.testing.assert_allclose(rows[:, 0], (age - age.mean()) / age.std(), rtol=1e-6)
    np.testing.assert_array_equal(rows[:, 1:], [[1, 0, 0], [0, 0, 1], [0, 1, 0], [1, 0, 0]])
    assert rows.dtype == np.float32


def test_an_unseen_category_is_a_row_of_zeros():
    encoder = TableEncoder.fit(TABLE, ["Age"], ["Signs"])
    row = encoder.transform(pd.DataFrame({"Age": [40.0], "Signs": ["redness"]}))
    assert row[0, 1:].tolist() == [0.0, 0.0, 0.0]


def test_a_column_without_any_value_encodes_as_zero():
    encoder = TableEncoder.fit(TABLE.assign(Age=np.nan), ["Age"], ["Signs"])
    assert encoder.transform(TABLE.assign(Age=np.nan))[:, 0].tolist() == [0.0] * 4


@pytest.mark.parametrize("name", CLASSIFIERS)
def test_models_learn_and_come_back_from_their_file(name, tmp_path):
    rows, labels = made_rows()
    estimator = fit_classifier(name, getattr(MODELS, name), rows, labels, seed=3)
    probability = probabilities(estimator, rows)
    assert probability[labels == 1, 1].mean() > probability[labels == 0, 1].mean() + 0.1
    save_classifier(name, estimator, tmp_path / "r0_f0")
    again = probabilities(load_classifier(name, tmp_path / "r0_f0"), rows)
    np.testing.assert_array_equal(again, probability)


@pytest.mark.parametrize("name", CLASSIFIERS)
def test_a_refit_gives_the_same_bytes(name, tmp_path):
    rows, labels = made_rows()
    contents = []
    for number in range(2):
        folder = tmp_path / str(number)
        folder.mkdir()
        save_classifier(name, fit_classifier(name, getattr(MODELS, name), rows, labels, seed=3), folder / "r0_f0")
        contents.append({path.name: path.read_bytes() for path in folder.iterdir()})
    assert contents[0] == contents[1]


@pytest.mark.parametrize("name", CLASSIFIERS)
def test_classes_tune_the_same_in_sum(name):
    """Without class weights the mean prediction would be the share of the positive class, a tenth here."""
    generator = np.random.default_rng(1)
    rows = generator.normal(size=(400, 2)).astype(np.float32) * 1e-6
    labels = (np.arange(400) % 10 == 0).astype(np.int64)
    settings = MODELS.model_copy(
        update={
            "random_forest": MODELS.random_forest.model_copy(update={"max_depth": 1}),
            "xgboost": MODELS.xgboost.model_copy(update={"max_depth": 1, "n_estimators": 20}),
            "lightgbm": MODELS.lightgbm.model_copy(update={"num_leaves": 2, "n_estimators": 20}),
            "catboost": MODELS.catboost.model_copy(update={"depth": 1, "iterations": 20}),
        }
    )
    probability = probabilities(fit_classifier(name, getattr(settings, name), rows, labels, seed=0), rows)
    assert probability[:, 1].mean() == pytest.approx(0.5, abs=0.12)
