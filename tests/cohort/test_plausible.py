"""Masks and images that can be read and are wrong, or may be."""

import logging
import shutil

import numpy as np
import pytest
from PIL import Image

from busline.base.artifacts import load_json
from busline.cohort.plausible import NOTES
from busline.cohort.sources.breast import IMAGES
from helpers_cohort import SIZE, draw_image, draw_mask, save_rgba, write_release
from made_cohort import refuse, run


def doubts_of(raw):
    return load_json(raw.parent / "data/cohort/card.json")["doubts"]


def box(left, top, right, bottom):
    mask = np.zeros((SIZE[1], SIZE[0]), dtype=np.uint8)
    mask[top:bottom, left:right] = 255
    return mask


def put(raw, mask, number=2):
    save_rgba(mask, raw / IMAGES / f"case{number:03d}_tumor.png")


def test_sound_data_raise_no_doubts_but_that_the_tests_share_a_mask(raw):
    run(raw)
    lines = ["one mask for several images: 1, 2, 3, 4"]
    expected = {"cases": {}, "same_mask": [["1", "2", "3", "4"]], "sixteen_bits": None, "lines": lines}
    assert doubts_of(raw) == expected


@pytest.mark.parametrize("lesion", [draw_mask(), box(0, 10, 8, 25) > 0, box(20, 10, 24, 14) > 0, box(0, 0, 20, 15) > 0])
def test_an_inverted_mask_is_refused_with_the_key_that_reads_it(raw, lesion):
    put(raw, ~lesion * 255)
    message = refuse(raw)
    assert "row 3 (case 2): mask case002_tumor.png marks " in message
    assert "so it is inverted" in message
    assert "masks.values: [0]" in message


def test_a_limit_says_what_is_inverted(raw):
    put(raw, ~draw_mask() * 255)
    assert run(raw, mask_border=1.0).cases["has_mask"].iloc[1]
    named = ["mask_at_all_borders", "large_lesion", "lesion_with_holes"]
    assert doubts_of(raw)["cases"] == {name: ["2"] for name in named}


@pytest.mark.parametrize(
    ("mask", "notes"),
    [
        (box(2, 2, 46, 34), ["large_lesion"]),
        (np.maximum(box(22, 0, 26, 36), box(0, 16, 48, 20)), ["mask_at_all_borders"]),
        (box(10, 10, 11, 11), ["small_lesion"]),
        (box(10, 10, 20, 20) - box(13, 13, 17, 17), []),
        (box(10, 10, 20, 20) - box(12, 12, 18, 18), ["lesion_with_holes"]),
        (box(0, 0, 9, 9) - box(2, 0, 7, 7), []),
        (box(0, 0, 30, 30), []),
    ],
)
def test_a_lesion_that_may_be_right_is_named_on_the_card(raw, mask, notes, caplog):
    put(raw, mask)
    with caplog.at_level(logging.WARNING):
        run(raw)
    assert doubts_of(raw)["cases"] == {note: ["2"] for note in notes}
    assert [line for line in caplog.messages if line.endswith(": 2")] == [
        f"warning: source 'breast': {NOTES[note]}: 2" for note in notes
    ]


@pytest.mark.parametrize("value", [0, 9, 255])
def test_a_blank_image_is_refused(raw, value):
    save_rgba(np.full((36, 48), value), raw / IMAGES / "case003.png")
    assert f"row 4 (case 3): image case003.png is blank: every pixel is {value}" in refuse(raw)


def test_an_image_that_is_blank_but_for_a_mark_is_named_on_the_card(raw):
    image = np.full((36, 48), 9)
    image[0, 0] = 255
    save_rgba(image, raw / IMAGES / "case003.png")
    run(raw)
    assert doubts_of(raw)["cases"] == {"low_contrast": ["3"]}


def test_an_image_as_mask_is_refused(tmp_path):
    raw = tmp_path / "raw"
    write_release(raw, change=lambda rows: rows[1].update(Mask_tumor_filename="case002.png"))
    message = refuse(raw)
    assert "row 3 (case 2): mask case002.png is the image of case 2" in message


