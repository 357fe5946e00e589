"""Copies that were turned, rotated or cropped a lot, and what only looks like one."""

import numpy as np
import pytest

from busline.audit.changes import compress, cut_sides, half_turn, quarter_turn, relight, rotate, upside_down
from busline.base.seeding import numpy_generator
from busline.cohort.duplicates.pairs import find_duplicates, take_fingerprints
from busline.cohort.duplicates.rotations import VIEWS, places_of
from busline.cohort.duplicates.turning import find_filled, turned_correlation
from busline.cohort.phantom.image import render
from busline.cohort.phantom.lesion import draw_findings


@pytest.fixture(scope="module")
def scans():
    """Fifty phantoms, some wide, some high."""
    result = []
    for number in range(50):
        generator = numpy_generator(3, "turned", number)
        findings = draw_findings("malignant" if number % 3 == 0 else "benign", 0.5, generator)
        width, height = (160, 110) if number % 4 else (112, 128)
        result.append(render(findings, width, height, generator).gray)
    return result


def find(images, max_bits=12, least=0.65):
    images = [np.ascontiguousarray(image) for image in images]
    return find_duplicates(take_fingerprints([f"{n:03d}" for n in range(len(images))], images), max_bits, least)


CHANGES = {
    "upside down": (upside_down, {"upside down"}),
    "half turn": (half_turn, {"half turn"}),
    "quarter turn": (quarter_turn, {"quarter turn"}),
    "5°": (rotate(5), {"rotated", "near"}),
    "10°": (rotate(10), {"rotated"}),
    "5°, larger": (rotate(5, "larger"), {"rotated"}),
    "10°, larger": (rotate(10, "larger"), {"rotated"}),
    "5°, cut": (rotate(5, "cut"), {"rotated", "near"}),
    "10°, cut": (rotate(10, "cut"), {"rotated"}),
    "20 % a side": (cut_sides(0.2), {"near"}),
    "upside down, relit, JPEG": (lambda i, g: compress(relight(i[::-1], g), g), {"upside down"}),
    "10°, relit, JPEG": (lambda i, g: compress(relight(rotate(10)(i, g), g), g), {"rotated"}),
    "7°, mirrored": (lambda i, g: rotate(7)(i[:, ::-1], g), {"rotated"}),
}


@pytest.mark.parametrize("change", CHANGES)
def test_a_turned_copy_is_found_and_named_and_joined_to_no_other_scan(change, scans):
    """All scans are changed at once, so that what a change makes alike in all of them is there too."""
    change, kinds = CHANGES[change]
    generator = np.random.default_rng(1)
    found = find([*scans, *(change(scan, generator) for scan in scans)])
    joined = {(int(a), int(b)) for a, b in zip(found["case_a"], found["case_b"], strict=True)}
    assert joined <= {(number, number + len(scans)) for number in range(len(scans))}
    assert len(joined) >= 0.95 * len(scans)
    assert set(found["kind"]) <= kinds
    assert found["correlation"].between(0.65, 1.0).all()


def test_the_kinds_before_turning_are_left_as_they_are(scans):
    """What the first look joins is not looked at again."""
    copies = [scan[4:-6, 5:-9] for scan in scans[:10]]
    found = find([*scans[:10], *copies])
    assert set(found["kind"]) == {"near"}
    assert len(found) == 10


def test_filled_up_corners_make_no_copies_of_different_scans(scans):
    generator = np.random.default_rng(0)
    rotated = [rotate(10, "larger")(scan, generator) for scan in scans]
    assert find(rotated).empty


@pytest.mark.parametrize("fill", [0, 90, 255])
def test_an_area_of_one_gray_level_at_the_border_is_filled_up_and_one_inside_is_not(fill):
    thumbnail = np.random.default_rng(0).integers(0, 256, (1, 64, 64), dtype=np.uint8)
    thumbnail[0, :20, :20] = fill
    thumbnail[0, 40:50, 40:50] = fill
    filled = find_filled(thumbnail)[0]
    assert filled[:20, :20].all()
    assert not filled[26:].any()
    assert not filled[:, 26:].any()


def test_a_view_shows_what_the_copy_shows():
    """The middle of the upper edge of a copy rotated against the clock by 12°, on a wide image."""
    place = places_of(2.0)[VIEWS.index((12, "same"))]
    x, y = place @ [0.0, -1.0, 1.0]
    angle = np.deg2rad(12)
    assert (2.0 * x, y) == pytest.approx((np.sin(angle), -np.cos(angle)))  # in half heights


def test_a_rotation_is_aligned_from_the_nearest_view_and_a_far_one_is_given_up(scans):
    scan = scans[1]
    copy = rotate(6)(scan, np.random.default_rng(0))
    prints = take_fingerprints(["a", "b"], [scan, np.ascontiguousarray(copy)])
    views = places_of(scan.shape[1] / scan.shape[0])
    whole, part = (np.repeat(prints.thumbnails[row : row + 1], len(views), axis=0) for row in (0, 1))
    by_view = dict(zip(VIEWS, turned_correlation(whole, part, views), strict=True))
    assert max(by_view[4, "same"], by_view[-4, "same"]) > 0.9
    assert min(by_view[12, "same"], by_view[-12, "same"]) == 0


def test_no_scan_is_a_turned_copy_of_another(scans):
    assert find(scans).empty
