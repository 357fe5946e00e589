"""The proof of the splits: complete, no group on two sides, and what each role must hold.

Every role needs a case in every resample: whoever trains, stops, chooses or scores on it cannot do so on nothing. The
training cases need each class besides, since no classifier learns a class that it never sees. Without a class,
validation cases stop a network by the others' loss alone, tuning cases choose no threshold and leave a voting weight at
½, and test cases have no ROC AUC; all of that is defined, counted, and said.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd

from busline.base.errors import DataError, list_problems
from busline.splits import RESAMPLE, ROLES, Resample, by_resample, cross_validated

MEND = (
    "change cv.folds, or cv.val_fraction and cv.tune_fraction (of the master split, split.val_fraction and "
    "split.test_fraction): larger where a role is empty, smaller where training cases lack a class; or add patients, "
    "for the cases of one, and near-duplicates, stay together"
)
WITHOUT_CLASS = {
    "val": "networks stop by the loss of the other cases",
    "tune": "no threshold is chosen there, and a voting weight is 0.5",
    "test": "a ROC AUC is undefined there",
}
"""What follows where a role lacks a class, by role."""


def check_splits(splits: pd.DataFrame, groups: pd.Series, labels: pd.Series) -> dict[str, Any]:
    """Prove that the splits are complete and that no group has two roles, and count what they hold.

    Args:
        splits: the table of :func:`busline.splits.make_splits`.
        groups: group of each case, indexed by case id.
        labels: label of each case, indexed by case id.

    Returns:
        Counts of cases, groups and resamples, and the fewest and most cases of each role and label. Where a role lacks
        a class, also ``without_class``: the ``role``, the ``label``, the number of ``resamples``, and the ``first``.

    Raises:
        DataError: naming the resample, if a case is missing or doubled, if a group crosses, if a role is empty, or if
            the training cases lack a class.
    """
    table = splits.assign(
        group=groups.loc[splits["case_id"]].to_numpy(), label=labels.loc[splits["case_id"]].to_numpy()
    )
    for resample, part in by_resample(table):
        if sorted(part["case_id"]) != sorted(labels.index):
            raise DataError(str(resample), "does not hold every case exactly once")
        crossing = part.groupby("group")["role"].nunique()
        if (crossing > 1).any():
            cases = part.loc[part["group"] == crossing.idxmax(), "case_id"].tolist()
            raise DataError(str(resample), f"cases {', '.join(cases)} are one group but have two roles")
    folds = cross_validated(table[table["role"] == "test"])
    if (folds.groupby(["repeat", "case_id"]).size() != 1).any():
        raise DataError("cross-validation", "a case is not tested exactly once a repeat")
    sizes = _count(table)
    _require_roles(sizes)
    by_role = sizes.melt(ignore_index=False, value_name="cases").groupby(["role", "label"])["cases"].agg(["min", "max"])
    checks = {
        "cases": len(labels),
        "groups": int(groups.nunique()),
        "largest_group": int(groups.value_counts().max()),
        "labels": labels.value_counts().to_dict(),
        "resamples": int(table.groupby(RESAMPLE).ngroups),
        "groups_in_two_roles": 0,
        "cases_by_role": by_role.reset_index().to_dict("records"),
    }
    lacking = _lacking(sizes)
    return checks | ({"without_class": lacking} if lacking else {})


def describe_lacking(checks: Mapping[str, Any]) -> list[str]:
    """Return a line for each role that lacks a class somewhere."""
    return [
        f"no {one['label']} {one['role']} case in {one['resamples']} of {checks['resamples']} resamples (the first is "
        f"{one['first']}): {WITHOUT_CLASS[one['role']]}"
        for one in checks.get("without_class", [])
    ]


def _count(table: pd.DataFrame) -> pd.DataFrame:
    """Return the number of cases by resample and role (rows) and label (columns); what is not there counts as 0."""
    sizes = table.pivot_table(index=[*RESAMPLE, "role"], columns="label", aggfunc="size", fill_value=0)
    every = [(*resample, role) for resample, _ in by_resample(table) for role in ROLES]
    return sizes.reindex(pd.MultiIndex.from_tuples(every, names=sizes.index.names), fill_value=0)


def _require_roles(sizes: pd.DataFrame) -> None:
    empty = sizes.sum(axis=1) == 0
    problems = [f"{Resample(*key[:3])}: no {key[3]} case at all" for key in sizes.index[empty]]
    for label in sizes.columns:
        without = sizes.index[(sizes[label] == 0) & ~empty]
        problems += [f"{Resample(*key[:3])}: no {label} train case" for key in without if key[3] == "train"]
    if problems:
        expected = "a case of every role in every resample, and a training case of every class"
        raise list_problems("splits", problems, expected=expected, mend=MEND)


def _lacking(sizes: pd.DataFrame) -> list[dict[str, Any]]:
    found = []
    for role in WITHOUT_CLASS:
        for label in sizes.columns:
            without = [key[:3] for key in sizes.index[sizes[label] == 0] if key[3] == role]
            if without:
                first = str(Resample(*without[0]))
                found.append({"role": role, "label": str(label), "resamples": len(without), "first": first})
    return found
