"""Operating points chosen inside the fold: by hand on two folds and two repeats."""

import math

import pandas as pd
import pytest

from busline.base.params import load_params
from busline.evaluation.held_out import HeldOut
from busline.evaluation.operating_points import chosen_cases, operate, operating_table, pooled_calls
from busline.evaluation.patients import PatientBootstrap
from busline.evaluation.summaries import Summariser
from made_inputs import PARAMS_FILE

SETTINGS = load_params(PARAMS_FILE).evaluate
COLUMNS = ["case_id", "repeat", "fold", "truth", "score"]


def rows(*values):
    return pd.DataFrame(values, columns=COLUMNS).astype({"truth": bool}).assign(scheme="cv")


TUNE = rows(
    ("w1", 0, 0, 1, 0.6), ("w2", 0, 0, 0, 0.5), ("w3", 0, 1, 1, 0.3), ("w4", 0, 1, 0, 0.2),
    ("w1", 1, 0, 1, 0.7), ("w2", 1, 0, 0, 0.1), ("w3", 1, 1, 1, 0.9), ("w4", 1, 1, 0, 0.8),
)  # fmt: skip
"""Thresholds 0.6 and 0.3 in the first repeat, 0.7 and 0.9 in the second: each parts its fold's tuning cases."""
TEST = rows(
    ("a", 0, 0, 1, 0.60), ("b", 0, 0, 0, 0.59), ("c", 0, 1, 1, 0.10), ("d", 0, 1, 0, 0.40),
    ("a", 1, 0, 1, 0.65), ("b", 1, 0, 0, 0.75), ("c", 1, 1, 1, 0.95), ("d", 1, 1, 0, 0.50),
)  # fmt: skip
"""Margins: a 0 and -0.05, b -0.01 and 0.05, c -0.2 and 0.05, d 0.1 and -0.4."""
HELD = HeldOut(TUNE, TEST)


def tabled(held):
    operated = {"youden": operate(held, "youden")}
    patients = PatientBootstrap(list("abcd"), {}, 0, SETTINGS)
    return operating_table(operated, Summariser(0, SETTINGS), patients, 0.5, ("f", "m"))["youden"]


@pytest.mark.parametrize("point", ["youden", "sensitivity_95", "specificity_90"])
def test_every_fold_has_its_own_threshold(point):
    found = operate(HELD, point)
    assert found.thresholds.to_dict() == {("cv", 0, 0): 0.6, ("cv", 0, 1): 0.3, ("cv", 1, 0): 0.7, ("cv", 1, 1): 0.9}
    assert found.margins["score"].tolist() == pytest.approx([0, -0.01, -0.2, 0.1, -0.05, 0.05, 0.05, -0.4])


def test_rates_by_fold_by_hand():
    """Called are a in fold (0, 0) (a tie), d in (0, 1), b in (1, 0) and c in (1, 1)."""
    found = tabled(HELD)
    for rate in (found.sensitivity, found.specificity):
        assert (rate.mean, rate.folds, rate.undefined) == (0.5, 4, 0)
        assert (rate.min, rate.max) == (0.0, 1.0)
    assert dict(found.threshold) == {"median": pytest.approx(0.65), "min": 0.3, "max": 0.9}


def test_a_rates_interval_rests_on_no_more_cases_than_it_is_a_share_of():
    """Two positive cases in two repeats are two cases: with no variance, Wilson's interval of 2 of 2."""
    right = TEST.assign(score=TEST["truth"].astype(float))
    found = tabled(HeldOut(TUNE, right))
    squared = 3.182446**2  # t of 3 degrees of freedom
    for rate in (found.sensitivity, found.specificity):
        assert (rate.mean, rate.low, rate.high) == pytest.approx((1.0, 2 / (2 + squared), 1.0))
    one_class = TUNE.assign(truth=TUNE["truth"] & (TUNE["fold"] == 1))
    without = tabled(HeldOut(one_class, right)).sensitivity  # of fold 0, and so of case a, nobody is called
    assert (without.folds, without.low) == (2, pytest.approx(1 / (1 + 12.706205**2)))


