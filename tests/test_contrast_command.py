"""`make contrast`: what it asks of its runs, two settings under two seeds, and the experiment that DVC runs for it."""

from __future__ import annotations

import shutil
import subprocess
import sys

import numpy as np
import pytest
from ruamel.yaml import YAML

from busline import contrast as command
from busline.base.artifacts import load_json
from busline.base.errors import BuslineError, ParameterError
from busline.base.results import load_result
from busline.base.settings.reading import read_parameters
from busline.contrast import fetch, measure, run_arms, writing_stage
from busline.contrast_plan import read_plan
from busline.evaluation.contrasts import Contrasts
from busline.families import FAMILIES
from imports import REPOSITORY
from made_contrasts import make_run
from made_inputs import small_params
from made_repository import ask_for_help, start_project

ASKED = {
    "study": None,
    "settings": {"cv.repeats": 2, "cv.image_repeats": 2},
    "seeds": 2,
    "pairs": [
        {
            "what": "a longer training",
            "metrics": ["roc_auc"],
            "model": {"name": "cnn/custom_cnn", "settings": {"cnn.models.custom_cnn.epochs": 9}},
            "against": {"name": "cnn/custom_cnn", "settings": {}},
        },
        {
            "what": "pictures against the table",
            "metrics": ["roc_auc"],
            "model": {"name": "cnn/custom_cnn", "settings": {}},
            "against": {"name": "tabular/logreg", "settings": {}},
        },
        {
            "what": "outlines",
            "metrics": ["iou", "dice"],
            "model": {"name": "lesion_segment/lesion", "settings": {"cv.image_repeats": 1}},
            "against": {"name": "lesion_segment/lesion", "settings": {"cv.image_repeats": 1, "lesion.epochs": 9}},
        },
    ],
}


@pytest.fixture
def project(tmp_path, monkeypatch):
    """A folder with parameters, the repository's stages and a contrast."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "contrasts").mkdir()
    YAML().dump(ASKED, tmp_path / "contrasts/x.yaml")
    YAML().dump(small_params(cv__folds=4, evaluate__bootstrap=100).model_dump(), tmp_path / "params.yaml")
    (tmp_path / "dvc.yaml").write_bytes((REPOSITORY / "dvc.yaml").read_bytes())
    return tmp_path


class Pretended:
    """Writes made files for a run, better the longer it would train, and notes what was asked of it."""

    def __init__(self, plan):
        self.plan, self.asked = plan, []

    def __call__(self, name, settings, targets, paths, folder):
        self.asked.append((name, settings, targets))
        values = dict(setting.split("=") for setting in settings)
        arms = self.plan.runs[int(name.split("-")[2]) - 1]
        seed = int(values["seed.train"])
        longer = "9" in (values.get("cnn.models.custom_cnn.epochs"), values.get("lesion.epochs"))
        make_run(folder / "data", seed=seed, skill=2.5 if longer else 1.0, side=0 if longer else 2)
        content = arms[0].params.model_dump()
        content["seed"]["train"] = seed
        YAML().dump(content, folder / "params.yaml")
        assert all((folder / path).is_file() for path in paths)


def test_the_command_is_declared_and_says_what_it_takes(monkeypatch, capsys):
    assert ask_for_help("busline-contrast", monkeypatch) == 0
    assert "A file of contrasts/" in capsys.readouterr().out


def test_a_run_a_setting_and_seed_as_far_as_the_stages_that_write_its_predictions(project):
    plan = read_plan("x")
    run = Pretended(plan)
    measure(plan, run)
    both = ["cv.repeats=2", "cv.image_repeats=2"]
    assert run.asked[:4] == [
        (f"contrast-x-1-{seed}", [*both, "cnn.models.custom_cnn.epochs=9", f"seed.train={seed}"], ["cnn@custom_cnn"])
        for seed in (2026, 2027)
    ] + [
        (f"contrast-x-2-{seed}", [*both, f"seed.train={seed}"], ["cnn@custom_cnn", "tabular@logreg"])
        for seed in (2026, 2027)
    ]
    assert [targets for _, _, targets in run.asked[4:]] == [["lesion"]] * 4


def test_pairs_are_compared_over_cases_and_seeds(project):
    plan = read_plan("x")
    longer, table, iou, dice = measure(plan, Pretended(plan)).pairs
    assert longer.difference > 0.1
    assert longer.low < longer.cases_low < longer.difference < longer.cases_high < longer.high
    assert longer.difference == pytest.approx(longer.model.mean - longer.against.mean)
    assert (longer.cases, longer.patients, longer.groups) == (40, 39, 37)
    assert [(side.folds, side.repeats) for side in (longer.model, dice.model)] == [(4, 2), (4, 1)]
    assert longer.against.values == table.model.values
    assert longer.against.sd == pytest.approx(np.std(longer.against.values, ddof=1))
    assert [pair.one_run for pair in (longer, table, iou, dice)] == [False, True, False, False]
    assert (iou.against.mean, dice.against.mean) == (1.0, 1.0)
    assert iou.model.mean < dice.model.mean < 1.0
    assert iou.high < 0.0


def test_numbers_and_page_are_written_both_or_neither_and_the_same_again(project, monkeypatch, capsys):
    asked = {**ASKED, "pairs": ASKED["pairs"][1:2]}
    YAML().dump(asked, project / "contrasts/x.yaml")
    monkeypatch.setattr(command, "run_arms", Pretended(read_plan("x")))
    command.main("x")
    files = [command.RESULTS / f"x.{kind}" for kind in ("json", "md")]
    first = [path.read_bytes() for path in files]
    found = load_result(Contrasts, files[0], command="make contrast")
    assert (found.name, found.seeds, found.settings) == ("x", [2026, 2027], ASKED["settings"])
    assert "| pictures against the table" in capsys.readouterr().out
    command.main("x")
    assert [path.read_bytes() for path in files] == first
    YAML().dump({**asked, "seeds": 3}, project / "contrasts/x.yaml")
    with monkeypatch.context() as broken:
        broken.setattr(command, "page", lambda contrasts: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            command.main("x")
    assert sorted(path.read_bytes() for path in command.RESULTS.iterdir()) == sorted(first)
    command.main("x")
    assert load_json(files[0])["seeds"] == [2026, 2027, 2028]
    assert files[1].read_bytes() != first[1]


def test_parameters_that_change_while_runs_are_going_end_it(project):
    plan = read_plan("x")

    def run(name, settings, targets, paths, folder):
        Pretended(plan)(name, settings, targets, paths, folder)
        path = folder / "params.yaml"
        path.write_text(path.read_text().replace("bootstrap: 100", "bootstrap: 101"))

    with pytest.raises(ParameterError, match="params.yaml: was changed while runs were going"):
        measure(plan, run)


def test_every_familys_predictions_are_written_by_a_stage():
    stages = read_parameters(REPOSITORY / "dvc.yaml")["stages"]
    found = {key: writing_stage(stages, family, "m") for key, family in FAMILIES.items()}
    others = {"dnn_search": "dnn_search", "vote": "vote", "lesion": "combine", "lesion_parts": "combine"}
    assert found == {key: f"{key}@m" for key in FAMILIES} | others | {"lesion_segment": "lesion"}
    with pytest.raises(ParameterError, match="no stage writes data/predictions/cnn"):
        writing_stage({"vote": stages["vote"]}, FAMILIES["cnn"], "m")


STAGES = """\
stages:
  cohort:
    cmd: mkdir -p data/cohort && echo cases > data/cohort/cases && echo pixels > data/cohort/pixels
    outs: [data/cohort]
  cnn:
    matrix:
      model: ${{active}}
    cmd: {python} train.py ${{item.model}}
    deps: [data/cohort, train.py]
    params: [seed.train]
    outs: ["data/predictions/${{item.model}}"]
  report:
    cmd: exit 1
    deps: [data/predictions/a]
