"""Screenshots: scans inside the frame that a machine draws."""

import numpy as np
import pytest
from PIL import Image, ImageDraw

from busline.audit.sides import find_pairs
from busline.base.seeding import numpy_generator
from busline.cohort.duplicates.frames import find_scan, leave_frame_out
from busline.cohort.duplicates.pairs import find_duplicates, take_fingerprints
from busline.cohort.phantom.image import render
from busline.cohort.phantom.lesion import draw_findings

LIMITS = (12, 0.65)
BOX = (64, 40, 192, 140)
"""Of the scan in a screenshot of 256 × 192 pixels: half of its width and of its height."""


@pytest.fixture(scope="module")
def scans():
    result = []
    for number in range(40):
        generator = numpy_generator(4, "frames", number)
        result.append(render(draw_findings("benign", 0.5, generator), 128, 100, generator).gray)
    return result


def screenshot(scan, number):
    """Draw bars, a scale and menus round a scan, and lettering that differs."""
    picture = Image.new("L", (256, 192), 30)
    draw = ImageDraw.Draw(picture)
    draw.rectangle((0, 0, 256, 18), fill=80)
    draw.rectangle((0, 18, 40, 192), fill=55)
    for step in range(8):
        draw.rectangle((6, 26 + 20 * step, 34, 40 + 20 * step), outline=170)
        draw.line((210, 40 + 14 * step, 226, 40 + 14 * step), fill=220)
    draw.text((130, 3), f"ID {number * 7919 % 10000:04d}", fill=230)
    picture.paste(Image.fromarray(scan), BOX[:2])
    return np.asarray(picture)


def prints_of(images):
    return take_fingerprints([f"{number:03d}" for number in range(len(images))], images)


def inside(images):
    return leave_frame_out(prints_of(images), lambda row: images[row])


def test_different_scans_in_one_frame_are_no_copies_though_the_whole_screens_are_alike(scans):
    shots = [screenshot(scan, number) for number, scan in enumerate(scans)]
    assert len(find_duplicates(prints_of(shots), *LIMITS)) > 20
    prints, box = inside(shots)
    expected = (BOX[0] / 256, BOX[2] / 256, BOX[1] / 192, BOX[3] / 192)
    assert box == pytest.approx(expected, abs=1.5 / 64)
    assert find_duplicates(prints, *LIMITS).empty
    assert find_pairs(prints.case_ids, shots, *LIMITS).empty  # the audit looks in the same way


def test_a_copy_in_the_frame_is_still_found_and_so_is_its_rotation(scans):
    """The aspect is that of the scan, or a rotation would not be found."""
    turned = np.asarray(Image.fromarray(scans[3]).rotate(9, Image.Resampling.BILINEAR))
    lit = np.clip(scans[5] * 0.8 + 20, 0, 255).astype(np.uint8)
    shots = [screenshot(scan, number) for number, scan in enumerate([*scans, turned, lit])]
    prints, _ = inside(shots)
    assert prints.aspects == pytest.approx(np.full(42, 1.28), abs=0.03)
    found = find_duplicates(prints, *LIMITS)
    assert found[["case_a", "case_b", "kind"]].to_numpy().tolist() == [
        ["003", "040", "rotated"],
        ["005", "041", "near"],
    ]


def test_equal_files_stay_exact_copies(scans):
    shots = [screenshot(scan, number) for number, scan in enumerate(scans)]
    prints, _ = inside([*shots, shots[7]])
    assert find_duplicates(prints, *LIMITS)[["case_a", "case_b", "kind"]].to_numpy().tolist() == [
        ["007", "040", "exact"]
    ]


def test_scans_without_a_frame_are_compared_as_they_are(scans):
    prints, box = inside(scans)
    assert box is None
    np.testing.assert_array_equal(prints.thumbnails, prints_of(scans).thumbnails)


def test_few_images_or_equal_ones_have_no_frame(scans):
    shots = [screenshot(scan, number) for number, scan in enumerate(scans)]
    assert find_scan(prints_of(shots[:9]).thumbnails) is None
    assert find_scan(prints_of([shots[0]] * 12).thumbnails) is None


def test_half_a_cohort_of_screenshots_has_no_common_frame(scans):
    mixed = [screenshot(scan, number) if number % 2 else scan for number, scan in enumerate(scans)]
    assert inside(mixed)[1] is None
