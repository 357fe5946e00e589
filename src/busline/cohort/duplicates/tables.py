"""Look hashes up without comparing all with all: tables of images, sorted by some bits of their hashes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import product

import numpy as np

LOOKUPS = 24
"""Tables. Measured on phantoms with everything done to them (see :mod:`busline.audit.planted`), 24 find what 48 do."""
ACROSS, DOWN = np.arange(1, 9), np.arange(8)
"""Half waves along a row and along a column; a hash holds a sign for each of ``ACROSS`` with each of ``DOWN``."""
AS_IS, MIRRORED, UPSIDE_DOWN, HALF_TURN = range(4)
"""What is done to the other image: nothing, left for right, top for bottom, both."""
_ODD_ACROSS, _ODD_DOWN = np.tile(ACROSS % 2 == 1, 8), np.repeat(DOWN % 2 == 1, 8)
SIGNS = np.stack([np.zeros(64, dtype=bool), _ODD_ACROSS, _ODD_DOWN, _ODD_ACROSS ^ _ODD_DOWN])
"""The bits that each of these turns, bool (4, 64)."""


@dataclass(frozen=True)
class Candidates:
    """Ordered pairs: a view of image ``first`` looks like the whole of image ``second``.

    Attributes:
        first: index of the image whose view it is, (m,).
        second: index of the other image, (m,).
        view: which view, (m,): a row of the windows or maps that were looked up.
        turn: what is done to the other image, :data:`AS_IS` to :data:`HALF_TURN`, (m,).
        distance: differing bits of 64, (m,).
    """

    first: np.ndarray
    second: np.ndarray
    view: np.ndarray
    turn: np.ndarray
    distance: np.ndarray


def sort_candidates(rows: np.ndarray) -> Candidates:
    """Return rows (first, second, view, turn, distance) as candidates: the nearest first, then by image."""
    rows = rows[np.lexsort((rows[:, 1], rows[:, 0], rows[:, 4]))]
    return Candidates(*rows.T)


def keep_nearest(rows: np.ndarray) -> np.ndarray:
    """Keep one row of each ordered pair: the least distance, then the first view, then the first turn."""
    rows = rows[np.lexsort((rows[:, 3], rows[:, 2], rows[:, 4], rows[:, 1], rows[:, 0]))]
    new = np.ones(len(rows), dtype=bool)
    new[1:] = (np.diff(rows[:, :2], axis=0) != 0).any(axis=1)
    return rows[new].astype(np.int64)


def turn_images(images: np.ndarray, turns: np.ndarray) -> np.ndarray:
    """Return images (m, s, s), each turned as the candidates say, (m,)."""
    result = images.copy()
    across, down = (turns & 1) > 0, (turns & 2) > 0
    result[across] = result[across][:, :, ::-1]
    result[down] = result[down][:, ::-1]
    return result


def pack(bits: np.ndarray) -> np.ndarray:
    """Return bool (…, 64) as uint64 (…)."""
    return np.packbits(bits, axis=-1).view(">u8")[..., 0].astype(np.uint64)


class Tables:
    """Whole images' hashes, sorted by a key for each of several choices of bits.

    Each table sorts the images by some of their bits, chosen at random once and for all, one in eight of all keys being
    in use; only images that share a key are compared. So time grows with n, not with n²; a pair d bits apart may be
    missed, the more likely the larger d and n.
    """

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
        self.signs = self._keys(SIGNS)

    def _keys(self, bits: np.ndarray) -> np.ndarray:
        return (bits.astype(np.float32) @ self.weights).astype(np.int32)

    def look_up(
        self, bits: np.ndarray, first: np.ndarray, second: np.ndarray, max_bits: int, turns: Sequence[int]
    ) -> Iterator[np.ndarray]:
        """Yield rows (first, second, view, turn, distance), some of them repeatedly.

        Args:
            bits: of every view of some images, bool (c, v, 64).
            first: those images' indices, (c,).
            second: the indices of the images in the tables.
            max_bits: largest distance.
            turns: what is done to the other images.
        """
        yield np.empty((0, 5), dtype=np.int64)
        views = bits.shape[1]
        flat = bits.reshape(-1, 64)
        keys, hashes = self._keys(flat), pack(flat)
        turned = hashes ^ pack(SIGNS)[:, None]
        for table, turn in product(range(LOOKUPS), turns):
            key = keys[:, table] ^ self.signs[turn, table]
            used = np.flatnonzero(self.used[table][key])
            start = self.starts[table][key[used]]
            count = self.starts[table][key[used] + 1] - start
            query = np.repeat(used, count)
            place = np.arange(len(query)) + np.repeat(start - (np.cumsum(count) - count), count)
            other = self.order[place, table]
            distance = np.bitwise_count(turned[turn][query] ^ self.hashes[other])
            near = (distance <= max_bits) & (first[query // views] != second[other])
            query, other, distance = query[near], other[near], distance[near]
            side = np.full(len(query), turn)
            yield np.stack([first[query // views], second[other], query % views, side, distance], axis=1)
