"""Probability maps as bytes, and the outline that is drawn in one."""

from __future__ import annotations

import numpy as np

from busline.cohort.resize import resize_image


def map_bytes(probability: np.ndarray) -> np.ndarray:
    """Return probabilities in [0, 1] as bytes, uint8 of the same shape; what is no number is 0."""
    grays: np.ndarray = np.rint(np.nan_to_num(probability) * 255.0).astype(np.uint8)
    return grays


def outline_at(chances: np.ndarray, width: int, height: int) -> np.ndarray:
    """Return where a map (s, s) of bytes, brought to (height, width), is above one half: bool (height, width)."""
    outline: np.ndarray = resize_image(chances, width, height) > 127
    return outline
