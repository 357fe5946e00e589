"""The one interval of every mean over folds, and the bootstrap that stands beside a paper's own."""

from dataclasses import replace

import numpy as np
import pytest
from made_study import INPUTS, LABELS, PARAMS, RESULT, SPLITS, THEIRS, by_fold, make_scores, with_predictions

from busline.evaluation.evaluate import Inputs, evaluate
from busline.metrics.intervals import corrected_interval, corrected_wilson_interval
from made_predictions import make_predictions


def test_the_interval_in_the_file_by_hand():
    """Its ends are the two p at which (m - p)² = t² · e² · p(1 - p) / (m(1 - m)); t of 5 degrees of freedom."""
    scores = np.array([THEIRS["roc_auc"](*fold) for fold in by_fold(INPUTS.predictions["cnn"]["custom_cnn"])])
    mean, error = scores.mean(), (1 / 6 + 20 / 28) * scores.var(ddof=1)
    part = 2.570582**2 * error / (mean * (1 - mean))
    ends = np.sort(np.roots([1 + part, -2 * mean - part, mean**2]))
    found = RESULT.metrics["cnn"]["custom_cnn"]["roc_auc"]
    assert set(found) == {"mean", "low", "high"}
    assert (found["low"], found["high"]) == pytest.approx(tuple(ends), abs=1e-6)
    plain = corrected_interval(scores, 20 / 28)
    assert (found["low"], found["high"]) != pytest.approx((plain.low, plain.high), abs=1e-3)


def test_a_rate_whose_folds_are_all_right_is_uncertain_by_the_cases_that_it_is_a_share_of():
    """Everybody is called: with 0 variance the interval is Wilson's of so many positive cases, and of negative ones."""
    table = INPUTS.predictions["cnn"]["custom_cnn"].assign(p_malignant=1.0, p_benign=0.0)
    found = evaluate(with_predictions("cnn", custom_cnn=table), PARAMS).metrics["cnn"]["custom_cnn"]
    positives, squared = int((LABELS == "malignant").sum()), 2.570582**2
    assert found["recall"] == pytest.approx({"mean": 1.0, "low": positives / (positives + squared), "high": 1.0})
    negatives = 60 - positives
    assert found["specificity"] == pytest.approx({"mean": 0.0, "low": 0.0, "high": squared / (negatives + squared)})


def test_bootstrap_draws_hang_on_the_seed_of_splits_and_on_no_other():
    """So two seeds of training are judged by the same draws."""

    def judged(**changed):
        return evaluate(INPUTS, PARAMS.model_copy(update={"seed": PARAMS.seed.model_copy(update=changed)})).tables

    assert judged(train=7, data=7) == RESULT.tables
    one, other = (tables.classifiers["cnn"]["custom_cnn"] for tables in (RESULT.tables, judged(split=7)))
    mine, theirs = dict(one.metrics["roc_auc"]), dict(other.metrics["roc_auc"])
    assert {key for key in mine if mine[key] != theirs[key]} == {"bootstrap_low", "bootstrap_high"}
    assert one.pooled.roc_auc_low != other.pooled.roc_auc_low  # of a bootstrap of the patients


def test_what_rests_on_pairs_of_folds_has_a_wider_interval():
    """With 3 folds of 20 cases each network leaves out two, so that 20 cases are left to learn from."""
    table = make_predictions(SPLITS[SPLITS["scheme"] == "cv"], LABELS, seed=6)
    table = table[table["split"] == "test"]
    scores = make_scores(SPLITS[SPLITS["scheme"] == "cv"])
    predictions = {"lesion": {"image": table}, "lesion_parts": {"shape": table}}
    found = evaluate(Inputs(SPLITS, predictions, INPUTS.weights, {"lesion_segment": {"m": scores}}), PARAMS).tables
    reported = corrected_wilson_interval([THEIRS["roc_auc"](*fold) for fold in by_fold(table)], 20 / 20)
    for family, model in (("lesion", "image"), ("lesion_parts", "shape")):
        auc = found.compared(family)[model].metrics["roc_auc"]
        assert (auc.low, auc.high) == pytest.approx((reported.low, reported.high))
    dice = corrected_wilson_interval(scores.groupby(["repeat", "fold"])["dice"].mean(), 20 / 20)
    outlines = found.segmentations["lesion_segment"]["m"].metrics["dice"]
    assert (outlines.low, outlines.high) == pytest.approx((dice.low, dice.high))


def test_distances_are_summarised_beyond_one_and_undefined_cases_are_counted():
    scores = INPUTS.segmentation["segment"]["unet"]
    lost = scores["case_id"].isin(scores["case_id"].unique()[:3])
    scores = scores.assign(hd95=scores["hd95"].where(~lost))
    found = evaluate(replace(INPUTS, segmentation={"segment": {"unet": scores}}), PARAMS)
    folds = scores[scores["scheme"] == "cv"]
    means = folds.groupby(["repeat", "fold"])["hd95"].mean()
    corrected = corrected_interval(means, 20 / 40, bounded=False)
    metric = found.metrics["segment"]["unet"]["hd95"]
    assert metric["mean"] == pytest.approx(means.mean())
    assert (metric["low"], metric["high"]) == pytest.approx((corrected.low, corrected.high))  # the plain one
    assert metric["low"] > 1.0
    assert metric["undefined_cases"] == 6  # three cases in two repeats
    assert found.metrics["segment"]["unet"]["dice"]["undefined_cases"] == 0
    counts = found.tables.segmentations["segment"]["unet"].cases["hd95"]
    assert (counts.count, counts.undefined, counts.max) == (len(folds) - 6, 6, folds["hd95"].max())
