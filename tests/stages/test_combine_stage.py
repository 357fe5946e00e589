"""The stage combine: what it hands to the study."""

from __future__ import annotations

import numpy as np
import pandas as pd

from busline.base.artifacts import save_json, save_table
from busline.base.params import load_params
from busline.splits import make_splits
from busline.studies import combine
from helpers_cohort import load_stage, write_params

CASES = 24


def test_patients_and_near_duplicates_are_groups(tmp_path, monkeypatch):
    """Rows of the cohort in an order of their own, a normal case that is no part of the study, and a pair with it."""
    file = write_params(tmp_path / "params.yaml")
    params = load_params(file)
    ids = [f"c{number:02d}" for number in range(CASES)]
    study = pd.DataFrame({"case_id": ids, "label": np.where(np.arange(CASES) % 2, *params.split.classes)})
    patients = [*ids[:20], "p", "p", "p", *ids[23:]]
    normal = pd.DataFrame({"case_id": ["n"], "label": ["normal"], "patient_id": ["n"]})
    cohort = pd.concat([study.assign(patient_id=patients)[::-1], normal])
    duplicates = pd.DataFrame({"case_a": ["c00", "c01", "c03"], "case_b": ["c07", "c20", "n"]})
    save_table(cohort, tmp_path / "data/cohort/phantom/cases.parquet")
    save_table(duplicates, tmp_path / "data/cohort/phantom/duplicates.parquet")
    splits = make_splits(study, np.arange(CASES), params.split, params.cv, params.seed.split)
    save_table(splits, tmp_path / "data/splits/splits.parquet")
    save_table(study[["case_id"]], tmp_path / "data/features/features.parquet")
    save_json([], tmp_path / "data/features/columns.json")
    save_table(pd.DataFrame({"case_id": ids}), tmp_path / "data/lesion/outputs.parquet")
    seen = {}

    def run_combine(inputs, outputs, groups, seed):
        seen.update(zip(inputs.case_ids, groups, strict=True))
        return combine.CombineStudy({}, {})

    monkeypatch.setattr(combine, "run_combine", run_combine)
    load_stage("combine")(file, tmp_path)

    together = pd.Series(seen).groupby(pd.Series(seen)).apply(lambda part: frozenset(part.index))
    assert {group for group in together if len(group) > 1} == {
        frozenset({"c00", "c07"}),
        frozenset({"c01", "c20", "c21", "c22"}),
    }
