"""How alike two scans are once one is laid on the other: the check of candidates for near-duplicates."""

from __future__ import annotations

from functools import cache

import numpy as np

BANDS = ((1.5, 6.0), (0.7, 3.0))
"""Standard deviations, in pixels of a 64 × 64 thumbnail, of the two Gaussians whose difference is compared: what lies
between speckle and the depth profile and shading that all scans share. The coarse band finds the place from far, on
half the pixels; the fine one, which two different scans never share, decides."""
STEPS = (3, 4)
"""Gauss-Newton steps in each band; more change little."""
GIVE_UP = 0.5
"""Pairs that correlate less than this in the coarse band are left."""
CLIP = 2.0
"""In standard deviations: marks drawn over a scan count no more than this."""
LARGEST_STEP = 0.03
OUTSIDE, INSIDE = 0.02, 0.25
"""How far an edge may move out of the image and into it, as shares of the side."""


def align(whole: np.ndarray, part: np.ndarray, windows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return how well each ``part`` correlates with a window of its ``whole`` near the given one.

    Args:
        whole: thumbnails of the images that are cut, uint8 (m, 64, 64).
        part: thumbnails of the images they are cut to, uint8 (m, 64, 64).
        windows: left, right, upper and lower edge to start from, as shares of the side, (m, 4).

    Returns:
        Pearson's correlation in the fine band at the best place found, (m,), 0 for those that were given up; and that
        place, (m, 4).
    """
    result, side = np.zeros(len(whole)), whole.shape[-1]
    coarse, fine = BANDS
    halves = [structure(images, coarse, side // 2) for images in (whole, part)]
    correlation, edges = _climb(halves[0], halves[1], windows.astype(np.float64), STEPS[0])
    hopeful = np.flatnonzero(correlation >= GIVE_UP)
    if len(hopeful):
        structures = [structure(images[hopeful], fine, side) for images in (whole, part)]
        result[hopeful], edges[hopeful] = _climb(structures[0], structures[1], edges[hopeful], STEPS[1])
    return result, edges


def structure(thumbnails: np.ndarray, band: tuple[float, float], side: int) -> np.ndarray:
    """Return the band-pass of thumbnails (m, s, s) on ``side`` pixels a side, scaled and clipped, float32."""
    values = thumbnails.astype(np.float32)
    low, high = (blur @ values @ blur.T for blur in (_blur(values.shape[-1], sigma, side) for sigma in band))
    spread = (low - high).std(axis=(1, 2), keepdims=True)
    return np.asarray(np.clip((low - high) / np.maximum(spread, 1e-6), -CLIP, CLIP))


@cache
def _blur(source: int, sigma: float, side: int) -> np.ndarray:
    """Return the matrix that blurs ``source`` pixels by a Gaussian and averages them to ``side``, float32."""
    distance = np.arange(source)[:, None] - np.arange(source)
    blur = np.exp(-0.5 * (distance / sigma) ** 2)
    blur /= blur.sum(axis=1, keepdims=True)
    return np.asarray(blur.reshape(side, source // side, source).mean(axis=1), dtype=np.float32)


def _climb(whole: np.ndarray, part: np.ndarray, edges: np.ndarray, steps: int) -> tuple[np.ndarray, np.ndarray]:
    """Move each window's four edges to where its correlation with ``part`` is highest.

    Gauss-Newton steps on the normalised images (Lucas and Kanade 1981; the enhanced correlation coefficient of
    Evangelidis and Psarakis 2008, DOI 10.1109/TPAMI.2008.113, for shift and scale).

    Returns:
        The highest correlation of all steps, (m,), and the edges there, (m, 4).
    """
    target = _normalise(part)[0]
    best, place = np.full(len(whole), -1.0), edges
    for step in range(steps + 1):
        shown, size, cut = _cut(whole, edges)
        correlation = (shown * target).sum(axis=(1, 2))
        place = np.where((correlation > best)[:, None], edges, place)
        best = np.maximum(best, correlation)
        if step < steps:
            move = _step(cut, shown, size, target, edges)
            edges = np.clip(edges + move, [-OUTSIDE, 1 - INSIDE] * 2, [INSIDE, 1 + OUTSIDE] * 2)
    return best, place


def _cut(whole: np.ndarray, edges: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the windows enlarged to the whole side: normalised, the size before that, and as they are."""
    side = whole.shape[-1]
    columns, rows = _sampling(edges[:, :2], side), _sampling(edges[:, 2:], side)
    cut = rows @ whole @ columns.swapaxes(1, 2)
    shown, size = _normalise(cut)
    return shown, size, cut


def _step(cut: np.ndarray, shown: np.ndarray, size: np.ndarray, target: np.ndarray, edges: np.ndarray) -> np.ndarray:
    """Return the change of the four edges that would make the windows most like their targets, to first order."""
    side = cut.shape[-1]
    place = ((np.arange(side) + 0.5) / side).astype(np.float32)
    width, height = (edges[:, high] - edges[:, low] for low, high in ((0, 1), (2, 3)))
    across = slope(cut, 2) * (side / width).astype(np.float32)[:, None, None]
    down = slope(cut, 1) * (side / height).astype(np.float32)[:, None, None]
    stack = np.empty((len(cut), 7, side, side), dtype=np.float32)
    np.multiply(across, 1 - place, out=stack[:, 0])
    np.multiply(across, place, out=stack[:, 1])
    np.multiply(down, (1 - place)[:, None], out=stack[:, 2])
    np.multiply(down, place[:, None], out=stack[:, 3])
    stack[:, 4], stack[:, 5], stack[:, 6] = shown, target, 1 / side  # unit vectors: what no brightness may explain
    flat = stack.reshape(len(cut), 7, -1)
    products = (flat[:, :4] @ flat.swapaxes(1, 2)).astype(np.float64)
    size = size.reshape(-1, 1, 1).astype(np.float64)
    slopes, on_shown, on_target, on_one = np.split(products, [4, 5, 6], axis=2)
    normal = (slopes - on_shown @ on_shown.swapaxes(1, 2) - on_one @ on_one.swapaxes(1, 2)) / size**2
    damping = 1e-3 * np.trace(normal, axis1=1, axis2=2) + 1e-9
    normal = normal + damping[:, None, None] * np.eye(4)
    alike = (shown * target).sum(axis=(1, 2))[:, None, None]
    return np.clip(np.linalg.solve(normal, (on_target - on_shown * alike) / size)[:, :, 0], -LARGEST_STEP, LARGEST_STEP)


def slope(images: np.ndarray, axis: int) -> np.ndarray:
    """Return central differences along an axis, 0 at both ends."""
    result = np.zeros_like(images)
    inner = [slice(None)] * 3
    inner[axis] = slice(1, -1)
    ahead, behind = list(inner), list(inner)
    ahead[axis], behind[axis] = slice(2, None), slice(None, -2)
    np.subtract(images[tuple(ahead)], images[tuple(behind)], out=result[tuple(inner)])
    result *= 0.5
    return result


def _sampling(edges: np.ndarray, side: int) -> np.ndarray:
    """Return matrices that sample a window at ``side`` places by linear interpolation, float32 (m, side, side)."""
    place = (np.arange(side) + 0.5) / side
    pixel = (edges[:, :1] + (edges[:, 1:] - edges[:, :1]) * place) * side - 0.5
    pixel = np.clip(pixel, 0, side - 1).astype(np.float32)
    reach = np.float32(1.0) - np.abs(pixel[:, :, None] - np.arange(side, dtype=np.float32))
    return np.asarray(np.maximum(reach, 0))


def _normalise(images: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return images (m, s, s) of mean 0 and norm 1, and the norms before that, (m, 1, 1)."""
    centred = images - images.mean(axis=(1, 2), keepdims=True)
    size = np.maximum(np.sqrt((centred**2).sum(axis=(1, 2), keepdims=True)), 1e-6)
    return np.asarray(centred / size), size
