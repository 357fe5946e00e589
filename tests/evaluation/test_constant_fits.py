"""A model that says one probability of all test cases is named, with the parameter that makes it one."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from made_study import PARAMS
from made_study import make_inputs as make_study_inputs

from busline.base.runtime import Runtime
from busline.constant_fits import ConstantFit, constant_fits, count_roles
from busline.evaluation.constants import find_constants
from busline.evaluation.evaluate import evaluate
from busline.evaluation.results import Tables
from busline.families import VOTE
from busline.report.constants import constant_notices
from busline.splits import CV
from made_inputs import made_inputs, small_params
from made_predictions import make_labels, make_predictions, make_splits
from made_studies import fit_tabular

SPLITS = make_splits(cases=40, folds=3, repeats=1)
LABELS = make_labels(SPLITS)
SIZES = count_roles(SPLITS)


def in_fold(table, fold, fit=None):
    chosen = (table["scheme"] == CV) & (table["fold"] == fold)
    return chosen if fit is None else chosen & (table["trained_on"] == fit)


def flat(table, rows, positive=0.25):
    """The same predictions with one probability in some rows."""
    changed = table.copy()
    changed.loc[rows, "p_malignant"], changed.loc[rows, "p_benign"] = positive, 1 - positive
    return changed


def test_a_model_that_tells_cases_apart_is_not_named():
    assert constant_fits(make_predictions(SPLITS, LABELS), SIZES) == []
    assert find_constants({"cnn": {"custom_cnn": make_predictions(SPLITS, LABELS)}}, SPLITS) == {}


def test_resamples_are_counted_and_the_tuning_cases_do_not_matter():
    table = make_predictions(SPLITS, LABELS)
    tuned = (table["split"] == "tune") & in_fold(table, 0)
    assert constant_fits(flat(table, tuned), SIZES) == []
    tested = (table["split"] == "test") & in_fold(table, 0)
    sizes = SIZES[CV, 0, 0]
    learnt = 40 - sizes["test"]
    assert constant_fits(flat(table, tested), SIZES) == [
        ConstantFit(trained_on="", resamples=1, of=4, learnt=(learnt, learnt))
    ]


def test_one_case_that_differs_is_enough_and_rounding_is_not():
    table = make_predictions(SPLITS, LABELS)
    rows = table["split"] == "test"
    same = flat(table, rows)
    assert constant_fits(same, SIZES)[0].resamples == 4
    first = same.index[rows & in_fold(table, 1)][0]
    for changed, expected in ((0.25 + 1e-8, 4), (0.2501, 3)):
        same.loc[first, "p_malignant"] = changed
        assert constant_fits(same, SIZES)[0].resamples == expected


def test_a_fit_that_votes_is_named_by_itself():
    table = make_predictions(SPLITS, LABELS, tabular=True)
    rows = in_fold(table, 0, "without_tune") | in_fold(table, 2, "without_tune")
    found = constant_fits(flat(table, rows), SIZES)
    assert [(fit.trained_on, fit.resamples) for fit in found] == [("without_tune", 2)]
    roles = [SIZES[CV, 0, fold] for fold in (0, 2)]
    assert sorted(found[0].learnt) == sorted(40 - one["test"] - one["tune"] for one in roles)
    assert "(the fit without the tuning cases, which votes)" in found[0].describe("lightgbm")


def test_voted_pairs_are_looked_at_without_the_probability_at_a_half():
    table = make_predictions(SPLITS, LABELS)
    pair = flat(table, table["split"] == "test").assign(p_half_malignant=np.linspace(0, 1, len(table)))
    assert find_constants({VOTE.key: {"logreg+custom_cnn": pair}}, SPLITS)[VOTE.key]


@pytest.mark.parametrize(("cases", "constant"), [(36, True), (150, False)])
def test_lightgbm_of_few_cases_is_named_with_its_parameter(cases, constant, capsys):
    params = small_params(tabular__models__lightgbm__min_child_samples=20)
    inputs = made_inputs(params, cases=cases)
    settings = params.tabular.models.lightgbm
    predictions, _ = fit_tabular(inputs, params, "lightgbm", runtime=Runtime(workers=1))
    capsys.readouterr()
    inputs.warn_of_constants(predictions, "lightgbm", settings)
    said = capsys.readouterr().out
    assert bool(said) is constant
    if constant:
        assert "splits no fewer than 40, 2 × tabular.models.lightgbm.min_child_samples" in said
        assert said.count("warning: lightgbm says one probability for all test cases in 3 of 3 resamples") == 2


def test_the_parameter_is_said_only_where_it_is_the_cause():
    models = small_params().tabular.models
    fit = ConstantFit(trained_on="all", resamples=1, of=4, learnt=(39, 200))
    assert "min_child_samples" not in fit.describe("lightgbm", models.lightgbm)
    few = fit.model_copy(update={"learnt": (3, 3)})
    assert "learns from 3 cases" in few.describe("lightgbm", models.lightgbm)
    assert "tabular.models" not in few.describe("logreg", models.logreg)


def test_the_report_names_it_whatever_its_family():
    params = small_params()
    fit = ConstantFit(trained_on="", resamples=4, of=4, learnt=(20, 22))
    scores = type("Scores", (), {"constant": {"cnn": {"custom_cnn": [fit]}, "tabular": {"lightgbm": [fit]}}})
    notices = constant_notices(scores, params.tabular)
    assert [notice["title"] for notice in notices] == ["Constant model."] * 2
    assert "one probability for all test cases in 4 of 4 resamples. There" in notices[0]["text"]
    assert "tabular.models.lightgbm.min_child_samples" in notices[1]["text"]


@pytest.mark.parametrize("table", [pd.DataFrame({"split": [], "p_a": [], "scheme": [], "repeat": [], "fold": []})])
def test_a_table_without_cases_names_nothing(table):
    assert constant_fits(table, {}) == []


def test_evaluation_carries_it_and_leaves_it_out_where_there_is_none():
    inputs = make_study_inputs()
    assert "constant" not in evaluate(inputs, PARAMS).tables.model_dump()
    image = inputs.predictions["cnn"]["custom_cnn"]
    cnn = {**inputs.predictions["cnn"], "custom_cnn": flat(image, image["split"] == "test")}
    tables = evaluate(replace(inputs, predictions={**inputs.predictions, "cnn": cnn}), PARAMS).tables
    again = Tables.model_validate_json(tables.model_dump_json())
    assert again.constant == tables.constant
    assert {family: [*models] for family, models in again.constant.items()} == {"cnn": ["custom_cnn"]}
    assert again.constant["cnn"]["custom_cnn"][0].resamples == 7
