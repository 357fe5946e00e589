"""Folds of a cohort that grows: old cases keep their roles, new ones are dealt to where they are wanted.

What is kept is a file of its own, which a person makes of splits that were made (:mod:`busline.growth`) and commits: a
stage reads no output of its own. A case stands in it by a digest of its id, with its role in every resample.

A group has one role. If new data show that old cases of two roles are one group, because a patient or an image turned
out to be the same, all of it takes the role that most of its old cases had. That moves old cases, so it is named.
"""

from __future__ import annotations

import csv
import hashlib
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from busline.base.artifacts import load_text
from busline.base.errors import DataError, plain
from busline.base.seeding import numpy_generator
from busline.base.settings.protocol import CrossValidation, Split
from busline.splits import CV, MASTER, ROLES, Resample, by_resample, make_splits

Kept = Mapping[Resample, Mapping[str, str]]
"""Role by digest of the case, by resample."""
NOBODY = ""


@dataclass(frozen=True)
class Grown:
    """Splits of a cohort that grew.

    Attributes:
        splits: as :func:`busline.splits.make_splits` returns them.
        kept: number of cases that have a role in the file.
        new: number of cases that have none.
        gone: number of cases of the file that the study has no longer.
        joined: a line for each group of old cases that had different roles.
    """

    splits: pd.DataFrame
    kept: int
    new: int
    gone: int
    joined: list[str]


def digest(case_id: str) -> str:
    """Return what stands for a case in the file."""
    return hashlib.sha256(case_id.encode()).hexdigest()[:16]


def write_kept(splits: pd.DataFrame) -> str:
    """Return the file of some splits: a row a case, a column a resample; an empty cell is a training case."""
    lines = [["case", *(_name(resample) for resample, _ in by_resample(splits, sort=False))]]
    roles = [rows.set_index("case_id")["role"] for _, rows in by_resample(splits, sort=False)]
    cases = sorted(splits["case_id"].unique(), key=digest)
    lines += [[digest(case), *(role[case].replace("train", "") for role in roles)] for case in cases]
    return "".join(f"{','.join(line)}\n" for line in lines)


def read_kept(path: Path) -> Kept:
    """Read what :func:`write_kept` wrote; a file without cases keeps nothing.

    Raises:
        DataError: if it is missing or no such file.
    """
    rows = [row for row in csv.reader(load_text(path).splitlines()) if row]
    names = rows[0][1:] if rows else []
    sound = bool(rows) and rows[0][0] == "case" and len({row[0] for row in rows}) == len(rows)
    known = {NOBODY, *ROLES}
    if not sound or any(len(row) != len(rows[0]) or not set(row[1:]) <= known for row in rows[1:]):
        raise DataError(str(path), "is no file of kept folds", mend="make it with `busline-cohort keep`")
    resamples = [_resample(name, path) for name in names]
    return {
        resample: {row[0]: row[1 + place] or "train" for row in rows[1:]} for place, resample in enumerate(resamples)
    }


def grow_splits(
    cases: pd.DataFrame, groups: np.ndarray, split: Split, cv: CrossValidation, seed: int, kept: Kept
) -> Grown:
    """Assign roles as :func:`busline.splits.make_splits` does, but for those that are kept.

    Resamples that the file does not have are dealt as if there were no file.

    Args:
        cases: the study's cases with ``case_id`` and ``label``, n rows.
        groups: group of each case, (n,).
        split: classes of the study, and shares of the master split.
        cv: folds, repeats, and shares of the validation and tuning cases.
        seed: root seed.
        kept: the file's content.

    Raises:
        DataError: as ``make_splits``, or if the file was made with another number of folds.
    """
    fresh = make_splits(cases, groups, split, cv, seed)
    for repeat in range(cv.repeats):
        folds = sum(one.scheme == CV and one.repeat == repeat for one in kept)
        if folds not in (0, cv.folds):
            mend = f"set cv.folds to {folds}, or split.folds_kept to a file that keeps nothing"
            raise DataError("split.folds_kept", f"was made with {folds} folds; cv.folds is {cv.folds}", mend=mend)
    keys = np.array([digest(case) for case in cases["case_id"]], dtype=object)
    dealer = _Dealer(cases["label"].to_numpy(), groups, keys, split, cv, seed, kept)
    parts = []
    for resample, rows in by_resample(fresh, sort=False):
        roles = dealer.roles(resample) if resample in kept else rows["role"].to_numpy()
        parts.append(rows.assign(role=roles))
    old = {key for roles in kept.values() for key in roles}
    known = int(np.isin(keys, list(old)).sum())
    joined = _joined(cases["case_id"].tolist(), groups, keys, kept)
    return Grown(pd.concat(parts, ignore_index=True), known, len(keys) - known, len(old - set(keys)), joined)


