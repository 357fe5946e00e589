"""Two cohorts side by side: phantoms, and a user's folder that holds some of them again."""

import csv

import numpy as np
import pytest
from PIL import Image
from ruamel.yaml import YAML

from busline.base.artifacts import load_array, load_json, load_table
from busline.base.errors import ParameterError
from busline.cohort.sources.breast import IMAGES
from helpers_cohort import files_of, load_stage, run_stage, write_params

acquire, check, folder, ingest, overlap, place = (
    load_stage(name) for name in ("acquire", "check", "folder", "ingest", "overlap", "place")
)
PHANTOMS = {"cases": 14, "normal": 0, "width": 128, "height": 96}
SAME, AGAIN, OTHER = (2, 5), (7,), (1, 2)
"""Phantoms that the folder holds as they are, and saved again; scans of its own."""


def write_folder(own, phantoms):
    """A folder with scans s1, s2 … in the order of :data:`SAME`, :data:`AGAIN` and :data:`OTHER`."""
    own.mkdir()
    images = [Image.open(phantoms / f"case{number:03d}.png").convert("L") for number in (*SAME, *AGAIN)]
    images[-1] = Image.fromarray(np.clip(np.asarray(images[-1])[4:-3, ::-1] * 0.8 + 15, 0, 255).astype(np.uint8))
    noise = [np.random.default_rng(seed).integers(20, 230, (9, 12), dtype=np.uint8) for seed in OTHER]
    images += [Image.fromarray(coarse).resize((128, 96), Image.Resampling.BICUBIC) for coarse in noise]
    for number, image in enumerate(images, start=1):
        image.save(own / f"s{number}.png")
    with (own / "table.csv").open("w", newline="", encoding="utf-8") as file:
        rows = [(f"s{number}", f"s{number}.png", "b") for number in range(1, len(images) + 1)]
        csv.writer(file).writerows([("scan", "file", "finding"), *rows])
    content = {"table": "table.csv", "case_id": "scan", "patient_id": "each image", "image": "file", "label": "finding"}
    content["labels"] = {"b": "benign"}
    YAML().dump(content, own / "dataset.yaml")


def write_settings(path, own, **settings):
    cohorts = {"phantom": {"source": "phantom", "phantom": PHANTOMS}, "own": {"source": "folder"}}
    changes = {"data__active": ["phantom", "own"], "data__cohorts": cohorts, "data__folders": {"own": str(own)}}
    return write_params(path, **{**changes, **settings})


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    root = tmp_path_factory.mktemp("cohorts")
    params = write_settings(root / "params.yaml", root / "mine")
    check(params, root)
    for name in ("phantom", "own"):
        place(name, root)
    acquire("phantom", params, root)
    write_folder(root / "mine", root / "data/raw/phantom" / IMAGES)
    (root / "mine/private.txt").write_text("nobody named me")
    folder("own", params, root)
    acquire("own", params, root)
    for name in ("phantom", "own"):
        ingest(name, params, root)
    (root / "data/cohort/inactive").mkdir()
    overlap(params, root)
    return root


def test_each_cohort_has_its_own_folders(run):
    assert sorted(path.name for path in (run / "data/raw").iterdir()) == ["own", "phantom"]
    assert load_json(run / "data/cohort/own/card.json")["cases"] == 5
    assert load_json(run / "data/cohort/phantom/card.json")["cases"] == PHANTOMS["cases"]
    assert set(load_table(run / "data/cohort/own/cases.parquet")["source"]) == {"folder"}


def test_the_check_names_what_the_stages_of_a_cohort_depend_on(run):
    assert sorted(files_of(run / "data/check/data")) == ["own", "phantom"]
    assert sorted(files_of(run / "data/check/folders")) == ["own"]


def test_what_the_table_names_is_copied_once_and_for_the_cohort_that_has_a_folder_alone(run):
    own = {name: content for name, content in files_of(run / "mine").items() if name != "private.txt"}
    assert files_of(run / "data/folders/own/files") == files_of(run / "data/raw/own") == own
    assert files_of(run / "data/folders/phantom") == {"place": b"phantom\n"}


def test_the_planted_pairs_are_found_and_no_other(run):
    pairs = load_table(run / "data/overlap/pairs.parquet")
    found = list(pairs.drop(columns=["distance", "correlation"]).itertuples(index=False, name=None))
    expected = [("phantom", str(case), "own", f"s{place}", "exact") for place, case in enumerate(SAME, start=1)]
    assert found == [*expected, ("phantom", str(AGAIN[0]), "own", "s3", "mirrored")]


def test_what_is_compared_was_kept_by_ingest(run):
    for name, cases in (("own", 5), ("phantom", PHANTOMS["cases"])):
        thumbnails = load_array(run / "data/cohort" / name / "thumbnails.npy")
        assert (thumbnails.shape, thumbnails.dtype) == ((cases, 64, 64), np.uint8)
        assert len(load_table(run / "data/cohort" / name / "hashes.parquet")) == cases


def test_cohorts_that_are_not_active_are_removed_so_that_a_pulled_clone_has_the_same_folder(run):
    assert sorted(path.name for path in (run / "data/cohort").iterdir()) == ["own", "phantom"]


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"data__main": "fantom"}, "data.main: unknown name 'fantom'"),
        ({"data__active": ["own"]}, "data.active: must have the main cohort 'phantom'"),
        ({"data__active": ["phantom", "other"]}, "data.active: unknown name 'other'"),
        ({"data__active": ["phantom", "../x"]}, "data.active.1: String should match pattern"),
        ({"data__folders": {}}, "data.folders.own: is missing"),
    ],
)
def test_the_check_refuses_what_cannot_be_and_writes_nothing(tmp_path, settings, message):
    params = write_settings(tmp_path / "params.yaml", tmp_path / "mine", **settings)
    with pytest.raises(ParameterError) as error:
        check(params, tmp_path)
    assert message in str(error.value)
    assert not (tmp_path / "data").exists()


def test_a_folder_with_too_long_a_name_is_no_trouble_of_the_disk(tmp_path):
    params = write_settings(tmp_path / "params.yaml", tmp_path / ("x" * 300))
    result = run_stage("folder", "own", "--params", params, "--root", tmp_path)
    assert result.returncode == 1
    assert result.stderr.strip().endswith("to mend:  shorten the name")
    assert len(result.stderr) < 600
