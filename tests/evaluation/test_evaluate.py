"""Evaluation on made predictions, checked by hand and against scikit-learn fold by fold."""

import math
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from sklearn import metrics as sklearn_metrics

from busline.base.artifacts import plain
from busline.base.errors import DataError, ParameterError
from busline.base.params import load_params
from busline.base.seeding import numpy_generator
from busline.evaluation.evaluate import Inputs, evaluate
from busline.evaluation.vote import vote_all
from busline.metrics.intervals import bootstrap_interval, corrected_interval
from made_inputs import PARAMS_FILE
from made_predictions import CLASSES, make_labels, make_predictions, make_splits

SEGMENTATION = ("dice", "iou", "sensitivity", "specificity", "hd95", "assd")

DEFAULT = load_params(PARAMS_FILE)

PARAMS = DEFAULT.model_copy(update={"cv": DEFAULT.cv.model_copy(update={"repeats": 4, "image_repeats": 4})})
SPLITS = make_splits(cases=60, folds=3, repeats=2)
LABELS = make_labels(SPLITS)
TABULAR, IMAGE = ("logreg", "random_forest"), ("custom_cnn", "mobilenet_v2_random")
SUMMARY = {"mean", "low", "high", "nb_low", "nb_high", "min", "max", "folds", "undefined"}


def make_scores(splits, seed=0):
    test = splits[splits["role"] == "test"].drop(columns="role").assign(split="test", label="benign")
    values = np.random.default_rng(seed).random((len(test), len(SEGMENTATION)))
    values[:, 4:] *= 12.0  # mm
    return test.assign(**dict(zip(SEGMENTATION, values.T, strict=True))).reset_index(drop=True)


def make_inputs(splits=SPLITS, labels=LABELS):
    tabular = {name: make_predictions(splits, labels, seed=seed, tabular=True) for seed, name in enumerate(TABULAR)}
    image = {name: make_predictions(splits, labels, seed=5 + seed) for seed, name in enumerate(IMAGE)}
    voted, weights = vote_all(tabular, image, CLASSES)
    folds = splits[splits["repeat"] >= 0]
    search = make_predictions(folds, labels, seed=3).assign(hidden=16, dropout=0.2)
    predictions = {
        "tabular": tabular,
        "cnn": image,
        "merged": {},
        "augmentation": {"mild": make_predictions(splits, labels, seed=4)},
        "dnn_search": {"h16_d0.2": search},
        "vote": voted,
    }
    return Inputs(splits, predictions, weights, {"segment": make_scores(splits)})


INPUTS = make_inputs()
RESULT = evaluate(INPUTS, PARAMS)


def by_fold(table):
    test = table[(table["split"] == "test") & (table["repeat"] >= 0)]
    return [
        (fold["label"] == "malignant", fold["p_malignant"].astype(float))
        for _, fold in test.groupby(["repeat", "fold"], sort=True)
    ]


THEIRS = {
    "accuracy": lambda truth, score: sklearn_metrics.accuracy_score(truth, score >= 0.5),
    "f1": lambda truth, score: sklearn_metrics.f1_score(truth, score >= 0.5),
    "roc_auc": sklearn_metrics.roc_auc_score,
    "precision": lambda truth, score: sklearn_metrics.precision_score(truth, score >= 0.5),
    "recall": lambda truth, score: sklearn_metrics.recall_score(truth, score >= 0.5),
    "specificity": lambda truth, score: sklearn_metrics.recall_score(truth, score >= 0.5, pos_label=0),
}


