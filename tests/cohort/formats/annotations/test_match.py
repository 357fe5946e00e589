"""Entries find their images by names."""

import pytest

from busline.cohort.formats.annotations.entry import Entry
from busline.cohort.formats.annotations.match import match_entries


def pairs(names, images):
    found, problems = match_entries([Entry(name) for name in names], images)
    return {image: entry.image for image, entry in found.items()}, problems


@pytest.mark.parametrize(
    ("name", "image"),
    [
        ("images/a.png", "images/a.png"),
        ("./images/a.png", "images/a.png"),
        ("images\\a.png", "images/a.png"),
        ("a.png", "images/a.png"),
        ("train/deep/a.png", "a.png"),
        ("../../etc/a.png", "images/a.png"),
        ("C:\\Users\\x\\a.png", "images/a.png"),
        ("https://host/a.png", "images/a.png"),
        ("a.jpg", "images/a.png"),
        ("case_0000.png", "imagesTr/case_0000.nii.gz"),
        ("e\u0301.png", "\u00e9.png"),
    ],
)
def test_a_name_that_is_there_once(name, image):
    assert pairs([name, "other.png"], [image, "third.png"]) == ({image: name}, {})


def test_the_whole_path_comes_first():
    names, images = ["train/a.png", "test/a.png"], ["test/a.png", "train/a.png"]
    assert pairs(names, images) == ({name: name for name in names}, {})


def test_what_has_found_its_own_is_no_partner_of_another():
    assert pairs(["a.png"], ["a.png", "other/a.png"]) == ({"a.png": "a.png"}, {})


def test_names_in_doubt():
    _, problems = pairs(["a.png"], ["x/a.png", "y/a.png"])
    assert set(problems) == {"x/a.png", "y/a.png"}
    assert "may be the name of several images" in problems["x/a.png"]
    _, problems = pairs(["x/a.png", "y/a.png"], ["z/a.png"])
    assert "2 entries are called 'a.png'" in problems["z/a.png"]
    found, problems = pairs(["a.png", "a.png"], ["a.png"])
    assert not found
    assert "expected one, of one annotator" in problems["a.png"]


def test_nothing_to_find():
    assert pairs([], ["a.png"]) == ({}, {})
    assert pairs(["b.png"], ["a.png"]) == ({}, {})
