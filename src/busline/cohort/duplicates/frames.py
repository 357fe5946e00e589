"""What all images of a cohort share round the scan: the frame that a machine draws on its screen.

Screenshots of different scans are alike because of it. Images are compared inside it only.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from busline.cohort.duplicates.fingerprints import Fingerprints
from busline.cohort.duplicates.hashes import SIDE
from busline.cohort.resize import resize_image

Box = tuple[float, float, float, float]
"""Left, right, upper and lower edge as shares of the side."""

LEAST_CASES = 10
"""Of fewer images too much is alike by chance."""
SAMPLE = 500
"""Images, evenly chosen, from which the frame is read."""
VARIES = 6.0
"""Gray levels between the 10th and the 90th percentile over the cohort, from which a pixel of the thumbnails varies:
what compression does to a drawn line is less, tissue is some ten times as much."""
LEAST_SHARE = 0.3
"""A row or column belongs to the scan if so much of it varies; lettering that differs takes less."""
MOST_SCAN = 0.9
"""A scan that covers more of the image than this has no frame to speak of."""


def leave_frame_out(prints: Fingerprints, image_of: Callable[[int], np.ndarray]) -> tuple[Fingerprints, Box | None]:
    """Return the fingerprints of what lies inside the common frame, and where that is; as they were without a frame.

    Args:
        prints: of the whole images.
        image_of: returns the image, uint8 (height, width), of a row of ``prints``.
    """
    box = find_scan(prints.thumbnails)
    if box is None:
        return prints, None
    left, right, top, low = box
    inside = [_cut(image_of(row), box) for row in range(len(prints.case_ids))]
    thumbnails = np.stack([resize_image(image, SIDE, SIDE) for image in inside])
    aspects = prints.aspects * ((right - left) / (low - top))
    return Fingerprints(prints.case_ids, prints.digests, thumbnails, aspects), box


def find_scan(thumbnails: np.ndarray) -> Box | None:
    """Return where the images of a cohort differ from each other, None if that is nearly everywhere or nowhere.

    Args:
        thumbnails: uint8 (n, 64, 64).
    """
    if len(thumbnails) < LEAST_CASES:
        return None
    low, high = np.percentile(thumbnails[:: -(-len(thumbnails) // SAMPLE)], (10, 90), axis=0)
    varies = high - low >= VARIES
    rows, columns = slice(0, SIDE), slice(0, SIDE)
    for _ in range(2):  # once more, now that the rows and columns of the frame do not count
        rows = _extent(varies[:, columns], axis=1)
        columns = _extent(varies[rows], axis=0)
    area = (rows.stop - rows.start) * (columns.stop - columns.start) / SIDE**2
    if not 0 < area <= MOST_SCAN:
        return None
    return columns.start / SIDE, columns.stop / SIDE, rows.start / SIDE, rows.stop / SIDE


def _extent(varies: np.ndarray, axis: int) -> slice:
    """Return the first to the last line across ``axis`` that belongs to the scan, empty if there is none."""
    found = np.flatnonzero(varies.sum(axis=axis) > LEAST_SHARE * varies.shape[axis])
    return slice(int(found[0]), int(found[-1]) + 1) if len(found) else slice(0, 0)


def _cut(image: np.ndarray, box: Box) -> np.ndarray:
    height, width = image.shape
    left, right, top, low = box
    return np.ascontiguousarray(
        image[round(top * height) : round(low * height), round(left * width) : round(right * width)]
    )