@pytest.mark.parametrize(
    ("family", "model", "ratio"),
    [("tabular", "logreg", 20 / 40), ("cnn", "custom_cnn", 20 / 28), ("vote", "logreg+custom_cnn", 20 / 28)],
)
def test_fold_metrics_and_intervals(family, model, ratio):
    """40 training cases, of which 12 are weigh cases: those train the tabular model of Table 4 and no other."""
    table = INPUTS.predictions[family][model]
    folds = by_fold(table[table["trained_on"] == "all"] if family == "tabular" else table)
    assert len(folds) == 6
    found = RESULT.tables[family][model]["metrics"]
    assert set(found) == set(THEIRS)
    for name, metric in THEIRS.items():
        scores = np.array([metric(*fold) for fold in folds])
        generator = numpy_generator(PARAMS.seed, "bootstrap", family, model, name)
        low = bootstrap_interval(
            scores, generator, samples=PARAMS.evaluate.bootstrap, confidence=PARAMS.evaluate.confidence
        )
        corrected = corrected_interval(scores, ratio, confidence=PARAMS.evaluate.confidence)
        expected = {
            "mean": scores.mean(),
            "min": scores.min(),
            "max": scores.max(),
            "folds": 6,
            "undefined": 0,
            "low": low.low,
            "high": low.high,
            "nb_low": corrected.low,
            "nb_high": corrected.high,
        }
        assert found[name] == pytest.approx(expected, abs=1e-12), name


def test_pooled_metrics_average_the_repeats_to_one_score_a_case():
    table = INPUTS.predictions["cnn"]["custom_cnn"]
    test = table[(table["split"] == "test") & (table["repeat"] >= 0)]
    score = test["p_malignant"].astype(float).groupby(test["case_id"]).mean()
    truth = LABELS.loc[score.index] == "malignant"
    found = RESULT.tables["cnn"]["custom_cnn"]["pooled"]
    assert found["cases"] == 60
    assert found["roc_auc"] == pytest.approx(sklearn_metrics.roc_auc_score(truth, score))
    assert found["average_precision"] == pytest.approx(sklearn_metrics.average_precision_score(truth, score))
    assert found["brier"] == pytest.approx(((score - truth) ** 2).mean())
    tenths = np.array_split(np.argsort(score.to_numpy()), 10)
    gaps = [abs(score.to_numpy()[part].mean() - truth.to_numpy()[part].mean()) for part in tenths]
    assert found["ece"] == pytest.approx(np.mean(gaps))


def test_the_master_split_stands_apart():
    found = RESULT.tables["cnn"]["custom_cnn"]["master"]
    table = INPUTS.predictions["cnn"]["custom_cnn"]
    single = table[(table["repeat"] == -1) & (table["split"] == "test")]
    for name, metric in THEIRS.items():
        expected = metric(single["label"] == "malignant", single["p_malignant"].astype(float))
        assert found[name] == pytest.approx(expected, abs=1e-12), name
    assert found["cases"] == 12
    spoiled = table.assign(p_malignant=table["p_malignant"].where(table["repeat"] >= 0, 0.5))
    spoiled = spoiled.assign(p_benign=1 - spoiled["p_malignant"])
    other = evaluate(with_predictions("cnn", custom_cnn=spoiled), PARAMS)
    assert other.metrics == RESULT.metrics
    assert other.tables["cnn"]["custom_cnn"]["pooled"] == RESULT.tables["cnn"]["custom_cnn"]["pooled"]
    assert other.tables["cnn"]["custom_cnn"]["master"]["roc_auc"] == 0.5
    pd.testing.assert_frame_equal(other.plots["roc"], RESULT.plots["roc"])


def with_predictions(family, **models):
    """Return the inputs with some models of a family replaced."""
    return replace(INPUTS, predictions={**INPUTS.predictions, family: {**INPUTS.predictions[family], **models}})


