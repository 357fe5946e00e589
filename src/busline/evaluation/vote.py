"""Weighted voting of a tabular and an image model, the weight chosen on cases that neither was trained on.

In every resample the weight is the middle of the best interval on the resample's tuning cases; the same two members are
then scored on its test cases. Labels of test cases are carried along and never looked at.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pandas as pd

from busline.base.errors import DataError, list_problems
from busline.evaluation.prediction_tables import CASE, MEND, check_predictions
from busline.families import MEMBER_COLUMNS, VOTE, WITHOUT_TUNE
from busline.metrics.voting import best_weight, vote
from busline.splits import RESAMPLE, by_resample

KEYS = [*CASE, "split"]
WEIGHTS = {
    **dict.fromkeys(MEMBER_COLUMNS, "str"),
    "scheme": "str",
    "repeat": "int64",
    "fold": "int64",
    "weight": "float64",
    "low": "float64",
    "high": "float64",
    "tune_auc": "float64",
    "n_tune": "int64",
}
"""Columns of the table of weights."""


def vote_all(
    tabular: Mapping[str, pd.DataFrame], image: Mapping[str, pd.DataFrame], classes: Sequence[str]
) -> tuple[dict[str, pd.DataFrame], pd.DataFrame]:
    """Let every tabular model vote with every image model.

    Args:
        tabular: predictions by model's name; only the rows trained without the tuning cases are used.
        image: predictions by model's name, of the same resamples and cases, likewise.
        classes: labels of the study, the positive one last; the weight is chosen by its ROC AUC against the rest.

    Returns:
        Voted test predictions by "<tabular>+<image>" (case_id, scheme, repeat, fold, split, label, p_<class>, and
        p_half_<positive> for w = ½), and the table of weights (see :data:`WEIGHTS`), one row a pair and resample.

    Raises:
        DataError: if two members predict different cases, or a case is to be weighed and tested in one resample.
    """
    for name, table in tabular.items():
        if "trained_on" not in table:  # they always have two fits
            raise DataError(f"predictions of tabular model {name!r}", "column 'trained_on' is missing", mend=MEND)
    members = [{name: without_tune(table) for name, table in tables.items()} for tables in (tabular, image)]
    for family, tables in zip(VOTE.members, members, strict=True):
        for name, table in tables.items():
            check_predictions(table, f"predictions of {family} model {name!r}", classes)
    predictions, weights = {}, []
    for first, one in members[0].items():
        for second, other in members[1].items():
            voted, chosen = vote_pair(one, other, classes, f"{first}+{second}")
            predictions[f"{first}+{second}"] = voted
            weights.append(chosen.assign(**dict(zip(MEMBER_COLUMNS, (first, second), strict=True))))
    if not weights:
        return {}, pd.DataFrame(columns=list(WEIGHTS)).astype(WEIGHTS)
    return predictions, pd.concat(weights, ignore_index=True)[list(WEIGHTS)].astype(WEIGHTS)


def vote_pair(
    tabular: pd.DataFrame, image: pd.DataFrame, classes: Sequence[str], where: str
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Let one tabular model vote with one image model; see :func:`vote_all`."""
    pair = _paired(tabular, image, where)
    positive = classes[-1]
    members = [f"p_{positive}_tabular", f"p_{positive}_image"]
    chosen = []
    for resample, rows in by_resample(pair):
        tune = rows[rows["split"] == "tune"]
        best = best_weight(tune["label"] == positive, tune[members[0]], tune[members[1]])
        interval = {"weight": best.weight, "low": best.low, "high": best.high, "tune_auc": best.auc}
        chosen.append({**resample._asdict(), **interval, "n_tune": len(tune)})
    weights = pd.DataFrame(chosen)
    test = pair[pair["split"] == "test"].merge(weights, on=RESAMPLE, how="left")
    voted = test[[*KEYS, "label"]].copy()
    for name in classes:
        voted[f"p_{name}"] = vote(test["weight"], test[f"p_{name}_tabular"], test[f"p_{name}_image"])
    voted[f"p_half_{positive}"] = vote(0.5, test[members[0]], test[members[1]])
    return voted, weights


def weights_of(weights: pd.DataFrame, pair: str) -> pd.DataFrame:
    """Return the rows of the table of weights (see :data:`WEIGHTS`) of one pair "<tabular>+<image>"."""
    first, _, second = pair.partition("+")
    return weights[(weights[MEMBER_COLUMNS[0]] == first) & (weights[MEMBER_COLUMNS[1]] == second)]


def without_tune(table: pd.DataFrame) -> pd.DataFrame:
    """Return the rows of the fit that did not learn from the tuning cases, of a model of two fits or of that one."""
    return table[table["trained_on"] == WITHOUT_TUNE] if "trained_on" in table else table


def _paired(tabular: pd.DataFrame, image: pd.DataFrame, where: str) -> pd.DataFrame:
    """Join the members' rows case by case, sorted by the keys, and refuse what does not fit together."""
    both = tabular.merge(image, on=KEYS, how="outer", suffixes=("_tabular", "_image"), indicator=True)
    unfit = {
        "rows that one member alone predicts": both["_merge"] != "both",
        "cases that are weighed and tested": both.duplicated(CASE),
        "rows whose split is neither 'tune' nor 'test'": ~both["split"].isin(["tune", "test"]),
    }
    problems = [
        f"{resample}: {what}: {len(wrong)}"
        for what, rows in unfit.items()
        for resample, wrong in by_resample(both[rows])
    ]
    matched = both[both["_merge"] == "both"]
    differing = int((matched["label_tabular"] != matched["label_image"]).sum())
    if differing:
        problems.append(f"rows with two labels: {differing}")
    untested = [resample for resample, rows in by_resample(both) if not (rows["split"] == "test").any()]
    problems += [f"{resample}: no test cases" for resample in untested]
    if both.empty:
        problems.append("no predictions")
    if problems:
        expected = "the same tune and test cases from both members, and no case in both"
        raise list_problems(f"vote {where}", problems, expected=expected, mend=MEND)
    return both.rename(columns={"label_tabular": "label"})
