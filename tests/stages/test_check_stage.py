"""The check stage: a file for every active name, and lists where a folder must be there with none in it."""

import pytest

from busline.base.artifacts import load_json
from busline.base.errors import ParameterError
from helpers_cohort import load_stage, write_params

LISTS = ["models/cnn", "models/tabular", "predictions/cnn", "predictions/segment", "predictions/tabular"]


def check(folder, **changes):
    load_stage("check")(write_params(folder / "params.yaml", **changes), folder)


def test_every_active_segmenter_has_a_file(tmp_path):
    check(tmp_path, seg__models={"unet": {}, "other": {}, "off": {}}, seg__active=["other", "unet"])
    assert sorted(path.name for path in (tmp_path / "data/check/seg").iterdir()) == ["other", "unet"]
    assert load_json(tmp_path / "data/predictions/segment/active.json") == ["other", "unet"]


def test_folders_that_are_read_as_a_whole_are_there_when_nothing_is_active(tmp_path):
    off = {f"{key}__active": [] for key in ("tabular", "cnn", "merged", "seg")}
    check(tmp_path, **off, illustrate__saliency=None)
    assert not (tmp_path / "data/check/seg").exists()
    assert [load_json(tmp_path / f"data/{place}/active.json") for place in LISTS] == [[]] * 5


def test_a_name_that_would_be_part_of_a_command_is_refused_and_nothing_written(tmp_path):
    with pytest.raises(ParameterError, match=r"seg.active.0: String should match pattern"):
        check(tmp_path, seg__active=["x; touch pwned #"])
    assert not (tmp_path / "data").exists()
