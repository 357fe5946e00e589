"""Cut the scan out of a screenshot, as dataset.yaml says."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from busline.cohort.formats.pixels import LEAST_SIDE
from busline.cohort.schema import Crop

Edges = tuple[int, int, int, int]
"""Left, upper, right and lower edge in pixels, the last two outside."""


def in_pixels(crop: Crop) -> bool:
    """Say whether a crop is in pixels; else it is in shares of the image's sides."""
    return max(crop) > 1


def edges_of(size: tuple[int, int], crop: Crop | None) -> Edges:
    """Return where an image is cut.

    Args:
        size: its width and height in pixels.
        crop: left, upper, right and lower edge, in pixels or shares; None for the whole image.

    Raises:
        ValueError: if the crop reaches beyond the image, or leaves too little of it.
    """
    width, height = size
    if crop is None:
        return 0, 0, width, height
    scale = (1, 1, 1, 1) if in_pixels(crop) else (width, height, width, height)
    left, top, right, low = (round(edge * side) for edge, side in zip(crop, scale, strict=True))
    if right > width or low > height:
        raise ValueError(f"has {width} × {height} pixels; images.crop reaches to {right} × {low}")
    if min(right - left, low - top) < LEAST_SIDE:
        raise ValueError(f"has {right - left} × {low - top} pixels inside images.crop; expected {LEAST_SIDE} or more")
    return left, top, right, low


def cut_mask(mask: np.ndarray, edges: Edges) -> np.ndarray:
    """Return the part of a mask (height, width) inside the edges."""
    left, top, right, low = edges
    return mask[top:low, left:right]


def unequal_sizes(sizes: Mapping[tuple[int, int], Sequence[str]], crop: Crop | None) -> list[str]:
    """Return what is wrong where a crop in pixels meets images of several sizes: they are of several layouts.

    Args:
        sizes: ids of the cases by width and height of their image, as released.
        crop: the crop.
    """
    if crop is None or not in_pixels(crop) or len(sizes) < 2:
        return []
    most = max(sizes, key=lambda size: (len(sizes[size]), size))
    return [
        f"image of case {case} has {width} × {height} pixels, most have {most[0]} × {most[1]}; images.crop in pixels "
        "is for one size: leave the others out, or give the crop in shares of the sides, from 0 to 1"
        for (width, height), cases in sorted(sizes.items())
        if (width, height) != most
        for case in cases
    ]
