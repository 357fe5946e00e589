"""Copies of the cohort's own images, changed as scans are when they are saved again: how many are found.

The images never leave memory.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from busline.audit.changes import CHANGES, Change
from busline.audit.results import Planted
from busline.audit.sides import find_pairs
from busline.base.seeding import numpy_generator
from busline.splits import group_cases


def planted_recall(
    images: Sequence[np.ndarray],
    max_bits: int,
    least_correlation: float,
    seed: int,
    changes: Mapping[str, Change] = CHANGES,
) -> list[Planted]:
    """Plant a changed copy of every image, kind by kind, and look for them.

    Args:
        images: uint8 (height, width) each, n of them.
        max_bits: see :func:`busline.cohort.duplicates.pairs.find_duplicates`.
        least_correlation: likewise.
        seed: root of what the changes draw.
        changes: what is done to a copy, by name.

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
    for name, change in changes.items():
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
