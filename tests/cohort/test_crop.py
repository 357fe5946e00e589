"""The scan is cut out of every screenshot, and out of its mask, as dataset.yaml says."""

import shutil

import numpy as np
import pytest
from PIL import Image
from ruamel.yaml import YAML

from busline.base.artifacts import load_json
from busline.base.errors import DataError
from busline.cohort.formats.crops import edges_of
from busline.cohort.ingest import ingest
from busline.cohort.sources.folder import read_folder
from busline.cohort.store import load_cohort
from helpers_cohort import ROOT, SETTINGS

EXAMPLE = ROOT / "examples/folder"
BORDER = {"left": 40, "top": 24, "right": 8, "bottom": 16}
"""Pixels of frame round each scan."""


def paste(path, frame):
    with Image.open(path) as picture:
        scan = picture.convert("L")
    size = (scan.width + BORDER["left"] + BORDER["right"], scan.height + BORDER["top"] + BORDER["bottom"])
    screen = Image.new("L", size, frame)
    screen.paste(scan, (BORDER["left"], BORDER["top"]))
    screen.save(path)
    return size


@pytest.fixture
def shots(tmp_path):
    """The example's images and masks, all 96 × 72 pixels, inside a frame; images have white in it."""
    own = shutil.copytree(EXAMPLE, tmp_path / "own")
    for kind, frame in (("images", 255), ("masks", 0)):
        for path in sorted((own / kind).iterdir()):
            with Image.open(path) as picture:
                resized = picture.convert("L").resize((96, 72), Image.Resampling.NEAREST)
            resized.save(path)
            paste(path, frame)
    return own


def declare(own, **images):
    yaml = YAML()
    content = yaml.load((own / "dataset.yaml").read_text(encoding="utf-8"))
    content["images"] = images
    yaml.dump(content, own / "dataset.yaml")


def cohort_of(own, folder):
    ingest(read_folder(own), "folder", folder, SETTINGS.model_copy(update={"max_side": 200}))
    return load_cohort(folder)


PIXELS = [40, 24, 136, 96]
SHARES = [40 / 144, 24 / 112, 136 / 144, 96 / 112]


@pytest.mark.parametrize("crop", [PIXELS, SHARES], ids=["pixels", "shares"])
def test_image_and_mask_are_cut_and_the_card_says_so(shots, tmp_path, crop):
    declare(shots, crop=crop)
    cohort = cohort_of(shots, tmp_path / "cut")
    with Image.open(shots / "images/s01.png") as picture:
        expected = np.asarray(picture)[24:96, 40:136]
    np.testing.assert_array_equal(cohort.image(0), expected)
    assert cohort.mask(0).shape == expected.shape
    with Image.open(shots / "masks/s01.png") as picture:
        np.testing.assert_array_equal(cohort.mask(0) > 0, np.asarray(picture)[24:96, 40:136] > 0)
    card = load_json(tmp_path / "cut/card.json")
    assert card["crop"] == pytest.approx(dict(zip(("left", "top", "right", "bottom"), crop, strict=True)), abs=1e-5)
    assert card["images"]["width"]["max"] == 96
    assert cohort.cases["pixel_mm"][0] == pytest.approx(0.31)  # nothing was scaled


def test_without_the_key_the_frame_is_read_and_the_card_has_no_crop(shots, tmp_path):
    cohort = cohort_of(shots, tmp_path / "whole")
    assert cohort.image(0).shape == (112, 144)
    assert "crop" not in load_json(tmp_path / "whole/card.json")


def test_a_crop_in_pixels_refuses_images_of_another_size_and_one_in_shares_does_not(shots, tmp_path):
    for kind in ("images", "masks"):
        path = shots / kind / "s02.png"
        with Image.open(path) as picture:
            wide = Image.new("L", (150, 112))
            wide.paste(picture)
        wide.save(path)
    declare(shots, crop=PIXELS)
    with pytest.raises(DataError, match="image of case s02 has 150 × 112 pixels, most have 144 × 112"):
        cohort_of(shots, tmp_path / "cohort")
    declare(shots, crop=SHARES)
    assert cohort_of(shots, tmp_path / "cohort").cases["width"].tolist()[:2] == [96, 100]


def test_a_crop_beyond_the_image_or_without_the_lesion_is_refused(shots, tmp_path):
    declare(shots, crop=[40, 24, 160, 96])
    with pytest.raises(DataError, match="s01.png has 144 × 112 pixels; images.crop reaches to 160 × 96"):
        cohort_of(shots, tmp_path / "cohort")
    declare(shots, crop=[20, 8, 44, 40])
    with pytest.raises(DataError, match="s01.png marks nothing inside images.crop of its 144 × 112 pixels"):
        cohort_of(shots, tmp_path / "cohort")


def test_a_lesion_that_is_cut_is_named_on_the_card(shots, tmp_path):
    declare(shots, crop=[80, 24, 136, 96])
    cohort_of(shots, tmp_path / "cohort")
    assert "s01" in load_json(tmp_path / "cohort/card.json")["doubts"]["cases"]["cropped_mask"]


def test_white_outside_the_crop_of_deep_images_is_not_what_they_are_scaled_by(shots, tmp_path):
    for path in sorted((shots / "images").iterdir()):
        with Image.open(path) as picture:
            values = np.asarray(picture).astype(np.uint16)
        values[:24] = 60000
        values[24:96, :40] = values[24:96, 136:] = values[96:] = 60000
        Image.fromarray(values * np.uint16(1)).save(path)
    declare(shots, crop=PIXELS)
    cohort_of(shots, tmp_path / "cohort")
    assert load_json(tmp_path / "cohort/card.json")["doubts"]["sixteen_bits"]["bits"] == 8


@pytest.mark.parametrize(
    ("crop", "reason"),
    [
        ([100, 24, 40, 96], "is empty"),
        ([0.5, 24, 100, 96], "mixes pixels and shares"),
        ([-1, 0, 100, 96], "greater than or equal to 0"),
        ([0, 0, 100], "images.crop"),
        (["0", 0, 100, 96], "images.crop"),
    ],
)
def test_a_wrong_crop_is_refused_by_its_key(shots, crop, reason):
    declare(shots, crop=crop)
    with pytest.raises(DataError, match=reason):
        read_folder(shots)


def test_too_little_inside_is_refused():
    with pytest.raises(ValueError, match="has 10 × 72 pixels inside images.crop; expected 16 or more"):
        edges_of((144, 112), (40, 24, 50, 96))
    assert edges_of((144, 112), None) == (0, 0, 144, 112)
