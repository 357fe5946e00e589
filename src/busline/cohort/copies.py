"""Look for images that a cohort holds twice, while it is made, and keep what others need of that."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from busline.base.artifacts import load_array
from busline.base.settings.data import Ingest
from busline.cohort.duplicates.conflicts import Copies, judge_copies
from busline.cohort.duplicates.fingerprints import Fingerprints, save_fingerprints, select_fingerprints
from busline.cohort.duplicates.frames import leave_frame_out
from busline.cohort.duplicates.pairs import find_duplicates
from busline.cohort.duplicates.side_by_side import save_pictures
from busline.cohort.store import cut_pixels


def find_copies(
    folder: Path,
    prints: Fingerprints,
    labels: Mapping[str, str],
    places: pd.DataFrame,
    settings: Ingest,
    *,
    workers: int = 1,
) -> Copies:
    """Return the pairs among packed images and what follows; write fingerprints and pictures of pairs.

    Args:
        folder: of the cohort that is being made; its images.npy is there.
        prints: of the whole images of the cases that have one.
        labels: label of every case, in the order of ``places``.
        places: ``width, height, offset`` of every case.
        settings: what near-duplicates are, and what is done about them.
        workers: threads.

    Raises:
        DataError: if copies have different labels and that is refused.
    """
    images = load_array(folder / "images.npy", mmap=True)
    row_of = {case: row for row, case in enumerate(labels)}

    def image_of(case: str) -> np.ndarray:
        return cut_pixels(images, places, row_of[case])

    inside, frame = leave_frame_out(prints, lambda row: image_of(prints.case_ids[row]))
    limits = settings.duplicate_bits, settings.duplicate_correlation
    pairs = find_duplicates(inside, *limits, workers=workers)
    copies = judge_copies(pairs, labels, settings.conflicts, settings.duplicate_group, frame)
    save_pictures(folder, copies.pairs, image_of)
    save_fingerprints(folder, select_fingerprints(inside, _stay(inside.case_ids, copies)))
    return copies


def _stay(case_ids: Sequence[str], copies: Copies) -> list[int]:
    return [row for row, case in enumerate(case_ids) if case not in copies.dropped]
