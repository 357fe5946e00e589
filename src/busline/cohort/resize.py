"""Change the size of images and masks that are arrays already; what reads them from files is in formats/."""

from __future__ import annotations

import numpy as np
from PIL import Image

HALF = 128
"""Half of white: a mask's pixel counts as lesion from here on."""


def fit_size(width: int, height: int, max_side: int) -> tuple[int, int]:
    """Return (width, height) reduced so that the longer side is at most ``max_side``; never enlarged."""
    scale = min(1.0, max_side / max(width, height))
    return max(1, round(width * scale)), max(1, round(height * scale))


def resize_image(image: np.ndarray, width: int, height: int) -> np.ndarray:
    """Return a uint8 image (h, w) as uint8 (height, width), averaged where it shrinks so that nothing aliases."""
    if image.shape == (height, width):
        return image
    return np.asarray(Image.fromarray(image).resize((width, height), Image.Resampling.BILINEAR))


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
