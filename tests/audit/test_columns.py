"""Columns that tell the label, planted."""

import numpy as np
import pandas as pd
import pytest

from busline.audit.columns import audit_columns
from busline.cohort.schema import Column
from made_inputs import small_params

CASES = 90
GENERATOR = np.random.default_rng(3)
POSITIVE = np.arange(CASES) % 3 == 0
FOLDS = [
    (np.flatnonzero(np.arange(CASES) // 3 % 3 != fold), np.flatnonzero(np.arange(CASES) // 3 % 3 == fold))
    for fold in range(3)
]


def run(kept=("Age",), most=0.98, **columns):
    """Audit a table of an honest column, Age, and some more, given as (kind, provenance, values)."""
    table = pd.DataFrame({"Age": GENERATOR.normal(45 + 15 * POSITIVE, 20)})
    described = [Column(name="Age", provenance="patient", kind="numeric")]
    for name, (kind, provenance, values) in columns.items():
        table[name] = values
        described.append(Column(name=name, provenance=provenance, kind=kind))
    settings = small_params().tabular.models.logreg
    return audit_columns(table, described, kept, POSITIVE, FOLDS, settings, most=most, seed=1)


COPIES = {
    "a number": ("numeric", POSITIVE.astype(float)),
    "a number with noise": ("numeric", POSITIVE + GENERATOR.normal(0, 0.05, CASES)),
    "a number, the wrong way round": ("numeric", 5.0 - POSITIVE),
    "a word": ("categorical", np.where(POSITIVE, "seen again", "discharged")),
    "several words": ("categorical", np.where(POSITIVE, np.arange(CASES) % 2, 2 + np.arange(CASES) % 2).astype(str)),
    "where a number is missing": ("numeric", np.where(POSITIVE, np.nan, GENERATOR.normal(size=CASES))),
    "where a word is missing": ("categorical", np.where(POSITIVE, None, GENERATOR.integers(0, 9, CASES).astype(str))),
}


@pytest.mark.parametrize("how", COPIES)
def test_a_copy_of_the_label_in_a_kept_column_is_caught(how):
    kind, values = COPIES[how]
    content, problems = run(kept=("Age", "Copy"), Copy=(kind, "patient", values))
    assert len(problems) == 1 + ("word is missing" in how)  # a word's gap is one of its values as well
    assert all(line.startswith("column 'Copy' (patient)") for line in problems)
    assert max(content.alone[1].value.mean, content.alone[1].missing.mean) > 0.98


def test_a_copy_in_a_dropped_column_is_measured_and_no_problem():
    content, problems = run(Copy=("categorical", "pathology", np.where(POSITIVE, "carcinoma", "cyst")))
    assert problems == []
    base, pathology = content.classes
    assert (base.provenance, pathology.provenance) == (None, "pathology")
    assert pathology.auc.mean > 0.98
    assert pathology.gain.mean == pytest.approx(pathology.auc.mean - base.auc.mean)
    assert pathology.gain.low > 0
    assert (pathology.gain.low + pathology.gain.high) / 2 == pytest.approx(pathology.gain.mean)  # of differences
    assert (base.auc.low + base.auc.high) / 2 < base.auc.mean - 1e-4  # of scores above a half


def test_an_honest_column_is_no_problem_and_an_empty_one_tells_nothing():
    content, problems = run(kept=("Age", "Empty"), Empty=("numeric", "patient", np.full(CASES, np.nan)))
    assert problems == []
    assert content.alone[1].value.mean == 0.5


def test_a_column_that_differs_in_each_case_is_neither_memorised_nor_let_in():
    content, problems = run(kept=("Age", "Name"), Name=("categorical", "patient", [f"case{i}" for i in range(CASES)]))
    assert problems == []
    assert content.alone[1].value.mean == 0.5
    content, _ = run(Name=("categorical", "identifier", [f"case{i}" for i in range(CASES)]))
    assert [row.provenance for row in content.classes] == [None]


def test_the_label_itself_is_not_let_in():
    content, _ = run(Label=("categorical", "label", np.where(POSITIVE, "malignant", "benign")))
    assert [row.provenance for row in content.classes] == [None]


def test_the_limit_is_the_callers():
    values = POSITIVE + GENERATOR.normal(0, 0.5, CASES)
    assert run(kept=("Half",), most=0.98, Half=("numeric", "patient", values))[1] == []
    assert run(kept=("Half",), most=0.6, Half=("numeric", "patient", values))[1] != []


def test_a_kept_column_alone_loses_what_the_others_are_worth():
    """A loss is a difference, below nought; its interval is one of differences."""
    noise = np.random.default_rng(5).normal(POSITIVE, 1.0)
    content, _ = run(kept=("Age", "Size"), Size=("numeric", "patient", noise))
    base, *alone = content.classes
    assert [row.columns for row in (base, *alone)] == [["Age", "Size"], ["Age"], ["Size"]]
    for row in alone:
        assert row.gain.mean == pytest.approx(row.auc.mean - base.auc.mean)
        assert row.gain.low < row.gain.mean < row.gain.high
        assert (row.gain.low + row.gain.high) / 2 == pytest.approx(row.gain.mean)
    assert min(row.gain.mean for row in alone) < 0