def test_weigh_rows_and_rows_trained_without_them_are_not_evaluated():
    table = INPUTS.predictions["tabular"]["logreg"]
    kept = (table["trained_on"] == "all") & (table["split"] == "test")
    spoiled = table.assign(
        p_malignant=table["p_malignant"].where(kept, 0.25), p_benign=table["p_benign"].where(kept, 0.75)
    )
    assert (~kept).sum() > kept.sum()
    found = evaluate(with_predictions("tabular", logreg=spoiled), PARAMS)
    chosen = {"operating", "calibration"}
    assert set(RESULT.tables["tabular"]["logreg"]) == {"metrics", "pooled", "master"} | chosen
    for family in ("tabular", "cnn", "augmentation", "dnn_search", "segment"):
        for model, content in RESULT.tables[family].items():
            again = found.tables[family][model]
            differing = {name for name in content if again[name] != content[name]}
            assert differing == (chosen if model == "logreg" else set())
    for test in ("t", "delong"):
        assert all(
            a[test] == b[test]
            for a, b in zip(found.tables["comparisons"]["models"], RESULT.tables["comparisons"]["models"], strict=True)
        )


def test_a_voted_pair():
    found = RESULT.tables["vote"]["logreg+custom_cnn"]
    pair = INPUTS.weights[(INPUTS.weights["tabular"] == "logreg") & (INPUTS.weights["image"] == "custom_cnn")]
    weights = pair[pair["repeat"] >= 0]["weight"]
    assert (found["tabular"], found["image"]) == ("logreg", "custom_cnn")
    assert found["weight"] == pytest.approx(
        {"mean": weights.mean(), "median": weights.median(), "min": weights.min(), "max": weights.max(), "folds": 6}
    )
    table = INPUTS.predictions["vote"]["logreg+custom_cnn"]
    half = table.assign(p_malignant=table["p_half_malignant"])
    scores = [THEIRS["roc_auc"](*fold) for fold in by_fold(half)]
    assert found["half"]["roc_auc"]["mean"] == pytest.approx(np.mean(scores))
    assert found["half"]["roc_auc"]["mean"] != found["metrics"]["roc_auc"]["mean"]
    single = table[table["repeat"] == -1]
    row = pair[pair["repeat"] == -1].iloc[0]
    truth = single["label"] == "malignant"
    expected = {
        "roc_auc": sklearn_metrics.roc_auc_score(truth, single["p_malignant"]),
        "half_roc_auc": sklearn_metrics.roc_auc_score(truth, single["p_half_malignant"]),
        "cases": 12,
        **row[["weight", "low", "high", "weigh_auc", "n_weigh"]].to_dict(),
    }
    assert {name: found["master"][name] for name in expected} == pytest.approx(expected)


def test_searches_have_the_auc_only():
    assert set(RESULT.tables["augmentation"]["mild"]["metrics"]) == {"roc_auc"}
    search = RESULT.tables["dnn_search"]["h16_d0.2"]
    assert (search["hidden"], search["dropout"], set(search["metrics"])) == (16, 0.2, {"roc_auc"})
    scores = [THEIRS["roc_auc"](*fold) for fold in by_fold(INPUTS.predictions["dnn_search"]["h16_d0.2"])]
    assert search["metrics"]["roc_auc"]["mean"] == pytest.approx(np.mean(scores))
    assert search["metrics"]["roc_auc"]["nb_low"] == pytest.approx(corrected_interval(scores, 20 / 40).low)
    scores = [THEIRS["roc_auc"](*fold) for fold in by_fold(INPUTS.predictions["augmentation"]["mild"])]
    mild = RESULT.tables["augmentation"]["mild"]["metrics"]["roc_auc"]
    assert mild["nb_low"] == pytest.approx(corrected_interval(scores, 20 / 28).low)


def test_what_rests_on_pairs_of_folds_has_a_wider_interval():
    """With 3 folds of 20 cases each network leaves out two, so that 20 cases are left to learn from."""
    table = make_predictions(SPLITS[SPLITS["repeat"] >= 0], LABELS, seed=6)
    table = table[table["split"] == "test"]
    scores = make_scores(SPLITS[SPLITS["repeat"] >= 0])
    predictions = {"lesion": {"image": table}, "lesion_parts": {"shape": table}}
    found = evaluate(Inputs(SPLITS, predictions, INPUTS.weights, {"lesion_segment": scores}), PARAMS).tables
    corrected = corrected_interval([THEIRS["roc_auc"](*fold) for fold in by_fold(table)], 20 / 20)
    for family, model in (("lesion", "image"), ("lesion_parts", "shape")):
        auc = found[family][model]["metrics"]["roc_auc"]
        assert (auc["nb_low"], auc["nb_high"]) == pytest.approx((corrected.low, corrected.high))
    dice = corrected_interval(scores.groupby(["repeat", "fold"])["dice"].mean(), 20 / 20)
    outlines = found["lesion_segment"]["metrics"]["dice"]
    assert (outlines["nb_low"], outlines["nb_high"]) == pytest.approx((dice.low, dice.high))


