"""Copies of the cohort's own images, changed as scans are when they are saved again: how many are found.

The images never leave memory.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Sequence

import numpy as np
import pandas as pd
from PIL import Image

from busline.audit.results import Planted
from busline.audit.sides import find_pairs
from busline.base.seeding import numpy_generator
from busline.cohort.resize import resize_image
from busline.splits import group_cases

Change = Callable[[np.ndarray, np.random.Generator], np.ndarray]


def relight(image: np.ndarray, generator: np.random.Generator) -> np.ndarray:
    """Change gamma, contrast and brightness."""
    value = (image / 255.0) ** generator.uniform(0.7, 1.4)
    value = (value - 0.5) * generator.uniform(0.7, 1.3) + 0.5 + generator.uniform(-0.1, 0.1)
    return np.clip(value * 255.0, 0, 255).astype(np.uint8)


def compress(image: np.ndarray, generator: np.random.Generator) -> np.ndarray:
    """Save as JPEG of quality 40."""
    buffer = io.BytesIO()
    Image.fromarray(np.ascontiguousarray(image)).save(buffer, "JPEG", quality=40)
    return np.asarray(Image.open(buffer))


def annotate(image: np.ndarray, generator: np.random.Generator) -> np.ndarray:
    """Draw two to four calipers and a block of lettering."""
    image = image.copy()
    height, width = image.shape
    arm = max(height // 40, 1)
    for _ in range(int(generator.integers(2, 5))):
        row, column = (int(generator.integers(2 * arm, side - 2 * arm)) for side in (height, width))
        image[row - arm : row + arm + 1, column] = 255
        image[row, column - arm : column + arm + 1] = 255
    block = image[2 * arm : 4 * arm, 2 * arm : 2 * arm + width // 4]
    block[generator.random(block.shape) < 0.5] = 230
    return image


def mirror(image: np.ndarray, generator: np.random.Generator) -> np.ndarray:
    """Turn left and right."""
    return image[:, ::-1]


def resize(image: np.ndarray, generator: np.random.Generator) -> np.ndarray:
    """Enlarge or reduce to 0.6 to 1.2 of the size."""
    factor = generator.uniform(0.6, 1.2)
    height, width = image.shape
    return resize_image(np.ascontiguousarray(image), max(round(width * factor), 8), max(round(height * factor), 8))


def crop(most: float) -> Change:
    """Return a change that cuts off up to ``most`` of the side, at each side another share."""

    def cut(image: np.ndarray, generator: np.random.Generator) -> np.ndarray:
        height, width = image.shape
        left, right, top, low = generator.uniform(0, most, 4)
        rows = slice(round(top * height), height - round(low * height))
        return image[rows, round(left * width) : width - round(right * width)]

    return cut


def everything(image: np.ndarray, generator: np.random.Generator) -> np.ndarray:
    """Crop by up to 15 %, mirror every other image, relight, annotate, resize, compress."""
    image = crop(0.15)(image, generator)
    image = mirror(image, generator) if generator.random() < 0.5 else image
    for change in (relight, annotate, resize, compress):
        image = change(image, generator)
    return image


CHANGES: dict[str, Change] = {
    "brightness, contrast, gamma": relight,
    "JPEG of quality 40": compress,
    "calipers and lettering": annotate,
    "mirrored": mirror,
    "resized": resize,
    "cropped by up to 10 % a side": crop(0.10),
    "cropped by up to 15 % a side": crop(0.15),
    "all of these at once": everything,
}
"""What is done to a scan, by the name the report gives it."""


def planted_recall(images: Sequence[np.ndarray], max_bits: int, least_correlation: float, seed: int) -> list[Planted]:
    """Plant a changed copy of every image, kind by kind, and look for them.

    Args:
        images: uint8 (height, width) each, n of them.
        max_bits: see :func:`busline.cohort.duplicates.pairs.find_duplicates`.
        least_correlation: likewise.
        seed: root of what the changes draw.

    Returns:
        One entry a change; none if there are no images.
    """
    if not images:
        return []
    count = len(images)
    ids = [f"{number:06d}" for number in range(2 * count)]
    known = _pairs(find_pairs(ids[:count], images, max_bits, least_correlation))
    true = list(zip(ids[:count], ids[count:], strict=True))
    scans = _groups(ids, [*known, *true]).max() + 1
    rows = []
    for name, change in CHANGES.items():
        generator = numpy_generator(seed, "planted", name)
        copies = [np.ascontiguousarray(change(image, generator)) for image in images]
        pairs = _pairs(find_pairs(ids, [*images, *copies], max_bits, least_correlation))
        groups = _groups(ids, pairs)
        found = int((groups[:count] == groups[count:]).sum())
        false = int(scans - _groups(ids, [*known, *true, *pairs]).max() - 1)
        rows.append(Planted(change=name, planted=count, found=found, false=false))
    return rows


def _pairs(table: pd.DataFrame) -> list[tuple[str, str]]:
    return list(zip(table["case_a"], table["case_b"], strict=True))


def _groups(ids: Sequence[str], pairs: Sequence[tuple[str, str]]) -> np.ndarray:
    return group_cases(ids, ids, pairs)
