"""Read masks: picture files that mark a lesion."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from busline.cohort.formats.pixels import read_gray
from busline.cohort.resize import HALF


def read_mask(path: Path, max_pixels: int) -> np.ndarray:
    """Read a mask as a boolean array.

    Of a mask with the two values 0 and v, v is the lesion, whatever v is; a mask with more values (JPEG, soft edges) is
    cut at half of white.

    Raises:
        ValueError: as :func:`read_gray`, or if the mask marks the whole image.
    """
    gray = read_gray(path, max_pixels)
    most = gray.max()
    two_values = gray.min() == 0 and ((gray == 0) | (gray == most)).all()
    mask: np.ndarray = gray > 0 if two_values else gray >= HALF
    if mask.all():
        raise ValueError("marks the whole image; expected the lesion white and the rest black")
    return mask
