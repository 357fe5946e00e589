"""The diagnosis on top of the pairs of folds: no case is judged by what was fitted to it."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import roc_auc_score
from threadpoolctl import threadpool_limits

from busline.evaluation.held_out import held_out
from busline.families import FAMILIES
from busline.models.combiner import STRENGTHS, ClinicalColumns, fit_combiner
from busline.models.diagnosis import IMAGE, MODELS, PARTS
from busline.studies.combine import cross_fitted, run_combine
from busline.studies.inputs import fold_jobs
from busline.studies.lesion import pair_jobs
from busline.training.two_views import OUTPUTS
from made_inputs import made_inputs, small_params

PARAMS = small_params(cv__folds=3)


def planted_outputs(inputs, generator):
    """Numbers that carry the label, as if networks had given them."""
    rows = []
    for job in pair_jobs(inputs.resamples):
        own = np.array([next(f for f in range(3) if i in inputs.resamples["cv", 0, f]["test"]) for i in job.left_out])
        numbers = generator.normal(size=(len(own), len(OUTPUTS))) + inputs.labels[job.left_out, None]
        keys = {"repeat": 0, "first": job.first, "second": job.second}
        keys |= {"case_id": np.asarray(inputs.case_ids, dtype=object)[job.left_out], "fold": own}
        rows.append(pd.concat([pd.DataFrame(keys), pd.DataFrame(numbers, columns=list(OUTPUTS))], axis=1))
    return pd.concat(rows, ignore_index=True)


def combine(inputs, outputs, seed):
    """As the stage does: on one thread, small systems are solved faster."""
    with threadpool_limits(1):
        return run_combine(inputs, outputs, np.arange(len(inputs.case_ids)), seed)


@pytest.fixture(scope="module")
def combined():
    inputs = made_inputs(PARAMS, cases=90)
    outputs = planted_outputs(inputs, np.random.default_rng(4))
    return inputs, outputs, combine(inputs, outputs, 7)


def test_the_diagnosis_predicts_every_test_case_once(combined):
    inputs, _, found = combined
    assert set(found.predictions) == {*MODELS, *PARTS}
    for table in found.predictions.values():
        test = table[table["split"] == "test"]
        assert sorted(test["case_id"]) == sorted(inputs.case_ids)
        assert set(test["trained_on"]) == {"all"}
    table = found.predictions["image"]
    table = table[table["split"] == "test"]
    assert roc_auc_score(table["label"] == "malignant", table["p_malignant"]) > 0.9


def test_features_that_are_learnt_from_are_of_networks_that_saw_neither_fold(combined):
    inputs, outputs, _ = combined
    numbers = outputs.assign(position=0)
    for job in fold_jobs(inputs)[1:]:
        learn, test = cross_fitted(numbers, job)
        assert (learn["fold"] != job.fold).all()
        assert (test["fold"] == job.fold).all()
        for part in (learn, test):
            pair = part[["first", "second"]].to_numpy()
            assert (pair == job.fold).any(axis=1).all()
            assert (pair == part[["fold"]].to_numpy()).any(axis=1).all()
        assert learn["case_id"].is_unique


def test_the_diagnosis_of_a_fold_is_fitted_to_the_other_folds_alone(combined):
    inputs, outputs, found = combined
    fold = inputs.resamples["cv", 0, 0]["test"]
    labels, table = inputs.labels.copy(), inputs.table.copy()
    labels[fold] = 1 - labels[fold]
    table.loc[fold, "Signs"] = "planted"
    changed = replace(inputs, labels=labels, table=table)
    numbers = outputs.copy()
    numbers.loc[numbers["fold"] == 0, list(OUTPUTS)] = 99.0
    again = combine(changed, numbers, 7)
    for name, folds in found.diagnoses.items():
        for resample, one in folds.items():
            other = again.diagnoses[name][resample]
            assert (one.combiner.to_dict() == other.combiner.to_dict()) == (resample.fold == 0)


def inner_rows(study, name, fold):
    table = study.predictions[name]
    return table[(table["split"] == "tune") & (table["fold"] == fold)].set_index("case_id")


def test_a_model_says_of_every_training_case_what_it_would_have_without_its_fold(combined):
    inputs, _, found = combined
    splits = pd.DataFrame(
        [
            (inputs.case_ids[i], *key, role)
            for key, roles in inputs.resamples.items()
            for role in roles
            for i in roles[role]
        ],
        columns=["case_id", "scheme", "repeat", "fold", "role"],
    )
    for name in MODELS:
        held = held_out(found.predictions[name], splits, tuple(inputs.classes), FAMILIES["lesion"], name)
        assert len(held.tune) == 2 * len(inputs.case_ids)
        assert len(held.test) == len(inputs.case_ids)
        assert roc_auc_score(held.tune["truth"], held.tune["score"]) > 0.9
    assert all((found.predictions[name]["split"] == "test").all() for name in PARTS)


def test_nothing_of_a_test_fold_takes_part_in_what_its_threshold_is_chosen_on(combined):
    """Labels, clinical columns and numbers of fold 0, and all that networks say that learnt from it."""
    inputs, outputs, found = combined
    fold = inputs.resamples["cv", 0, 0]["test"]
    labels, table = inputs.labels.copy(), inputs.table.copy()
    labels[fold] = 1 - labels[fold]
    table.loc[fold, "Signs"] = "planted"
    numbers = outputs.copy()
    learnt = (outputs["first"] != 0) & (outputs["second"] != 0)
    numbers.loc[(numbers["fold"] == 0) | learnt, list(OUTPUTS)] = 99.0
    again = combine(replace(inputs, labels=labels, table=table), numbers, 7)
    for name in MODELS:
        pd.testing.assert_frame_equal(inner_rows(again, name, 0), inner_rows(found, name, 0))
        assert not inner_rows(again, name, 1).equals(inner_rows(found, name, 1))


def test_an_inner_prediction_does_not_know_its_own_fold(combined):
    """In test fold 0, labels of fold 1's cases change what is said of fold 2's and nothing of their own."""
    inputs, outputs, found = combined
    fold = inputs.resamples["cv", 0, 1]["test"]
    labels = inputs.labels.copy()
    labels[fold] = 1 - labels[fold]
    again = combine(replace(inputs, labels=labels), outputs, 7)
    own = np.asarray(inputs.case_ids, dtype=object)[fold]
    for name in MODELS:
        one, other = (inner_rows(study, name, 0)["p_malignant"] for study in (found, again))
        assert one.loc[own].equals(other.loc[own])
        assert not one.drop(own).equals(other.drop(own))


def test_the_penalty_is_chosen_on_other_patients(combined):
    """With all cases of a class of one patient there is no other patient to choose on."""
    inputs, outputs, found = combined
    again = run_combine(inputs, outputs, inputs.labels, 7)
    for folds in again.diagnoses.values():
        assert {one.combiner.strength for one in folds.values()} == {STRENGTHS[0]}
    assert any(one.combiner.strength > STRENGTHS[0] for folds in found.diagnoses.values() for one in folds.values())


def test_the_probability_is_the_mean_logits(combined):
    _, outputs, found = combined
    fitted = found.diagnoses["malignancy"]["cv", 0, 0].combiner.to_dict()
    case = found.predictions["malignancy"].iloc[0]
    rows = outputs[(outputs["case_id"] == case["case_id"]) & ((outputs["first"] == 0) | (outputs["second"] == 0))]
    value = (rows["malignancy_whole"] + rows["malignancy_window"]) / 2
    logits = (value - fitted["means"][0]) / fitted["scales"][0] * fitted["weights"][0] + fitted["intercept"]
    assert case["p_malignant"] == pytest.approx(1 / (1 + np.exp(-logits.mean())), abs=1e-6)
    assert len(found.diagnoses["image"]["cv", 0, 0].combiner.names) == len(IMAGE)


def test_clinical_columns_are_encoded_on_the_learning_cases(combined):
    inputs, _, _ = combined
    learn = inputs.resamples["cv", 0, 0]["train"]
    columns = ClinicalColumns.fit(inputs.table.iloc[learn], inputs.numeric, inputs.categorical)
    assert columns.names[:2] == ["Age", "Age missing"]
    rows = columns.transform(inputs.table)
    assert rows.shape == (90, len(columns.names))
    age = inputs.table["Age"].to_numpy()
    np.testing.assert_array_equal(rows[:, :2], np.stack([age, np.isnan(age)], axis=1))
    np.testing.assert_array_equal(columns.transform(inputs.table.iloc[[7, 3]]), rows[[7, 3]])


def test_few_cases_of_a_class_need_no_inner_folds():
    rows = np.random.default_rng(0).normal(size=(9, 2))
    rows[:, 1] = np.nan
    combiner = fit_combiner(rows, [1, 0, 0, 0, 0, 0, 0, 0, 0], np.arange(9), "ab", seed=0)
    assert combiner.strength == 0.01
    assert np.isfinite(combiner.logits(rows)).all()


def test_cases_of_one_class_teach_a_constant():
    combiner = fit_combiner(np.random.default_rng(0).normal(size=(6, 2)), [0] * 6, np.arange(6), "ab", seed=0)
    assert combiner.logits([[5.0, -5.0], [np.nan, 0.0]]) == pytest.approx([np.log(1 / 7)] * 2)
