"""Studies: settings that params.yaml has, and results kept whole from the experiment's commit."""

import shutil
import subprocess

import pytest
from dvc.utils.hydra import apply_overrides
from ruamel.yaml import YAML

from busline.base.errors import BuslineError
from busline.base.params import Params
from busline.base.settings.reading import parse_settings
from busline.study import KEPT, experiment_reference, format_value, keep_results, read_study
from imports import REPOSITORY
from made_repository import ask_for_help


def test_the_command_is_declared_and_says_what_it_takes(monkeypatch, capsys):
    assert ask_for_help("busline-study", monkeypatch) == 0
    assert "A file of studies/" in capsys.readouterr().out


@pytest.mark.parametrize("name", [path.stem for path in (REPOSITORY / "studies").glob("*.yaml")])
def test_a_study_sets_what_params_yaml_has(name):
    content = YAML(typ="safe", pure=True).load((REPOSITORY / "params.yaml").read_text())
    for key, value in read_study(REPOSITORY / "studies", name).items():
        *parents, last = key.split(".")
        section = content
        for parent in parents:
            section = section[parent]
        assert last in section, f"{key} is no key of params.yaml"
        section[last] = value
    parse_settings(Params, content)


def test_an_unknown_study_is_met_with_near_matches():
    with pytest.raises(BuslineError, match="chowdhary2026"):
        read_study(REPOSITORY / "studies", "chowdary")


def test_values_are_written_as_set_param_reads_them():
    assert format_value([True, None, 0.5, "custom_cnn"]) == "[true,null,0.5,custom_cnn]"


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("seg.encoder", "tu-tf_efficientnet_lite0.in1k"),
        *[
            ("seg.encoder", text)
            for text in ("a,b", "a=b", "null", "True", "12345678", "1e5", "it's", "[x]", "", "x\\")
        ],
        ("seg.encoder", "https://a.b/c?d=1&e={f}"),
        ("seg.learning_rate", 1e-05),
        ("headline.classification", None),
        ("headline.described", [{"model": "vote/dnn+custom_cnn", "metric": "roc_auc", "against": None}]),
    ],
)
def test_dvc_reads_the_value_that_was_meant(tmp_path, key, value):
    shutil.copyfile(REPOSITORY / "params.yaml", tmp_path / "params.yaml")
    apply_overrides(tmp_path / "params.yaml", [f"{key}={format_value(value)}"])
    found = YAML(typ="safe", pure=True).load((tmp_path / "params.yaml").read_text())
    for part in key.split("."):
        found = found[part]
    assert (found, type(found)) == (value, type(value))


@pytest.mark.parametrize("content", [b"a: [1", b"a: 1\na: 2", b"a: !!python/name:os.system ''", b"\x00", b"a: \xff"])
def test_a_study_that_is_no_yaml_is_one_error(tmp_path, content):
    (tmp_path / "mine.yaml").write_bytes(content)
    with pytest.raises(BuslineError, match="is no YAML"):
        read_study(tmp_path, "mine")


def test_a_studys_keys_are_words(tmp_path):
    (tmp_path / "mine.yaml").write_text("1: 2\n")
    with pytest.raises(BuslineError, match="is no mapping"):
        read_study(tmp_path, "mine")


def test_results_come_from_the_experiments_commit(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)

    def git(*arguments):
        names = ["-c", "user.name=a", "-c", "user.email=a@b"]
        return subprocess.run(["git", *names, *arguments], check=True, capture_output=True, text=True).stdout.strip()

    git("init", "-q")
    for source in KEPT.values():
        path = tmp_path / source
        path.parent.mkdir(exist_ok=True)
        path.write_text(f"{source} of the experiment\n")
    git("add", "-A")
    git("commit", "-qm", "experiment")
    git("update-ref", experiment_reference("small"), "HEAD")
    git("update-ref", f"refs/exps/zz/{'z' * 38}/small", git("hash-object", "-w", ".git/HEAD"))  # of another commit
    (tmp_path / "params.yaml").write_text("the workspace's\n")
    (tmp_path / "results").mkdir()
    (tmp_path / "results/report.md").write_text("of the run before\n")
    (tmp_path / "results/audit.md").write_text("written by hand\n")
    keep_results(experiment_reference("small"), tmp_path / "results")
    found = {path.name: path.read_text() for path in (tmp_path / "results").iterdir()}
    kept = {target: f"{source} of the experiment\n" for target, source in KEPT.items()}
    assert found == {**kept, "audit.md": "written by hand\n"}
    with pytest.raises(BuslineError, match="no experiment"):
        keep_results(experiment_reference("other"), tmp_path / "nothing")
    assert not (tmp_path / "nothing").exists()
