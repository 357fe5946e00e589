"""Folds that the data bring along: a column of a release's own folds, or of the sites that scans come from."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd

from busline.base.errors import DataError, ParameterError, list_problems, near_matches, plain, shown
from busline.base.settings.protocol import CrossValidation
from busline.cohort.formats.spellings import category_key
from busline.cohort.formats.text import read_number
from busline.cohort.schema import RESERVED


def given_folds(
    cases: pd.DataFrame, groups: np.ndarray, column: str, cv: CrossValidation
) -> tuple[np.ndarray, list[str]]:
    """Return the test fold of each case by the values of a column, and the values in the order of the folds.

    Args:
        cases: the study's cases with ``case_id`` and the source's columns, n rows.
        groups: group of each case, (n,): cases of one patient, and near-duplicates.
        column: one of the source's columns; each of its values is a fold.
        cv: its folds are as many as there are values, and it has one repeat: given folds are not dealt again.

    Returns:
        int (n,), and the values as text.

    Raises:
        ParameterError: if the cohort has no such column, or the folds and repeats are not those of the column.
        DataError: if a case has no value, or naming each group whose cases lie in several folds.
    """
    own = [name for name in cases.columns if name not in RESERVED]
    if column not in own:
        raise ParameterError("split.folds_from", f"the cohort has no column {column!r}", mend=near_matches(column, own))
    values = cases[column]
    without = cases.loc[values.isna(), "case_id"].tolist()
    if without:
        named = ", ".join(plain(str(case)) for case in without[:5])
        raise DataError(f"column {column!r}", f"{len(without)} cases have no value and so no fold, the first: {named}")
    known = sorted(values.unique().tolist(), key=_order)
    names = [f"{value:g}" if isinstance(value, float) else str(value) for value in known]
    _refuse_spellings(names, column)
    if (len(known), 1) != (cv.folds, cv.repeats):
        found = f"has {len(known)} values ({', '.join(map(shown, names[:10]))})"
        found += f"; cv.folds is {cv.folds}, and cv.repeats {cv.repeats}"
        mend = f"set cv.folds to {len(known)}, and cv.repeats to 1: folds that are given are not dealt again"
        raise ParameterError("split.folds_from", f"column {column!r} {found}", mend=mend)
    fold_of = np.array([known.index(value) for value in values], dtype=np.int64)
    _refuse_crossing(cases["case_id"].tolist(), groups, fold_of, names, column)
    return fold_of, names


def _order(value: str | float) -> tuple[float, str]:
    """Return what numbers are sorted by as numbers, and texts behind them as texts."""
    number = value if isinstance(value, float) else read_number(value)
    return (math.inf if number is None else number, str(value))


def _refuse_spellings(names: list[str], column: str) -> None:
    by_key: dict[str, list[str]] = {}
    for name in names:
        by_key.setdefault(category_key(name), []).append(name)
    doubled = [f"{' and '.join(map(shown, same))} may be one fold" for same in by_key.values() if len(same) > 1]
    if doubled:
        raise list_problems(f"column {column!r} as folds", doubled, mend="write each fold in one way")


def _refuse_crossing(
    case_ids: list[str], groups: np.ndarray, fold_of: np.ndarray, names: list[str], column: str
) -> None:
    table = pd.DataFrame({"case": case_ids, "group": groups, "fold": fold_of})
    problems = []
    for _, rows in table.groupby("group"):
        if len(set(rows["fold"])) > 1:
            said = [
                f"{plain(case)} ({shown(names[fold])})" for case, fold in zip(rows["case"], rows["fold"], strict=True)
            ]
            problems.append(f"{', '.join(said)}: of one patient, or (nearly) the same image")
    if problems:
        mend = "correct the column, or leave cases out: no patient and no image may stand on two sides of a split"
        raise list_problems(f"column {column!r} as folds", problems, mend=mend)