def test_another_cases_image_as_mask_is_refused(tmp_path):
    raw = tmp_path / "raw"
    write_release(raw, change=lambda rows: rows[1].update(Mask_tumor_filename="case003.png"))
    assert "row 3 (case 2): mask case003.png is the image of case 3" in refuse(raw)


def test_a_copy_of_the_image_as_mask_is_refused(raw):
    shutil.copy(raw / IMAGES / "case002.png", raw / IMAGES / "case002_tumor.png")
    assert "row 3 (case 2): mask case002_tumor.png is a picture of many gray values, no mask" in refuse(raw)


def test_one_mask_file_for_two_images_is_refused(tmp_path):
    raw = tmp_path / "raw"
    write_release(raw, change=lambda rows: rows[2].update(Mask_tumor_filename="case001_tumor.png"))
    message = refuse(raw)
    assert "row 4 (case 3): mask case001_tumor.png is a mask of case 1 too, whose image is another" in message
    assert "1 problem\n" in message


def test_one_mask_file_for_two_rows_of_one_image_is_right(tmp_path):
    raw = tmp_path / "raw"
    write_release(
        raw, change=lambda rows: rows[3].update(Mask_tumor_filename="case001_tumor.png", Image_filename="case001.png")
    )
    assert len(run(raw).cases) == 5


def test_equal_masks_of_equal_images_are_no_doubt(raw):
    shutil.copy(raw / IMAGES / "case001.png", raw / IMAGES / "case002.png")
    put(raw, box(5, 5, 20, 20), 1)
    put(raw, box(5, 5, 20, 20), 2)
    put(raw, box(5, 5, 20, 21), 3)
    run(raw)
    assert doubts_of(raw)["same_mask"] == []


def test_problems_of_shared_files_stand_beside_all_others(tmp_path):
    raw = tmp_path / "raw"
    write_release(raw, change=lambda rows: rows[2].update(Mask_tumor_filename="case001_tumor.png"))
    (raw / IMAGES / "case004.png").write_bytes(b"")
    assert "2 problems\n" in refuse(raw)


def deepen(raw, factors):
    """Write images in 16 bits, each multiplied by a factor; case 1 first."""
    for number, factor in enumerate(factors, start=1):
        values = (draw_image(number).astype(np.uint32) * factor).clip(0, 65535).astype(np.uint16)
        Image.fromarray(values).save(raw / IMAGES / f"case{number:03d}.png")


def images_of(raw, **settings):
    cohort = run(raw, max_side=48, **settings)
    return [cohort.image(index).astype(int) for index in range(5)]


@pytest.mark.parametrize(("factor", "bits"), [(1, 8), (4, 10), (16, 12), (257, 16)])
def test_images_of_sixteen_bits_are_scaled_by_the_brightest_of_all(raw, factor, bits):
    before = images_of(raw)
    deepen(raw, [factor] * 5)
    for found, expected in zip(images_of(raw), before, strict=True):
        assert np.abs(found - expected).max() <= 1
    depth = doubts_of(raw)["sixteen_bits"]
    brightest = max(int(image.max()) for image in before) * factor
    assert depth == {"images": 5, "bits": bits, "declared": False, "brightest": brightest}


def test_no_file_is_scaled_by_itself(raw):
    before = images_of(raw)
    deepen(raw, [1, 1, 16, 1, 1])
    dark, _, bright, *_ = images_of(raw)
    assert np.abs(bright - before[2]).max() <= 1
    assert dark.max() == round(int(before[0].max()) * 255 / 4095)


def test_eight_bits_beside_sixteen_stay_as_they_are(raw):
    before = images_of(raw)
    deepen(raw, [16, 16])
    after = images_of(raw)
    np.testing.assert_array_equal(after[2:], before[2:])
    assert np.abs(after[0] - before[0]).max() <= 1
    assert doubts_of(raw)["sixteen_bits"]["images"] == 2


def test_no_file_is_read_twice_where_each_needs_the_same_bits(raw, monkeypatch):
    from busline.cohort.formats import pixels

    read, names = pixels.read_picture, []

    def spy(path, max_pixels):
        names.append(path.name)
        return read(path, max_pixels)

    monkeypatch.setattr(pixels, "read_picture", spy)
    deepen(raw, [257] * 5)
    run(raw)
    assert len(names) == len(set(names)) == 9
