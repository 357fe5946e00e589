"""Every model that is measured stands in every overview, and a family needs no more than its row for that."""

import pandas as pd
import pytest

from busline.evaluation.evaluate import Inputs, evaluate
from busline.families import FAMILIES, GROUPS, TOGETHER, Family
from busline.report.figures import draw_forest
from busline.report.render import render_markdown
from busline.report.summarise import summarise
from made_predictions import make_labels, make_predictions, make_splits

SPLITS = make_splits(cases=40, folds=3, repeats=1)
LABELS = make_labels(SPLITS)
FOLDS = SPLITS[SPLITS["scheme"] == "cv"]
MADE = ("made", "Made up", "classification")
ROWS = [
    Family(
        "made",
        "Made up",
        "classification",
        files=("x",),
        chooses="kept out",
        learns_from=("train", "val"),
        group=TOGETHER,
    ),
    Family("made", "Made up", "classification", files=("x",), chooses="inner", left_out=2, group=TOGETHER),
    Family("made", "Made up", "classification", files=("x", "y"), search=True, group="made"),
]


def shown_in(summary):
    """Return the (family title, model) of every overview of the report."""
    titles = {family.key: family.title for family in FAMILIES.values()}
    tables = {table["id"]: table["rows"] for section in summary["sections"] for table in section["tables"]}
    shown = {"forest": {row["label"] for row in summary["forest"] if row["status"] == "run"}}
    assert all(row["label"].startswith(f"{titles[row['family']]}: ") for row in summary["forest"])
    for name in ("pooled", "calibration", "outcomes_models"):
        shown[name] = {f"{row['family']}: {row['model']}" for row in tables.get(name, [])}
    for name in ("operating_youden", "operating_sensitivity_95", "operating_specificity_90", "recalibrated"):
        shown[name] = {row["model"] for row in tables.get(name, [])}
    return shown


def missing(summary, metrics):
    """Return what of the metrics file stands in no overview, as (overview, family, number of models)."""
    shown, gaps = shown_in(summary), []
    for family in FAMILIES.values():
        models = metrics.get(family.key, {})
        if family.task != "classification" or family.search or not models:
            continue
        for overview, labels in shown.items():
            count = sum(label.startswith(f"{family.title}: ") for label in labels)
            if count != len(models):
                gaps.append((overview, family.key, count))
    return gaps


def test_no_model_is_missing_from_an_overview(inputs, evaluation):
    assert missing(summarise(inputs), evaluation.metrics) == []


def test_a_model_that_is_in_no_overview_is_found(inputs, evaluation):
    metrics = {**evaluation.metrics, "lesion": {**evaluation.metrics["lesion"], "third": {}}}
    assert {overview for overview, family, _ in missing(summarise(inputs), metrics) if family == "lesion"} == {
        *shown_in(summarise(inputs))
    }


def made_predictions(family, seed):
    if family.chooses != "inner":
        return make_predictions(FOLDS, LABELS, seed=seed)
    test = make_predictions(FOLDS, LABELS, seed=seed)
    training = FOLDS.assign(role=FOLDS["role"].where(FOLDS["role"] == "test", "tune"))
    inner = make_predictions(training, LABELS, seed=seed + 1)
    return pd.concat(
        [
            test[test["split"] == "test"].assign(trained_on="all"),
            inner[inner["split"] == "tune"].assign(trained_on="inner"),
        ]
    )


@pytest.fixture(params=ROWS, ids=["kept out", "inner", "search"])
def made(request, monkeypatch, params, report_of):
    """A report of the tabular family and of one that has a row in the table and predictions, and nothing else."""
    row = request.param
    monkeypatch.setitem(FAMILIES, "made", row)
    monkeypatch.setitem(GROUPS, "made", "Made-up comparison")
    names = ("logreg", "random_forest")
    tabular = {name: make_predictions(SPLITS, LABELS, seed=len(name), tabular=True) for name in names}
    predictions = {"tabular": tabular, "made": {name: made_predictions(row, 3 + len(name)) for name in row.files}}
    weights = pd.DataFrame(columns=["tabular", "image", "scheme", "repeat", "fold", "weight"])
    few = params.model_copy(update={"evaluate": params.evaluate.model_copy(update={"bootstrap": 50})})
    found = evaluate(Inputs(SPLITS, predictions, weights, {}), few)
    return row, found, summarise(report_of(few, found))


def test_a_family_with_a_row_and_predictions_reaches_metrics_and_report(made):
    row, found, summary = made
    metrics = found.metrics["made"]
    assert set(metrics) == set(row.files)
    text = render_markdown(summary)
    group = found.tables.comparisons[row.group]
    assert {(entry.family, entry.model) for entry in group} >= {("made", name) for name in row.files}
    assert missing(summary, found.metrics) == []
    if row.search:
        assert set(metrics["x"]) == {"roc_auc"}
        assert "### Made-up comparison: wins, ties and losses" in text
        return
    assert {"roc_auc", "operating", "pooled"} <= set(metrics["x"])
    assert set(found.plots["roc"]["family"]) == {"tabular", "made"}
    assert "Made up: x" in text
    assert draw_forest(summary["forest"], None) is not None
    pair = found.plots["comparisons"].iloc[0]
    assert pair["mcnemar_p"] <= 1  # both have a threshold
