"""Both images of a pair beside each other, for a person to judge.

They hold pixels of the data: they lie in the cohort's folder and the cached report, never in Git.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
from PIL import Image

from busline.cohort.resize import fit_size, resize_image

PICTURES = 12
SIDE = 224
GAP = 8


def save_pictures(folder: Path, pairs: pd.DataFrame, image_of: Callable[[str], np.ndarray]) -> None:
    """Write ``pairs/01.png`` and so on of the first pairs of a table.

    Args:
        folder: the cohort's folder.
        pairs: ``case_a, case_b``, the first :data:`PICTURES` of which are drawn.
        image_of: returns the image of a case, uint8 (height, width).
    """
    for number, (a, b) in enumerate(pairs[["case_a", "case_b"]].head(PICTURES).itertuples(index=False), start=1):
        path = folder / "pairs" / f"{number:02d}.png"
        path.parent.mkdir(exist_ok=True)
        Image.fromarray(beside(image_of(a), image_of(b))).save(path)


def beside(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    """Return two images, each fitted into a square of :data:`SIDE` pixels, uint8 (SIDE, 2 · SIDE + GAP)."""
    sheet = np.full((SIDE, 2 * SIDE + GAP), 255, dtype=np.uint8)
    for place, image in enumerate((one, other)):
        height, width = image.shape
        size = fit_size(width, height, SIDE)
        start = place * (SIDE + GAP)
        sheet[:, start : start + SIDE] = 0
        sheet[: size[1], start : start + size[0]] = resize_image(np.ascontiguousarray(image), *size)
    return sheet
