"""Splits: disjoint, complete, stratified, stable, and groups that never cross."""

import numpy as np
import pandas as pd
import pytest

from busline.base.errors import DataError
from busline.split_checks import check_splits
from busline.splits import (
    CV,
    MASTER,
    Resample,
    draw_part,
    group_cases,
    indices_by_role,
    make_splits,
    of_unlabelled,
)
from made_inputs import small_params

PARAMS = small_params(cv__folds=5, cv__repeats=2)


def cohort(cases=120):
    labels = np.where(np.arange(cases) % 5 < 2, "malignant", "benign")
    return pd.DataFrame({"case_id": [f"c{number:03d}" for number in range(cases)], "label": labels})


def splits_of(cases, groups=None, cv=PARAMS.cv, seed=1):
    return make_splits(cases, np.arange(len(cases)) if groups is None else groups, PARAMS.split, cv, seed)


def test_a_cohort_without_labels_is_split_as_one_class():
    cases = cohort().assign(label="unlabelled")
    splits = make_splits(cases, np.arange(len(cases)), of_unlabelled(PARAMS.split), PARAMS.cv, 1)
    checks = check_splits(splits, pd.Series(range(120), index=cases["case_id"]), cases.set_index("case_id")["label"])
    assert {row["label"] for row in checks["cases_by_role"]} == {"unlabelled"}
    assert next(row for row in checks["cases_by_role"] if row["role"] == "test")["max"] == 24


def test_every_case_has_one_role_in_every_resample():
    cases = cohort()
    splits = splits_of(cases)
    sizes = splits.groupby(["repeat", "fold"])["case_id"].agg(["size", "nunique"])
    assert len(sizes) == 1 + 5 * 2
    assert (sizes == len(cases)).all(axis=None)


def test_every_case_is_tested_once_a_repeat():
    splits = splits_of(cohort())
    tested = splits[(splits["role"] == "test") & (splits["scheme"] == "cv")]
    assert (tested.groupby(["repeat", "case_id"]).size() == 1).all()


def test_every_role_keeps_the_share_of_the_classes():
    cases = cohort()
    table = splits_of(cases).merge(cases, on="case_id")
    share = table.groupby(["repeat", "fold", "role"])["label"].apply(lambda labels: (labels == "malignant").mean())
    assert share.between(0.4 - 0.07, 0.4 + 0.07).all()


def test_shares_of_the_roles():
    roles = splits_of(cohort()).groupby(["scheme", "repeat", "fold"])["role"].value_counts(normalize=True).unstack()
    master = roles.loc[MASTER]
    assert master["test"] == pytest.approx(0.1, abs=0.01)
    assert master["tune"] == pytest.approx(0.1, abs=0.01)
    folds = roles.drop(MASTER)
    assert folds["test"].to_numpy() == pytest.approx(0.2, abs=0.02)
    assert folds["tune"].to_numpy() == pytest.approx(0.8 * 0.15, abs=0.02)
    assert folds["val"].to_numpy() == pytest.approx(0.8 * 0.15, abs=0.02)


def test_more_repeats_leave_the_earlier_ones_as_they_are():
    cases = cohort()
    few = splits_of(cases)
    many = splits_of(cases, cv=PARAMS.cv.model_copy(update={"repeats": 4}))
    pd.testing.assert_frame_equal(many[many["repeat"] < 2].reset_index(drop=True), few)


def test_same_seed_same_splits_other_seed_others():
    cases = cohort()
    pd.testing.assert_frame_equal(splits_of(cases), splits_of(cases))
    assert not splits_of(cases)["role"].equals(splits_of(cases, seed=2)["role"])


def test_groups_join_patients_and_duplicates_transitively():
    groups = group_cases(["a", "b", "c", "d", "e"], ["p", "p", "q", "r", "s"], [("b", "c"), ("d", "elsewhere")])
    assert groups.tolist() == [0, 0, 0, 1, 2]


def test_no_group_crosses():
    cases = cohort()
    groups = np.arange(len(cases)) // 3
    splits = splits_of(cases, groups)
    by_case = pd.Series(groups, index=cases["case_id"])
    checks = check_splits(splits, by_case, cases.set_index("case_id")["label"])
    assert checks["groups_in_two_roles"] == 0
    assert checks["groups"] == 40
    assert checks["largest_group"] == 3


def test_a_crossing_group_is_found():
    cases = cohort()
    splits = splits_of(cases)
    groups = pd.Series(np.arange(len(cases)), index=cases["case_id"])
    first = splits[(splits["repeat"] == 0) & (splits["fold"] == 0)]
    tested = first.loc[first["role"] == "test", "case_id"].iloc[0]
    learnt = first.loc[first["role"] == "train", "case_id"].iloc[0]
    groups[tested] = groups[learnt]
    with pytest.raises(DataError, match="are one group but have two roles"):
        check_splits(splits, groups, cases.set_index("case_id")["label"])


def test_a_missing_case_is_found():
    cases = cohort()
    splits = splits_of(cases).iloc[1:]
    groups = pd.Series(np.arange(len(cases)), index=cases["case_id"])
    with pytest.raises(DataError, match="does not hold every case exactly once"):
        check_splits(splits, groups, cases.set_index("case_id")["label"])


def test_too_few_cases_of_a_class_are_refused():
    cases = cohort(15)
    with pytest.raises(DataError, match="too few for 5 folds"):
        splits_of(cases)


def test_a_part_has_at_least_one_case_of_each_class():
    labels = np.array(["a"] * 20 + ["b"] * 2)
    drawn = draw_part(labels, np.arange(22), 0.1, np.random.default_rng(0))
    assert sorted(labels[drawn]) == ["a", "a", "b"]


def test_indices_by_role_point_at_the_cases():
    cases = cohort()
    splits = splits_of(cases)
    ids = cases["case_id"].tolist()
    roles = indices_by_role(splits, ids)
    assert set(roles) == {MASTER, *(Resample(CV, r, f) for r in range(2) for f in range(5))}
    part = splits[(splits["repeat"] == 1) & (splits["fold"] == 3) & (splits["role"] == "tune")]
    assert [ids[i] for i in roles[CV, 1, 3]["tune"]] == sorted(part["case_id"])


def test_a_class_of_the_study_without_a_case_is_named():
    cases = pd.DataFrame({"case_id": [f"c{i}" for i in range(20)], "label": ["benign"] * 20})
    settings = small_params(split__classes=["benign", "normal"], split__positive="normal")
    with pytest.raises(DataError, match="label 'normal' of split.classes: has no case"):
        make_splits(cases, np.arange(20), settings.split, settings.cv, 0)
