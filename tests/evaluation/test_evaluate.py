"""Evaluation on made predictions, checked by hand and against scikit-learn fold by fold."""

import math
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from made_study import (
    INPUTS,
    LABELS,
    PARAMS,
    RESULT,
    SEGMENTATION,
    SPLITS,
    THEIRS,
    by_fold,
    with_predictions,
)
from sklearn import metrics as sklearn_metrics

from busline.base.seeding import numpy_generator
from busline.evaluation.evaluate import Inputs, evaluate
from busline.metrics.intervals import bootstrap_interval, corrected_wilson_interval
from busline.splits import CV, MASTER
from made_predictions import CLASSES, make_labels, make_predictions, make_splits


@pytest.mark.parametrize(
    ("family", "model", "ratio"),
    [("tabular", "logreg", 20 / 40), ("cnn", "custom_cnn", 20 / 28), ("vote", "logreg+custom_cnn", 20 / 28)],
)
def test_fold_metrics_and_intervals(family, model, ratio):
    """40 training cases, of which 12 are tuning cases: those train the tabular model of Table 4 and no other."""
    table = INPUTS.predictions[family][model]
    folds = by_fold(table[table["trained_on"] == "all"] if family == "tabular" else table)
    assert len(folds) == 6
    found = RESULT.tables.scored(family)[model].metrics
    assert set(found) == set(THEIRS)
    positives = int((LABELS == "malignant").sum())
    shares = {"accuracy": 60, "recall": positives, "specificity": 60 - positives}
    for name, metric in THEIRS.items():
        scores = np.array([metric(*fold) for fold in folds])
        generator = numpy_generator(PARAMS.seed.split, "bootstrap", family, model, name)
        confidence, cases = PARAMS.evaluate.confidence, shares.get(name, math.inf)
        reported = corrected_wilson_interval(scores, ratio, cases=cases, confidence=confidence)
        drawn = bootstrap_interval(scores, generator, samples=PARAMS.evaluate.bootstrap, confidence=confidence)
        expected = {
            "mean": scores.mean(),
            "min": scores.min(),
            "max": scores.max(),
            "folds": 6,
            "undefined": 0,
            "low": reported.low,
            "high": reported.high,
            "bootstrap_low": drawn.low,
            "bootstrap_high": drawn.high,
        }
        assert dict(found[name]) == pytest.approx(expected, abs=1e-12), name


def test_pooled_metrics_are_the_means_of_those_of_the_repeats():
    table = INPUTS.predictions["cnn"]["custom_cnn"]
    test = table[(table["split"] == "test") & (table["scheme"] == "cv")].sort_values("case_id")
    repeats = [rows["p_malignant"].to_numpy(dtype=float) for _, rows in test.groupby("repeat")]
    truth = (LABELS == "malignant").to_numpy()
    found = RESULT.tables.classifiers["cnn"]["custom_cnn"].pooled
    assert (found.cases, len(repeats)) == (60, 2)

    def mean(measure):
        return pytest.approx(np.mean([measure(truth, score) for score in repeats]))

    def gap(truth, score):
        tenths = np.array_split(np.argsort(score), 10)
        return np.mean([abs(score[part].mean() - truth[part].mean()) for part in tenths])

    assert found.roc_auc == mean(sklearn_metrics.roc_auc_score)
    assert found.average_precision == mean(sklearn_metrics.average_precision_score)
    assert found.brier == mean(lambda truth, score: ((score - truth) ** 2).mean())
    assert found.ece == mean(gap)


def test_the_master_split_stands_apart():
    found = RESULT.tables.classifiers["cnn"]["custom_cnn"]
    table = INPUTS.predictions["cnn"]["custom_cnn"]
    single = table[(table["scheme"] == "master") & (table["split"] == "test")]
    for name, metric in THEIRS.items():
        expected = metric(single["label"] == "malignant", single["p_malignant"].astype(float))
        assert found.master.score(name) == pytest.approx(expected, abs=1e-12), name
    assert found.master.cases == 12
    spoiled = table.assign(p_malignant=table["p_malignant"].where(table["scheme"] == "cv", 0.5))
    spoiled = spoiled.assign(p_benign=1 - spoiled["p_malignant"])
    other = evaluate(with_predictions("cnn", custom_cnn=spoiled), PARAMS)
    assert other.metrics == RESULT.metrics
    assert other.tables.classifiers["cnn"]["custom_cnn"].pooled == found.pooled
    assert other.tables.classifiers["cnn"]["custom_cnn"].master.score("roc_auc") == 0.5
    pd.testing.assert_frame_equal(other.plots["roc"], RESULT.plots["roc"])


