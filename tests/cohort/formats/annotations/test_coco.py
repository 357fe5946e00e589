"""COCO files: polygons, parts, runs in both forms, and numbers that refer to each other."""

import re

import numpy as np
import pytest

from busline.cohort.formats.annotations.coco import read_coco, unpack_counts
from busline.cohort.formats.annotations.draw import draw_outline, unpack_runs
from busline.cohort.shapes import Outline, Runs
from made_outlines import SIZE, area_of, coco, lesion, to_runs

RING = lesion()
PACKED = {
    "k=9j02N2N2N2O0000000000000001N2N2N2NRe0": 249,
    "k=9j02N2N2N2O0000000000000001N2N2N2N\\81dG000000000000000000000": 369,
    "X;`f0Xd0": 720,
    "01ne10": 2,
}
"""Masks of 48 × 36 pixels as pycocotools 2.0.11 packs them, and their areas: a disc of radius 9 round (20, 15); it
and the corner from (36, 26) on; the columns from 10 to 29; the first and the last pixel."""


def area(entry):
    mask, _ = draw_outline(Outline("", tuple(mark.shape for mark in entry.marks)), SIZE[::-1], 10**6)
    return mask.sum()


def only(entries):
    assert len(entries) == 1
    return entries[0]


def test_coco_unites_parts_and_several_annotations():
    one, other = lesion(100, 100, 40), lesion(300, 200, 50)
    content = coco({"a.png": [one.ravel().tolist(), other.ravel().tolist()]})
    assert area(only(read_coco(content))) == pytest.approx(area_of(one) + area_of(other), rel=2e-3)
    content["annotations"][0]["segmentation"].pop()
    content["annotations"].append({"id": 9, "image_id": 0, "category_id": 7, "segmentation": [other.ravel().tolist()]})
    assert area(only(read_coco(content))) == pytest.approx(area_of(one) + area_of(other), rel=2e-3)


@pytest.mark.parametrize(("text", "expected"), PACKED.items())
def test_packed_runs_are_those_of_pycocotools(text, expected):
    content = coco({"a.png": {"size": [36, 48], "counts": text}}, (48, 36))
    mask = unpack_runs(only(read_coco(content)).marks[0].shape)
    assert mask.sum() == expected
    rows, columns = np.mgrid[:36, :48]
    disc = np.hypot(columns - 20, rows - 15) < 9
    truths = [disc, disc | ((columns > 35) & (rows > 25)), (columns >= 10) & (columns < 30), (rows + columns) % 82 == 0]
    np.testing.assert_array_equal(mask, truths[list(PACKED).index(text)])


def test_runs_as_numbers_are_the_same_as_packed_ones():
    for text in PACKED:
        mask = unpack_runs(Runs(48, 36, np.array(unpack_counts(text))))
        assert to_runs(mask) == unpack_counts(text)


@pytest.mark.parametrize(
    ("segmentation", "words"),
    [
        ([[1, 2, 3, 4, 5]], "has 5 numbers; expected x, y"),
        ([[1, 2, 3, 4]], "has 2 points; expected 3 to 50,000"),
        ([[1, 2, 3, 4, 5, "6"]], "is '6'; expected a number"),
        ([[1, 2, 3, 4, 5, True]], "is True; expected a number"),
        ([[1, 2, 3, 4, 5, None]], "is None; expected a number"),
        ([[1, 2, 3, 4, 5, 1e300]], "expected a number"),
        ([[[1, 2], [3, 4], [5, 6]]], "expected"),
        ([1, 2, 3, 4, 5, 6], "expected a list"),
        ("lesion", "expected a list"),
        ({"size": [300, 400], "counts": [5]}, "runs of 5 pixels in all; its size says 400 × 300"),
        ({"size": [300, 400], "counts": [-5, 120_005]}, "no lengths of runs"),
        ({"size": [300, 400], "counts": [119_999.5, 0.5]}, "no lengths of runs"),
        ({"size": [300, 400], "counts": [True, 119_999]}, "no lengths of runs"),
        ({"size": [300], "counts": [1]}, "expected height and width"),
        ({"size": [300, 4e9], "counts": [1]}, "expected"),
        ({"size": [300, 400]}, "expected a list"),
        ({"size": [300, 400], "counts": "01n"}, "counts were cut"),
        ({"size": [300, 400], "counts": "\x01~"}, "no packed runs"),
        ({"size": [300, 400], "counts": "o" * 9}, "no packed runs"),
    ],
)
def test_coco_refuses_what_is_no_outline(segmentation, words):
    assert words in only(read_coco(coco({"a.png": segmentation}))).marks[0].problem


def test_coco_without_segmentation_is_a_box():
    for nothing in ([], None):
        assert only(read_coco(coco({"a.png": nothing}))).marks[0].other == "box"


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda whole: whole.pop("images"), "has no `images`"),
        (lambda whole: whole["annotations"][0].update(image_id=8), "is of image '8', which is not among `images`"),
        (lambda whole: whole["annotations"][0].update(category_id=8), "category '8', which is not among `categories`"),
        (lambda whole: whole["images"].append(whole["images"][0]), "has the id '0' twice in `images`"),
        (lambda whole: whole["images"][0].pop("file_name"), "file_name of an image is None"),
        (lambda whole: whole.update(annotations={}), "annotations is {}; expected a list"),
        (lambda whole: whole["annotations"].append(3), "annotation 2 is 3; expected a mapping"),
    ],
)
def test_coco_refuses_what_refers_to_nothing(change, words):
    content = coco({"a.png": [RING.ravel().tolist()]})
    change(content)
    with pytest.raises(ValueError, match=re.escape(words)):
        read_coco(content)
