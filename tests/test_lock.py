"""The lock knows the class of kernels that wrote it, and a machine of another one says so."""

import json
import subprocess

import pytest

from busline import lock
from busline.lock import changed_stages, classes_of, largest_change, network_stages, read_note

STAGES = """schema: '2.0'
stages:
  cnn@a: {params: {params.yaml: {seed: 1, train: {kernels: avx2}}}, outs: [{path: o, md5: %s}]}
  lesion: {params: {params.yaml: {train.precision: fp32}}, outs: [{path: l, md5: %s}]}
  audit: {params: {params.yaml: {train: {kernels: avx2}, audit: {}}}, outs: [{path: u, md5: c}]}
  split: {params: {params.yaml: {seed: 1}}, outs: [{path: s, md5: c}]}
"""
METRICS = '{"cnn": {"a": {"roc_auc": {"mean": %s, "low": 0.1}, "f1": {"mean": %s}}}}'


def stages(one="a", other="b"):
    return lock._yaml(STAGES % (one, other))


def test_stages_with_other_outputs_are_found():
    assert changed_stages(stages(), stages()) == set()
    assert changed_stages(stages(), stages("x")) == {"cnn@a"}
    assert changed_stages({}, stages()) == set(stages())


def test_networks_are_the_stages_that_track_the_precision():
    assert network_stages(stages()) == {"cnn@a", "lesion"}


@pytest.mark.parametrize(
    ("noted", "changed", "expected"),
    [
        (["old"], {"cnn@a", "lesion"}, ["own"]),
        (["old"], {"cnn@a"}, ["old", "own"]),
        (["own"], {"cnn@a"}, ["own"]),
        ([], {"cnn@a"}, ["own", "unknown"]),
        (["old"], {"split"}, ["old"]),
    ],
)
def test_a_lock_is_of_the_classes_that_made_its_networks(noted, changed, expected):
    assert classes_of(noted, "own", {"cnn@a", "lesion"}, changed) == expected


def test_the_largest_change_is_that_of_a_headline_figure():
    figure, change = largest_change(METRICS % (0.75, 0.1), METRICS % (0.754, 0.9))
    assert (figure, round(change, 6)) == (("cnn", "a", "roc_auc"), 0.004)
    assert largest_change("", METRICS % (0.75, 0.1)) is None


@pytest.fixture
def repository(tmp_path, monkeypatch):
    """A repository whose lock, written by another class, is committed."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(lock, "kernel_class", lambda kernels: f"x86_64 {kernels}")
    (tmp_path / "reports").mkdir()
    (tmp_path / "params.yaml").write_text(
        "train: {kernels: avx2, precision: fp32, plateau_factor: 0.5, plateau_patience: 5, min_learning_rate: 0.1, "
        "stop_patience: 2}\n"
    )
    (tmp_path / "dvc.lock").write_text(STAGES % ("a", "b"))
    (tmp_path / "reports/metrics.json").write_text(METRICS % (0.75, 0.1))
    (tmp_path / "reports/kernels.json").write_text('{"classes": ["x86_64 native avx512f intel"]}')
    identity = ["-c", "user.name=n", "-c", "user.email=e@x"]
    for command in (["init", "-q"], ["add", "."], [*identity, "commit", "-qm", "m"]):
        subprocess.run(["git", *command], check=True)
    return tmp_path


def test_a_machine_of_another_class_says_so_before_and_after(repository, capsys):
    lock.main(written=False)
    said = capsys.readouterr().out
    assert said.count("\n") == 1
    assert "written with x86_64 native avx512f intel kernels, this machine has x86_64 avx2" in said
    lock.main(written=True)
    assert not capsys.readouterr().out, "nothing has run"
    (repository / "dvc.lock").write_text(STAGES % ("x", "y"))
    (repository / "reports/metrics.json").write_text(METRICS % (0.754, 0.1))
    (repository / "reports/noise.json").write_text('{"families": {"cnn": {"a": {"roc_auc": {"sd": 0.012}}}}}')
    lock.main(written=True)
    said = capsys.readouterr().out
    assert "2 stages have other bytes than the last commit" in said
    assert "headline figure is 0.004 (roc_auc of cnn/a), where another seed of training is worth 0.012" in said
    assert read_note(lock.NOTE) == ["x86_64 avx2"]
    lock.main(written=False)
    assert not capsys.readouterr().out, "now it is this class's"


def test_nothing_is_said_where_nothing_is_known(repository, capsys):
    lock.NOTE.unlink()
    lock.main(written=False)
    lock.NOTE.write_text(json.dumps({"classes": 1}))
    lock.main(written=False)
    assert not capsys.readouterr().out
