"""Files that cross a stage: whole or not at all, the same bytes for the same content, nothing unpickled."""

import json
import pickle
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest
import torch

from busline.base import artifacts
from busline.base.errors import DataError


def test_an_interrupted_write_leaves_the_old_file(tmp_path):
    path = tmp_path / "out.json"
    artifacts.save_json({"a": 1}, path)
    with pytest.raises(KeyboardInterrupt), artifacts.atomic_file(path) as part:
        part.write_text("half")
        raise KeyboardInterrupt
    assert json.loads(path.read_text()) == {"a": 1}
    assert [entry.name for entry in tmp_path.iterdir()] == ["out.json"]


def test_an_interrupted_folder_leaves_the_old_one(tmp_path):
    folder = tmp_path / "out"
    with artifacts.atomic_folder(folder) as part:
        (part / "a").write_text("old")
    with pytest.raises(OSError, match="disk"), artifacts.atomic_folder(folder) as part:
        (part / "a").write_text("new")
        raise OSError("disk")
    assert (folder / "a").read_text() == "old"
    assert [entry.name for entry in tmp_path.iterdir()] == ["out"]


def test_a_kill_in_mid_write_leaves_no_half_file(tmp_path):
    code = (
        "import os, sys; from pathlib import Path; from busline.base.artifacts import atomic_file\n"
        "with atomic_file(Path(sys.argv[1])) as part:\n"
        "    part.write_text('half'); os.kill(os.getpid(), 9)"
    )
    path = tmp_path / "out.json"
    assert subprocess.run([sys.executable, "-c", code, path], env={"PYTHONPATH": "src"}, check=False).returncode == -9
    assert not path.exists()


def test_json_is_sorted_rounded_and_null_for_what_is_undefined(tmp_path):
    path = tmp_path / "a.json"
    artifacts.save_json({"b": np.float32(0.1), "a": float("nan"), "c": [np.int64(2), np.bool_(True)]}, path)
    assert path.read_text() == '{\n  "a": null,\n  "b": 0.1,\n  "c": [\n    2,\n    true\n  ]\n}\n'


def test_tables_arrays_and_tensors_come_back(tmp_path):
    table = pd.DataFrame({"a": [1.5, np.nan], "b": ["x", None]})
    artifacts.save_table(table, tmp_path / "t.parquet")
    pd.testing.assert_frame_equal(artifacts.load_table(tmp_path / "t.parquet"), table)
    array = np.arange(6, dtype=np.uint8).reshape(2, 3)
    artifacts.save_array(array, tmp_path / "a.npy")
    np.testing.assert_array_equal(artifacts.load_array(tmp_path / "a.npy", mmap=True), array)
    tensors = {"w": torch.arange(3.0)}
    artifacts.save_tensors(tensors, tmp_path / "t.safetensors")
    assert torch.equal(artifacts.load_tensors(tmp_path / "t.safetensors")["w"], tensors["w"])


def test_the_same_content_gives_the_same_bytes(tmp_path):
    table = pd.DataFrame({"a": np.random.default_rng(0).random(100), "b": ["x", "y"] * 50})
    for name in ("one", "two"):
        artifacts.save_table(table, tmp_path / name)
        artifacts.save_tensors({"b": torch.ones(2), "a": torch.zeros(3)}, tmp_path / f"{name}.st")
    assert (tmp_path / "one").read_bytes() == (tmp_path / "two").read_bytes()
    assert (tmp_path / "one.st").read_bytes() == (tmp_path / "two.st").read_bytes()


@pytest.mark.parametrize(
    ("load", "name"),
    [(artifacts.load_table, "x.parquet"), (artifacts.load_tensors, "x.safetensors"), (artifacts.load_json, "x.json")],
)
def test_a_missing_file_says_how_to_make_it(tmp_path, load, name):
    with pytest.raises(DataError, match="dvc repro"):
        load(tmp_path / name)


@pytest.mark.parametrize(("load", "name"), [(artifacts.load_table, "x"), (artifacts.load_tensors, "x")])
def test_a_pickle_is_refused(tmp_path, load, name):
    path = tmp_path / name
    path.write_bytes(pickle.dumps({"w": 1}))
    with pytest.raises(DataError):
        load(path)


def test_an_object_array_is_refused(tmp_path):
    path = tmp_path / "x.npy"
    np.save(path, np.array([{}], dtype=object), allow_pickle=True)
    with pytest.raises(ValueError, match="allow_pickle"):
        artifacts.load_array(path)


def test_files_of_inactive_models_are_removed(tmp_path):
    for name in ("a.parquet", "b.parquet", ".gitignore"):
        (tmp_path / name).write_text("")
    (tmp_path / "c").mkdir()
    artifacts.keep_only(tmp_path, ["a"], ".parquet")
    assert sorted(entry.name for entry in tmp_path.iterdir()) == [".gitignore", "a.parquet"]
    artifacts.keep_only(tmp_path / "nothing", [])
