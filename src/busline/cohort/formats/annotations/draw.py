"""Draw the shapes of a lesion as a mask: one rasteriser for all formats.

A pixel belongs to a polygon if its centre does. A point is inside of a line if a ray from it crosses the line an odd
number of times: the even-odd rule, which pycocotools, OpenCV and LabelMe keep too, so that a line that crosses itself
encloses here what it does there. The lines of several parts are united, and holes are taken out.
"""

from __future__ import annotations

import numpy as np

from busline.cohort.shapes import Bitmap, Outline, Polygon, Runs

MARGIN = 0.05
"""Share of an image's side that a point may lie outside of it, where tools let one draw a little over the border."""
MOST_LINES, MOST_POINTS = 1_000, 100_000
"""Lines and points of one image that are drawn; more take minutes."""
MOST_CROSSED = 1 << 22
"""Crossings of lines with rows of pixels that are held in memory at once."""
_AMBIGUOUS = 0.01
"""Share of a shape's area that may depend on the rule of filling before it is named."""
_RIGHT_ANGLE = 1e-3


def draw_outline(outline: Outline, shape: tuple[int, ...], max_pixels: int) -> tuple[np.ndarray, list[str]]:
    """Return a lesion as a mask of the size its image had when it was annotated, and notes.

    Args:
        outline: the shapes.
        shape: height and width of the image, for a file that does not say what it was.
        max_pixels: an outline on more pixels is refused.

    Returns:
        bool (height, width), and keys of :data:`busline.cohort.plausible.NOTES`.

    Raises:
        ValueError: if coordinates are far outside of the image, a part has another size, nothing is enclosed, or
            there are too many lines.
    """
    height, width = outline.size[::-1] if outline.size else shape
    if width * height > max_pixels:
        raise ValueError(f"was drawn on {width} × {height} pixels; expected at most {max_pixels:,} in all")
    _require_few(outline)
    mask = np.zeros((height, width), dtype=bool)
    notes: set[str] = set()
    for part in outline.shapes:
        if isinstance(part, Polygon):
            notes |= _draw_polygon(part, mask, (width, height) if outline.relative else (1, 1))
        elif isinstance(part, Runs):
            _draw_runs(part, mask)
        else:
            _place(part, mask)
    if not mask.any():
        raise ValueError("encloses no pixel; expected coordinates in pixels, round the lesion")
    return mask, sorted(notes)


def fill_ring(ring: np.ndarray, shape: tuple[int, int]) -> np.ndarray:
    """Return how many times a closed line goes round the centre of each pixel: int32 (height, width).

    Odd where the even-odd rule fills, not 0 where the non-zero rule does. What is outside of the image is cut off.

    Args:
        ring: float64 (n, 2) of x and y; the last point is joined to the first.
        shape: height and width.
    """
    height, width = shape
    turns = np.zeros((height, width + 1), dtype=np.int32)
    (x0, y0), (x1, y1) = ring.T, np.roll(ring, -1, axis=0).T
    first = np.clip(np.ceil(np.minimum(y0, y1) - 0.5), 0, height).astype(np.int64)
    last = np.clip(np.ceil(np.maximum(y0, y1) - 0.5), 0, height).astype(np.int64)
    steep = last > first
    x0, y0, x1, y1, first, last = (values[steep] for values in (x0, y0, x1, y1, first, last))
    ends = np.cumsum(last - first)
    start = 0
    while start < len(ends):
        done = ends[start - 1] if start else 0
        stop = max(start + 1, int(np.searchsorted(ends, done + MOST_CROSSED, side="right")))
        part = slice(start, stop)
        counts = (last - first)[part]
        edge = np.repeat(np.arange(start, stop), counts)
        rows = np.arange(len(edge)) - np.repeat(ends[part] - counts - done, counts) + first[edge]
        along = (rows + 0.5 - y0[edge]) / (y1 - y0)[edge]
        columns = np.ceil(x0[edge] + along * (x1 - x0)[edge] - 0.5)
        places = rows * (width + 1) + np.clip(columns, 0, width).astype(np.int64)
        np.add.at(turns.reshape(-1), places, np.where(y1 > y0, 1, -1).astype(np.int32)[edge])
        start = stop
    return np.cumsum(turns[:, :width], axis=1, dtype=np.int32)


