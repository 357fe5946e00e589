"""No model sees what it may not: with every other column dealt anew, training and all, its predictions are the same."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from busline.base.artifacts import load_json, load_table, save_table
from busline.cohort.findings import radiologist_findings
from busline.cohort.store import load_cohort
from busline.families import classifiers
from imports import REPOSITORY
from made_inputs import small_params
from read_models import read_in_a_fresh_process
from whole_pipeline import run_from_cohorts, run_to_cohorts, write

SETTINGS = {
    "data__cohorts__phantom__phantom": {"cases": 24, "normal": 1, "width": 96, "height": 80},
    "cv__folds": 3,
    "tabular__active": ["logreg", "random_forest", "xgboost", "lightgbm", "catboost", "dnn"],
    "dnn_search": {"hidden": [16], "dropout": [0.2]},
    "augmentation__active": ["none"],
    "cnn__active": ["custom_cnn"],
    "cnn__fit_all": True,
    "merged__active": ["custom_cnn"],
    "lesion__networks": 1,
}
KEPT = ("case_id", "patient_id", "source", "label", "width", "height", "offset", "has_mask")
"""Who is whose, what is to be found out, and where the pictures are."""


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path, list[str]]:
    """A run, the same with all that no model may see dealt anew among the cases, and the names of those columns."""
    folder, params = tmp_path_factory.mktemp("allowed"), small_params(**SETTINGS)
    one, other, file = folder / "one", folder / "other", write(folder / "params.yaml", params)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("BUSLINE_WORKERS", "1")
        patch.chdir(REPOSITORY)
        run_to_cohorts(one, file, params)
        shutil.copytree(one, other)
        run_from_cohorts(one, file, params)
        dealt = deal_anew(other / "data/cohort/phantom", one / "data/features/columns.json")
        run_from_cohorts(other, file, params)
    return one, other, dealt


def deal_anew(cohort: Path, allowed: Path) -> list[str]:
    """Permute every column of a cohort that is neither allowed, nor a target of training, nor one of :data:`KEPT`."""
    cases, columns = load_table(cohort / "cases.parquet"), load_cohort(cohort).columns
    seen = {column["name"] for column in load_json(allowed)}
    targets = [name for name in cases if name not in KEPT and is_target(cases, columns, name)]
    dealt = [name for name in cases if name not in {*KEPT, *seen, *targets}]
    order = np.random.default_rng(8).permutation(len(cases))
    save_table(cases.assign(**{name: cases[name].to_numpy()[order] for name in dealt}), cohort / "cases.parquet")
    return dealt


def is_target(cases: pd.DataFrame, columns: object, name: str) -> bool:
    """Whether the lesion network learns to say what a column holds."""
    without = radiologist_findings(cases.assign(**{name: None}), columns)
    return not np.array_equal(without, radiologist_findings(cases, columns), equal_nan=True)


def models() -> list[tuple[str, str]]:
    names = {family.key: list(family.files) for family in classifiers() if family.files}
    names |= {"tabular": list(SETTINGS["tabular__active"]), "cnn": ["custom_cnn"], "merged": ["custom_cnn"]}
    names |= {"vote": ["logreg+custom_cnn", "dnn+custom_cnn"], "augmentation": ["none"]}
    return [(family, name) for family, found in names.items() for name in found]


def test_there_is_something_that_no_model_may_see(runs: tuple[Path, Path, list[str]]) -> None:
    assert "pixel_mm" in runs[2]
    assert len(runs[2]) > 3


def test_of_two_fits_the_one_on_all_training_cases_is_reported(
    runs: tuple[Path, Path, list[str]],
) -> None:
    data = runs[0] / "data"
    assert set(load_table(data / "predictions/cnn/custom_cnn.parquet")["trained_on"]) == {"all", "without_tune"}
    assert set(load_table(data / "predictions/augmentation/none.parquet")["trained_on"]) == {"all"}
    found = read_in_a_fresh_process(data, "phantom")
    assert {row["model"].partition("/")[0] for row in found} >= {"cnn", "vote", "merged", "lesion"}
    assert [row for row in found if row["differing"]] == []


@pytest.mark.parametrize(("family", "model"), models(), ids="/".join)
def test_a_model_sees_nothing_that_it_may_not(runs: tuple[Path, Path, list[str]], family: str, model: str) -> None:
    one, other, _ = runs
    place = f"data/predictions/{family}/{model}.parquet"
    found, again = load_table(one / place), load_table(other / place)
    assert len(found)
    same = found.equals(again)
    assert same == ("scale" not in model), "a model that says scale is to know it, and no other"
