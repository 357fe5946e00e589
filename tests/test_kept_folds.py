"""Folds of a cohort that grows: old cases keep their roles, new ones are dealt, and joined groups are named."""

import numpy as np
import pandas as pd
import pytest

from busline.base.errors import DataError
from busline.dealing import deal
from busline.kept_folds import digest, grow_splits, read_kept, write_kept
from busline.report.data_tables import split_section
from busline.split_checks import check_splits
from busline.splits import CV, RESAMPLE, Resample, make_splits
from made_inputs import small_params

PARAMS = small_params(cv__folds=4, cv__repeats=2)


def study(cases, first=0):
    ids = [f"c{number:03d}" for number in range(first, first + cases)]
    return pd.DataFrame({"case_id": ids, "label": ["malignant" if int(i[1:]) % 5 < 2 else "benign" for i in ids]})


def dealt(cases, groups=None, cv=PARAMS.cv):
    return make_splits(cases, np.arange(len(cases)) if groups is None else groups, PARAMS.split, cv, 1)


@pytest.fixture
def kept(tmp_path):
    """The roles of the first hundred cases, through the file."""
    return keep(dealt(study(100)), tmp_path)


def keep(splits, folder):
    (folder / "kept.csv").write_text(write_kept(splits), encoding="utf-8")
    return read_kept(folder / "kept.csv")


def grow(cases, kept, groups=None, cv=PARAMS.cv):
    return grow_splits(cases, np.arange(len(cases)) if groups is None else groups, PARAMS.split, cv, 1, kept)


def roles(splits):
    return splits.set_index(["case_id", *RESAMPLE])["role"]


def prove(splits, cases, groups=None):
    by_case = cases.set_index("case_id").assign(group=np.arange(len(cases)) if groups is None else groups)
    return check_splits(splits, by_case["group"], by_case["label"])


def test_the_file_says_what_the_splits_say_and_names_no_case(kept, tmp_path):
    splits = dealt(study(100))
    text = (tmp_path / "kept.csv").read_text(encoding="utf-8")
    assert text.startswith("case,master,0.0,0.1,0.2,0.3,1.0,1.1,1.2,1.3\n")
    assert "c001" not in text
    for (case, *resample), role in roles(splits).items():
        assert kept[tuple(resample)][digest(case)] == role


def test_nothing_new_changes_nothing(kept):
    grown = grow(study(100), kept)
    pd.testing.assert_frame_equal(grown.splits, dealt(study(100)))
    assert (grown.kept, grown.new, grown.gone, grown.joined) == (100, 0, 0, [])


def test_without_the_file_new_cases_deal_all_anew():
    before, after = roles(dealt(study(100))), roles(dealt(study(120)))
    assert (before != after.loc[before.index]).mean() > 0.3


def test_old_cases_keep_every_role_and_new_ones_keep_the_shares(kept):
    cases = study(140)
    grown = grow(cases, kept)
    before = roles(dealt(study(100)))
    assert (roles(grown.splits).loc[before.index] == before).all()
    assert (grown.kept, grown.new, grown.gone) == (100, 40, 0)
    checks = prove(grown.splits, cases)
    assert "without_class" not in checks
    table = grown.splits.merge(cases, on="case_id")
    share = table[table["scheme"] == CV].groupby(RESAMPLE)["role"].value_counts(normalize=True).unstack()
    np.testing.assert_allclose(share["test"], 0.25, atol=0.02)
    np.testing.assert_allclose(share["tune"], 0.75 * 0.15, atol=0.02)
    np.testing.assert_allclose(share["val"], 0.75 * 0.15, atol=0.02)
    tested = (
        table[(table["scheme"] == CV) & (table["role"] == "test")].groupby(["repeat", "fold", "label"]).size().unstack()
    )
    assert (tested.max() - tested.min() <= 1).all()


def test_removed_and_relabelled_cases_move_nobody_else(kept):
    cases = study(100).iloc[7:].reset_index(drop=True)
    cases.loc[0, "label"] = "benign" if cases.loc[0, "label"] == "malignant" else "malignant"
    grown = grow(cases, kept)
    before = roles(dealt(study(100)))
    found = roles(grown.splits)
    assert (found == before.loc[found.index]).all()
    assert grown.gone == 7


def test_a_new_image_of_an_old_patient_goes_where_the_patient_is(kept):
    cases, groups = study(101), np.array([*range(100), 17])
    grown = grow(cases, kept, groups)
    found = roles(grown.splits).unstack("case_id")
    assert (found["c100"] == found["c017"]).all()
    assert grown.joined == []


