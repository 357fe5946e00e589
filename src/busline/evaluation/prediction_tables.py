"""What every table of predictions holds, checked before it is used."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from busline.base.errors import list_problems
from busline.splits import RESAMPLE, by_resample, cross_validated, master_rows

CASE = ["case_id", *RESAMPLE]
MEND = "make the table again: `dvc repro --force <its stage>`"


def check_predictions(table: pd.DataFrame, where: str, classes: Sequence[str], extra: Sequence[str] = ()) -> None:
    """Refuse a table of predictions that does not hold what the data contract says.

    Args:
        table: case_id, scheme, repeat, fold, split, label and p_<class>; trained_on too if a case stands in it twice.
        where: name of the table in messages.
        classes: labels of the study.
        extra: further columns of probabilities.

    Raises:
        DataError: listing every missing column, label that is no class, probability that is none, and repeated row.
    """
    probabilities = [f"p_{name}" for name in classes]
    _require_columns(table, where, [*CASE, "split", "label", *probabilities, *extra])
    foreign = table.loc[~table["label"].isin(classes), "label"]
    problems = [f"label {name!r} is none of split.classes" for name in sorted(set(foreign.astype(str)))]
    for name in [*probabilities, *extra]:
        outside = int((~table[name].between(0.0, 1.0)).sum())
        if outside:
            problems.append(f"column {name!r}: values that are null or outside [0, 1]: {outside}")
    off = int(((table[probabilities].sum(axis=1) - 1).abs() > 1e-3).sum())
    if off:
        problems.append(f"rows whose probabilities do not add up to 1: {off}")
    keys = [*CASE, "split", *(["trained_on"] if "trained_on" in table else [])]
    repeated = int(table.duplicated(keys).sum())
    if repeated:
        problems.append(f"rows that repeat another one's {', '.join(keys)}: {repeated}")
    if problems:
        raise list_problems(where, problems, mend=MEND)


def check_cases(table: pd.DataFrame, splits: pd.DataFrame, where: str, *, roles: Sequence[str] = ("test",)) -> None:
    """Refuse test predictions (or those to choose on) of other cases, repeats or folds than the splits name.

    Args:
        table: rows of these roles only, with case_id, scheme, repeat and fold.
        splits: case_id, scheme, repeat, fold, role; the master split's rows are asked for only if the table has some.
        where: name of the table in messages.
        roles: the roles whose cases are predicted.

    Raises:
        DataError: naming resamples with missing or foreign cases.
    """
    role = " or ".join(roles)
    expected = splits[splits["role"].isin(roles)]
    if master_rows(table).empty:
        expected = cross_validated(expected)
    both = expected[CASE].merge(table[CASE], on=CASE, how="outer", indicator=True)
    wrong = both[both["_merge"] != "both"]
    if wrong.empty:
        return
    problems = [
        f"{resample}: {role} cases without a prediction: {(rows['_merge'] == 'left_only').sum()}, "
        f"predicted cases that are no {role} cases: {(rows['_merge'] == 'right_only').sum()}"
        for resample, rows in by_resample(wrong)
    ]
    raise list_problems(where, problems, expected=f"exactly the {role} cases of splits.parquet", mend=MEND)


def _require_columns(table: pd.DataFrame, where: str, columns: Sequence[str]) -> None:
    missing = [f"column {name!r} is missing" for name in columns if name not in table]
    if missing:
        raise list_problems(where, missing, mend=MEND)
