"""Find images that are in a cohort twice: the same pixels, or the same scan saved again.

A scan saved again may be cropped by up to 20 % a side, mirrored, turned, rotated by up to some 15 degrees, brighter or
darker, compressed, resized, or have calipers and lettering drawn over it. docs/audit.md says how much of that is found,
and how the limits were chosen.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
import pandas as pd

from busline.cohort.duplicates.alignment import GIVE_UP, align
from busline.cohort.duplicates.fingerprints import Fingerprints
from busline.cohort.duplicates.hashes import NARROW, SIDE, WINDOWS, find_candidates, quarter_turn
from busline.cohort.duplicates.rotations import find_rotated, places_of
from busline.cohort.duplicates.tables import (
    AS_IS,
    HALF_TURN,
    MIRRORED,
    UPSIDE_DOWN,
    Candidates,
    turn_images,
)
from busline.cohort.duplicates.turning import correlation_at, turned_correlation
from busline.cohort.resize import resize_image
from busline.cohort.threads import map_in_order

COLUMNS = {"case_a": "str", "case_b": "str", "kind": "str", "distance": "int64", "correlation": "float64"}
KINDS = ("near", "mirrored", "upside down", "half turn")
"""What a near-duplicate is called, by what was done to it: nothing but crops and light, left for right, top for bottom,
both."""
QUARTER, ROTATED = "quarter turn", "rotated"
"""And one that lies on its side, or is rotated by some degrees; mirrored or not."""


@dataclass(frozen=True)
class _Look:
    """What is looked up: which windows, turned how, within how many bits fewer, with how much more correlation."""

    windows: np.ndarray
    turns: Sequence[int]
    quarter: bool = False
    fewer: int = 0
    more: float = 0.0


LOOKS = (  # two bits fewer leave a fifth of the candidates, and nearly all copies
    _Look(WINDOWS, (AS_IS, MIRRORED)),
    _Look(WINDOWS, (UPSIDE_DOWN, HALF_TURN)),
    _Look(WINDOWS, (AS_IS, MIRRORED, UPSIDE_DOWN, HALF_TURN), quarter=True, fewer=2),
    _Look(NARROW, (AS_IS, MIRRORED), fewer=2, more=0.05),
)
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


def take_fingerprints(case_ids: Sequence[str], images: Iterable[np.ndarray]) -> Fingerprints:
    """Return what is compared of images, uint8 (height, width) each; none of them is kept."""
    digests, thumbnails, aspects = [], [], []
    for image in images:
        digests.append(digest(image))
        thumbnails.append(thumbnail(image))
        aspects.append(image.shape[1] / image.shape[0])
    stack = np.stack(thumbnails) if thumbnails else np.empty((0, SIDE, SIDE), dtype=np.uint8)
    return Fingerprints(case_ids, digests, stack, np.array(aspects, dtype=np.float64))


def find_duplicates(prints: Fingerprints, max_bits: int, least: float, *, workers: int = 1) -> pd.DataFrame:
    """Return pairs of cases whose images are the same (``exact``) or nearly so.

    Near-duplicates are images of which one, a window of it or a rotated view, mirrored or not, differs from the other
    in at most ``max_bits`` bits of their hashes *and* correlates with it once laid on it: the hash finds candidates
    without comparing all pairs, the correlation removes false alarms.

    As many pairs are returned as join every scan's copies in one group, no more: of several identical images each is
    paired with the first, and two that others already join are not compared.

    Args:
        prints: what is compared of the cases' images.
        max_bits: largest number of differing bits, of 64.
        least: least correlation of the aligned images, in [-1, 1].
        workers: threads; the pairs are the same whatever their number.

    Returns:
        :data:`COLUMNS`, sorted: two cases, in their order in ``prints``; ``kind``, one of ``exact``, :data:`KINDS`,
        :data:`QUARTER` and :data:`ROTATED`; ``distance`` in bits; ``correlation``.
    """
    from threadpoolctl import threadpool_limits

    ids = prints.case_ids
    pairs: list[tuple[str, str, str, int, float]] = []
    first: dict[bytes, int] = {}
    for index, key in enumerate(prints.digests):
        original = first.setdefault(key, index)
        if original != index:
            pairs.append((ids[original], ids[index], "exact", 0, 1.0))
    unique = list(first.values())
    if len(unique) > 1:
        with threadpool_limits(1):  # more threads may change the last bits, and with them a hash
            near = _near_pairs(prints.thumbnails[unique], prints.aspects[unique], max_bits, least, workers)
        pairs += [(ids[unique[a]], ids[unique[b]], kind, bits, value) for a, b, kind, bits, value in near]
    return pd.DataFrame(sorted(pairs), columns=list(COLUMNS)).astype(COLUMNS)


def _near_pairs(
    thumbnails: np.ndarray, aspects: np.ndarray, max_bits: int, least: float, workers: int
) -> list[tuple[int, int, str, int, float]]:
    """Return what joins all copies, look by look: what an earlier one has joined is left out by the later ones."""
    pairs = []
    groups = _Groups(len(thumbnails))
    for look in LOOKS:
        bits, limit = max(max_bits - look.fewer, 0), min(least + look.more, 1.0)
        found = find_candidates(thumbnails, bits, workers, windows=look.windows, turns=look.turns, quarter=look.quarter)
        wholes = quarter_turn(thumbnails) if look.quarter else thumbnails
        check = partial(_correlate_windows, wholes, thumbnails, found, look.windows, limit)
        for place, value in _confirmed(found, check, groups, limit, workers):
            pairs.append(_describe(found, place, value, QUARTER if look.quarter else KINDS[found.turn[place]]))
    found = find_rotated(thumbnails, aspects, max_bits, workers)
    check = partial(_correlate_rotated, thumbnails, aspects, found)
    confirmed = _confirmed(found, check, groups, least, workers)
    return pairs + [_describe(found, place, value, ROTATED) for place, value in confirmed]


def _describe(found: Candidates, place: int, correlation: float, kind: str) -> tuple[int, int, str, int, float]:
    first, second, distance = (int(column[place]) for column in (found.first, found.second, found.distance))
    return min(first, second), max(first, second), kind, distance, round(correlation, 3)


def _confirmed(
    found: Candidates, correlate: Callable[[np.ndarray], np.ndarray], groups: _Groups, least: float, workers: int
) -> list[tuple[int, float]]:
    """Return the candidates that correlate, and how much, nearest first, without those that earlier ones join."""
    confirmed = []
    waiting = np.arange(len(found.first))
    while len(waiting := waiting[groups.apart(found.first[waiting], found.second[waiting])]):
        batch, waiting = waiting[:BATCH], waiting[BATCH:]
        pieces = np.array_split(batch, -(-len(batch) // PIECE))
        correlation = np.concatenate([*map_in_order(correlate, pieces, workers)])
        high = correlation >= least
        for place, value in zip(batch[high].tolist(), correlation[high].tolist(), strict=True):
            if groups.join(int(found.first[place]), int(found.second[place])):
                confirmed.append((place, value))
    return confirmed


def _correlate_windows(
    wholes: np.ndarray, parts: np.ndarray, found: Candidates, windows: np.ndarray, least: float, which: np.ndarray
) -> np.ndarray:
    """Return the correlation of the candidates; 0 where it is gone once nothing counts that was filled up in both."""
    whole, part = wholes[found.first[which]], turn_images(parts[found.second[which]], found.turn[which])
    correlation, edges = align(whole, part, windows[found.view[which]])
    high = np.flatnonzero(correlation >= least)
    if len(high):
        kept = correlation_at(whole[high], part[high], edges[high]) >= GIVE_UP
        correlation[high] = np.where(kept, correlation[high], 0.0)
    return correlation


def _correlate_rotated(thumbnails: np.ndarray, aspects: np.ndarray, found: Candidates, which: np.ndarray) -> np.ndarray:
    first, view = found.first[which], found.view[which]
    places = np.stack([places_of(float(aspects[index]))[row] for index, row in zip(first, view, strict=True)])
    return turned_correlation(
        thumbnails[first], turn_images(thumbnails[found.second[which]], found.turn[which]), places
    )


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
