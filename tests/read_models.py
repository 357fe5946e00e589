"""Read every stored model of a run, in this process alone, and say where it differs from the table of predictions."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from busline.base.artifacts import load_table
from busline.base.skipped import skip_reason
from busline.cohort.outlines import unpack_rows
from busline.cohort.store import load_cohort
from busline.families import FAMILIES, Family
from busline.predictors.cases import Cases, cohort_cases
from busline.predictors.table import PREDICTORS, load_predictor
from busline.splits import Resample, by_resample


def test_rows(path: Path) -> pd.DataFrame:
    """The out-of-fold predictions that are reported."""
    table = load_table(path)
    table = table[table["split"] == "test"]
    return table[table["trained_on"] == "all"] if "trained_on" in table else table


def differing(data: Path, family: Family, model: str, resample: Resample, rows: pd.DataFrame, cases: Cases) -> int:
    """How many cases the model of one resample says another thing of than the table, to the last bit."""
    found = load_predictor(data, family, model, resample).predict(cases)
    if family.task == "segmentation":
        pairs = zip(found, unpack_rows(rows), strict=True)
        return sum(not np.array_equal(one, other) for one, (other, _) in pairs)
    wanted = rows[[name for name in rows if name.startswith("p_") and not name.startswith("p_half_")]].to_numpy()
    assert (found.dtype, found.shape) == (wanted.dtype, wanted.shape)
    return int((found != wanted).any(axis=1).sum())


def main(data: Path, cohort_name: str) -> None:
    cohort, found = load_cohort(data / "cohort" / cohort_name), []
    for key in PREDICTORS:
        for path in sorted((data / "predictions" / key).glob("*.parquet")):
            if skip_reason(load_table(path)):
                continue
            for resample, rows in by_resample(test_rows(path)):
                cases = cohort_cases(cohort, rows["case_id"].tolist())
                count = differing(data, FAMILIES[key], path.stem, resample, rows, cases)
                found.append({"model": f"{key}/{path.stem}", "resample": str(resample), "differing": count})
    print(json.dumps(found))


def read_in_a_fresh_process(data: Path, cohort: str) -> list[dict[str, Any]]:
    """What :func:`main` says of a run."""
    command = [sys.executable, __file__, data, cohort]
    said = subprocess.run(command, capture_output=True, text=True, check=True, env={**os.environ, "PYTHONPATH": "src"})
    found: list[dict[str, Any]] = json.loads(said.stdout)
    return found


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2])
