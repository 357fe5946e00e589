"""Curves as lines of many points, and whether an open line was meant to be closed."""

from __future__ import annotations

import numpy as np

POINTS = 1024
"""Of an ellipse; its area comes out 6 parts in a million too small."""
LARGEST_GAP = 0.05
"""Share of a line's length that may lie between its ends, where somebody drew round a lesion and stopped short."""


def ellipse(x: float, y: float, radius_x: float, radius_y: float, turned: float = 0.0) -> np.ndarray:
    """Return an ellipse, float64 (:data:`POINTS`, 2).

    Args:
        x: of its centre.
        y: of its centre.
        radius_x: radius along x before it is turned.
        radius_y: along y.
        turned: angle by which it is turned, from x to y, in radians.

    Raises:
        ValueError: if a radius is not positive.
    """
    if not (radius_x > 0 and radius_y > 0):
        raise ValueError(f"has a radius of {min(radius_x, radius_y):g}; expected more than 0")
    angles = np.arange(POINTS) * (2 * np.pi / POINTS)
    along, across = radius_x * np.cos(angles), radius_y * np.sin(angles)
    cosine, sine = np.cos(turned), np.sin(turned)
    return np.stack([x + along * cosine - across * sine, y + along * sine + across * cosine], axis=1)


def require_closed(line: np.ndarray) -> np.ndarray:
    """Return a line, float64 (n, 2), whose ends meet but for a small gap.

    Raises:
        ValueError: if they do not.
    """
    length = np.hypot(*np.diff(line, axis=0).T).sum()
    gap = np.hypot(*(line[-1] - line[0]))
    if gap > LARGEST_GAP * length:
        raise ValueError(f"is a line with a gap of {gap:.3g} pixels between its ends; expected a closed one")
    return line
