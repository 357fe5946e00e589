"""`make noise`: what it refuses, two seeds of the pipeline's own stages, and the experiments that DVC runs for it."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from busline import noise as command
from busline.base.artifacts import load_json
from busline.base.errors import BuslineError, ParameterError
from busline.base.results import load_result
from busline.evaluation.seed_noise import NOT_MEASURED, Noise
from busline.noise import measure_seeds, show
from imports import REPOSITORY
from made_inputs import small_params
from made_repository import start_project
from whole_pipeline import run_to_metrics, write

TINY = {
    "data__cohorts__phantom__phantom": {"cases": 30, "normal": 0, "width": 64, "height": 64},
    "tabular__active": ["logreg", "random_forest", "dnn"],
    "dnn_search": {"hidden": [], "dropout": []},
    "augmentation__active": [],
    "cnn__active": [],
    "merged__active": [],
    "seg__active": [],
    "illustrate__saliency": None,
    "tabular__models__random_forest__n_estimators": 10,
    "evaluate__bootstrap": 100,
}
PROJECT = """\
stages:
  cases:
    cmd: echo made >> {log} && echo cases > cases.txt
    params: [seed.data]
    outs: [cases.txt]
  evaluate:
    cmd: {python} evaluate.py
    deps: [cases.txt, evaluate.py]
    params: [seed.train, shift]
    metrics: [reports/metrics.json: {{cache: false}}]
  report:
    cmd: exit 1
    deps: [reports/metrics.json]
"""
EVALUATE = """\
import json, pathlib
values = dict(line.strip().split(": ") for line in open("params.yaml") if ": " in line)
score = 0.5 + (int(values["train"]) - 2026) / 10 + float(values["shift"])
folder = pathlib.Path("reports")
folder.mkdir(exist_ok=True)
content = {"tabular": {"dnn": {"roc_auc": {"mean": score}}, "logreg": {"roc_auc": {"mean": 0.7}}}}
(folder / "metrics.json").write_text(json.dumps(content))
"""


def test_the_repository_has_a_table_that_the_report_depends_on():
    """DVC knows no input that may be missing; so the file is there from the start, with nothing in it."""
    load_result(Noise, REPOSITORY / "reports/noise.json", command="make noise")


@pytest.mark.parametrize(
    ("count", "settings", "message"),
    [
        (1, [], "N: is 1\n  expected: 2 or more seeds"),
        (0, [], "N: is 0"),
        (2, ["seed.train=3"], "-S seed.train=3: sets the seed that is varied here"),
        (2, ["shift=1", "seed=3"], "-S seed=3: sets the seed"),
        (2, ["+seed.train=3"], "sets the seed"),
        (2, ["shift"], "-S shift: has no value"),
    ],
)
def test_what_cannot_be_is_refused_before_anything_runs(count, settings, message):
    with pytest.raises(ParameterError) as error:
        measure_seeds(2026, count, settings, lambda *_: pytest.fail("it ran"))
    assert message in str(error.value)


def test_two_seeds_of_the_pipeline(tmp_path, monkeypatch):
    """Forests and networks move, logistic regression does not; the same seeds give the same table."""
    monkeypatch.setenv("BUSLINE_WORKERS", "1")
    monkeypatch.chdir(REPOSITORY)

    def run(seed, settings):
        params = small_params(**TINY, seed__train=seed)
        root = tmp_path / str(seed)
        run_to_metrics(root, write(tmp_path / f"{seed}.yaml", params), params)
        return load_json(root / "reports/metrics.json")

    noise = measure_seeds(2026, 2, [], run)
    assert noise.seeds == [2026, 2027]
    found = noise.families["tabular"]
    assert found["logreg"]["roc_auc"].sd == found["logreg"]["pooled_roc_auc"].sd == 0.0
    for name in ("random_forest", "dnn"):
        spread = found[name]["pooled_roc_auc"]
        assert spread.sd == pytest.approx(abs(spread.values[0] - spread.values[1]))
        assert spread.sd > 0.0


@pytest.fixture
def project(tmp_path, monkeypatch):
    """A DVC project of two stages, one of which depends on the seed of training, and a third that must not run."""
    folder = tmp_path / "project"
    folder.mkdir()
    files = {
        "dvc.yaml": PROJECT.format(python=sys.executable, log=tmp_path / "log"),
        "params.yaml": "seed:\n  data: 1\n  train: 2026\nshift: 0.0\n",
        "evaluate.py": EVALUATE,
        ".gitignore": "/cases.txt\n",
        "reports/noise.json": json.dumps(NOT_MEASURED.model_dump()),
    }
    start_project(folder, files, monkeypatch)
    monkeypatch.setattr(command, "load_params", lambda: small_params())
    return folder


def output(*words):
    return subprocess.run(words, check=True, capture_output=True, text=True).stdout


def test_each_seed_is_an_experiment_up_to_evaluate_that_leaves_the_workspace_as_it_is(project, tmp_path, capsys):
    (project / "params.yaml").write_text("seed:\n  data: 1\n  train: 2026\nshift: 0.1\n")
    before = output("git", "diff")
    command.main(2, ["shift=0.2"])
    noise = load_result(Noise, command.RESULT, command="make noise")
    assert noise.seeds == [2026, 2027]
    assert noise.settings == ["shift=0.2"]
    dnn, logreg = (noise.families["tabular"][name]["roc_auc"] for name in ("dnn", "logreg"))
    assert (dnn.values, dnn.sd) == ([0.7, 0.8], 0.1)
    assert (logreg.values, logreg.sd) == ([0.7, 0.7], 0.0)
    assert (tmp_path / "log").read_text() == "made\n"  # once, then from the cache
    assert output("git", "for-each-ref", "refs/exps") == ""
    assert output("git", "diff", "--", "params.yaml") == before
    assert output("git", "status", "--porcelain").split() == ["M", "params.yaml", "M", "reports/noise.json"]
    first = command.RESULT.read_bytes()
    command.main(2, ["shift=0.2"])
    assert command.RESULT.read_bytes() == first
    assert "tabular/dnn" in capsys.readouterr().out


def test_a_run_that_fails_writes_nothing(project):
    before = command.RESULT.read_bytes()
    with pytest.raises(BuslineError, match="experiment noise-2026: the run did not end well"):
        command.main(2, ["shift=no_number"])
    assert command.RESULT.read_bytes() == before
    assert output("git", "for-each-ref", "refs/exps/*/*/noise-*") == ""


def test_the_printed_table_has_a_line_a_metric_and_says_what_is_undefined():
    runs = {1: {"cnn": {"a": {"roc_auc": {"mean": 0.5}}}}, 2: {"cnn": {"a": {"roc_auc": {"mean": None}}}}}
    lines = show(measure_seeds(1, 2, [], lambda seed, _: runs[seed]))
    assert lines[-1].split() == ["cnn/a", "roc_auc", "n/a", "n/a", "to", "n/a", "n/a"]