def test_segmentation_by_hand():
    """Two folds of two cases: Dice 0.2 and 0.4, then 0.8 alone (one undefined); the master split is apart."""
    splits = pd.DataFrame(
        [("a", -1, -1, "test"), ("b", -1, -1, "fit")]
        + [(case, 0, fold, "test" if (case in "ab") == (fold == 0) else "fit") for fold in (0, 1) for case in "abcd"],
        columns=["case_id", "repeat", "fold", "role"],
    )
    scores = splits[splits["role"] == "test"].drop(columns="role").assign(split="test")
    scores["dice"] = [0.9, 0.2, 0.4, 0.8, None]
    scores["dice"] = scores["dice"].astype(float)
    scores = scores.assign(iou=0.5, sensitivity=0.5, specificity=1.0)
    found = evaluate(Inputs(splits, {}, INPUTS.weights, {"segment": scores}), PARAMS).tables["segment"]
    corrected = corrected_interval([0.3, 0.8], 1.0)
    dice = found["metrics"]["dice"]
    assert (dice["mean"], dice["min"], dice["max"], dice["folds"]) == (pytest.approx(0.55), pytest.approx(0.3), 0.8, 2)
    assert (dice["nb_low"], dice["nb_high"]) == pytest.approx((corrected.low, corrected.high))
    assert found["cases"]["dice"] == pytest.approx(
        {"mean": 1.4 / 3, "min": 0.2, "max": 0.8, "count": 3, "undefined": 1}
    )
    assert found["master"] == {"dice": 0.9, "iou": 0.5, "sensitivity": 0.5, "specificity": 1.0, "cases": 1}


def test_distances_are_summarised_beyond_one_and_undefined_cases_are_counted():
    scores = INPUTS.segmentation["segment"]
    lost = scores["case_id"].isin(scores["case_id"].unique()[:3])
    scores = scores.assign(hd95=scores["hd95"].where(~lost))
    found = evaluate(replace(INPUTS, segmentation={"segment": scores}), PARAMS)
    folds = scores[scores["repeat"] >= 0]
    means = folds.groupby(["repeat", "fold"])["hd95"].mean()
    corrected = corrected_interval(means, 20 / 40, bounded=False)
    metric = found.metrics["segment"]["hd95"]
    assert metric["mean"] == pytest.approx(means.mean())
    assert (metric["nb_low"], metric["nb_high"]) == pytest.approx((corrected.low, corrected.high))
    assert metric["low"] > 1.0
    assert metric["undefined_cases"] == 6  # three cases in two repeats
    assert found.metrics["segment"]["dice"]["undefined_cases"] == 0
    counts = found.tables["segment"]["cases"]["hd95"]
    assert (counts["count"], counts["undefined"]) == (len(folds) - 6, 6)
    assert found.tables["segment"]["cases"]["hd95"]["max"] == folds["hd95"].max()


def test_segmentation_learns_from_weigh_cases_too():
    scores = INPUTS.segmentation["segment"]
    scores = scores[scores["repeat"] >= 0]
    means = scores.groupby(["repeat", "fold"])["iou"].mean()
    corrected = corrected_interval(means, 20 / 40)
    assert RESULT.tables["segment"]["metrics"]["iou"]["nb_low"] == pytest.approx(corrected.low)