def unpack_runs(runs: Runs) -> np.ndarray:
    """Return the mask, bool (height, width), of runs."""
    values = np.arange(len(runs.lengths)) % 2 == 1
    return np.repeat(values, runs.lengths).reshape(runs.width, runs.height).T


def _require_few(outline: Outline) -> None:
    polygons = [part for part in outline.shapes if isinstance(part, Polygon)]
    lines = [len(ring) for part in polygons for ring in (*part.outer, *part.holes)]
    if len(lines) > MOST_LINES or sum(lines) > MOST_POINTS:
        raise ValueError(
            f"has {len(lines):,} lines of {sum(lines):,} points; expected at most {MOST_LINES:,} and {MOST_POINTS:,}"
        )


def _draw_runs(runs: Runs, mask: np.ndarray) -> None:
    height, width = mask.shape
    if (runs.width, runs.height) != (width, height):
        raise ValueError(f"has runs of {runs.width} × {runs.height} pixels, its image {width} × {height}")
    mask |= unpack_runs(runs)


def _place(bitmap: Bitmap, mask: np.ndarray) -> None:
    (height, width), (rows, columns) = mask.shape, bitmap.mask.shape
    left, top = bitmap.left, bitmap.top
    if left < 0 or top < 0 or left + columns > width or top + rows > height:
        raise ValueError(
            f"has a mask of {columns} × {rows} pixels at ({left}, {top}), outside of its image of {width} × {height}"
        )
    mask[top : top + rows, left : left + columns] |= bitmap.mask


def _draw_polygon(polygon: Polygon, mask: np.ndarray, scale: tuple[int, int]) -> set[str]:
    """Add a polygon to a mask of the image, in place, and return its notes."""
    height, width = mask.shape
    outer, holes = ([ring * scale for ring in rings] for rings in (polygon.outer, polygon.holes))
    _require_inside(np.concatenate([*outer, *holes]), width, height)
    low, high = _box(np.concatenate(outer), width, height)
    window = mask[low[1] : high[1], low[0] : high[0]]
    area, filled = np.zeros(window.shape, dtype=bool), np.zeros(window.shape, dtype=bool)
    turns = np.zeros(window.shape, dtype=np.int32)
    for ring in outer:
        count = fill_ring(ring - low, window.shape)
        area |= count % 2 == 1
        filled |= count != 0
        turns += count
    ambiguous = np.count_nonzero(filled & (turns % 2 == 0)) > _AMBIGUOUS * np.count_nonzero(filled)
    rectangular = len(outer) == 1 and not holes and _is_rectangle(outer[0])
    for hole in holes:
        area &= fill_ring(hole - low, window.shape) % 2 == 0
    window |= area
    notes = {"crossing_outline": ambiguous, "rectangular_outline": rectangular}
    return {name for name, holds in notes.items() if holds}


def _require_inside(points: np.ndarray, width: int, height: int) -> None:
    size = np.array([width, height], dtype=np.float64)
    if (points < -MARGIN * size).any() or (points > (1 + MARGIN) * size).any():
        x, y = points[np.argmax(np.maximum(-points / size, points / size - 1).max(axis=1))]
        raise ValueError(
            f"has a point at ({x:.5g}, {y:.5g}), far outside of its image of {width} × {height} pixels; expected the "
            "image that was annotated, at the size it had then"
        )


def _box(points: np.ndarray, width: int, height: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the first column and row of pixels inside the box round points, and those after its last."""
    size = (width, height)
    low = np.clip(np.floor(points.min(axis=0)), 0, size).astype(np.int64)
    high = np.clip(np.ceil(points.max(axis=0)), 0, size).astype(np.int64)
    return low, high


def _is_rectangle(ring: np.ndarray) -> bool:
    """Say whether a line has four corners (the first perhaps once more at its end), all of them right angles."""
    corners = ring[:-1] if len(ring) == 5 and (ring[0] == ring[-1]).all() else ring
    if len(corners) != 4:
        return False
    sides = np.roll(corners, -1, axis=0) - corners
    lengths = np.hypot(*sides.T)
    across = (sides * np.roll(sides, -1, axis=0)).sum(axis=1)
    return bool((np.abs(across) <= _RIGHT_ANGLE * lengths * np.roll(lengths, -1)).all() and lengths.all())
