"""Columns that are constant in a training part, but for rounding or wholly, and numbers beyond all bounds."""

import numpy as np
import pandas as pd
import pytest

from busline.base.runtime import Runtime
from busline.models.combiner import fit_combiner
from busline.models.encoding import TableEncoder
from busline.models.spread import is_constant
from busline.models.tabular import CLASSIFIERS, fit_classifier, load_classifier, probabilities, save_classifier
from busline.predictors.files import ModelFolder, save_encoder, stem_of
from made_inputs import made_inputs, small_params
from made_studies import fit_tabular, train_cnn, train_dnn, train_merged

PARAMS = small_params()
ONE = Runtime(workers=1)
FOLD = ("cv", 0, 0)


@pytest.mark.parametrize(
    ("values", "constant"),
    [
        ([0.1] * 30, True),
        ([0.1] * 29 + [0.1 + 2**-56], True),
        ([0.3, 0.1 + 0.2] * 20, True),
        ([1e300] * 7, True),
        ([0.0] * 5, True),
        ([7.0], True),
        ([0.1] * 29 + [0.1000001], False),
        ([1e9, 1e9 + 1.0] * 50, False),
        ([-1e-300, 1e-300], False),
        ([1e-12, 2e-12, 3e-12], False),
    ],
)
def test_a_column_is_constant_up_to_the_rounding_of_its_mean(values, constant):
    assert bool(is_constant(values)) is constant
    assert is_constant(np.array([values, [*range(len(values))]]).T).tolist() == [constant, len(values) == 1]


@pytest.mark.parametrize("other", [5.0, 1e38, 1e300, -1e300, None])
def test_a_constant_column_is_zero_whatever_stands_in_it(other):
    """Thirty times 0.1 has a standard deviation of 1e-17."""
    table = pd.DataFrame({"limit": [0.1] * 30, "Age": np.arange(30.0)})
    assert table["limit"].std(ddof=0) > 0
    encoder = TableEncoder.fit(table, ["limit", "Age"], [])
    rows = encoder.transform(pd.DataFrame({"limit": [other, 0.1], "Age": [3.0, 3.0]}))
    assert rows[:, 0].tolist() == [0.0, 0.0]
    assert rows[0, 1] == rows[1, 1] != 0


def test_a_constant_column_comes_back_from_its_file(tmp_path):
    encoder = TableEncoder.fit(pd.DataFrame({"limit": [0.1] * 30, "Age": np.arange(30.0)}), ["limit", "Age"], [])
    save_encoder(encoder, tmp_path, "one")
    assert ModelFolder(tmp_path, "tabular").encoder("one") == encoder
    assert (encoder.scales["limit"], encoder.scales["Age"]) == (None, pytest.approx(np.arange(30).std()))


def test_a_column_of_one_category_is_zero_whatever_stands_in_it():
    encoder = TableEncoder.fit(pd.DataFrame({"Signs": ["no"] * 30}), [], ["Signs"])
    assert encoder.transform(pd.DataFrame({"Signs": ["no", "palpable", None]})).tolist() == [[0.0]] * 3


@pytest.mark.parametrize("name", CLASSIFIERS)
def test_numbers_beyond_float32_stay_finite(name):
    inputs = made_inputs(PARAMS)
    encoder = TableEncoder.fit(inputs.table, inputs.numeric, inputs.categorical)
    estimator = fit_classifier(
        name, getattr(PARAMS.tabular.models, name), encoder.transform(inputs.table), inputs.labels, 1
    )
    far = pd.DataFrame({"Age": [1e300, -1e300, 3e38], "Signs": ["no"] * 3})
    assert np.isfinite(probabilities(estimator, encoder.transform(far))).all()


def with_limit(inputs, other):
    """The same inputs with a column of 0.1 everywhere but in the test cases of a fold, and a category likewise."""
    table = inputs.table.assign(limit=0.1, device="A")
    test = inputs.resamples[FOLD]["test"]
    table.loc[test, "limit"], table.loc[test, "device"] = other, "A" if other == 0.1 else "B"
    numeric, categorical = [*inputs.numeric, "limit"], [*inputs.categorical, "device"]
    return type(inputs)(**{**vars(inputs), "table": table, "numeric": numeric, "categorical": categorical})


def of_fold(predictions):
    scheme, repeat, fold = FOLD
    chosen = (predictions["scheme"] == scheme) & (predictions["repeat"] == repeat) & (predictions["fold"] == fold)
    return predictions.loc[chosen & (predictions["split"] == "test"), "p_malignant"].to_numpy()


@pytest.mark.parametrize("name", CLASSIFIERS)
def test_a_value_that_no_training_case_has_says_nothing_to_a_classical_model(name):
    found = [
        fit_tabular(with_limit(made_inputs(PARAMS, cases=120), other), PARAMS, name, runtime=ONE)[0]
        for other in (0.1, 5.0)
    ]
    np.testing.assert_array_equal(of_fold(found[0]), of_fold(found[1]))
    assert len(np.unique(of_fold(found[0]))) > 1


def test_a_value_that_no_training_case_has_says_nothing_to_the_networks():
    found = []
    for other in (0.1, 5.0):
        inputs = with_limit(made_inputs(PARAMS, side=32), other)
        dnn, cnn = train_dnn(inputs, PARAMS, runtime=ONE), train_cnn(inputs, PARAMS, runtime=ONE)
        images = {key: cnn.states[stem_of(key)] for key in inputs.resamples}
        tables = {key: dnn.networks[key, "without_tune"].state for key in inputs.resamples}
        merged = train_merged(inputs, PARAMS, images, tables, runtime=ONE)
        found.append((of_fold(dnn.predictions), of_fold(merged.predictions)))
    for same, other in zip(*found, strict=True):
        np.testing.assert_array_equal(same, other)
        assert len(np.unique(same)) > 1


@pytest.mark.parametrize("classes", [2, 3])
@pytest.mark.parametrize("name", CLASSIFIERS)
def test_rows_that_are_all_equal_give_a_model_that_says_each_class_alike(name, classes, tmp_path):
    rows, labels = np.zeros((40, 2), np.float32), np.arange(40) % 7 % classes
    estimator = fit_classifier(name, getattr(PARAMS.tabular.models, name), rows, labels, 1)
    save_classifier(name, estimator, tmp_path / "one")
    asked = np.array([[0.0, 0.0], [3.0, -3.0]], np.float32)
    found = probabilities(estimator, asked)
    np.testing.assert_array_equal(probabilities(load_classifier(name, tmp_path / "one"), asked), found)
    np.testing.assert_array_equal(found[0], found[1])
    np.testing.assert_allclose(found, 1 / classes, atol=0.03)


def test_a_constant_input_has_no_weight_in_a_diagnosis():
    generator = np.random.default_rng(1)
    labels = (np.arange(60) % 3 == 0).astype(int)
    rows = np.column_stack([np.full(60, 0.1), generator.normal(labels, 1.0)])
    combiner = fit_combiner(rows, labels, np.arange(60), ["limit", "score"], seed=1)
    assert (combiner.weights[0], combiner.scales[0]) == (0.0, 1.0)
    logits = combiner.logits([[0.1, 0.5], [5.0, 0.5], [1e300, 0.5]])
    assert logits[0] == logits[1] == logits[2]
    assert np.isfinite(combiner.logits([[0.1, 1e308]])).all()