def test_a_fold_of_one_class_has_no_auc_and_is_counted():
    table = INPUTS.predictions["cnn"]["custom_cnn"]
    first = (table["repeat"] == 0) & (table["fold"] == 0)
    table = table.assign(label=table["label"].where(~first, "benign"))
    found = evaluate(with_predictions("cnn", custom_cnn=table), PARAMS).tables["cnn"]["custom_cnn"]["metrics"]
    scores = [THEIRS["roc_auc"](*fold) for fold in by_fold(table)[1:]]
    assert (found["roc_auc"]["folds"], found["roc_auc"]["undefined"]) == (5, 1)
    assert found["roc_auc"]["mean"] == pytest.approx(np.mean(scores))
    assert (found["accuracy"]["folds"], found["recall"]["folds"]) == (6, 5)


def test_permuted_labels_score_chance():
    splits = make_splits(cases=200, folds=5, repeats=4, seed=3)
    labels = make_labels(splits, seed=3)
    permuted = pd.Series(np.random.default_rng(1).permutation(labels.to_numpy()), index=labels.index)
    table = make_predictions(splits, labels, skill=2.0)
    inputs = Inputs(splits, {"cnn": {"m": table}}, INPUTS.weights, {"segment": make_scores(splits)})
    assert evaluate(inputs, PARAMS).tables["cnn"]["m"]["pooled"]["roc_auc"] > 0.85
    chance = table.assign(label=permuted.loc[table["case_id"]].to_numpy())
    found = evaluate(replace(inputs, predictions={"cnn": {"m": chance}}), PARAMS).tables["cnn"]["m"]
    # four standard deviations of the Mann-Whitney statistic for 80 against 120 cases
    assert found["metrics"]["roc_auc"]["mean"] == pytest.approx(0.5, abs=4 * math.sqrt(201 / (12 * 80 * 120)))


def test_the_metrics_file_is_the_tables_means_and_intervals():
    assert set(RESULT.metrics) == {"tabular", "cnn", "augmentation", "dnn_search", "vote", "segment"}
    keys = ("mean", "low", "high", "nb_low", "nb_high")
    roc_auc = RESULT.tables["tabular"]["logreg"]["metrics"]["roc_auc"]
    assert set(roc_auc) == SUMMARY
    assert RESULT.metrics["tabular"]["logreg"]["roc_auc"] == {key: roc_auc[key] for key in keys}
    content, metrics = RESULT.tables["tabular"]["logreg"], RESULT.metrics["tabular"]["logreg"]
    assert set(metrics) == {*THEIRS, "operating", "pooled"}
    assert set(metrics["operating"]) == {"youden", "sensitivity_95", "specificity_90"}
    for point, rates in metrics["operating"].items():
        assert rates == {rate: content["operating"][point][rate]["mean"] for rate in ("sensitivity", "specificity")}
    pooled = {name: content["pooled"][name] for name in ("roc_auc", "curve_sensitivity", "brier", "ece")}
    assert metrics["pooled"] == {**pooled, "ece_calibrated": content["calibration"]["after"]["ece"]}
    voted = RESULT.metrics["vote"]["logreg+custom_cnn"]
    half = RESULT.tables["vote"]["logreg+custom_cnn"]["half"]["roc_auc"]
    assert set(voted) == {"roc_auc", "roc_auc_half"}
    assert voted["roc_auc_half"] == {key: half[key] for key in keys}
    assert list(RESULT.metrics["segment"]) == list(SEGMENTATION)


def test_the_protocol_says_what_the_numbers_rest_on():
    assert RESULT.tables["protocol"] == {
        "classes": CLASSES,
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
        "weigh": RESULT.tables["protocol"]["weigh"],
        "inner": None,
    }
    weigh = SPLITS[(SPLITS["repeat"] >= 0) & (SPLITS["role"] == "weigh")]
    positives = [
        int((LABELS.loc[fold["case_id"]] == "malignant").sum()) for _, fold in weigh.groupby(["repeat", "fold"])
    ]
    assert RESULT.tables["protocol"]["weigh"] == {"cases": [12, 12], "positives": [min(positives), max(positives)]}


