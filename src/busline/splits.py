"""Who is trained on and who is scored: master split, repeated stratified group k-fold, and their proof.

A *resample* is one assignment of every case of the study to a role:

- ``train``: the network or estimator learns from it;
- ``val``: its loss decides when a network stops;
- ``tune``: the voting weight is chosen on it;
- ``test``: it is scored, and nothing else.

A resample has a scheme, a repeat and a fold. Cross-validation, ``cv``, counts its repeats and folds from 0; the
``master`` split, whose validation part is ``tune``, is one resample, and its repeat and fold are -1. Cases of one
patient and near-duplicate images form a group, which never has two roles.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd

from busline.base.errors import DataError
from busline.base.seeding import derive_seed, numpy_generator
from busline.base.settings.protocol import CrossValidation, Split
from busline.cohort.schema import UNLABELLED

ROLES = ("train", "val", "tune", "test")


class Resample(NamedTuple):
    """Which resample: the columns by which every table of the study names it."""

    scheme: str
    repeat: int
    fold: int

    def __str__(self) -> str:
        return "master split" if self.scheme == "master" else f"repeat {self.repeat}, fold {self.fold}"


RESAMPLE = list(Resample._fields)
MASTER = Resample("master", -1, -1)
CV = "cv"


def group_cases(case_ids: Sequence[str], patient_ids: Sequence[str], pairs: Iterable[tuple[str, str]]) -> np.ndarray:
    """Return one group number a case: cases that share a patient or are a duplicate pair share a group.

    Args:
        case_ids: unique ids, length n.
        patient_ids: ids of the patients, length n.
        pairs: pairs of case ids with (near-)duplicate images; pairs with a case outside ``case_ids`` are ignored.

    Returns:
        int array (n,), numbered by first appearance.
    """
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    position = {case: index for index, case in enumerate(case_ids)}
    first_of_patient: dict[str, int] = {}
    links = [(first_of_patient.setdefault(patient, index), index) for index, patient in enumerate(patient_ids)]
    links += [(position[a], position[b]) for a, b in pairs if a in position and b in position]
    rows, columns = np.array(links, dtype=np.int64).reshape(-1, 2).T
    graph = coo_array((np.ones(len(rows), dtype=np.int8), (rows, columns)), shape=(len(position), len(position)))
    _, groups = connected_components(graph, directed=False)
    return np.asarray(pd.factorize(groups)[0])


def draw_part(labels: np.ndarray, groups: np.ndarray, share: float, generator: np.random.Generator) -> np.ndarray:
    """Draw whole groups until each class has its share, as nearly as groups allow.

    Args:
        labels: class of each case, (n,).
        groups: group of each case, (n,).
        share: share of each class to draw, in (0, 1); at least one case a class is drawn where a class has two.
        generator: source of the order of the groups.

    Returns:
        bool array (n,): True for the drawn cases.
    """
    classes, class_of = np.unique(labels, return_inverse=True)
    names, group_of = np.unique(groups, return_inverse=True)
    sizes = np.zeros((len(names), len(classes)), dtype=np.int64)
    np.add.at(sizes, (group_of, class_of), 1)
    wanted = np.array([max(round(share * n), 1 if n > 1 else 0) for n in sizes.sum(axis=0).tolist()])
    drawn = np.zeros(len(names), dtype=bool)
    for group in generator.permutation(len(names)).tolist():
        if (sizes[group] <= wanted).all():
            drawn[group] = True
            wanted -= sizes[group]
    return drawn[group_of]


def draw_master(
    labels: np.ndarray, groups: np.ndarray, split: Split, generator: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Draw the test and the validation part of a master split, the first with ``numpy_generator(seed, "master")``.

    Args:
        labels: class of each case, (n,).
        groups: group of each case, (n,).
        split: shares of the parts.
        generator: source of the order of the groups.

    Returns:
        bool (n,) each: the test cases, and the validation cases.
    """
    test = draw_part(labels, groups, split.test_fraction, generator)
    return test, _draw_within(~test, labels, groups, split.val_fraction / (1.0 - split.test_fraction), generator)


def of_unlabelled(split: Split) -> Split:
    """Return the settings for a cohort without labels, whose cases are of one class."""
    return split.model_copy(update={"classes": [UNLABELLED], "positive": UNLABELLED})


