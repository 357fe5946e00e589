"""Folds that a column of the data gives: a release's own, or sites."""

import numpy as np
import pandas as pd
import pytest

from busline.base.errors import BuslineError
from busline.dealing import deal
from busline.report.data_tables import split_section
from busline.split_checks import check_splits
from made_inputs import small_params
from made_tables import ROWS, read_csv_rows

SITES = ("Oslo", "Kiel", "Graz")


def study(cases=60, sites=SITES):
    ids = [f"c{number:02d}" for number in range(cases)]
    labels = np.where(np.arange(cases) % 5 < 2, "malignant", "benign")
    return pd.DataFrame({"case_id": ids, "label": labels, "site": [sites[n % len(sites)] for n in range(cases)]})


def deal_by(cases, groups=None, column="site", folds=3, repeats=1, **changes):
    params = small_params(cv__folds=folds, cv__repeats=repeats, split__folds_from=column, **changes)
    return deal(cases, np.arange(len(cases)) if groups is None else groups, params.split, params.cv, 1)


def test_each_site_is_tested_once_by_models_that_saw_none_of_it():
    cases = study()
    dealt = deal_by(cases)
    assert dealt.described == {"folds_from": {"column": "site", "values": ["Graz", "Kiel", "Oslo"]}}
    table = dealt.splits.merge(cases, on="case_id")
    for (scheme, _, fold), rows in table.groupby(["scheme", "repeat", "fold"]):
        tested = set(rows.loc[rows["role"] == "test", "site"])
        if scheme == "cv":
            assert tested == {sorted(SITES)[fold]}
            assert tested.isdisjoint(rows.loc[rows["role"] != "test", "site"])
            assert set(rows["role"]) == {"train", "val", "tune", "test"}
    by_case = cases.set_index("case_id").assign(group=range(60))
    checks = check_splits(dealt.splits, by_case["group"], by_case["label"])
    assert checks["resamples"] == 4
    text = split_section(checks | dealt.described)["text"]
    assert text[2] == "The folds are the values of column site, in this order: Graz, Kiel, Oslo."


def test_numbers_are_folds_in_their_order():
    for values in (["10", "9", "1"], [10.0, 9.0, 1.0]):
        assert deal_by(study(sites=values)).described["folds_from"]["values"] == ["1", "9", "10"]


@pytest.mark.parametrize(
    ("change", "settings", "message"),
    [
        (lambda c: c, {"column": "sites"}, "the cohort has no column 'sites'"),
        (lambda c: c, {"column": "label"}, "the cohort has no column 'label'"),
        (lambda c: c, {"folds": 4}, "has 3 values ('Graz', 'Kiel', 'Oslo'); cv.folds is 4"),
        (lambda c: c, {"repeats": 2}, "set cv.folds to 3, and cv.repeats to 1"),
        (lambda c: c.assign(site=c["site"].mask(c.index == 7)), {}, "no value and so no fold, the first: c07"),
        (lambda c: c.assign(site=c["site"].mask(c.index == 0, "oslo ")), {}, "'Oslo' and 'oslo ' may be one fold"),
        (lambda c: c.assign(site=["1", "1.0", "2"] * 20), {}, "'1' and '1.0' may be one fold"),
    ],
)
def test_a_column_that_gives_no_folds_is_refused(change, settings, message):
    with pytest.raises(BuslineError) as refused:
        deal_by(change(study()), **settings)
    assert message in str(refused.value)


def test_patients_and_near_duplicates_that_cross_are_all_named():
    groups = np.arange(60)
    groups[[1, 3, 4]], groups[[10, 20]] = 1, 10
    with pytest.raises(BuslineError) as refused:
        deal_by(study(), groups)
    said = str(refused.value)
    assert "c01 ('Kiel'), c03 ('Oslo'), c04 ('Kiel'): of one patient, or (nearly) the same image" in said
    assert "c10 ('Kiel'), c20 ('Graz')" in said
    assert "2 problems" in said


def test_given_and_kept_at_once_are_refused(tmp_path):
    (tmp_path / "kept.csv").write_text("case,master\nabc,\n", encoding="utf-8")
    with pytest.raises(BuslineError, match="given by a column and kept by a file"):
        deal_by(study(), split__folds_kept=str(tmp_path / "kept.csv"))


def test_the_key_folds_makes_a_column_that_no_model_sees(tmp_path):
    columns = {"age": {"provenance": "patient", "kind": "numeric"}}
    raw = read_csv_rows(tmp_path, ROWS, columns=columns, folds="sign")
    assert {c.name: c.provenance for c in raw.columns}["sign"] == "identifier"
    assert [case.cells["sign"] for case in raw.cases] == ["lump", "no", "no"]
    with pytest.raises(BuslineError, match="columns.age: plays a part above already"):
        read_csv_rows(tmp_path, ROWS, columns=columns, folds=["sign", "age"])
