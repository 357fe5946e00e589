"""Candidates for near-duplicates: hashes of each image and of its crops and their mirror images, looked up in tables.

A hash is 64 signs of low frequencies, so that brightness, contrast, size and compression hardly change it. A crop
changes it a lot; so each image is looked up with the hashes of all its windows on a grid against the whole images'
hashes. A mirror image only turns the signs of the odd frequencies.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import product

import numpy as np

from busline.cohort.threads import map_in_order

SIDE = 64
"""Side of a thumbnail."""
MAX_CROP = 0.15
"""Largest share that the grid of windows cuts off at each side."""
MARGINS = np.linspace(0.0, MAX_CROP, 4)
WINDOWS = np.array(
    [(left, 1 - right, top, 1 - low) for top, low, left, right in product(MARGINS, MARGINS, MARGINS, MARGINS)]
)
"""(256, 4): left, right, upper and lower edge of each window, as shares of the side; the first is the whole image."""
LOOKUPS = 24
"""Tables. Measured on phantoms with everything done to them (see :mod:`busline.audit.planted`), 24 find what 48 do."""
CLIP = 1.5
"""In standard deviations: brighter or darker parts (calipers, lettering) count no more than this."""
FLAT = 2.0
"""A thumbnail whose rows vary less than this (standard deviation in gray levels) shows nothing that could be found."""
CHUNK = 64

_ACROSS = np.arange(1, 9)
_DOWN = np.arange(8)


@dataclass(frozen=True)
class Candidates:
    """Ordered pairs: a window of image ``first`` looks like the whole of image ``second``.

    Attributes:
        first: index of the image whose window it is, (m,).
        second: index of the other image, (m,).
        window: row of :data:`WINDOWS`, (m,).
        mirrored: whether the other image is mirrored, bool (m,).
        distance: differing bits of 64, (m,).
    """

    first: np.ndarray
    second: np.ndarray
    window: np.ndarray
    mirrored: np.ndarray
    distance: np.ndarray


def flatten_profile(thumbnails: np.ndarray) -> np.ndarray:
    """Return thumbnails, uint8 (n, 64, 64), without depth profile, scaled and clipped: float32; flat ones all zero.

    The profile (the mean of each row) is left out because all scans of one machine share it.
    """
    values = thumbnails.astype(np.float32)
    values -= values.mean(axis=2, keepdims=True)
    spread = values.std(axis=(1, 2), keepdims=True)
    scaled = np.clip(values / np.maximum(spread, FLAT), -CLIP, CLIP)
    return np.where(spread >= FLAT, scaled, np.float32(0.0))


def hash_windows(thumbnails: np.ndarray, windows: np.ndarray = WINDOWS) -> np.ndarray:
    """Return the 64 signs of each window.

    Each is the sign of one low-frequency coefficient of the discrete cosine transform of the window (after Zauner 2010,
    "Implementation and benchmarking of perceptual image hash functions"); those without horizontal variation are left
    out: they hold the depth profile.

    Args:
        thumbnails: uint8 (n, 64, 64).
        windows: (w, 4), as :data:`WINDOWS`.

    Returns:
        bool (n, w, 64).
    """
    flat = flatten_profile(thumbnails)
    columns, which_columns = np.unique(windows[:, :2], axis=0, return_inverse=True)
    rows, which_rows = np.unique(windows[:, 2:], axis=0, return_inverse=True)
    across, down = _waves(columns, _ACROSS), _waves(rows, _DOWN)
    signs = (down @ flat) @ across.T > 0
    grid = signs.reshape(len(flat), len(rows), 8, len(columns), 8)
    return np.asarray(grid[:, which_rows, :, which_columns].swapaxes(0, 1).reshape(len(flat), len(windows), 64))


def find_candidates(thumbnails: np.ndarray, max_bits: int, workers: int = 1) -> Candidates:
    """Return pairs of which a window, mirrored or not, is at most ``max_bits`` from the other image.

    Each of :data:`LOOKUPS` tables sorts the images by some of their bits, chosen at random once and for all, one in
    eight of all keys being in use; only images that share a key are compared. So time grows with n, not with n²; a pair
    d bits apart may be missed, the more likely the larger d and n.

    Args:
        thumbnails: uint8 (n, 64, 64).
        max_bits: largest number of differing bits, of 64.
        workers: threads; what is found is the same whatever their number.

    Returns:
        Each ordered pair once, with its nearest window; nearest pairs first.
    """
    shown = np.flatnonzero(_varied(thumbnails))
    if len(shown) < 2:
        empty = np.empty(0, dtype=np.int64)
        return Candidates(empty, empty, empty, empty.astype(bool), empty)
    chunks = np.array_split(shown, -(-len(shown) // CHUNK))  # a chunk at a time, so that memory stays small
    tables = _Tables(np.concatenate([hash_windows(thumbnails[chunk], WINDOWS[:1])[:, 0] for chunk in chunks]))

    def search(chunk: np.ndarray) -> np.ndarray:
        return _nearest(np.concatenate(list(tables.look_up(hash_windows(thumbnails[chunk]), chunk, shown, max_bits))))

    found = np.concatenate(list(map_in_order(search, chunks, workers)))
    found = found[np.lexsort((found[:, 1], found[:, 0], found[:, 4]))]
    return Candidates(found[:, 0], found[:, 1], found[:, 2], found[:, 3] > 0, found[:, 4])


def pack(bits: np.ndarray) -> np.ndarray:
    """Return bool (…, 64) as uint64 (…)."""
    return np.packbits(bits, axis=-1).view(">u8")[..., 0].astype(np.uint64)


ODD = np.tile(_ACROSS % 2 == 1, 8)
"""The bits that a mirror image turns, (64,)."""


class _Tables:
    """Whole images' hashes, sorted by a key for each of several choices of bits."""

    def __init__(self, bits: np.ndarray) -> None:
        size = int(np.clip(np.ceil(np.log2(len(bits))) + 3, 8, 20))
        generator = np.random.default_rng(0)
        self.weights = np.zeros((64, LOOKUPS), dtype=np.float32)
        for table in range(LOOKUPS):
            self.weights[generator.choice(64, size, replace=False), table] = 2.0 ** np.arange(size)
        self.hashes = pack(bits)
        keys = self._keys(bits)
        self.order = np.argsort(keys, axis=0, kind="stable")
        counts = [np.bincount(column, minlength=2**size) for column in keys.T]
        self.used = np.stack(counts) > 0
        self.starts = np.stack([np.concatenate([[0], np.cumsum(count)]) for count in counts]).astype(np.int32)
        self.mirror = self._keys(ODD[None])[0]

    def _keys(self, bits: np.ndarray) -> np.ndarray:
        return (bits.astype(np.float32) @ self.weights).astype(np.int32)

    def look_up(self, bits: np.ndarray, first: np.ndarray, second: np.ndarray, max_bits: int) -> Iterator[np.ndarray]:
        """Yield rows (first, second, window, mirrored, distance), some of them repeatedly.

        Args:
            bits: of every window of some images, bool (c, w, 64).
            first: those images' indices, (c,).
            second: the indices of the images in the tables.
            max_bits: largest distance.
        """
        yield np.empty((0, 5), dtype=np.int64)
        windows = bits.shape[1]
        flat = bits.reshape(-1, 64)
        keys, hashes = self._keys(flat), pack(flat)
        turned = hashes ^ pack(ODD[None])[0]
        for table, mirrored in product(range(LOOKUPS), (0, 1)):
            key = keys[:, table] ^ (self.mirror[table] if mirrored else 0)
            used = np.flatnonzero(self.used[table][key])
            start = self.starts[table][key[used]]
            count = self.starts[table][key[used] + 1] - start
            query = np.repeat(used, count)
            place = np.arange(len(query)) + np.repeat(start - (np.cumsum(count) - count), count)
            other = self.order[place, table]
            distance = np.bitwise_count((turned if mirrored else hashes)[query] ^ self.hashes[other])
            near = (distance <= max_bits) & (first[query // windows] != second[other])
            query, other, distance = query[near], other[near], distance[near]
            side = np.full(len(query), mirrored)
            yield np.stack([first[query // windows], second[other], query % windows, side, distance], axis=1)


def _nearest(rows: np.ndarray) -> np.ndarray:
    """Keep one row of each ordered pair: the least distance, then the first window, unmirrored before mirrored."""
    rows = rows[np.lexsort((rows[:, 3], rows[:, 2], rows[:, 4], rows[:, 1], rows[:, 0]))]
    new = np.ones(len(rows), dtype=bool)
    new[1:] = (np.diff(rows[:, :2], axis=0) != 0).any(axis=1)
    return rows[new].astype(np.int64)


def _waves(edges: np.ndarray, frequencies: Sequence[int] | np.ndarray) -> np.ndarray:
    """Return cosines over each window, zero outside it: float32 (windows · frequencies, 64)."""
    place = (np.arange(SIDE) + 0.5) / SIDE
    inside = (place - edges[:, :1]) / (edges[:, 1:] - edges[:, :1])
    covered = (inside > 0) & (inside < 1)
    waves = np.cos(np.pi * inside[:, None] * np.asarray(frequencies)[:, None]) * covered[:, None]
    return np.asarray(waves.reshape(-1, SIDE), dtype=np.float32)


def _varied(thumbnails: np.ndarray) -> np.ndarray:
    """Say which thumbnails are not flat; a part at a time, so that memory stays small."""
    parts = np.array_split(thumbnails, max(1, -(-len(thumbnails) // CHUNK)))
    return np.concatenate([flatten_profile(part).any(axis=(1, 2)) for part in parts])
