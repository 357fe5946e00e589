"""Candidates for copies that were rotated by some degrees: hashes of each image rotated in steps, looked up in tables.

A rotated copy has the size of its original, its corners filled up; or it is larger, so that nothing is lost; or it is
cut to what shows tissue everywhere. Each is a view of its own. Half-way between two steps a copy is some five bits from
its nearest view (measured on BUSI and phantoms), so that there is room for what else was done to it.
"""

from __future__ import annotations

import math
from itertools import product

import numpy as np
from PIL import Image

from busline.cohort.duplicates.hashes import WINDOWS, hash_windows, search
from busline.cohort.duplicates.tables import AS_IS, HALF_TURN, MIRRORED, UPSIDE_DOWN, Candidates

ANGLES = (-12, -8, -4, 4, 8, 12)
"""Degrees, against the clock."""
FRAMES = ("same", "larger", "cut")
VIEWS = tuple(product(ANGLES, FRAMES))
SIDE = 32
"""Of the views that are hashed: the finest of the 64 waves has eight half waves."""


def find_rotated(thumbnails: np.ndarray, aspects: np.ndarray, max_bits: int, workers: int = 1) -> Candidates:
    """Return pairs of which a rotated view is at most ``max_bits`` from the other image, turned in any way.

    Args:
        thumbnails: uint8 (n, 64, 64).
        aspects: width over height of each image, (n,).
        max_bits: largest number of differing bits, of 64.
        workers: threads.

    Returns:
        Each ordered pair once, ``view`` a row of :data:`VIEWS`; nearest pairs first.
    """

    def hash_chunk(chunk: np.ndarray) -> np.ndarray:
        views = [_rotate(thumbnails[index], places_of(float(aspects[index]))) for index in chunk]
        return hash_windows(np.concatenate(views), WINDOWS[:1]).reshape(len(chunk), len(VIEWS), 64)

    return search(thumbnails, hash_chunk, max_bits, (AS_IS, MIRRORED, UPSIDE_DOWN, HALF_TURN), workers)


def places_of(aspect: float) -> np.ndarray:
    """Return where each of :data:`VIEWS` of an image lies in it.

    Args:
        aspect: its width over its height.

    Returns:
        Maps of a view's coordinates (-1 to 1 along each side) to the image's, (v, 2, 3): across, down, shift.
    """
    places = np.zeros((len(VIEWS), 2, 3))
    for place, (angle, frame) in zip(places, VIEWS, strict=True):
        sine, cosine = math.sin(math.radians(angle)), math.cos(math.radians(angle))
        width, height = aspect, 1.0
        if frame == "larger":
            width, height = aspect * cosine + abs(sine), aspect * abs(sine) + cosine
        elif frame == "cut":
            width, height = np.array([aspect, 1.0]) / (cosine + max(aspect, 1 / aspect) * abs(sine))
        place[:, :2] = [[cosine * width / aspect, -sine * height / aspect], [sine * width, cosine * height]]
    return places


def _rotate(thumbnail: np.ndarray, places: np.ndarray) -> np.ndarray:
    """Return the views of a thumbnail (64, 64), black where they show what is outside: uint8 (v, 32, 32)."""
    small = Image.fromarray(thumbnail).reduce(thumbnail.shape[0] // SIDE)
    half = SIDE / 2
    views = np.empty((len(places), SIDE, SIDE), dtype=np.uint8)
    for view, place in zip(views, places, strict=True):
        linear = place[:, :2]
        shift = half * (place[:, 2] + 1 - linear.sum(axis=1))
        rows = np.column_stack([linear, shift]).ravel().tolist()
        view[:] = np.asarray(small.transform((SIDE, SIDE), Image.Transform.AFFINE, rows, Image.Resampling.BILINEAR))
    return views
