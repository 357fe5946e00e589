"""The command `busline-cohort`: the file of kept folds, and what differs between two versions of a cohort."""

import pandas as pd
import pytest
from typer.testing import CliRunner

from busline.base.artifacts import save_table
from busline.growth import app, compare_cases
from busline.kept_folds import digest, read_kept
from busline.splits import MASTER
from made_predictions import make_splits
from made_repository import ask_for_help

RUNNER = CliRunner()


def table(**changes):
    cases = {
        "a": {"label": "benign", "patient_id": "p", "image": "00", "Age": 34.0},
        "b": {"label": "malignant", "patient_id": "q", "image": "01", "Age": None},
        "c": {"label": "benign", "patient_id": "r", "image": None, "Age": 50.0},
    } | changes
    return pd.DataFrame.from_dict({case: row for case, row in cases.items() if row}, orient="index")


def test_the_same_cohort_differs_in_nothing():
    assert compare_cases(table(), table()) == ["cases: 3 → 3; added: 0, removed: 0, relabelled: 0"]


def test_cases_added_removed_relabelled_and_changed_are_named():
    changed = table(
        a={"label": "malignant", "patient_id": "p", "image": "00", "Age": 35.0},
        b={"label": "malignant", "patient_id": "q2", "image": "02", "Age": None},
        c=None,
        d={"label": "normal", "patient_id": "s", "image": "03", "Age": None},
    ).assign(site="x")
    assert compare_cases(table(), changed) == [
        "cases: 3 → 3; added: 1, removed: 1, relabelled: 1",
        "+ d: normal",
        "- c: benign",
        "~ a: benign → malignant",
        "~ b: of another patient",
        "~ b: another image",
        "~ column Age: another value in 1 cases",
        "+ column site",
    ]


@pytest.mark.parametrize("command", ["keep", "diff"])
def test_the_commands_help(command, monkeypatch):
    assert ask_for_help("busline-cohort", monkeypatch) == 0
    assert RUNNER.invoke(app, [command, "--help"]).exit_code == 0


def test_keep_writes_what_the_split_stage_reads(tmp_path):
    splits = make_splits(cases=30, folds=3, repeats=1)
    save_table(splits, tmp_path / "data/splits/splits.parquet")
    result = RUNNER.invoke(app, ["keep", str(tmp_path / "folds/mine.csv"), "--root", str(tmp_path)])
    assert result.exit_code == 0
    assert "roles of 30 cases" in result.output
    kept = read_kept(tmp_path / "folds/mine.csv")
    master = splits[splits["scheme"] == "master"].set_index("case_id")["role"]
    assert kept[MASTER] == {digest(case): role for case, role in master.items()}


def test_diff_reads_two_cohorts(tmp_path):
    for name, cases in (("old", table()), ("new", table(c=None))):
        rows = cases.rename_axis("case_id").reset_index()
        save_table(rows.drop(columns="image"), tmp_path / name / "cases.parquet")
        hashes = rows[["case_id", "image"]].rename(columns={"image": "sha256"}).dropna()
        save_table(hashes, tmp_path / name / "hashes.parquet")
    result = RUNNER.invoke(app, ["diff", str(tmp_path / "old"), str(tmp_path / "new")])
    assert result.output.splitlines() == ["cases: 3 → 2; added: 0, removed: 1, relabelled: 0", "- c: benign"]
