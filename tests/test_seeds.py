"""The three seeds: each redraws what is its own and leaves the others' draws as they are."""

from __future__ import annotations

import numpy as np
import pytest

from busline.audit.pipelines import Folds
from helpers_cohort import files_of, load_stage, write_params
from made_inputs import made_inputs, small_params

SMALL = {
    "data__cohorts__phantom__phantom": {"cases": 24, "normal": 1, "width": 64, "height": 64},
    "tabular__active": ["logreg", "random_forest", "dnn"],
    "tabular__models__random_forest__n_estimators": 10,
    "tabular__models__dnn__epochs": 2,
}
CASES = ("data/raw/phantom", "data/cohort/phantom")
PIXELS = ("data/cohort/phantom/images.npy",)
FEATURES = ("data/features/features.parquet",)
SPLITS = ("data/splits/splits.parquet",)


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    """Stages from acquire to the tabular models, with the tests' seeds and with one of them changed at a time."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("BUSLINE_WORKERS", "1")
        found = {}
        for key in ("none", "data", "split", "train"):
            root = tmp_path_factory.mktemp(key)
            changed = {} if key == "none" else {f"seed__{key}": 7}
            params = write_params(root / "params.yaml", **SMALL, **changed)
            for stage, *names in (("settings",), ("acquire", "phantom"), ("ingest", "phantom"), ("prune",), ("split",)):
                load_stage(stage)(*names, params_file=params, root=root)
            for model in SMALL["tabular__active"]:
                load_stage("tabular")(model, params_file=params, root=root)
            found[key] = files_of(root)
    return found


def differ(runs, key, *places):
    """Which files below some places are not those of the tests' seeds."""
    one, other = runs["none"], runs[key]
    names = [name for name in one if name.startswith(places)]
    assert names == [name for name in other if name.startswith(places)]
    assert names
    return [name for name in names if one[name] != other[name]]


def test_the_seed_of_training_leaves_data_and_splits_alone_and_changes_what_is_drawn_in_a_fit(runs):
    assert differ(runs, "train", *CASES, "data/features", "data/splits", "data/settings") == []
    predictions = "data/predictions/tabular/"
    assert differ(runs, "train", predictions) == [f"{predictions}{name}.parquet" for name in ("dnn", "random_forest")]
    networks = [name for name in differ(runs, "train", "data/models/tabular/dnn/") if name.endswith(".safetensors")]
    assert len(networks) == 8  # three folds and the master split, with the tuning cases and without


def test_the_seed_of_splits_leaves_data_and_features_alone(runs):
    assert differ(runs, "split", *CASES, *FEATURES, "data/settings") == []
    assert differ(runs, "split", *SPLITS) == [*SPLITS]


def test_the_seed_of_data_changes_the_cases(runs):
    assert differ(runs, "data", *PIXELS) == [*PIXELS]


def test_the_audits_folds_do_not_depend_on_the_seed_of_training():
    params = small_params(cv__folds=3)
    inputs = made_inputs(params)

    def test_cases(changed):
        folds = Folds(inputs, changed, np.arange(36))(inputs.labels)
        return [roles["test"].tolist() for roles in folds.values()]

    assert test_cases(params) == test_cases(small_params(cv__folds=3, seed__train=7))
    assert test_cases(params) != test_cases(small_params(cv__folds=3, seed__split=7))
