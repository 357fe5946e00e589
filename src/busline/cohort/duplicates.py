"""Find images that are in a cohort twice: the same pixels, or the same scan saved again."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from itertools import pairwise

import numpy as np
import pandas as pd
from scipy.fft import dctn

from busline.cohort.imaging import resize_image

THUMBNAIL_SIDE = 32
LEAST_CORRELATION = 0.9
"""Measured: 212 of the 303,810 image pairs of the BUSI release are at least this alike and at most 8 bits apart, and
the least alike of those are still one scan saved twice, with other callipers, contrast or framing. No pair of BrEaST
is."""


def digest(image: np.ndarray) -> bytes:
    """Return a hash of an image's shape and pixels."""
    return hashlib.sha256(repr(image.shape).encode() + image.tobytes()).digest()


def thumbnail(image: np.ndarray) -> np.ndarray:
    """Return a uint8 image (height, width) as uint8 (32, 32)."""
    return resize_image(image, THUMBNAIL_SIDE, THUMBNAIL_SIDE)


def perceptual_hash(small: np.ndarray) -> int:
    """Return 64 bits that brightness, contrast, size and mild compression hardly change.

    Each bit says whether one low-frequency coefficient of the discrete cosine transform is above their median (after
    Zauner 2010, "Implementation and benchmarking of perceptual image hash functions"). The coefficients without
    horizontal variation are left out: they hold the depth profile, which all scans of one machine share.

    Args:
        small: a thumbnail, uint8 (32, 32).
    """
    low = dctn(small.astype(np.float64), norm="ortho")[:8, 1:9].ravel()
    return int(np.packbits(low > np.median(low)).view(">u8")[0])


def find_duplicates(
    case_ids: Sequence[str], digests: Sequence[bytes], thumbnails: Sequence[np.ndarray], max_bits: int
) -> pd.DataFrame:
    """Return pairs of cases whose images are the same (``exact``) or nearly so (``near``).

    Of several identical images each is paired with the first, and only the first is compared further: that is enough
    to join them all in one group. Near-duplicates differ in at most ``max_bits`` bits of their hashes *and* correlate;
    the hash finds candidates without comparing all pairs, the correlation removes false alarms.

    Args:
        case_ids: unique ids, length n.
        digests: :func:`digest` of each image.
        thumbnails: :func:`thumbnail` of each image.
        max_bits: largest number of differing bits, of 64.

    Returns:
        ``case_a, case_b, kind, distance`` (in bits), sorted, ``case_a`` before ``case_b`` in the given order.
    """
    pairs: list[tuple[str, str, str, int]] = []
    first: dict[bytes, int] = {}
    for index, key in enumerate(digests):
        original = first.setdefault(key, index)
        if original != index:
            pairs.append((case_ids[original], case_ids[index], "exact", 0))
    unique = np.fromiter(first.values(), dtype=np.int64, count=len(first))
    hashes = np.array([perceptual_hash(thumbnails[index]) for index in unique], dtype=np.uint64)
    for a, b, distance in sorted(set(_candidates(hashes, max_bits))):
        i, j = int(unique[a]), int(unique[b])
        if _correlation(thumbnails[i], thumbnails[j]) >= LEAST_CORRELATION:
            pairs.append((case_ids[i], case_ids[j], "near", distance))
    return pd.DataFrame(sorted(pairs), columns=["case_a", "case_b", "kind", "distance"])


def _candidates(hashes: np.ndarray, max_bits: int) -> Iterator[tuple[int, int, int]]:
    """Yield pairs at most ``max_bits`` apart, some of them repeatedly.

    Cut into ``max_bits + 1`` bands, two such hashes agree in at least one band, so only hashes that share a band are
    compared.
    """
    edges = np.linspace(0, 64, max_bits + 2).round().astype(int)
    for low, high in pairwise(edges):
        band = (hashes >> np.uint64(low)) & np.uint64((1 << int(high - low)) - 1)
        order = np.argsort(band, kind="stable")
        for bucket in np.split(order, np.flatnonzero(np.diff(band[order])) + 1):
            for place, a in enumerate(bucket[:-1]):
                others = bucket[place + 1 :]
                distances = np.bitwise_count(hashes[others] ^ hashes[a])
                for which in np.flatnonzero(distances <= max_bits):
                    yield int(a), int(others[which]), int(distances[which])


def _correlation(a: np.ndarray, b: np.ndarray) -> float:
    """Return Pearson's correlation of two thumbnails, 0 if one is flat."""
    x, y = (small.astype(np.float64).ravel() - small.mean() for small in (a, b))
    size = float(np.linalg.norm(x) * np.linalg.norm(y))
    return float(x @ y) / size if size > 0 else 0.0
