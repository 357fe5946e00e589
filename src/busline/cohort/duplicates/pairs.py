"""Find images that are in a cohort twice: the same pixels, or the same scan saved again.

A scan saved again may be cropped by up to 15 % a side, mirrored, brighter or darker, compressed, resized, or have
calipers and lettering drawn over it. docs/audit.md says how much of that is found, and how the two limits were chosen.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from functools import partial

import numpy as np
import pandas as pd

from busline.cohort.duplicates.alignment import aligned_correlation
from busline.cohort.duplicates.hashes import SIDE, WINDOWS, Candidates, find_candidates
from busline.cohort.resize import resize_image
from busline.cohort.threads import map_in_order

BATCH = 128
"""Candidates compared before those that are joined by then are left out."""
PIECE = 64
"""Candidates a thread compares at a time."""


def digest(image: np.ndarray) -> bytes:
    """Return a hash of an image's shape and pixels."""
    return hashlib.sha256(repr(image.shape).encode() + image.tobytes()).digest()


def thumbnail(image: np.ndarray) -> np.ndarray:
    """Return a uint8 image (height, width) as uint8 (64, 64)."""
    return resize_image(image, SIDE, SIDE)


def find_duplicates(
    case_ids: Sequence[str],
    digests: Sequence[bytes],
    thumbnails: Sequence[np.ndarray],
    max_bits: int,
    least_correlation: float,
    *,
    workers: int = 1,
) -> pd.DataFrame:
    """Return pairs of cases whose images are the same (``exact``) or nearly so (``near``).

    Near-duplicates are images of which one, or a window of it, mirrored or not, differs from the other in at most
    ``max_bits`` bits of their hashes *and* correlates with it once laid on it: the hash finds candidates without
    comparing all pairs, the correlation removes false alarms.

    As many pairs are returned as join every scan's copies in one group, no more: of several identical images each is
    paired with the first, and two that others already join are not compared.

    Args:
        case_ids: unique ids, length n.
        digests: :func:`digest` of each image.
        thumbnails: :func:`thumbnail` of each image.
        max_bits: largest number of differing bits, of 64.
        least_correlation: least correlation of the aligned images, in [-1, 1].
        workers: threads; the pairs are the same whatever their number.

    Returns:
        ``case_a, case_b, kind, distance`` (in bits), sorted, ``case_a`` before ``case_b`` in the given order.
    """
    from threadpoolctl import threadpool_limits

    pairs: list[tuple[str, str, str, int]] = []
    first: dict[bytes, int] = {}
    for index, key in enumerate(digests):
        original = first.setdefault(key, index)
        if original != index:
            pairs.append((case_ids[original], case_ids[index], "exact", 0))
    unique = list(first.values())
    if len(unique) > 1:
        stack = np.stack([thumbnails[index] for index in unique])
        with threadpool_limits(1):  # more threads may change the last bits, and with them a hash
            found = find_candidates(stack, max_bits, workers)
            near = _confirmed(stack, found, least_correlation, workers)
        pairs += [(case_ids[unique[min(a, b)]], case_ids[unique[max(a, b)]], "near", bits) for a, b, bits in near]
    return pd.DataFrame(sorted(pairs), columns=["case_a", "case_b", "kind", "distance"])


def _confirmed(thumbnails: np.ndarray, found: Candidates, least: float, workers: int) -> list[tuple[int, int, int]]:
    """Return the candidates that correlate, nearest first, leaving out those that earlier ones join already."""
    groups = _Groups(len(thumbnails))
    pairs = []
    waiting = np.arange(len(found.first))
    while len(waiting := waiting[groups.apart(found.first[waiting], found.second[waiting])]):
        batch, waiting = waiting[:BATCH], waiting[BATCH:]
        pieces = np.array_split(batch, -(-len(batch) // PIECE))
        correlation = np.concatenate([*map_in_order(partial(_correlation, thumbnails, found), pieces, workers)])
        for index in batch[correlation >= least]:
            a, b = int(found.first[index]), int(found.second[index])
            if groups.join(a, b):
                pairs.append((a, b, int(found.distance[index])))
    return pairs


def _correlation(thumbnails: np.ndarray, found: Candidates, which: np.ndarray) -> np.ndarray:
    whole, part = thumbnails[found.first[which]], thumbnails[found.second[which]]
    mirrored = found.mirrored[which]
    part[mirrored] = part[mirrored][:, :, ::-1]
    return aligned_correlation(whole, part, WINDOWS[found.window[which]])


class _Groups:
    """Which images are joined so far."""

    def __init__(self, count: int) -> None:
        self.group = np.arange(count)

    def apart(self, a: np.ndarray, b: np.ndarray) -> np.ndarray:
        """Say of each pair whether it is not in one group."""
        return np.asarray(self.group[a] != self.group[b])

    def join(self, a: int, b: int) -> bool:
        """Join two images' groups; return whether they were apart."""
        old, new = self.group[b], self.group[a]
        if old == new:
            return False
        self.group[self.group == old] = new
        return True
