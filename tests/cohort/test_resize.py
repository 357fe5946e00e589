"""Sizes of arrays, held against Pillow's, whose arithmetic they repeat."""

import numpy as np
import pytest
from PIL import Image

from busline.cohort.resize import fit_size, resize_image, resize_mask
from helpers_cohort import draw_mask

SIZES = ((1, 1), (1, 90), (17, 16), (64, 64), (101, 37), (48, 160), (203, 256), (151, 40))
"""Height and width."""
ROWS_FIRST = ((170, 40, 20, 39), (170, 40, 60, 80), (120, 60, 60, 29), (120, 60, 60, 31))
"""Height and width before and after, around the limit at which rows go first."""


def test_sizes_shrink_in_proportion_and_never_grow():
    assert fit_size(1024, 618, 256) == (256, 154)
    assert fit_size(300, 600, 256) == (128, 256)
    assert fit_size(200, 100, 256) == (200, 100)
    assert fit_size(10_000, 16, 256) == (256, 1)


def test_a_shrunk_image_is_averaged_not_sampled():
    stripes = np.zeros((64, 64), dtype=np.uint8)
    stripes[:, ::2] = 200
    assert np.abs(resize_image(stripes, 16, 16).astype(int)[:, 1:-1] - 100).max() <= 8


def test_a_shrunk_mask_keeps_its_area_and_a_tiny_lesion_stays():
    mask = draw_mask((256, 192))
    assert resize_mask(mask, 64, 48).mean() == pytest.approx(mask.mean(), abs=0.02)
    tiny = np.zeros((100, 100), dtype=bool)
    tiny[99, 42] = True
    small = resize_mask(tiny, 10, 10)
    assert small.sum() == 1
    assert small[9, 4]
    assert not resize_mask(np.zeros((100, 100), dtype=bool), 10, 10).any()


def pillows(image, width, height):
    return np.asarray(Image.fromarray(image).resize((width, height), Image.Resampling.BILINEAR))


@pytest.mark.parametrize("before", SIZES)
@pytest.mark.parametrize("kind", ["noise", "black and white", "white"])
def test_an_image_is_resized_to_pillows_bytes(before, kind):
    image = np.random.default_rng(list(before)).integers(0, 256, before, dtype=np.uint8)
    image = {"noise": image, "white": image | 255, "black and white": (image > 127) * np.uint8(255)}[kind]
    for height, width in SIZES:
        np.testing.assert_array_equal(resize_image(image, width, height), pillows(image, width, height))


@pytest.mark.parametrize(("height", "width", "new_height", "new_width"), ROWS_FIRST)
def test_the_order_of_the_passes_is_pillows(height, width, new_height, new_width):
    image = np.random.default_rng(height + new_width).integers(0, 256, (height, width), dtype=np.uint8)
    found = resize_image(image, new_width, new_height)
    np.testing.assert_array_equal(found, pillows(image, new_width, new_height))
    in_two = pillows(pillows(image, width, new_height), new_width, new_height)
    rows_first = height - new_height > 2 * (width - new_width)
    assert np.array_equal(found, in_two) == rows_first


def test_a_window_or_a_turned_array_is_resized_as_its_copy_is():
    image = np.random.default_rng(1).integers(0, 256, (90, 70), dtype=np.uint8)
    for view in (image[10:80, 5:60], image.T, image[::-1, ::2]):
        found = resize_image(view, 33, 21)
        np.testing.assert_array_equal(found, resize_image(view.copy(), 33, 21))
        assert found.flags.c_contiguous
