"""The fold cache: what was trained is not trained again, whatever decides a result is in its key, entries are whole."""

import os
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from busline.base.runtime import Runtime
from busline.base.settings.tabular import Dnn
from busline.studies import cnn, dnn
from busline.training import cache as cache_module
from busline.training.cache import FoldCache, unit_keys
from busline.training.results import FoldResult
from made_inputs import made_inputs, small_params
from made_studies import train_cnn, train_dnn

RESULTS = [
    FoldResult(
        {"tune": np.array([0.25, 1.0], dtype=np.float32), "test": np.zeros((2, 3), dtype=np.uint8)},
        [{"phase": "train", "epoch": 1, "train_loss": 0.1 + 0.2, "val_score": float("nan")}],
        {"head.weight": np.arange(6.0).reshape(2, 3), "body.0.num_batches_tracked": np.array(7)},
    ),
    FoldResult({"tune": np.ones(1, dtype=np.float32), "test": np.ones((0, 3), dtype=np.uint8)}, [], {}),
]


def key(context=0, units=((1,),), device="cpu", function=None, kernels="avx2"):
    return unit_keys(function or cnn.train_unit, context, units, device, kernels)[0]


def test_what_is_put_comes_back(tmp_path):
    cache = FoldCache(tmp_path, 10**9)
    assert cache.get("a") is None
    cache.put("a", RESULTS)
    found = cache.get("a")
    assert len(found) == 2
    for one, other in zip(found, RESULTS, strict=True):
        assert list(one.probabilities) == list(other.probabilities)
        assert repr(one.curve) == repr(other.curve)
        for arrays, expected in ((one.probabilities, other.probabilities), (one.state, other.state)):
            for name, array in expected.items():
                assert (arrays[name].dtype, arrays[name].shape) == (array.dtype, array.shape)
                np.testing.assert_array_equal(arrays[name], array)


@pytest.mark.parametrize("damage", ["cut", "empty", "noise"])
def test_a_broken_entry_is_as_good_as_none(tmp_path, damage):
    cache = FoldCache(tmp_path, 10**9)
    cache.put("a", RESULTS)
    (path,) = cache.folder.iterdir()
    whole = path.read_bytes()
    path.write_bytes({"cut": whole[:-5], "empty": b"", "noise": b"\xff" * 100}[damage])
    assert cache.get("a") is None
    assert not path.exists()


def test_the_least_recently_used_go_first(tmp_path):
    size = 0
    for number, name in enumerate("abc"):
        cache = FoldCache(tmp_path, 10**9)
        cache.put(name, RESULTS)
        path = cache.folder / f"{name}.safetensors"
        os.utime(path, (number, number))
        size = path.stat().st_size
    assert cache.get("a")
    FoldCache(tmp_path, 3 * size).put("d", RESULTS)
    assert sorted(path.stem for path in cache.folder.iterdir()) == ["a", "c", "d"]


def test_a_folder_that_cannot_be_written_stops_nothing(tmp_path, capsys):
    (tmp_path / "folds").write_text("")
    FoldCache(tmp_path, 10**9).put("a", RESULTS)
    assert "cannot be written" in capsys.readouterr().out
    assert FoldCache(tmp_path, 10**9).get("a") is None


DNN = Dnn(hidden=8, dropout=0.2, batch_size=16, epochs=3, learning_rate=0.001)
CHANGES = [
    {"context": 1},
    {"context": "0"},
    {"context": [0]},
    {"context": np.zeros(2)},
    {"context": np.zeros(2, dtype=np.float32)},
    {"context": np.zeros((2, 1))},
    {"context": {"a": 0}},
    {"context": DNN},
    {"context": DNN.model_copy(update={"dropout": 0.3})},
    {"units": ((2,),)},
    {"units": ((1, 2),)},
    {"units": ((1, None),)},
    {"function": dnn.train_unit},
    {"kernels": "native"},
]


def test_whatever_decides_a_result_changes_the_key():
    keys = [key(), *(key(**change) for change in CHANGES)]
    assert len(set(keys)) == len(keys)
    assert key() == key()


def test_versions_processor_and_code_change_the_key(monkeypatch):
    before = key()
    for name in ("_version", "_processor", "code_digest"):
        with monkeypatch.context() as patch:
            patch.setattr(cache_module, name, lambda *_: "other")
            assert key() != before


def test_what_has_no_fixed_bytes_is_refused():
    with pytest.raises(TypeError, match="DataFrame"):
        key(pd.DataFrame())


@pytest.fixture
def trained(monkeypatch):
    """Count the jobs that are trained."""
    counts = []
    for module in (cnn, dnn):

        def count(context, jobs, place, function=module.train_unit):
            counts.extend(str(job) for job in jobs)
            return function(context, jobs, place)

        count.__module__, count.__qualname__ = module.__name__, "train_unit"
        monkeypatch.setattr(module, "train_unit", count)
    return counts


def test_growing_the_repeats_trains_the_new_ones_alone(tmp_path, trained):
    runtime = Runtime(cache=tmp_path)
    one, three = small_params(), small_params(cv__repeats=3, cv__image_repeats=3)
    few, many = made_inputs(one, side=32), made_inputs(three, side=32)
    first = train_cnn(few, one, runtime=runtime)
    train_dnn(few, one, runtime=runtime)
    trained.clear()
    grown = train_cnn(many, three, runtime=runtime)
    assert trained == [f"repeat {repeat}, fold {fold}" for repeat in (1, 2) for fold in (0, 1)]
    same = grown.predictions["repeat"] < 1
    pd.testing.assert_frame_equal(grown.predictions[same].reset_index(drop=True), first.predictions)
    trained.clear()
    train_dnn(many, three, runtime=runtime)
    assert len(trained) == 2 * 4
    assert all(job.startswith(("repeat 1", "repeat 2")) for job in trained)
    fresh = train_cnn(many, three, runtime=Runtime())
    pd.testing.assert_frame_equal(grown.predictions, fresh.predictions)
    pd.testing.assert_frame_equal(grown.curves, fresh.curves)


@pytest.mark.parametrize(
    "change", [{"seed__train": 1}, {"cnn__models__custom_cnn__learning_rate": 0.01}, {"train__stop_patience": 9}]
)
def test_a_parameter_that_matters_trains_again(tmp_path, trained, change):
    params = small_params()
    inputs = made_inputs(params, side=32)
    for settings, count in ((params, 3), (params, 0), (small_params(**change), 3)):
        trained.clear()
        train_cnn(inputs, settings, runtime=Runtime(cache=tmp_path))
        assert len(trained) == count


def test_other_data_trains_again(tmp_path, trained):
    params = small_params()
    inputs = made_inputs(params, side=32)
    train_cnn(inputs, params, runtime=Runtime(cache=tmp_path))
    trained.clear()
    images = inputs.images.copy()
    images[0, 0, 0] += 1
    changed = replace(inputs, images=images)
    train_cnn(changed, params, runtime=Runtime(cache=tmp_path))
    assert len(trained) == 3


def test_a_failed_network_is_not_kept(tmp_path):
    from busline.base.errors import TrainingError

    params = small_params(cnn__models__custom_cnn__learning_rate=1e30)
    with pytest.raises(TrainingError, match="3 of 3 networks failed"):
        train_cnn(made_inputs(params, side=32), params, runtime=Runtime(cache=tmp_path))
    assert not list(tmp_path.glob("folds/*.safetensors"))
