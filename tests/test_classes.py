"""Which classes there are, in which order they stand, which is the positive one: from the pipeline to the page."""

from __future__ import annotations

import pytest

from imports import REPOSITORY
from made_inputs import small_params
from whole_pipeline import contents, run_all, write

SMALL = {
    "data__cohorts__phantom__phantom": {"cases": 18, "normal": 1, "width": 96, "height": 80},
    "cv__folds": 2,
    "tabular__active": ["logreg"],
    "dnn_search": {"hidden": [], "dropout": []},
    "cnn__active": ["custom_cnn"],
    "merged__active": [],
    "augmentation__active": [],
    "seg__active": [],
    "illustrate__cases": 2,
    "audit__planted_cases": 2,
    "audit__master_splits": 2,
    "audit__tabular_models": ["logreg"],
    "audit__tabular_permutations": 1,
    "audit__image_permutations": 0,
}


@pytest.fixture
def run(tmp_path, monkeypatch):
    """Run the pipeline with some settings and return the bytes of everything that it wrote."""
    monkeypatch.setenv("BUSLINE_WORKERS", "1")
    monkeypatch.chdir(REPOSITORY)

    def run_once(name, **changes):
        params = small_params(**SMALL, **changes)
        run_all(tmp_path / name, write(tmp_path / f"{name}.yaml", params), params)
        return contents(tmp_path / name)

    return run_once


def test_the_positive_class_may_be_listed_first_and_nothing_changes(run):
    """Only the report differs: it lists the parameters."""
    last, first = run("last"), run("first", split__classes=["malignant", "benign"])
    assert list(first) == list(last)
    assert [name for name in last if first[name] != last[name]] == ["reports/report.html", "reports/report.md"]
