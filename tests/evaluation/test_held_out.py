"""What may be chosen on, and that the choice never sees a test label."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from busline.base.errors import DataError
from busline.base.params import load_params
from busline.evaluation.evaluate import Inputs, evaluate
from busline.evaluation.held_out import held_out, voted_held_out
from busline.evaluation.summaries import cross_validated, scored
from busline.evaluation.vote import vote_all
from busline.families import FAMILIES
from made_inputs import PARAMS_FILE
from made_predictions import CLASSES, make_labels, make_predictions, make_splits

SPLITS = make_splits()
LABELS = make_labels(SPLITS)
TABULAR = make_predictions(SPLITS, LABELS, tabular=True)
IMAGE = make_predictions(SPLITS, LABELS, seed=1)
VOTED, WEIGHTS = vote_all({"logreg": TABULAR}, {"custom_cnn": IMAGE}, CLASSES)
PAIR = "logreg+custom_cnn"
PREDICTIONS = {"tabular": {"logreg": TABULAR}, "cnn": {"custom_cnn": IMAGE}, "vote": VOTED}
PARAMS = load_params(PARAMS_FILE)
PARAMS = PARAMS.model_copy(
    update={
        "cv": PARAMS.cv.model_copy(update={"repeats": 2, "image_repeats": 2}),
        "evaluate": PARAMS.evaluate.model_copy(update={"bootstrap": 100}),
    }
)


def found_in(table, **where):
    rows = table[
        (table["scheme"] == "cv") & np.logical_and.reduce([table[key] == value for key, value in where.items()])
    ]
    return rows.sort_values(["scheme", "repeat", "fold", "case_id"])["p_malignant"].astype(float).tolist()


def test_a_tabular_models_scores_are_of_the_fit_without_the_tune_cases():
    held = held_out(TABULAR, SPLITS, CLASSES, FAMILIES["tabular"], "m")
    for role, rows in (("tune", held.tune), ("test", held.test)):
        assert rows["score"].tolist() == found_in(TABULAR, trained_on="without_tune", split=role)
        assert (rows["truth"] == (LABELS.loc[rows["case_id"]] == "malignant").to_numpy()).all()
    assert held.test["score"].tolist() != found_in(TABULAR, trained_on="all", split="test")


def test_a_network_of_images_has_one_fit():
    held = held_out(IMAGE, SPLITS, CLASSES, FAMILIES["cnn"], "m")
    assert held.tune["score"].tolist() == found_in(IMAGE, split="tune")
    assert held.test["score"].tolist() == found_in(IMAGE, split="test")


@pytest.mark.parametrize(
    "table",
    [IMAGE[IMAGE["split"] == "test"], TABULAR[TABULAR["trained_on"] == "all"]],
    ids=["test only", "trained on all"],
)
def test_without_tune_scores_there_is_nothing_to_choose_on(table):
    assert held_out(table, SPLITS, CLASSES, FAMILIES["tabular"], "m") is None


def test_other_tune_cases_than_the_folds_are_refused():
    tune = IMAGE[(IMAGE["split"] == "tune") & (IMAGE["repeat"] == 1) & (IMAGE["fold"] == 2)]
    with pytest.raises(DataError, match=r"repeat 1, fold 2: tune cases without a prediction: 1"):
        held_out(IMAGE.drop(tune.index[0]), SPLITS, CLASSES, FAMILIES["cnn"], "m")
    test = IMAGE[(IMAGE["split"] == "test") & (IMAGE["repeat"] == 1) & (IMAGE["fold"] == 2)].head(1)
    with pytest.raises(DataError, match="that are no tune cases: 1"):
        held_out(pd.concat([IMAGE, test.assign(split="tune")]), SPLITS, CLASSES, FAMILIES["cnn"], "m")


def test_a_pairs_tune_scores_are_voted_with_the_folds_weight():
    test = cross_validated(scored(VOTED[PAIR], "malignant"))
    held = voted_held_out(PAIR, test, PREDICTIONS, WEIGHTS, "malignant")
    assert held.test is test
    assert len(held.tune) == 2 * 3 * 12
    # what the vote stage did on the test cases must come out of the same arithmetic
    swapped = {"tune": "test", "test": "tune"}
    without = TABULAR[TABULAR["trained_on"] == "without_tune"]
    other = {
        family: {name: table.assign(split=table["split"].map(swapped))}
        for family, name, table in (("tabular", "logreg", without), ("cnn", "custom_cnn", IMAGE))
    }
    again = voted_held_out(PAIR, test, other, WEIGHTS, "malignant").tune
    again = again.sort_values(["scheme", "repeat", "fold", "case_id"])
    assert again["score"].to_numpy() == pytest.approx(test["score"].to_numpy(), abs=1e-7)


def test_a_pair_without_its_members_scores_has_none():
    test = cross_validated(scored(VOTED[PAIR], "malignant"))
    only_test = IMAGE[IMAGE["split"] == "test"]
    for predictions in ({}, {"tabular": {"logreg": TABULAR}}, {**PREDICTIONS, "cnn": {"custom_cnn": only_test}}):
        assert voted_held_out(PAIR, test, predictions, WEIGHTS, "malignant") is None


def turn_labels(table, rows):
    other = {CLASSES[0]: CLASSES[1], CLASSES[1]: CLASSES[0]}
    return table.assign(label=table["label"].where(~rows, table["label"].map(other)))


def test_test_labels_choose_nothing():
    """Turn every test label around: thresholds stay, and so do the calibrated probabilities."""
    inputs = Inputs(SPLITS, PREDICTIONS, WEIGHTS, {})
    before = evaluate(inputs, PARAMS)
    turned = {
        family: {name: turn_labels(table, table["split"] == "test") for name, table in models.items()}
        for family, models in PREDICTIONS.items()
    }
    after = evaluate(replace(inputs, predictions=turned), PARAMS)
    for family, model in (("tabular", "logreg"), ("cnn", "custom_cnn"), ("vote", PAIR)):
        one, other = before.tables.scored(family)[model], after.tables.scored(family)[model]
        for point, found in one.operating.items():
            assert found.threshold == other.operating[point].threshold
            assert found.sensitivity.mean != other.operating[point].sensitivity.mean
    columns = ["family", "model", "calibration", "predicted", "count"]
    pd.testing.assert_frame_equal(before.plots["reliability"][columns], after.plots["reliability"][columns])


def test_tune_labels_choose_and_are_not_scored():
    inputs = Inputs(SPLITS, {"cnn": PREDICTIONS["cnn"]}, WEIGHTS, {})
    before = evaluate(inputs, PARAMS).tables.classifiers["cnn"]["custom_cnn"]
    turned = {"cnn": {"custom_cnn": turn_labels(IMAGE, IMAGE["split"] == "tune")}}
    after = evaluate(replace(inputs, predictions=turned), PARAMS).tables.classifiers["cnn"]["custom_cnn"]
    assert (after.metrics, after.pooled) == (before.metrics, before.pooled)
    assert after.operating["youden"].threshold != before.operating["youden"].threshold