def test_a_group_that_joins_two_folds_is_named_and_whole(kept):
    splits = dealt(study(100))
    first = splits[(splits["repeat"] == 0) & (splits["role"] == "test")]
    one, other = (first.loc[first["fold"] == fold, "case_id"].iloc[0] for fold in (0, 2))
    cases, groups = study(101), np.arange(101)
    groups[[int(one[1:]), int(other[1:]), 100]] = 500
    grown = grow(cases, kept, groups)
    prove(grown.splits, cases, groups)
    (line,) = grown.joined
    assert line.startswith(f"cases {min(one, other)}, {max(one, other)} are one group now and had different roles")
    found, before = roles(grown.splits), roles(splits)
    others = [case for case in before.index if case[0] not in (one, other)]
    assert (found.loc[others] == before.loc[others]).all()


def test_more_repeats_are_dealt_as_if_nothing_were_kept(kept):
    more = PARAMS.cv.model_copy(update={"repeats": 3})
    grown, fresh = grow(study(120), kept, cv=more), dealt(study(120), cv=more)
    third = grown.splits["repeat"] == 2
    assert third.any()
    pd.testing.assert_frame_equal(grown.splits[third], fresh[third])


def test_another_number_of_folds_is_refused(kept):
    with pytest.raises(DataError, match="was made with 4 folds; cv.folds is 3"):
        grow(study(120), kept, cv=PARAMS.cv.model_copy(update={"folds": 3}))


def test_growing_twice_keeps_what_was_dealt_in_between(kept, tmp_path):
    once = grow(study(120), kept)
    twice = grow(study(150), keep(once.splits, tmp_path))
    before = roles(once.splits)
    assert (roles(twice.splits).loc[before.index] == before).all()


@pytest.mark.parametrize(
    "text",
    ["", "id,master\n", "case,master\na,tset\n", "case,master\na\n", "case,master\na,\na,test\n", "case,0-1\na,test\n"],
)
def test_a_file_of_another_kind_is_refused(tmp_path, text):
    (tmp_path / "kept.csv").write_text(text, encoding="utf-8")
    with pytest.raises(DataError, match="kept folds|names no resample"):
        read_kept(tmp_path / "kept.csv")
    with pytest.raises(DataError):
        read_kept(tmp_path / "nowhere.csv")


def test_the_report_says_where_the_folds_come_from(kept, tmp_path):
    cases = study(120).iloc[3:].reset_index(drop=True)
    params = small_params(cv__folds=4, cv__repeats=2, split__folds_kept=str(tmp_path / "kept.csv"))
    found = deal(cases, np.arange(117), params.split, params.cv, 1)
    text = split_section(prove(found.splits, cases) | found.described)["text"]
    assert text[2].startswith("Cases that keep the roles they had before: 97; new ones")
    assert text[2].endswith("20; cases that are gone: 3.")


def test_a_file_without_cases_leaves_the_splits_as_they_are():
    cases = study(100)
    found = deal(cases, np.arange(100), PARAMS.split, PARAMS.cv, 1)
    pd.testing.assert_frame_equal(found.splits, dealt(cases))
    assert found.described == {}


@pytest.mark.parametrize("seed", range(12))
def test_whatever_grows_shrinks_and_joins_no_group_crosses(seed):
    generator = np.random.default_rng(seed)
    old = study(80)
    first = generator.integers(0, 40, 80)
    first = np.where(first < 20, first, 100 + np.arange(80))
    kept = {}
    for (case, *resample), role in roles(dealt(old, first)).items():
        kept.setdefault(Resample(*resample), {})[digest(case)] = role
    cases = study(int(generator.integers(60, 90)), first=int(generator.integers(0, 60)))
    groups = generator.integers(0, 30, len(cases))
    groups = np.where(groups < 10, groups, 100 + np.arange(len(cases)))
    grown = grow(cases, kept, groups)
    table = grown.splits.assign(group=pd.Series(groups, index=cases["case_id"]).loc[grown.splits["case_id"]].to_numpy())
    roles_of = table.groupby([*RESAMPLE, "group"])["role"].agg(set)
    assert (roles_of.map(len) == 1).all()
    tested = table[(table["scheme"] == CV) & (table["role"] == "test")]
    assert (tested.groupby(["repeat", "case_id"]).size() == 1).all()
    assert (table.groupby(RESAMPLE).size() == len(cases)).all()
