"""A study of three classes from the pipeline to the page, the class without a lesion first and last in the list."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from busline.base.artifacts import load_json, load_table
from busline.evaluation.results import Tables
from busline.families import FAMILIES, classifiers
from busline.metrics.classification import roc_auc
from busline.metrics.multiclass import CLASS_METRICS
from busline.splits import cross_validated
from imports import REPOSITORY
from made_inputs import small_params
from read_models import read_in_a_fresh_process
from whole_pipeline import run_all, write

CLASSICAL = ["logreg", "random_forest", "xgboost", "lightgbm", "catboost"]
ORDERS = {"first": ["normal", "malignant", "benign"], "last": ["malignant", "benign", "normal"]}
SETTINGS = {
    "data__cohorts__phantom__phantom": {"cases": 26, "normal": 13, "width": 96, "height": 80},
    "split__positive": "malignant",
    "cv__folds": 3,
    "tabular__active": [*CLASSICAL, "dnn"],
    "tabular__models__lightgbm__min_child_samples": 3,  # with 20 it is constant on so few cases
    "dnn_search": {"hidden": [16], "dropout": [0.2]},
    "augmentation__active": ["none"],
    "cnn__active": ["custom_cnn", "mobilenet_v2_random"],
    "merged__active": ["custom_cnn"],
    "illustrate__cases": 3,
    "audit__planted_cases": 2,
    "audit__master_splits": 2,
    "audit__tabular_models": ["logreg", "dnn"],
    "audit__tabular_permutations": 1,
    "audit__image_permutations": 1,
    "audit__image_epochs": 1,
    "lesion__networks": 1,
}
BINARY_ONLY = {key for key, family in FAMILIES.items() if family.binary_only}


@pytest.fixture(scope="module", params=ORDERS)
def run(request, tmp_path_factory):
    """A whole run, and its classes in the order of all tables."""
    listed = ORDERS[request.param]
    params = small_params(**SETTINGS, split__classes=listed)
    folder = tmp_path_factory.mktemp("three")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("BUSLINE_WORKERS", "1")
        patch.chdir(REPOSITORY)
        run_all(folder, write(folder / "params.yaml", params), params)
    return folder, [*(name for name in listed if name != "malignant"), "malignant"]


def tables_of(folder: Path) -> Tables:
    return Tables.model_validate(load_json(folder / "reports/tables.json"))


def test_every_family_is_there_or_named_binary_only(run):
    scores = tables_of(run[0])
    trained = {key for key, family in FAMILIES.items() if scores.found(key) and family.task == "classification"}
    assert trained == {family.key for family in classifiers()} - BINARY_ONLY
    assert set(scores.skipped) == BINARY_ONLY
    assert all("two classes" in reason for models in scores.skipped.values() for reason in models.values())
    assert scores.segmentations["segment"]["unet"].metrics["dice"].folds == 3


def test_predictions_have_a_probability_a_class_and_models_use_more_than_two(run):
    folder, classes = run
    for family in classifiers():
        for path in sorted((folder / "data/predictions" / family.key).glob("*.parquet")):
            if family.binary_only:
                continue
            table = load_table(path)
            assert [name for name in table if name.startswith("p_") and "half" not in name] == [
                f"p_{name}" for name in classes
            ], path
            found = table[[f"p_{name}" for name in classes]].to_numpy(np.float64)
            np.testing.assert_allclose(found.sum(axis=1), 1.0, atol=1e-6)
            assert (found.std(axis=0) > 0).all(), path
            assert set(table["label"]) == set(classes)


def test_every_stored_model_says_what_its_table_holds(run):
    found = read_in_a_fresh_process(run[0] / "data", "phantom")
    families = {row["model"].partition("/")[0] for row in found}
    assert families == {"tabular", "cnn", "vote", "merged", "segment"}
    assert [row for row in found if row["differing"]] == []


def test_scores_of_all_classes_and_of_the_positive_one(run):
    folder, classes = run
    scores = tables_of(folder)
    assert list(scores.protocol.classes) == classes
    assert set(scores.all_classes) == {family.key for family in classifiers(search=False)} - BINARY_ONLY
    for family, model in [("tabular", "catboost"), ("cnn", "custom_cnn"), ("vote", "dnn+custom_cnn")]:
        table = load_table(folder / f"data/predictions/{family}/{model}.parquet")
        table = table[(table["split"] == "test") & (table.get("trained_on", "all") == "all")]
        folds = [rows for _, rows in cross_validated(table).groupby("fold")]
        found = scores.all_classes[family][model]
        columns = [f"p_{name}" for name in classes]
        for name, metric in CLASS_METRICS.items():
            by_hand = [metric(actual(rows, classes), rows[columns].to_numpy(np.float64)) for rows in folds]
            assert found.metrics[name].mean == pytest.approx(np.mean(by_hand), abs=1e-6), name
        assert np.sum(found.confusion) == scores.protocol.cases
        assert [one.cases for one in found.classes] == np.sum(found.confusion, axis=1).tolist()
        against = [roc_auc(rows["label"] == "malignant", rows["p_malignant"].astype("float64")) for rows in folds]
        binary = scores.scored(family)[model].metrics["roc_auc"].mean
        assert binary == pytest.approx(np.mean(against), abs=1e-6)
        assert found.classes[-1].metrics["roc_auc"].mean == pytest.approx(binary, abs=1e-6)


def actual(rows: pd.DataFrame, classes: list[str]) -> np.ndarray:
    return np.array([classes.index(label) for label in rows["label"]])


def test_the_page_says_what_all_classes_are_worth(run):
    folder, classes = run
    report = (folder / "reports/report.md").read_text(encoding="utf-8")
    assert "## All classes" in report
    assert f"against the rest ({classes[0]}, {classes[1]})" in report
    assert "it is for two classes" in report
    metrics = json.loads((folder / "reports/metrics.json").read_text())
    assert set(metrics["cnn"]["custom_cnn"]["all_classes"]) == set(CLASS_METRICS)
    confusion = pd.read_csv(folder / "reports/plots/confusion.csv")
    assert set(confusion["actual"]) == set(classes)


def test_the_order_of_the_list_decides_the_order_of_the_tables_alone(tmp_path_factory):
    """Folds, data and a model that draws nothing are the same whichever class is listed first."""
    tables = []
    for name, listed in ORDERS.items():
        changes = {**SETTINGS, "split__classes": listed, "tabular__active": ["logreg"], "dnn_search__hidden": []}
        changes |= {"cnn__active": ["custom_cnn"], "merged__active": [], "augmentation__active": [], "seg__active": []}
        params = small_params(**changes)
        folder = tmp_path_factory.mktemp(name)
        with pytest.MonkeyPatch.context() as patch:
            patch.chdir(REPOSITORY)
            run_all(folder, write(folder / "params.yaml", params), params)
        tables.append(load_table(folder / "data/predictions/tabular/logreg.parquet"))
    first, last = tables
    keys = ["case_id", "scheme", "repeat", "fold", "split", "trained_on"]
    assert first[keys].equals(last[keys])
    for label in ORDERS["first"]:
        np.testing.assert_allclose(first[f"p_{label}"], last[f"p_{label}"], atol=2e-3)