def test_a_voted_pair():
    found = RESULT.tables.pairs["vote"]["logreg+custom_cnn"]
    pair = INPUTS.weights[(INPUTS.weights["tabular"] == "logreg") & (INPUTS.weights["image"] == "custom_cnn")]
    weights = pair[pair["scheme"] == "cv"]["weight"]
    assert (found.tabular, found.image) == ("logreg", "custom_cnn")
    assert dict(found.weight) == pytest.approx(
        {"mean": weights.mean(), "median": weights.median(), "min": weights.min(), "max": weights.max(), "folds": 6}
    )
    table = INPUTS.predictions["vote"]["logreg+custom_cnn"]
    half = table.assign(p_malignant=table["p_half_malignant"])
    scores = [THEIRS["roc_auc"](*fold) for fold in by_fold(half)]
    assert found.half["roc_auc"].mean == pytest.approx(np.mean(scores))
    assert found.half["roc_auc"].mean != found.metrics["roc_auc"].mean
    single = table[table["scheme"] == "master"]
    row = pair[pair["scheme"] == "master"].iloc[0]
    truth = single["label"] == "malignant"
    expected = {
        "roc_auc": sklearn_metrics.roc_auc_score(truth, single["p_malignant"]),
        "half_roc_auc": sklearn_metrics.roc_auc_score(truth, single["p_half_malignant"]),
        "cases": 12,
        **row[["weight", "low", "high", "tune_auc", "n_tune"]].to_dict(),
    }
    assert {name: found.master.model_dump()[name] for name in expected} == pytest.approx(expected)


def test_searches_have_the_auc_only():
    mild = RESULT.tables.searches["augmentation"]["mild"]
    assert (mild.point, set(mild.metrics)) == ({}, {"roc_auc"})
    search = RESULT.tables.searches["dnn_search"]["h16_d0.2"]
    assert (search.point, set(search.metrics)) == ({"hidden": 16, "dropout": 0.2}, {"roc_auc"})
    scores = [THEIRS["roc_auc"](*fold) for fold in by_fold(INPUTS.predictions["dnn_search"]["h16_d0.2"])]
    assert search.metrics["roc_auc"].mean == pytest.approx(np.mean(scores))
    assert search.metrics["roc_auc"].low == pytest.approx(corrected_wilson_interval(scores, 20 / 40).low)
    scores = [THEIRS["roc_auc"](*fold) for fold in by_fold(INPUTS.predictions["augmentation"]["mild"])]
    assert mild.metrics["roc_auc"].low == pytest.approx(corrected_wilson_interval(scores, 20 / 28).low)


def test_segmentation_by_hand():
    """Two folds of two cases: Dice 0.2 and 0.4, then 0.8 alone (one undefined); the master split is apart."""
    splits = pd.DataFrame(
        [("a", *MASTER, "test"), ("b", *MASTER, "train")]
        + [
            (case, CV, 0, fold, "test" if (case in "ab") == (fold == 0) else "train")
            for fold in (0, 1)
            for case in "abcd"
        ],
        columns=["case_id", "scheme", "repeat", "fold", "role"],
    )
    scores = splits[splits["role"] == "test"].drop(columns="role").assign(split="test")
    scores["dice"] = [0.9, 0.2, 0.4, 0.8, None]
    scores["dice"] = scores["dice"].astype(float)
    scores = scores.assign(iou=0.5, sensitivity=0.5, specificity=1.0)
    tables = evaluate(Inputs(splits, {}, INPUTS.weights, {"segment": {"unet": scores}}), PARAMS).tables
    found = tables.segmentations["segment"]["unet"]
    reported = corrected_wilson_interval([0.3, 0.8], 1.0)
    dice = found.metrics["dice"]
    assert (dice.mean, dice.min, dice.max, dice.folds) == (pytest.approx(0.55), pytest.approx(0.3), 0.8, 2)
    assert (dice.low, dice.high) == pytest.approx((reported.low, reported.high))
    assert dict(found.cases["dice"]) == pytest.approx(
        {"mean": 1.4 / 3, "min": 0.2, "max": 0.8, "count": 3, "undefined": 1}
    )
    assert found.master.model_dump() == {"dice": 0.9, "iou": 0.5, "sensitivity": 0.5, "specificity": 1.0, "cases": 1}


def test_every_segmentation_network_is_measured_under_its_name():
    scores = INPUTS.segmentation["segment"]["unet"]
    other = scores.assign(dice=scores["dice"] / 2)
    found = evaluate(replace(INPUTS, segmentation={"segment": {"unet": scores, "other": other}}), PARAMS)
    assert list(found.metrics["segment"]) == list(found.tables.segmentations["segment"]) == ["unet", "other"]
    assert found.metrics["segment"]["unet"] == RESULT.metrics["segment"]["unet"]
    half = found.metrics["segment"]["unet"]["dice"]["mean"] / 2
    assert found.metrics["segment"]["other"]["dice"]["mean"] == pytest.approx(half)


