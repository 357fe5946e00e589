"""Masks that are outlines are refused, and filled when they are said to be."""

import numpy as np
import pytest
from made_masks import dice, disc, label_map, read, ring, soften
from PIL import Image, ImageDraw


def polygon(points, width, dashes=1):
    """Return a closed line through points, as bool; with dashes, every other piece of each side."""
    picture = Image.new("L", (200, 160))
    draw = ImageDraw.Draw(picture)
    for one, two in zip(points, points[1:] + points[:1], strict=True):
        ends = np.linspace(one, two, 2 * dashes)
        for start, end in zip(ends[::2], ends[1::2], strict=True):
            draw.line([*start, *end], fill=255, width=width)
    return np.asarray(picture) > 0


BOX = [(30, 20), (150, 20), (150, 130), (30, 130)]
OUTLINES = {
    "circle": (ring(), disc()),
    "thin": (ring(thickness=1.5), disc()),
    "two": (ring(radius=30, x=50) | ring(150, 100, 25), disc(50, 70, 30) | disc(150, 100, 25)),
    "box": (polygon(BOX, 2), None),
    "with a lesion in it": (ring(radius=50) | disc(radius=4), disc(radius=50)),
}


@pytest.mark.parametrize("name", OUTLINES)
@pytest.mark.parametrize("suffix", ["png", "jpg"])
def test_an_outline_is_refused_and_filled_when_said(tmp_path, name, suffix):
    outline, area = OUTLINES[name]
    with pytest.raises(ValueError, match=r"is an outline; say masks\.form: outline"):
        read(tmp_path, label_map((outline, 255)), suffix)
    if area is not None and name != "with a lesion in it":
        assert dice(read(tmp_path, label_map((outline, 255)), suffix, form="outline"), area) > 0.98


def test_a_soft_outline_is_one_too(tmp_path):
    with pytest.raises(ValueError, match="is an outline"):
        read(tmp_path, soften(ring(thickness=6), 1))


def test_one_lesion_drawn_and_one_outlined_is_refused(tmp_path):
    with pytest.raises(ValueError, match="is an outline"):
        read(tmp_path, label_map((disc(40, 40, 25) | ring(140, 110, 35), 255)))


@pytest.mark.parametrize("gap", [0.02, 0.1, 0.5])
def test_an_open_outline_is_refused_either_way(tmp_path, gap):
    rows, columns = np.mgrid[:160, :200]
    angle = np.arctan2(rows - 70, columns - 80) / (2 * np.pi) % 1
    picture = label_map((ring() & (angle > gap), 255))
    with pytest.raises(ValueError, match="a line that is not closed"):
        read(tmp_path, picture)
    with pytest.raises(ValueError, match="no closed outline"):
        read(tmp_path, picture, form="outline")


def test_a_dashed_outline_is_refused_either_way(tmp_path):
    picture = label_map((polygon(BOX, 2, dashes=8), 255))
    with pytest.raises(ValueError, match="a line that is not closed"):
        read(tmp_path, picture)
    with pytest.raises(ValueError, match="no closed outline"):
        read(tmp_path, picture, form="outline")


AREAS = {
    "disc": disc(),
    "tiny": disc(radius=3),
    "two far apart": disc(20, 20, 10) | disc(180, 140, 10),
    "three": disc(20, 20, 10) | disc(180, 140, 10) | disc(100, 80, 6),
    "with a hole": disc() & ~disc(radius=12),
    "long and slanted": polygon([(20, 20), (180, 140), (20, 20)], 24),
    "with specks": disc() | (np.random.default_rng(0).random((160, 200)) < 0.0005),
}


@pytest.mark.parametrize("name", AREAS)
def test_an_area_is_no_outline(tmp_path, name):
    np.testing.assert_array_equal(read(tmp_path, label_map((AREAS[name], 255))), AREAS[name])


@pytest.mark.parametrize("name", ["disc", "tiny", "two far apart"])
def test_an_area_that_is_said_to_be_an_outline_is_refused(tmp_path, name):
    with pytest.raises(ValueError, match="no closed outline"):
        read(tmp_path, label_map((AREAS[name], 255)), form="outline")


def test_an_empty_mask_is_neither(tmp_path):
    assert not read(tmp_path, Image.new("L", (50, 50)), form="outline").any()
