"""How bright the pixels of a mask are, and whether that says which of them are the lesion."""

from __future__ import annotations

import numpy as np
from PIL import Image

from busline.cohort.formats.pixels import is_deep, over_black

FEW = 32
"""A mask with at most so many gray levels is taken for one without soft edges or losses."""
SHOWN = 8
"""Values that a message lists."""

_LEAST_AREA = 9
"""Pixels, of one 3 × 3 square, that a further level must fill to count."""
_EVEN = 0.3
"""A soft edge spreads over the levels: a window of 1/16 of them with this share of its flat pixels, and
twice those of the windows beside it, is an area."""
_OTHER_COLOUR = 0.4
"""Difference of a channel, both colours at their brightest, from which on two colours are two."""


def mask_levels(picture: Image.Image) -> np.ndarray:
    """Return the strongest channel of each pixel; of a mask that is black and drawn in transparency alone, its opacity.

    The luminance would lose dark colours: pure blue has 29 of 255.

    Returns:
        uint8 or uint16 (height, width).

    Raises:
        ValueError: if areas have different colours, because nobody said which of them is the lesion.
    """
    if is_deep(picture):
        return np.asarray(picture)
    if picture.mode in ("1", "L"):
        return np.asarray(over_black(picture).convert("L"))
    *colours, opacity = picture.convert("RGBA").split()
    if opacity.getextrema() != (255, 255) and not any(colour.getbbox() for colour in colours):
        return np.asarray(opacity)
    red, green, blue = colours
    gray = red.tobytes() == green.tobytes() == blue.tobytes()
    shown = [
        Image.composite(colour, Image.new("L", red.size), opacity) for colour in (colours[:1] if gray else colours)
    ]
    if gray:
        return np.asarray(shown[0])
    pixels = np.stack([np.asarray(channel) for channel in shown], axis=2)
    levels: np.ndarray = pixels.max(axis=2)
    if _has_several_colours(pixels, levels):
        raise ValueError(
            f"has areas of several colours ({name_colours(pixels)}); expected the lesion in one on black, or say "
            "masks.values: the colours that are the lesion"
        )
    return levels


def pack_colours(colours: np.ndarray) -> np.ndarray:
    """Return the colours of an RGB array (height, width, 3) as numbers 0xrrggbb, (height, width)."""
    packed: np.ndarray = colours.astype(np.uint32) @ np.array([65536, 256, 1], np.uint32)
    return packed


def name_colours(colours: np.ndarray) -> str:
    """Return the commonest colours of an RGB array (height, width, 3), as #rrggbb."""
    values, counts = np.unique(pack_colours(colours), return_counts=True)
    common = sorted(values[np.argsort(-counts, kind="stable")[:SHOWN]])
    return ", ".join(f"#{value:06x}" for value in common) + (" …" if len(values) > SHOWN else "")


def name_levels(levels: np.ndarray) -> str:
    """Return the commonest gray levels of an array, as numbers."""
    values, counts = np.unique(levels, return_counts=True)
    common = sorted(values[np.argsort(-counts, kind="stable")[:SHOWN]])
    return ", ".join(str(value) for value in common) + (" …" if len(values) > SHOWN else "")


def half_level(levels: np.ndarray) -> float:
    """Return the level from which on a pixel is lesion, and refuse levels that are not those of one shape on black.

    It is half of the highest level that an area holds; beside an edge, a JPEG has higher ones.

    Raises:
        ValueError: with the levels found, if areas hold a level that is neither the highest nor the background's (an
            index mask, a label map), or if the levels are those of a scan.
    """
    values = np.flatnonzero(np.bincount(levels.ravel()))
    few = len(values) <= FEW
    most = int(values[-1]) if few else _highest(levels)
    further = _few_further(levels, values) if few else _further_peaks(levels, most)
    if further:
        found = ", ".join(str(value) for value in sorted({*further, int(values[0]), most})[:SHOWN])
        raise ValueError(
            f"has areas of several gray values ({found}); expected the lesion in one on black, or say masks.values: "
            "those that are the lesion"
        )
    if not few and _is_scan(levels, most):
        raise ValueError("is a picture of many gray values, no mask; expected the lesion white and the rest black")
    return most / 2


