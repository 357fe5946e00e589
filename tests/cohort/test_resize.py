"""Sizes of images and masks that are arrays."""

import numpy as np
import pytest

from busline.cohort.resize import fit_size, resize_image, resize_mask
from helpers_cohort import draw_mask


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
