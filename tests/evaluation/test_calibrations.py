"""Calibration inside the fold: fitted on the fold's tuning cases, taken repeat by repeat, beside a perfect model."""

import numpy as np
import pandas as pd
import pytest
from scipy.special import expit, logit

from busline.base.params import load_params
from busline.evaluation.calibrations import calibration_scores, calibration_table, recalibrate, reliability_rows
from busline.evaluation.held_out import HeldOut
from busline.evaluation.summaries import Summariser
from busline.metrics.recalibration import fit_recalibration
from made_inputs import PARAMS_FILE

SUMMARISER = Summariser(0, load_params(PARAMS_FILE).evaluate)
TWO_BINS = Summariser(0, SUMMARISER.settings.model_copy(update={"calibration_bins": 2}))


def made(bold=1.0, folds=2, repeats=2, tune=30, test=60, seed=0):
    """Scores whose log odds are ``bold`` times the true ones; every fold has cases of its own."""
    generator = np.random.default_rng(seed)

    def rows(role, cases):
        parts = []
        for repeat in range(repeats):
            for fold in range(folds):
                place = np.arange(cases) + fold * cases
                known = np.random.default_rng([seed, fold, cases])
                odds = known.normal(0, 1.5, cases)
                truth = known.random(cases) < expit(odds)
                score = expit(bold * odds + generator.normal(0, 0.2, cases))
                ids = [f"{role}{n:03d}" for n in place]
                parts.append(
                    pd.DataFrame(
                        {"case_id": ids, "scheme": "cv", "repeat": repeat, "fold": fold, "truth": truth, "score": score}
                    )
                )
        return pd.concat(parts, ignore_index=True)

    return HeldOut(rows("w", tune), rows("t", test))


def test_each_fold_is_calibrated_by_its_own_tune_cases():
    held = made()
    found = recalibrate(held)
    expected = {}
    for key, rows in held.test.groupby(["repeat", "fold"]):
        tune = held.tune[(held.tune["repeat"] == key[0]) & (held.tune["fold"] == key[1])]
        fitted = fit_recalibration(tune["truth"], tune["score"])
        for case, score in zip(rows["case_id"], rows["score"], strict=True):
            expected[key[0], case] = expit(fitted.intercept + fitted.slope * logit(score))
    after, before = (found[state].set_index(["repeat", "case_id"])["score"] for state in ("after", "before"))
    assert after.to_dict() == pytest.approx(expected)
    assert before.to_dict() == held.test.set_index(["repeat", "case_id"])["score"].to_dict()


def test_a_bold_models_calibration_is_mended():
    held = made(bold=4.0, folds=5, repeats=1, tune=40)
    scores = calibration_table(recalibrate(held), SUMMARISER, "f", "m")
    before, after = scores.before, scores.after
    assert before.slope < 0.5 < after.slope
    assert after.ece < before.ece
    assert after.brier < before.brier
    assert before.ece > before.ece_chance > before.ece_perfect


def test_a_fold_whose_tune_cases_are_of_one_class_is_left_out_of_both():
    held = made(repeats=1)
    tune = held.tune.assign(truth=held.tune["truth"] & (held.tune["fold"] == 1))
    found = recalibrate(HeldOut(tune, held.test))
    assert len(found["before"]) == len(found["after"]) == 60
    assert set(found["before"]["case_id"]) == set(held.test[held.test["fold"] == 1]["case_id"])
    nothing = recalibrate(HeldOut(held.tune.assign(truth=True), held.test))
    empty = calibration_table(nothing, SUMMARISER, "f", "m").after
    assert empty.cases == 0
    assert all(value is None for name, value in empty if name != "cases")
    assert reliability_rows(nothing, 10).empty


def repeated(*repeats):
    parts = [
        pd.DataFrame({"case_id": list("abcd"), "repeat": repeat, "truth": [False, False, True, False], "score": score})
        for repeat, score in enumerate(repeats)
    ]
    return pd.concat(parts, ignore_index=True)


def test_figures_are_taken_in_each_repeat_and_then_averaged():
    """The second repeat has the scores turned round; averaged first, every case would have 0.5 and an error of 1/4."""
    one, other = [0.1, 0.3, 0.7, 0.9], [0.9, 0.7, 0.3, 0.1]
    each = [calibration_scores(repeated(score), TWO_BINS, "f", "m") for score in (one, other)]
    found = calibration_scores(repeated(one, other), TWO_BINS, "f", "m")
    assert found.ece == pytest.approx((0.25 + 0.55) / 2)  # the second: 0.2 and 0.8 predicted, 0.5 and 0 observed
    for key in ("brier", "ece", "slope", "intercept"):
        assert getattr(found, key) == pytest.approx((getattr(each[0], key) + getattr(each[1], key)) / 2)
    assert found.ece_perfect == pytest.approx((each[0].ece_perfect + each[1].ece_perfect) / 2, abs=0.03)
    assert found.cases == 4


def test_what_is_undefined_in_one_repeat_is_undefined():
    """The second repeat parts the classes, so that its slope is infinite."""
    found = calibration_scores(repeated([0.1, 0.3, 0.7, 0.9], [0.1, 0.2, 0.9, 0.3]), TWO_BINS, "f", "m")
    assert found.slope is None
    assert found.intercept is not None


def test_scores_by_hand():
    """Two bins of two: predicted 0.2 and 0.8, observed 0 and 1/2."""
    pooled = repeated([0.1, 0.3, 0.7, 0.9])
    found = calibration_scores(pooled, TWO_BINS, "f", "m")
    assert found.ece == pytest.approx(0.25)
    assert found.brier == pytest.approx((0.01 + 0.09 + 0.09 + 0.81) / 4)
    assert found.cases == 4
    assert found == calibration_scores(pooled, TWO_BINS, "f", "m")
    curve = reliability_rows({"before": pooled, "after": pooled}, 2)
    assert curve["calibration"].tolist() == ["before", "before", "after", "after"]
    assert curve["observed"].tolist() == [0.0, 0.5, 0.0, 0.5]
    assert curve["count"].tolist() == [2, 2, 2, 2]
