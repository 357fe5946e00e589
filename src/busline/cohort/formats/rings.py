"""Masks that are the outline of a lesion instead of its area."""

from __future__ import annotations

import numpy as np

_EIGHT = np.ones((3, 3), dtype=bool)
_SPECK = 0.01
"""Pieces with at most this share of a mask's pixels are specks, not outlines."""
_LESIONS = 8
"""A dashed line has more pieces than a case has lesions; and no smaller piece is looked at for being thin."""


def cut_out(mask: np.ndarray) -> np.ndarray:
    """Return the part of a mask inside the box round its pixels, which must not be empty."""
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    return mask[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]


def fill_outline(mask: np.ndarray) -> np.ndarray:
    """Return an outline filled: what it encloses, itself included.

    Args:
        mask: bool (height, width), not empty.

    Raises:
        ValueError: if a piece of it encloses nothing: the outline is open, or the mask is an area.
    """
    from scipy import ndimage

    pieces, count = _pieces(mask)
    if any(ndimage.binary_fill_holes(piece).sum() == piece.sum() for piece in pieces):
        raise ValueError(f"is no closed outline ({count}); expected one, because masks.form is outline")
    filled: np.ndarray = ndimage.binary_fill_holes(mask)
    return filled


def require_area(mask: np.ndarray, most_hollow: float, least_extent: float) -> None:
    """Refuse a mask that is a line round a lesion, closed, open or dashed.

    Only where the mask fills less than half of the box round it is anything counted: a thin outline fills less, and
    most real masks fill more.

    Args:
        mask: bool (height, width) at its full size, because a thin line breaks when it is reduced; not empty.
        most_hollow: how many times its own area a piece's filled area may be.
        least_extent: share of the box round it that a piece must cover, if it has more than a few pixels.

    Raises:
        ValueError: if it is an outline.
    """
    from scipy import ndimage

    part = cut_out(mask)
    if part.mean() >= 0.5:
        return
    pieces, count = _pieces(part)
    if any(ndimage.binary_fill_holes(piece).sum() >= most_hollow * piece.sum() for piece in pieces):
        raise ValueError("is an outline; say masks.form: outline, and it is filled")
    thin = any(min(piece.shape) > _LESIONS and piece.mean() < least_extent for piece in pieces)
    if thin or (len(pieces) > _LESIONS and part.mean() < least_extent):
        raise ValueError(f"is a line that is not closed ({count}); expected the area of the lesion")


def _pieces(mask: np.ndarray) -> tuple[list[np.ndarray], str]:
    """Return the pieces of a mask, each in the box round it, specks left out, and their number in words."""
    from scipy import ndimage

    numbers, count = ndimage.label(mask, _EIGHT)
    areas = np.bincount(numbers.ravel(), minlength=count + 1)[1:]
    places = ndimage.find_objects(numbers)
    large = np.flatnonzero(areas > _SPECK * areas.sum())
    pieces = [numbers[places[number]] == number + 1 for number in large]
    return pieces, "in one piece" if count == 1 else f"in {count} pieces"