def test_segmentation_learns_from_tune_cases_too():
    scores = INPUTS.segmentation["segment"]["unet"]
    scores = scores[scores["scheme"] == "cv"]
    means = scores.groupby(["repeat", "fold"])["iou"].mean()
    reported = corrected_wilson_interval(means, 20 / 40)
    iou = RESULT.tables.segmentations["segment"]["unet"].metrics["iou"]
    assert iou.low == pytest.approx(reported.low)


def test_a_fold_of_one_class_has_no_auc_and_is_counted():
    table = INPUTS.predictions["cnn"]["custom_cnn"]
    first = (table["repeat"] == 0) & (table["fold"] == 0)
    table = table.assign(label=table["label"].where(~first, "benign"))
    tables = evaluate(with_predictions("cnn", custom_cnn=table), PARAMS).tables
    found = tables.classifiers["cnn"]["custom_cnn"].metrics
    scores = [THEIRS["roc_auc"](*fold) for fold in by_fold(table)[1:]]
    assert (found["roc_auc"].folds, found["roc_auc"].undefined) == (5, 1)
    assert found["roc_auc"].mean == pytest.approx(np.mean(scores))
    assert (found["accuracy"].folds, found["recall"].folds) == (6, 5)


def test_permuted_labels_score_chance():
    splits = make_splits(cases=200, folds=5, repeats=4, seed=3)
    labels = make_labels(splits, seed=3)
    permuted = pd.Series(np.random.default_rng(1).permutation(labels.to_numpy()), index=labels.index)
    table = make_predictions(splits, labels, skill=2.0)
    inputs = Inputs(splits, {"cnn": {"m": table}}, INPUTS.weights, {})
    assert evaluate(inputs, PARAMS).tables.classifiers["cnn"]["m"].pooled.roc_auc > 0.85
    chance = table.assign(label=permuted.loc[table["case_id"]].to_numpy())
    tables = evaluate(replace(inputs, predictions={"cnn": {"m": chance}}), PARAMS).tables
    found = tables.classifiers["cnn"]["m"].metrics["roc_auc"].mean
    # four standard deviations of the Mann-Whitney statistic for 80 against 120 cases
    assert found == pytest.approx(0.5, abs=4 * math.sqrt(201 / (12 * 80 * 120)))


def test_the_metrics_file_is_the_tables_means_and_intervals():
    assert set(RESULT.metrics) == {"tabular", "cnn", "augmentation", "dnn_search", "vote", "segment"}
    keys = ("mean", "low", "high")
    content, metrics = RESULT.tables.classifiers["tabular"]["logreg"], RESULT.metrics["tabular"]["logreg"]
    assert metrics["roc_auc"] == {key: getattr(content.metrics["roc_auc"], key) for key in keys}
    assert set(metrics) == {*THEIRS, "operating", "pooled"}
    assert set(metrics["operating"]) == {"youden", "sensitivity_95", "specificity_90"}
    for point, rates in metrics["operating"].items():
        found = content.operating[point]
        assert rates == {"sensitivity": found.sensitivity.mean, "specificity": found.specificity.mean}
    pooled = {name: getattr(content.pooled, name) for name in ("roc_auc", "curve_sensitivity", "brier", "ece")}
    assert metrics["pooled"] == {**pooled, "ece_calibrated": content.calibration.after.ece}
    voted = RESULT.metrics["vote"]["logreg+custom_cnn"]
    half = RESULT.tables.pairs["vote"]["logreg+custom_cnn"].half["roc_auc"]
    assert set(voted) == {"roc_auc", "roc_auc_half"}
    assert voted["roc_auc_half"] == {key: getattr(half, key) for key in keys}
    assert set(RESULT.metrics["augmentation"]["mild"]) == {"roc_auc"}
    assert list(RESULT.metrics["segment"]["unet"]) == list(SEGMENTATION)


def test_the_protocol_says_what_the_numbers_rest_on():
    tune = SPLITS[(SPLITS["scheme"] == "cv") & (SPLITS["role"] == "tune")]
    positives = [
        int((LABELS.loc[fold["case_id"]] == "malignant").sum()) for _, fold in tune.groupby(["repeat", "fold"])
    ]
    assert RESULT.tables.protocol.model_dump() == {
        "classes": tuple(CLASSES),
        "positive": "malignant",
        "threshold": 0.5,
        "confidence": PARAMS.evaluate.confidence,
        "bootstrap": PARAMS.evaluate.bootstrap,
        "calibration_bins": PARAMS.evaluate.calibration_bins,
        "cases": 60,
        "positives": int((LABELS == "malignant").sum()),
        "folds": 3,
        "repeats": 2,
        "image_repeats": 4,
        "tune": {"cases": (12, 12), "positives": (min(positives), max(positives))},
        "inner": None,
    }