"""
TRAIN = """\
import pathlib, sys
seed = next(line.split(": ")[1] for line in open("params.yaml") if "train: " in line)
path = pathlib.Path("data/predictions", sys.argv[1])
path.parent.mkdir(exist_ok=True)
path.write_text(f"{sys.argv[1]} {int(seed)}\\n")
"""


@pytest.fixture
def small_project(tmp_path, monkeypatch):
    """A DVC project whose outputs are in no commit."""
    files = {
        "dvc.yaml": STAGES.format(python=sys.executable),
        "params.yaml": "seed:\n  train: 1\nactive:\n- a\n",
        "train.py": TRAIN,
        ".gitignore": "/data/\n/out/\n",
    }
    return start_project(tmp_path, files, monkeypatch)


def output(*words):
    return subprocess.run(words, check=True, capture_output=True, text=True).stdout


def test_outputs_of_an_experiment_are_fetched_and_it_is_removed(small_project):
    paths = ["params.yaml", "data/cohort/cases", "data/predictions/b"]
    out = small_project / "out"
    run_arms("contrast-x-1-7", ["active=[a,b]", "seed.train=7"], ["cnn@b"], paths, out)
    found = {path.relative_to(out).as_posix() for path in out.rglob("*") if path.is_file()}
    assert found == set(paths)
    assert (out / "data/predictions/b").read_text() == "b 7\n"
    assert (out / "data/cohort/cases").read_text() == "cases\n"
    assert "train: 7" in (out / "params.yaml").read_text()
    assert output("git", "for-each-ref", "refs/exps/*/*/contrast-*") == output("git", "status", "--porcelain") == ""
    with pytest.raises(BuslineError, match="experiment contrast-x-1-8: the run did not end well"):
        run_arms("contrast-x-1-8", ["seed.train=none"], ["cnn@a"], paths, out)
    assert output("git", "for-each-ref", "refs/exps/*/*/contrast-*") == ""


def test_a_file_that_a_commit_lacks_or_the_cache_has_lost_is_named(small_project):
    for words in ("dvc repro -q cnn@a", "git add -A", "git commit -qm run"):
        subprocess.run(words.split(), check=True)
    fetch("HEAD", ["data/predictions/a"], small_project / "out")
    assert (small_project / "out/data/predictions/a").read_text() == "a 1\n"
    with pytest.raises(BuslineError, match="HEAD: data/predictions/b: is missing"):
        fetch("HEAD", ["data/predictions/b"], small_project / "out")
    shutil.rmtree(small_project / ".dvc/cache")
    with pytest.raises(BuslineError, match="HEAD: data/predictions/a: is missing"):
        fetch("HEAD", ["data/predictions/a"], small_project / "out")
