"""What every role of a resample must hold, and what is said where it lacks a class."""

import numpy as np
import pandas as pd
import pytest

from busline.base.errors import DataError
from busline.report.data_tables import split_section
from busline.split_checks import check_splits, describe_lacking
from busline.splits import make_splits
from made_inputs import small_params

PARAMS = small_params(cv__folds=4)


def checked(labels, patients, cv=PARAMS.cv, split=PARAMS.split, seed=1):
    cases = pd.DataFrame({"case_id": [f"c{number:03d}" for number in range(len(labels))], "label": labels})
    groups = pd.factorize(np.asarray(patients))[0]
    splits = make_splits(cases, groups, split, cv, seed)
    by_case = cases.set_index("case_id").assign(group=groups)
    return splits.merge(cases, on="case_id"), check_splits(splits, by_case["group"], by_case["label"])


def by_hand(table, role, label):
    """Cases of a role and label in every resample."""
    resamples = table.groupby(["scheme", "repeat", "fold"])
    return [int(((part["role"] == role) & (part["label"] == label)).sum()) for _, part in resamples]


def one_patient_with_most():
    """Forty malignant images, thirty of one patient and ten of five, and sixty benign ones of as many patients."""
    return ["malignant"] * 40 + ["benign"] * 60, [0] * 30 + [1, 2, 3, 4, 5] * 2 + list(range(100, 160))


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_an_absent_class_counts_as_no_case(seed):
    table, checks = checked(*one_patient_with_most(), seed=seed)
    for row in checks["cases_by_role"]:
        counts = by_hand(table, row["role"], row["label"])
        assert (row["min"], row["max"]) == (min(counts), max(counts))
    assert len(checks["cases_by_role"]) == 8


def whole_patients():
    """Six malignant patients with five images each: a fifth of the class is none of them and a half too much."""
    return ["malignant"] * 30 + ["benign"] * 60, [n // 5 for n in range(30)] + list(range(100, 160))


def test_a_role_without_a_class_is_counted_named_and_said_in_words():
    table, checks = checked(*whole_patients())
    missing = {role: by_hand(table, role, "malignant").count(0) for role in ("val", "tune", "test")}
    assert missing["val"] >= 4
    assert {one["role"]: one["resamples"] for one in checks["without_class"]} == {k: n for k, n in missing.items() if n}
    lines = describe_lacking(checks)
    assert lines[0].startswith(f"no malignant val case in {missing['val']} of 5 resamples (the first is")
    assert "networks stop by the loss of the other cases" in lines[0]
    assert split_section(checks)["text"][2:] == [f"To mind: {line}." for line in lines]


def test_nothing_is_said_where_every_role_has_every_class():
    _, checks = checked(["malignant", "benign", "benign"] * 30, range(90))
    assert "without_class" not in checks
    assert describe_lacking(checks) == []
    assert len(split_section(checks)["text"]) == 2
    assert min(row["min"] for row in checks["cases_by_role"]) >= 1


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"val_fraction": 0.45, "tune_fraction": 0.45}, "no malignant train case"),
        ({"val_fraction": 0.6, "tune_fraction": 0.3}, "no malignant train case"),
    ],
)
def test_parts_that_leave_no_training_case_of_a_class_are_refused_with_the_parameter(changes, message):
    cv = PARAMS.cv.model_copy(update=changes)
    with pytest.raises(DataError, match=message) as refused:
        checked(["malignant"] * 6 + ["benign"] * 60, range(66), cv)
    assert "cv.val_fraction and cv.tune_fraction" in str(refused.value)


def test_a_master_split_without_a_training_case_of_a_class_is_refused():
    split = PARAMS.split.model_copy(update={"test_fraction": 0.45, "val_fraction": 0.45})
    cv = PARAMS.cv.model_copy(update={"val_fraction": 0.8, "tune_fraction": 0.15})
    with pytest.raises(DataError, match="master split: no malignant train case"):
        checked(["malignant"] * 6 + ["benign"] * 60, range(66), cv, split)


def test_a_role_that_is_empty_is_refused():
    """Patients with twenty images each, too large for a fifteenth of them."""
    with pytest.raises(DataError, match="no tune case at all"):
        checked(["malignant", "benign"] * 80, [n // 20 for n in range(160)])


@pytest.mark.parametrize("classes", [["benign", "malignant"], ["benign", "malignant", "normal"]])
def test_one_class_and_too_few_cases_of_one_are_refused_in_every_scheme(classes):
    split = PARAMS.split.model_copy(update={"classes": classes})
    with pytest.raises(DataError, match="label 'malignant' of split.classes: has no case"):
        checked(["benign", *(["normal"] * (len(classes) - 2))] * 40, range(40 * (len(classes) - 1)), split=split)
    few = [*classes] * 5
    with pytest.raises(DataError, match="has 5 independent cases, too few for 4 folds"):
        checked(few, range(len(few)), split=split)
    with pytest.raises(DataError, match="has 1 independent cases"):
        checked(
            ["malignant"] * 40 + [name for name in classes if name != "malignant"] * 40,
            [0] * 40 + list(range(1, 41 + 40 * (len(classes) - 2))),
            split=split,
        )