class _Dealer:
    """Deals the new groups of one cohort, resample by resample."""

    def __init__(
        self,
        labels: np.ndarray,
        groups: np.ndarray,
        keys: np.ndarray,
        split: Split,
        cv: CrossValidation,
        seed: int,
        kept: Kept,
    ) -> None:
        self.classes, self.class_of = np.unique(labels, return_inverse=True)
        self.names, self.group_of = np.unique(groups, return_inverse=True)
        self.keys, self.split, self.cv, self.seed, self.kept = keys, split, cv, seed, kept
        self.sizes = np.zeros((len(self.names), len(self.classes)), dtype=np.int64)
        np.add.at(self.sizes, (self.group_of, self.class_of), 1)

    def roles(self, resample: Resample) -> np.ndarray:
        """Return the role of each case."""
        if resample == MASTER:
            generator = numpy_generator(self.seed, "grown master")
            shares = {
                "test": self.split.test_fraction,
                "tune": self.split.val_fraction / (1 - self.split.test_fraction),
            }
            role = self._settle(resample, np.full(len(self.names), NOBODY, dtype=object))
        else:
            generator = numpy_generator(self.seed, "grown", resample.repeat, resample.fold)
            shares = {"tune": self.cv.tune_fraction}
            test = self._folds(resample.repeat) == resample.fold
            role = self._settle(resample, np.where(test, "test", NOBODY).astype(object), not_test=True)
        rest = 1 - (0 if resample == MASTER else self.cv.tune_fraction)
        for name, share in {**shares, "val": self.cv.val_fraction / rest}.items():
            self._top_up(role, name, share, generator)
        return np.where(role == NOBODY, "train", role)[self.group_of]

    def _old(self, resample: Resample) -> list[list[str]]:
        """Return the kept roles of each group's old cases."""
        found: list[list[str]] = [[] for _ in self.names]
        for group, key in zip(self.group_of, self.keys, strict=True):
            if key in self.kept[resample]:
                found[group].append(self.kept[resample][key])
        return found

    def _settle(self, resample: Resample, role: np.ndarray, *, not_test: bool = False) -> np.ndarray:
        """Return the groups' roles with those of old cases filled in where there is none yet."""
        for group, said in enumerate(self._old(resample)):
            usable = [one for one in said if not (not_test and one == "test")]
            if role[group] == NOBODY and usable:
                role[group] = most_common(usable)
        return role

    def _folds(self, repeat: int) -> np.ndarray:
        """Return the test fold of each group: the one of its old cases, or the one that needs it most."""
        fold_of = np.full(len(self.names), -1)
        tested: list[list[str]] = [[] for _ in self.names]
        for fold in range(self.cv.folds):
            for group, said in enumerate(self._old(Resample(CV, repeat, fold))):
                tested[group] += [str(fold)] * said.count("test")
        for group, folds in enumerate(tested):
            if folds:
                fold_of[group] = int(most_common(folds))
        counts = np.stack([self.sizes[fold_of == fold].sum(axis=0) for fold in range(self.cv.folds)])
        order = numpy_generator(self.seed, "grown", repeat).permutation(np.flatnonzero(fold_of < 0))
        for group in sorted(order.tolist(), key=lambda group: -self.sizes[group].std()):
            fold_of[group] = self._neediest(counts, group)
            counts[fold_of[group]] += self.sizes[group]
        return fold_of

    def _neediest(self, counts: np.ndarray, group: int) -> int:
        """Return the fold in which the group leaves the classes most even, as scikit-learn's StratifiedGroupKFold."""
        total = self.sizes.sum(axis=0)
        after = np.repeat(counts[None], len(counts), axis=0)
        after[np.arange(len(counts)), np.arange(len(counts))] += self.sizes[group]
        uneven = (after / total).std(axis=1).mean(axis=1)
        return int(np.lexsort((counts.sum(axis=1), uneven.round(12)))[0])

    def _top_up(self, role: np.ndarray, name: str, share: float, generator: np.random.Generator) -> None:
        """Give groups without a role this one until each class has its share of what no earlier role took."""
        order = ("test", "tune", "val")
        taken = np.isin(role, order[: order.index(name)])
        total, have = self.sizes[~taken].sum(axis=0), self.sizes[role == name].sum(axis=0)
        wanted = np.array([max(round(share * n), 1 if n > 1 else 0) for n in total.tolist()]) - have
        for group in generator.permutation(np.flatnonzero(role == NOBODY)).tolist():
            if (self.sizes[group] <= wanted).all():
                role[group] = name
                wanted -= self.sizes[group]


def most_common(values: Sequence[str]) -> str:
    """Return the value that stands there most often, of several the one that comes first as text."""
    counts = Counter(values)
    return min(counts, key=lambda value: (-counts[value], value))


def _joined(case_ids: Sequence[str], groups: np.ndarray, keys: np.ndarray, kept: Kept) -> list[str]:
    """Return a line for each group whose old cases did not have one role in every resample."""
    lines = []
    for _, rows in pd.DataFrame({"case": case_ids, "key": keys}).groupby(groups):
        had = {case: tuple(roles.get(key) for roles in kept.values()) for case, key in rows.to_numpy().tolist()}
        old = {case: roles for case, roles in had.items() if any(roles)}
        if len(set(old.values())) > 1:
            named = ", ".join(plain(case) for case in old)
            lines.append(f"cases {named} are one group now and had different roles: all take the role of most of them")
    return lines


def _name(resample: Resample) -> str:
    return MASTER.scheme if resample == MASTER else f"{resample.repeat}.{resample.fold}"


def _resample(name: str, path: Path) -> Resample:
    if name == MASTER.scheme:
        return MASTER
    repeat, _, fold = name.partition(".")
    if not (repeat.isdecimal() and fold.isdecimal()):
        raise DataError(str(path), f"column {name!r} names no resample", mend="make it with `busline-cohort keep`")
    return Resample(CV, int(repeat), int(fold))