def test_networks_of_images_are_evaluated_in_their_own_repeats():
    params = PARAMS.model_copy(update={"cv": PARAMS.cv.model_copy(update={"image_repeats": 1})})
    tabular = {"tabular": {"logreg": INPUTS.predictions["tabular"]["logreg"]}}
    image = INPUTS.predictions["cnn"]["custom_cnn"]
    scores = make_scores(SPLITS[SPLITS["repeat"] < 1])
    first = replace(INPUTS, segmentation=scores, predictions={**tabular, "cnn": {"m": image[image["repeat"] < 1]}})
    tables = evaluate(first, params).tables
    folds = {
        family: models.popitem()[1]["metrics"]["roc_auc"]["folds"]
        for family, models in tables.items()
        if family in ("tabular", "cnn")
    }
    assert folds == {"tabular": 6, "cnn": 3}
    with pytest.raises(DataError, match="repeat 1, fold 0"):
        evaluate(replace(first, predictions={**tabular, "cnn": {"m": image}}), params)


def test_order_of_rows_does_not_matter():
    shuffled = {
        family: {name: table.sample(frac=1, random_state=3) for name, table in models.items()}
        for family, models in INPUTS.predictions.items()
    }
    again = evaluate(replace(INPUTS, predictions=shuffled, splits=SPLITS.sample(frac=1, random_state=4)), PARAMS)
    assert plain(again.tables) == plain(RESULT.tables)
    for name, table in again.plots.items():
        pd.testing.assert_frame_equal(table, RESULT.plots[name])


def test_predictions_of_other_cases_than_the_splits_are_refused():
    table = INPUTS.predictions["cnn"]["custom_cnn"]
    test = table[(table["repeat"] == 1) & (table["fold"] == 2) & (table["split"] == "test")]
    with pytest.raises(
        DataError, match=r"'custom_cnn': 1 problem\n.*repeat 1, fold 2: .* a prediction: 1, .* cases: 0"
    ):
        evaluate(with_predictions("cnn", custom_cnn=table.drop(test.index[0])), PARAMS)
    weigh = table[(table["repeat"] == 1) & (table["fold"] == 2) & (table["split"] == "weigh")].head(2)
    leaked = pd.concat([table, weigh.assign(split="test")], ignore_index=True)
    with pytest.raises(DataError, match="that are no test cases: 2"):
        evaluate(with_predictions("cnn", custom_cnn=leaked), PARAMS)
    gone = table[(table["repeat"] == -1) & (table["split"] == "test")].index[:2]
    with pytest.raises(DataError, match="repeat -1, fold -1: test cases without a prediction: 2"):
        evaluate(with_predictions("cnn", custom_cnn=table.drop(gone)), PARAMS)


def test_votes_without_the_even_vote_are_refused():
    votes = INPUTS.predictions["vote"]["logreg+custom_cnn"]
    with pytest.raises(DataError, match="column 'p_half_malignant' is missing"):
        evaluate(with_predictions("vote", **{"logreg+custom_cnn": votes.drop(columns="p_half_malignant")}), PARAMS)
    with pytest.raises(DataError, match=r"column 'p_half_malignant': values that are null or outside \[0, 1\]: 132"):
        evaluate(with_predictions("vote", **{"logreg+custom_cnn": votes.assign(p_half_malignant=None)}), PARAMS)


def test_outlines_of_other_cases_than_the_splits_are_refused():
    scores = INPUTS.segmentation["segment"]
    with pytest.raises(DataError, match="scores of segment"):
        evaluate(replace(INPUTS, segmentation={"segment": scores.iloc[1:]}), PARAMS)


def test_more_than_two_classes_are_refused():
    three = PARAMS.model_copy(update={"split": PARAMS.split.model_copy(update={"classes": ["normal", *CLASSES]})})
    with pytest.raises(ParameterError, match=r"split.classes: .* two classes, found 3: normal, benign, malignant"):
        evaluate(INPUTS, three)
