"""Which rows are evaluated, and which tables are refused."""

from dataclasses import replace

import pandas as pd
import pytest
from made_study import INPUTS, PARAMS, RESULT, SPLITS, make_scores, with_predictions

from busline.base.artifacts import plain
from busline.base.errors import DataError
from busline.evaluation.evaluate import evaluate
from made_predictions import CLASSES


def test_tune_rows_and_rows_trained_without_them_are_not_evaluated():
    table = INPUTS.predictions["tabular"]["logreg"]
    kept = (table["trained_on"] == "all") & (table["split"] == "test")
    spoiled = table.assign(
        p_malignant=table["p_malignant"].where(kept, 0.25), p_benign=table["p_benign"].where(kept, 0.75)
    )
    assert (~kept).sum() > kept.sum()
    found = evaluate(with_predictions("tabular", logreg=spoiled), PARAMS)
    chosen = {"operating", "calibration"}
    for family in ("tabular", "cnn", "augmentation", "dnn_search", "segment"):
        for model, content in RESULT.tables.found(family).items():
            again = dict(found.tables.found(family)[model])
            differing = {name for name, part in content if again[name] != part}
            assert differing == (chosen if model == "logreg" else set())
    for test in ("t", "delong"):
        assert all(
            getattr(a, test) == getattr(b, test)
            for a, b in zip(found.tables.comparisons["models"], RESULT.tables.comparisons["models"], strict=True)
        )


def test_networks_of_images_are_evaluated_in_their_own_repeats():
    params = PARAMS.model_copy(update={"cv": PARAMS.cv.model_copy(update={"image_repeats": 1})})
    tabular = {"tabular": {"logreg": INPUTS.predictions["tabular"]["logreg"]}}
    image = INPUTS.predictions["cnn"]["custom_cnn"]
    scores = make_scores(SPLITS[SPLITS["repeat"] < 1])
    first = replace(
        INPUTS,
        segmentation={"segment": {"m": scores}},
        predictions={**tabular, "cnn": {"m": image[image["repeat"] < 1]}},
    )
    tables = evaluate(first, params).tables
    folds = {family: [m.metrics["roc_auc"].folds for m in of.values()] for family, of in tables.classifiers.items()}
    assert folds == {"tabular": [6], "cnn": [3]}
    assert tables.segmentations["segment"]["m"].metrics["dice"].folds == 3
    with pytest.raises(DataError, match="repeat 1, fold 0"):
        evaluate(replace(first, predictions={**tabular, "cnn": {"m": image}}), params)


def test_order_of_rows_does_not_matter():
    shuffled = {
        family: {name: table.sample(frac=1, random_state=3) for name, table in models.items()}
        for family, models in INPUTS.predictions.items()
    }
    again = evaluate(replace(INPUTS, predictions=shuffled, splits=SPLITS.sample(frac=1, random_state=4)), PARAMS)
    assert plain(again.tables.model_dump()) == plain(RESULT.tables.model_dump())
    for name, table in again.plots.items():
        pd.testing.assert_frame_equal(table, RESULT.plots[name])


def test_predictions_of_other_cases_than_the_splits_are_refused():
    table = INPUTS.predictions["cnn"]["custom_cnn"]
    test = table[(table["repeat"] == 1) & (table["fold"] == 2) & (table["split"] == "test")]
    with pytest.raises(
        DataError, match=r"'custom_cnn': 1 problem\n.*repeat 1, fold 2: .* a prediction: 1, .* cases: 0"
    ):
        evaluate(with_predictions("cnn", custom_cnn=table.drop(test.index[0])), PARAMS)
    tune = table[(table["repeat"] == 1) & (table["fold"] == 2) & (table["split"] == "tune")].head(2)
    leaked = pd.concat([table, tune.assign(split="test")], ignore_index=True)
    with pytest.raises(DataError, match="that are no test cases: 2"):
        evaluate(with_predictions("cnn", custom_cnn=leaked), PARAMS)
    gone = table[(table["scheme"] == "master") & (table["split"] == "test")].index[:2]
    with pytest.raises(DataError, match="master split: test cases without a prediction: 2"):
        evaluate(with_predictions("cnn", custom_cnn=table.drop(gone)), PARAMS)


def test_votes_without_the_even_vote_are_refused():
    votes = INPUTS.predictions["vote"]["logreg+custom_cnn"]
    with pytest.raises(DataError, match="column 'p_half_malignant' is missing"):
        evaluate(with_predictions("vote", **{"logreg+custom_cnn": votes.drop(columns="p_half_malignant")}), PARAMS)
    with pytest.raises(DataError, match=r"column 'p_half_malignant': values that are null or outside \[0, 1\]: 132"):
        evaluate(with_predictions("vote", **{"logreg+custom_cnn": votes.assign(p_half_malignant=None)}), PARAMS)


def test_outlines_of_other_cases_than_the_splits_are_refused():
    scores = INPUTS.segmentation["segment"]["unet"]
    with pytest.raises(DataError, match="scores of segment model 'm'"):
        evaluate(replace(INPUTS, segmentation={"segment": {"m": scores.iloc[1:]}}), PARAMS)


def test_tables_without_a_class_of_the_study_are_refused():
    three = PARAMS.model_copy(update={"split": PARAMS.split.model_copy(update={"classes": ["normal", *CLASSES]})})
    with pytest.raises(DataError, match="column 'p_normal' is missing"):
        evaluate(INPUTS, three)
