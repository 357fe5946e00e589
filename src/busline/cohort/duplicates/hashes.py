"""Candidates for near-duplicates: hashes of each image and of its crops and their mirror images, looked up in tables.

A hash is 64 signs of low frequencies, so that brightness, contrast, size and compression hardly change it. A crop
changes it a lot; so each image is looked up with the hashes of all its windows on a grid against the whole images'
hashes. A mirror image only turns the signs of the odd frequencies.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import product

import numpy as np

from busline.cohort.duplicates.tables import (
    ACROSS,
    AS_IS,
    DOWN,
    MIRRORED,
    Candidates,
    Tables,
    keep_nearest,
    sort_candidates,
)
from busline.cohort.threads import map_in_order

SIDE = 64
"""Side of a thumbnail."""


def _windows(most: float, steps: int) -> np.ndarray:
    """Return windows of which up to a share ``most`` of the side is cut off at each side, the whole image first."""
    cuts = np.linspace(0.0, most, steps + 1)
    return np.array([(left, 1 - right, top, 1 - low) for top, low, left, right in product(cuts, repeat=4)])


WINDOWS = _windows(0.15, 3)
"""(256, 4): left, right, upper and lower edge of each window, as shares of the side; the first is the whole image."""
NARROW = np.array([window for window in _windows(0.2, 4) if abs(window - (0, 1, 0, 1)).max() > 0.17])
"""(369, 4): those of which 20 % are cut off at one side at least."""
CLIP = 1.5
"""In standard deviations: brighter or darker parts (calipers, lettering) count no more than this."""
FLAT = 2.0
"""A thumbnail whose rows vary less than this (standard deviation in gray levels) shows nothing that could be found."""
CHUNK = 64
"""Images looked up at a time, so that memory stays small."""


def flatten_profile(thumbnails: np.ndarray) -> np.ndarray:
    """Return thumbnails, uint8 (n, s, s), without depth profile, scaled and clipped: float32; flat ones all zero.

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
        thumbnails: uint8 (n, s, s).
        windows: (w, 4), as :data:`WINDOWS`.

    Returns:
        bool (n, w, 64).
    """
    flat = flatten_profile(thumbnails)
    columns, which_columns = np.unique(windows[:, :2], axis=0, return_inverse=True)
    rows, which_rows = np.unique(windows[:, 2:], axis=0, return_inverse=True)
    side = flat.shape[-1]
    across, down = _waves(columns, ACROSS, side), _waves(rows, DOWN, side)
    signs = (down @ flat) @ across.T > 0
    grid = signs.reshape(len(flat), len(rows), 8, len(columns), 8)
    return np.asarray(grid[:, which_rows, :, which_columns].swapaxes(0, 1).reshape(len(flat), len(windows), 64))


def find_candidates(
    thumbnails: np.ndarray,
    max_bits: int,
    workers: int = 1,
    *,
    windows: np.ndarray = WINDOWS,
    turns: Sequence[int] = (AS_IS, MIRRORED),
    quarter: bool = False,
) -> Candidates:
    """Return pairs of which a window is at most ``max_bits`` from the other image, turned in one of the given ways.

    Args:
        thumbnails: uint8 (n, 64, 64).
        max_bits: largest number of differing bits, of 64.
        workers: threads; what is found is the same whatever their number.
        windows: those that are looked up, (w, 4).
        turns: what is done to the other image, :data:`AS_IS` to :data:`HALF_TURN`.
        quarter: whether the image whose windows are looked up is turned by a quarter before.

    Returns:
        Each ordered pair once, with its nearest window; nearest pairs first.
    """

    def hash_chunk(chunk: np.ndarray) -> np.ndarray:
        return hash_windows(quarter_turn(thumbnails[chunk]) if quarter else thumbnails[chunk], windows)

    return search(thumbnails, hash_chunk, max_bits, turns, workers)


def search(
    thumbnails: np.ndarray,
    hash_chunk: Callable[[np.ndarray], np.ndarray],
    max_bits: int,
    turns: Sequence[int],
    workers: int,
) -> Candidates:
    """Look views of images up among the whole images; flat ones are left out.

    Args:
        thumbnails: uint8 (n, 64, 64).
        hash_chunk: returns the hashes of all views of the images of these indices (c,), bool (c, v, 64).
        max_bits: largest number of differing bits, of 64.
        turns: what is done to the whole images.
        workers: threads.
    """
    shown = np.flatnonzero(_varied(thumbnails))
    if len(shown) < 2:
        return sort_candidates(np.empty((0, 5), dtype=np.int64))
    chunks = np.array_split(shown, -(-len(shown) // CHUNK))
    tables = Tables(np.concatenate([hash_windows(thumbnails[chunk], WINDOWS[:1])[:, 0] for chunk in chunks]))

    def look_up(chunk: np.ndarray) -> np.ndarray:
        return keep_nearest(np.concatenate([*tables.look_up(hash_chunk(chunk), chunk, shown, max_bits, turns)]))

    return sort_candidates(np.concatenate([*map_in_order(look_up, chunks, workers)]))


def quarter_turn(images: np.ndarray) -> np.ndarray:
    """Return images (m, s, s) turned by a quarter."""
    return np.ascontiguousarray(np.rot90(images, axes=(1, 2)))


def _waves(edges: np.ndarray, frequencies: np.ndarray, side: int) -> np.ndarray:
    """Return cosines over each window, zero outside it: float32 (windows · frequencies, side)."""
    place = (np.arange(side) + 0.5) / side
    inside = (place - edges[:, :1]) / (edges[:, 1:] - edges[:, :1])
    covered = (inside > 0) & (inside < 1)
    waves = np.cos(np.pi * inside[:, None] * frequencies[:, None]) * covered[:, None]
    return np.asarray(waves.reshape(-1, side), dtype=np.float32)


def _varied(thumbnails: np.ndarray) -> np.ndarray:
    """Say which thumbnails are not flat; a part at a time, so that memory stays small."""
    parts = np.array_split(thumbnails, max(1, -(-len(thumbnails) // CHUNK)))
    return np.concatenate([flatten_profile(part).any(axis=(1, 2)) for part in parts])