def make_splits(
    cases: pd.DataFrame,
    groups: np.ndarray,
    split: Split,
    cv: CrossValidation,
    seed: int,
    given: np.ndarray | None = None,
) -> pd.DataFrame:
    """Assign every case a role in the master split and in each fold of each repeat.

    Args:
        cases: the study's cases with ``case_id`` and ``label``, n rows.
        groups: group of each case, (n,).
        split: classes of the study, and shares of the master split.
        cv: folds, repeats, and the shares of the validation and tuning cases in a training part.
        seed: root seed; repeat r depends on the seed and r alone, so more repeats leave the earlier ones as they are.
        given: test fold of each case, (n,), where folds are not dealt, see :mod:`busline.given_folds`.

    Returns:
        Table with ``case_id, scheme, repeat, fold, role``, n rows a resample.

    Raises:
        DataError: if a class of the study has no case, or too few groups for the folds.
    """
    labels = cases["label"].to_numpy()
    _require_enough(labels, groups, split.classes, cv.folds)
    generator = numpy_generator(seed, "master")
    test, tune = draw_master(labels, groups, split, generator)
    val = _draw_within(~test & ~tune, labels, groups, cv.val_fraction, generator)
    parts = [_assign(cases, MASTER, test, tune, val)]
    for repeat in range(cv.repeats):
        fold_of = deal_folds(labels, groups, cv.folds, seed, repeat) if given is None else given
        for fold in range(cv.folds):
            generator = numpy_generator(seed, "cv", repeat, fold)
            test = fold_of == fold
            tune = _draw_within(~test, labels, groups, cv.tune_fraction, generator)
            share = cv.val_fraction / (1.0 - cv.tune_fraction)
            val = _draw_within(~test & ~tune, labels, groups, share, generator)
            parts.append(_assign(cases, Resample(CV, repeat, fold), test, tune, val))
    return pd.concat(parts, ignore_index=True)


def deal_folds(labels: np.ndarray, groups: np.ndarray, folds: int, seed: int, repeat: int) -> np.ndarray:
    """Return the test fold of each case in one repeat, int (n,): stratified, a group whole in one fold."""
    from sklearn.model_selection import StratifiedGroupKFold

    splitter = StratifiedGroupKFold(folds, shuffle=True, random_state=derive_seed(seed, "cv", repeat) % 2**32)
    fold_of = np.zeros(len(labels), dtype=np.int64)
    for fold, (_, test) in enumerate(splitter.split(labels, labels, groups)):
        fold_of[test] = fold
    return fold_of


def cross_validated(table: pd.DataFrame) -> pd.DataFrame:
    """Return the rows of the folds, without the master split's."""
    return table[table["scheme"] == CV]


def master_rows(table: pd.DataFrame) -> pd.DataFrame:
    """Return the rows of the master split."""
    return table[table["scheme"] == MASTER.scheme]


def first_repeats(table: pd.DataFrame, count: int) -> pd.DataFrame:
    """Return the rows of the master split and of the first so many repeats."""
    return table[(table["scheme"] != CV) | (table["repeat"] < count)]


def by_resample(table: pd.DataFrame, *, sort: bool = True) -> Iterator[tuple[Resample, pd.DataFrame]]:
    """Yield each resample and its rows, in their order or in that of the table."""
    for key, rows in table.groupby(RESAMPLE, sort=sort):
        scheme, repeat, fold = np.asarray(key, dtype=object).tolist()
        yield Resample(scheme, int(repeat), int(fold)), rows


def indices_by_role(splits: pd.DataFrame, case_ids: Sequence[str]) -> dict[Resample, dict[str, np.ndarray]]:
    """Return, for each resample in the table's order, the positions in ``case_ids`` of each role's cases, ascending."""
    position = pd.Series(np.arange(len(case_ids)), index=list(case_ids))
    table = splits.assign(position=position.loc[splits["case_id"]].to_numpy())
    result: dict[Resample, dict[str, np.ndarray]] = {}
    for resample, part in by_resample(table, sort=False):
        found = {role: np.sort(rows["position"].to_numpy()) for role, rows in part.groupby("role")}
        result[resample] = {role: found.get(role, np.empty(0, dtype=np.int64)) for role in ROLES}
    return result


def _draw_within(
    allowed: np.ndarray, labels: np.ndarray, groups: np.ndarray, share: float, generator: np.random.Generator
) -> np.ndarray:
    drawn = np.zeros(len(labels), dtype=bool)
    drawn[allowed] = draw_part(labels[allowed], groups[allowed], share, generator)
    return drawn


def _assign(
    cases: pd.DataFrame, resample: Resample, test: np.ndarray, tune: np.ndarray, val: np.ndarray
) -> pd.DataFrame:
    role = np.select([test, tune, val], ["test", "tune", "val"], default="train")
    return pd.DataFrame({"case_id": cases["case_id"].to_numpy(), **resample._asdict(), "role": role})


def _require_enough(labels: np.ndarray, groups: np.ndarray, classes: Sequence[str], folds: int) -> None:
    for label in classes:
        found = len(np.unique(groups[labels == label]))
        if not found:
            there = ", ".join(sorted(set(labels.tolist()))) or "none"
            mend = f"labels there are: {there}; correct split.classes, or the labels of the cohort"
            raise DataError(f"label {label!r} of split.classes", "has no case", mend=mend)
        if found < folds + 2:
            raise DataError(
                f"label {label!r}",
                f"has {found} independent cases, too few for {folds} folds with validation and tuning cases",
                expected=f"at least {folds + 2}",
                mend="lower cv.folds in params.yaml or add cases",
            )
