"""How alike two scans are once one is turned, moved and scaled onto the other, over what both show."""

from __future__ import annotations

import numpy as np

from busline.cohort.duplicates.alignment import BANDS, GIVE_UP, LARGEST_STEP, STEPS, slope, structure

BORDER = 3
"""Pixels of a thumbnail that are not compared along its border and along what was filled up: the fine band sees so far
beyond an edge."""
FLAT = 1
"""Gray levels that neighbours may differ by in an area of one level."""
LEAST_OVERLAP = 0.25
"""Share of the part that must be compared, or nothing is said."""


def turned_correlation(whole: np.ndarray, part: np.ndarray, places: np.ndarray) -> np.ndarray:
    """Return how well each ``part`` correlates with its ``whole``, seen through an affine map near the given one.

    Args:
        whole: thumbnails, uint8 (m, 64, 64).
        part: thumbnails of the images that may be turned copies, uint8 (m, 64, 64).
        places: maps of the part's coordinates (-1 to 1 along each side) to the whole's, (m, 2, 3): across, down, shift.

    Returns:
        Pearson's correlation in the fine band at the best place found, over what both show, (m,); 0 for those that were
        given up.
    """
    result, side = np.zeros(len(whole)), whole.shape[-1]
    halves = structure(whole, BANDS[0], side // 2), structure(part, BANDS[0], side // 2)
    nowhere = np.zeros(halves[0].shape, dtype=bool)
    correlation, found = _climb(halves, (nowhere, nowhere), places.astype(np.float64), STEPS[0])
    hopeful = np.flatnonzero(correlation >= GIVE_UP)
    if len(hopeful):
        fine = structure(whole[hopeful], BANDS[1], side), structure(part[hopeful], BANDS[1], side)
        filled = find_filled(whole[hopeful]), find_filled(part[hopeful])
        result[hopeful] = _climb(fine, filled, found[hopeful], STEPS[1])[0]
    return result


def correlation_at(whole: np.ndarray, part: np.ndarray, edges: np.ndarray) -> np.ndarray:
    """Return the correlation in the fine band at a place that was found, over what both show.

    Args:
        whole: thumbnails, uint8 (m, 64, 64).
        part: thumbnails, likewise.
        edges: left, right, upper and lower edge of the part in the whole, as shares of the side, (m, 4).
    """
    places = np.zeros((len(edges), 2, 3))
    for axis, (low, high) in enumerate(((0, 1), (2, 3))):
        places[:, axis, axis] = edges[:, high] - edges[:, low]
        places[:, axis, 2] = edges[:, high] + edges[:, low] - 1
    side = whole.shape[-1]
    fine = structure(whole, BANDS[1], side), structure(part, BANDS[1], side)
    return _climb(fine, (find_filled(whole), find_filled(part)), places, 0)[0]


def find_filled(thumbnails: np.ndarray) -> np.ndarray:
    """Return where thumbnails (m, s, s) were filled up, or show nothing: bool (m, s, s).

    That is an area of one gray level which touches the border, with what the fine band sees of its edge. Corners of
    rotated copies, and the black beside a sector, are alike in different scans; where both show such an area nothing is
    compared.
    """
    from scipy import ndimage

    size = (1, 3, 3)
    flat = ndimage.maximum_filter(thumbnails, size) - ndimage.minimum_filter(thumbnails, size) <= FLAT
    rim = np.zeros(thumbnails.shape[1:], dtype=bool)
    rim[[0, -1]] = rim[:, [0, -1]] = True
    near = ndimage.generate_binary_structure(2, 1)[None]  # within an image, never across images
    filled = ndimage.binary_propagation(flat & rim, structure=near, mask=flat)
    reach = 2 * (BORDER + 1) + 1
    return np.asarray(ndimage.maximum_filter(filled, (1, reach, reach)))


def _climb(
    both: tuple[np.ndarray, np.ndarray], filled: tuple[np.ndarray, np.ndarray], places: np.ndarray, steps: int
) -> tuple[np.ndarray, np.ndarray]:
    """Move each map to where its correlation is highest; see :mod:`busline.cohort.duplicates.alignment`."""
    whole, part = both
    count = len(whole)
    best, found = np.full(count, -1.0), places
    for step in range(steps + 1):
        cut, inside = _look_through(whole, filled, places)
        weight = inside / np.maximum(np.sqrt(inside.sum(axis=1, keepdims=True)), 1e-6)
        shown, size = _normalise(cut, inside, weight)
        target, _ = _normalise(part.reshape(count, -1), inside, weight)
        enough = inside.mean(axis=1) >= LEAST_OVERLAP
        correlation = np.where(enough, (shown * target).sum(axis=1), -1.0)
        found = np.where((correlation > best)[:, None, None], places, found)
        best = np.maximum(best, correlation)
        if step < steps:
            move = _step(cut.reshape(whole.shape), inside, np.stack([shown, target, weight], axis=1), size)
            places = _compose(places, move)
    return best, found


def _grid(side: int) -> np.ndarray:
    """Return coordinates from -1 to 1 of a thumbnail's pixels, and ones: float64 (3, side · side)."""
    line = (np.arange(side) + 0.5) * 2 / side - 1
    return np.stack([np.tile(line, side), np.repeat(line, side), np.ones(side * side)])


def _look_through(
    whole: np.ndarray, filled: tuple[np.ndarray, np.ndarray], places: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Return what the maps show by linear interpolation, and which of it is compared: float32 (m, s · s) each."""
    count, side, _ = whole.shape
    pixel = (places @ _grid(side) + 1) * (side / 2) - 0.5
    inside = ((pixel >= BORDER) & (pixel <= side - 1 - BORDER)).all(axis=1)
    pixel = np.clip(pixel, 0, side - 1.001)
    low = pixel.astype(np.int64)
    right, down = np.moveaxis((pixel - low).astype(np.float32), 1, 0)
    flat = whole.reshape(-1)
    start = low[:, 1] * side + low[:, 0] + (np.arange(count) * side * side)[:, None]
    above = flat[start] * (1 - right) + flat[start + 1] * right
    below = flat[start + side] * (1 - right) + flat[start + side + 1] * right
    inside &= ~(filled[0].reshape(-1)[start] & filled[1].reshape(count, -1))
    return above * (1 - down) + below * down, inside.astype(np.float32)


def _normalise(images: np.ndarray, inside: np.ndarray, weight: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return images (m, p) of mean 0 and norm 1 inside, 0 outside, and the norms before that, (m,)."""
    mean = (images * weight).sum(axis=1, keepdims=True) / np.maximum(weight.sum(axis=1, keepdims=True), 1e-6)
    centred = (images - mean) * inside
    size = np.maximum(np.sqrt((centred**2).sum(axis=1, keepdims=True)), 1e-6)
    return centred / size, size[:, 0]


def _step(cut: np.ndarray, inside: np.ndarray, units: np.ndarray, size: np.ndarray) -> np.ndarray:
    """Return the affine change (m, 2, 3) of the part's coordinates that would make both most alike, to first order."""
    count, side, _ = cut.shape
    grid = _grid(side).astype(np.float32)
    slopes = np.stack([slope(cut, axis).reshape(count, 1, -1) for axis in (2, 1)], axis=1)
    flat = (slopes * np.float32(side / 2) * grid * inside[:, None, None]).reshape(count, 6, -1)
    stack = np.concatenate([flat, units], axis=1)
    products = (flat @ stack.swapaxes(1, 2)).astype(np.float64)
    size = size.reshape(-1, 1, 1).astype(np.float64)
    squares, on_shown, on_target, on_one = np.split(products, [6, 7, 8], axis=2)
    normal = (squares - on_shown @ on_shown.swapaxes(1, 2) - on_one @ on_one.swapaxes(1, 2)) / size**2
    damping = 1e-3 * np.trace(normal, axis1=1, axis2=2) + 1e-9
    normal = normal + damping[:, None, None] * np.eye(6)
    alike = (units[:, 0] * units[:, 1]).sum(axis=1)[:, None, None]
    move = np.linalg.solve(normal, (on_target - on_shown * alike) / size)[:, :, 0]
    return np.clip(move, -2 * LARGEST_STEP, 2 * LARGEST_STEP).reshape(count, 2, 3)


def _compose(places: np.ndarray, move: np.ndarray) -> np.ndarray:
    """Return the maps after the part's coordinates have been moved."""
    moved = move + np.eye(2, 3)
    result = places[:, :, :2] @ moved
    result[:, :, 2] += places[:, :, 2]
    return np.asarray(result)
