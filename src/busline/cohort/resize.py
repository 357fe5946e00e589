"""Change the size of images and masks that are arrays already; what reads them from files is in formats/.

The arithmetic is that of Pillow 13's bilinear resize, bit for bit, in whole numbers. Done here it is the same whichever
Pillow is installed (version 13 changed the order of the two passes, and with it last bits), and what trains on stored
images needs no library of picture files.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np

HALF = 128
"""Half of white: a mask's pixel counts as lesion from here on."""
BITS = 22
"""Fractional bits of a weight: with 8 bits of gray and a sign they fit an int32."""


def fit_size(width: int, height: int, max_side: int) -> tuple[int, int]:
    """Return (width, height) reduced so that the longer side is at most ``max_side``; never enlarged."""
    scale = min(1.0, max_side / max(width, height))
    return max(1, round(width * scale)), max(1, round(height * scale))


def resize_image(image: np.ndarray, width: int, height: int) -> np.ndarray:
    """Return a uint8 image (h, w) as uint8 (height, width), averaged where it shrinks so that nothing aliases.

    Rows and columns are reduced one after the other, each rounded to gray levels. Columns go first, unless the height
    loses more than twice the pixels that the width does.
    """
    if image.shape == (height, width):
        return image
    if image.shape[0] > height and image.shape[0] - height > 2 * (image.shape[1] - width):
        return np.ascontiguousarray(_resize_rows(_resize_rows(image, height).T, width).T)
    return _resize_rows(_resize_rows(image.T, width).T, height)


def resize_mask(mask: np.ndarray, width: int, height: int) -> np.ndarray:
    """Return a boolean mask (h, w) as boolean (height, width): true where at least half of a pixel was.

    A lesion too small for that keeps the pixel its middle lies in, so that it never vanishes.
    """
    if mask.shape == (height, width):
        return mask
    cover = resize_image(mask.view(np.uint8) * np.uint8(255), width, height)
    reduced: np.ndarray = cover >= HALF
    if mask.any() and not reduced.any():
        rows, columns = np.nonzero(mask)
        reduced = np.zeros((height, width), dtype=bool)
        reduced[int(rows.mean() * height / mask.shape[0]), int(columns.mean() * width / mask.shape[1])] = True
    return reduced


def _resize_rows(image: np.ndarray, count: int) -> np.ndarray:
    """Return uint8 (h, w) as uint8 (count, w), contiguous."""
    image = np.ascontiguousarray(image)
    if len(image) == count:
        return image
    total = np.full((count, image.shape[1]), 1 << (BITS - 1), np.int32)
    for places, weights in zip(*_taps(len(image), count), strict=True):
        total += image[places] * weights[:, None]
    total >>= BITS
    return total.astype(np.uint8)


@lru_cache(maxsize=128)
def _taps(source: int, target: int) -> tuple[np.ndarray, np.ndarray]:
    """Return which of ``source`` pixels make each of ``target`` ones, and how much each counts.

    The weights fall off linearly from the middle of the new pixel to its neighbours' middles, or, where pixels are
    enlarged, to those of the old pixels.

    Returns:
        positions int64 and weights int32 of :data:`BITS` fractional bits, both (k, target).
    """
    scale = source / target
    reach = max(scale, 1.0)
    middle = (np.arange(target) + 0.5) * scale
    first = np.maximum((middle - reach + 0.5).astype(np.int64), 0)
    end = np.minimum((middle + reach + 0.5).astype(np.int64), source)
    places = first[:, None] + np.arange((end - first).max())
    weights = np.maximum(1.0 - np.abs((places - middle[:, None] + 0.5) * (1.0 / reach)), 0.0)
    weights[places >= end[:, None]] = 0.0
    total = np.cumsum(weights, axis=1)[:, -1:]  # added from first to last, as the last bits want it
    fixed = (weights * (1.0 / total) * (1 << BITS) + 0.5).astype(np.int32)
    return np.minimum(places, source - 1).T.copy(), fixed.T.copy()