def _highest(levels: np.ndarray) -> int:
    """Return the highest level that flat areas reach, or the highest of all where none is flat (a thin line)."""
    most = int(levels.max())
    bright = np.sort(levels[(levels > most // 2) & _is_flat(levels, most // 16)])
    return int(bright[-_LEAST_AREA]) if len(bright) >= _LEAST_AREA else most


def _few_further(levels: np.ndarray, values: np.ndarray) -> list[int]:
    """Return the levels of flat areas besides the background's and the highest, of a mask without losses."""
    least, most = int(values[0]), int(values[-1])
    if len(values) == 2:
        return [least] if least > most // 4 else []
    losses = min(most // 64, 3)
    between = (levels > losses) & (levels < most - losses) & _is_flat(levels, 0)
    areas = np.bincount(levels[between], minlength=most + 1)
    return [int(value) for value in np.flatnonzero(areas) if value != least or least > most // 4]


def _further_peaks(levels: np.ndarray, most: int) -> list[int]:
    """Return the levels, far from both ends, round which the flat areas of a soft mask or a JPEG crowd."""
    width = max(1, most // 16)
    areas = np.bincount(levels[_is_flat(levels, width)], minlength=most + 2 * width)
    between = slice(most // 8, most - most // 8 + 1)
    total = areas[between].sum()
    if total < max(_LEAST_AREA, np.count_nonzero(levels > most // 2) // 100):
        return []
    crowd = np.convolve(areas, np.ones(width, dtype=np.int64), mode="same")
    peaks: list[int] = []
    for peak in np.argsort(-crowd[between], kind="stable") + between.start:
        beside = crowd[peak - width], crowd[peak + width]
        if crowd[peak] < _EVEN * total or len(peaks) == SHOWN:
            break
        if 2 * max(beside) < crowd[peak] and all(abs(peak - other) > width for other in peaks):
            peaks.append(int(peak))
    return peaks


def _is_flat(levels: np.ndarray, tolerance: int) -> np.ndarray:
    """Return where the levels of a pixel and its eight neighbours differ by at most ``tolerance``."""
    from scipy import ndimage

    size = 3
    flat: np.ndarray = ndimage.maximum_filter(levels, size) - ndimage.minimum_filter(levels, size) <= tolerance
    return flat


def _is_scan(levels: np.ndarray, most: int) -> bool:
    """Say whether gray levels are those of a scan: half-way ones in many pieces, or up to the borders."""
    from scipy import ndimage

    shown = levels > most // 8
    halfway = shown & (levels < most - most // 8)
    if np.count_nonzero(halfway) < 0.25 * np.count_nonzero(shown):
        return False
    border = np.concatenate([halfway[0], halfway[-1], halfway[:, 0], halfway[:, -1]])
    return bool(border.mean() > 0.25) or ndimage.label(levels >= most / 2)[1] > 8


def _has_several_colours(colours: np.ndarray, levels: np.ndarray) -> bool:
    """Say whether bright areas, of 3 × 3 pixels or more, have another colour than most, whatever their brightness."""
    from scipy import ndimage

    bright = (levels > levels.max() // 4) & (levels > 0)
    hues = colours[bright] / levels[bright, None].astype(np.float64)
    codes = np.rint(hues * 2).astype(np.int64) @ np.array([9, 3, 1])
    usual = hues[codes == np.bincount(codes).argmax()].mean(axis=0)
    other = np.zeros(levels.shape, dtype=bool)
    other[bright] = np.abs(hues - usual).max(axis=1) > _OTHER_COLOUR
    return bool(ndimage.minimum_filter(other, 3).any())  # a JPEG has single pixels of other colours at every edge
