"""Splits as the parameters want them: dealt, given by a column of the data, or kept where the cohort grew."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from busline.base.errors import ParameterError
from busline.base.settings.protocol import CrossValidation, Split
from busline.given_folds import given_folds
from busline.kept_folds import grow_splits, read_kept
from busline.splits import make_splits


@dataclass(frozen=True)
class Dealt:
    """Splits and what is said of them.

    Attributes:
        splits: as :func:`busline.splits.make_splits` returns them.
        described: what checks.json holds of where the folds come from; nothing where they are dealt.
        warnings: a line each.
    """

    splits: pd.DataFrame
    described: dict[str, Any] = field(default_factory=dict)
    warnings: Sequence[str] = ()


def deal(cases: pd.DataFrame, groups: np.ndarray, split: Split, cv: CrossValidation, seed: int) -> Dealt:
    """Assign every case a role in every resample.

    Args:
        cases: the study's cases with ``case_id``, ``label`` and the source's columns, n rows.
        groups: group of each case, (n,).
        split: classes, shares, and where the folds come from.
        cv: folds, repeats, shares.
        seed: root seed.

    Raises:
        ParameterError: if folds are to be given and kept at once, or are not those of the column.
        DataError: if too few cases are there, or the file of kept folds or the column cannot be used.
    """
    kept = read_kept(Path(split.folds_kept))
    if split.folds_from is not None:
        if any(kept.values()):
            mend = "set one of them to nothing: split.folds_from to null, or split.folds_kept to folds/none.csv"
            raise ParameterError("split", "folds are given by a column and kept by a file", mend=mend)
        given, values = given_folds(cases, groups, split.folds_from, cv)
        described = {"folds_from": {"column": split.folds_from, "values": values}}
        return Dealt(make_splits(cases, groups, split, cv, seed, given), described)
    if not any(kept.values()):
        return Dealt(make_splits(cases, groups, split, cv, seed))
    grown = grow_splits(cases, groups, split, cv, seed, kept)
    counts = {"kept": grown.kept, "new": grown.new, "gone": grown.gone, "joined": grown.joined}
    return Dealt(grown.splits, {"folds_kept": counts}, grown.joined)