def test_a_case_counts_by_the_share_of_repeats_that_call_it():
    """Each is called in one of two repeats; by their mean margins, -0.025, 0.02, -0.075 and -0.15, b alone would be."""
    calls = pooled_calls(operate(HELD, "youden").margins)
    assert calls["case_id"].tolist() == list("abcd")
    assert calls["called"].tolist() == [0.5, 0.5, 0.5, 0.5]
    found = tabled(HELD)
    assert (found.sensitivity.pooled, found.specificity.pooled) == (0.5, 0.5)
    assert (found.specificity.pooled_low, found.specificity.pooled_high) == (0.5, 0.5)


def test_the_pooled_interval_draws_patients_with_their_shares():
    """With c just below 0.9 it is never called: a sample has a sensitivity of 0, 1/4 or 1/2."""
    found = tabled(HeldOut(TUNE, TEST.assign(score=TEST["score"].where(TEST["score"] != 0.95, 0.89))))
    assert (found.sensitivity.pooled, found.specificity.pooled) == (0.25, 0.5)
    assert (found.sensitivity.pooled_low, found.sensitivity.pooled_high) == (0.0, 0.5)


def test_a_score_at_its_threshold_is_called_pooled_too():
    first = HeldOut(TUNE[TUNE["repeat"] == 0], TEST[TEST["repeat"] == 0])
    calls = pooled_calls(operate(first, "youden").margins).set_index("case_id")["called"]
    assert calls.to_dict() == {"a": 1.0, "b": 0.0, "c": 0.0, "d": 1.0}


def test_the_order_of_rows_does_not_matter():
    shuffled = HeldOut(TUNE.sample(frac=1, random_state=1), TEST)
    assert operate(shuffled, "youden").thresholds.to_dict() == operate(HELD, "youden").thresholds.to_dict()


def test_a_fold_whose_chosen_cases_are_of_one_class_has_no_point_and_is_counted():
    one_class = TUNE.assign(truth=TUNE["truth"] & ~((TUNE["repeat"] == 0) & (TUNE["fold"] == 0)))
    held = HeldOut(one_class, TEST)
    assert math.isnan(operate(held, "youden").thresholds["cv", 0, 0])
    found = tabled(held)
    assert (found.sensitivity.folds, found.sensitivity.undefined) == (3, 1)
    calls = pooled_calls(operate(held, "youden").margins).set_index("case_id")["called"]
    assert calls.to_dict() == {"a": 0.0, "b": 1.0, "c": 0.5, "d": 0.5}  # a and b by the second repeat alone
    nowhere = HeldOut(TUNE.assign(truth=False), TEST)
    assert pooled_calls(operate(nowhere, "youden").margins).empty
    assert tabled(nowhere).sensitivity.pooled is None
    assert tabled(nowhere).sensitivity.folds == 0


def test_a_test_fold_of_one_class_has_one_rate():
    found = tabled(HeldOut(TUNE, TEST.assign(truth=TEST["truth"] | (TEST["fold"] == 0))))
    assert (found.sensitivity.folds, found.specificity.folds) == (4, 2)


def test_how_few_cases_there_are_to_choose_on():
    more = pd.concat([TUNE, rows(("w5", 0, 0, 1, 0.9))])
    assert dict(chosen_cases(HeldOut(more, TEST))) == {"cases": (2, 3), "positives": (1, 2)}


def test_patients_are_drawn_whole_and_unknown_cases_are_their_own():
    patients = PatientBootstrap(list("abc"), {"a": "p", "b": "p"}, 0, SETTINGS)
    assert (patients.counts[:, 0] == patients.counts[:, 1]).all()
    assert (patients.counts[:, 0] + patients.counts[:, 2] == 2).all()
    # "c" names a patient of a and a case of its own: not the same
    named = PatientBootstrap(list("abc"), {"a": "c", "b": "c"}, 0, SETTINGS)
    assert (named.counts == patients.counts).all()
    assert patients.mean(pd.Series(["a", "c"]), pd.Series([0.0, 1.0]).to_numpy()) == (0.0, 1.0)
