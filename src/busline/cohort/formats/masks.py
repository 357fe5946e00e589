"""Read masks: picture files that mark a lesion."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image

from busline.base.settings.data import Ingest
from busline.cohort.formats.levels import half_level, mask_levels, name_colours, name_levels, pack_colours
from busline.cohort.formats.pixels import is_deep, over_black
from busline.cohort.formats.rings import fill_outline, require_area
from busline.cohort.formats.scans import read_mask_picture
from busline.cohort.schema import MaskForm

MOST_VALUES = 64
"""A mask with more values than this has soft edges, where a value says nothing."""
FAINT = 16
"""A JPEG whose brightest pixel is below this is black but for its losses."""


def read_mask(path: Path, settings: Ingest, form: MaskForm, *, needed: bool = True) -> np.ndarray:
    """Read a mask as a boolean array of its own size.

    Of a mask with the two values 0 and v, v is the lesion, whatever v is; a mask of one shape with more values (JPEG,
    soft edges) is cut at half of its own highest; what is not one shape is refused, or read as ``form.values`` says.

    Args:
        path: the file.
        settings: limits.
        form: what the source says of its masks.
        needed: whether one of ``form.values`` must be there.

    Raises:
        ValueError: as :func:`busline.cohort.formats.scans.read_mask_picture`, if the values do not say what the lesion
            is, if the mask is an outline and should be an area, or the reverse, or if it marks the whole image.
    """
    picture = read_mask_picture(path, settings.max_pixels)
    mask = _cut(picture) if form.values is None else _pick(picture, form.values, needed=needed)
    return as_area(mask, settings, form)


def as_area(mask: np.ndarray, settings: Ingest, form: MaskForm) -> np.ndarray:
    """Return a mask, bool (height, width), as the area of a lesion, an outline filled if ``form`` says that it is one.

    Raises:
        ValueError: if it marks the whole image, or is an outline and should be an area, or the reverse.
    """
    if mask.all():
        raise ValueError("marks the whole image; expected the lesion white and the rest black")
    if not mask.any():
        return mask
    if form.form == "outline":
        return fill_outline(mask)
    require_area(mask, settings.mask_hollow, settings.mask_extent)
    return mask


def fit_mask(mask: np.ndarray, shape: tuple[int, ...], *, resize: bool) -> np.ndarray:
    """Return a mask at its image's size.

    Args:
        mask: bool (h, w).
        shape: of the image.
        resize: whether a mask of another size but the same aspect is brought to it, by the nearest pixel.

    Raises:
        ValueError: if the sizes differ and must not, or so do the aspects: then it is a mask of another picture.
    """
    if mask.shape == shape:
        return mask
    (height, width), (high, wide) = mask.shape, shape
    sizes = f"has {width} × {height} pixels, its image {wide} × {high}"
    rounding = (max(width, wide) + max(height, high)) / 2  # half a pixel of each side of the smaller one
    if abs(width * high - height * wide) > rounding:
        raise ValueError(f"{sizes}; expected the same size")
    if not resize:
        raise ValueError(f"{sizes}; expected the same size, or masks.resize: true if it is the same picture")
    fitted = Image.fromarray(mask.view(np.uint8)).resize((wide, high), Image.Resampling.NEAREST)
    return np.asarray(fitted) > 0


def _cut(picture: Image.Image) -> np.ndarray:
    levels = mask_levels(picture)
    most = int(levels.max())
    if picture.format == "JPEG" and most < FAINT:
        return np.zeros(levels.shape, dtype=bool)
    if not ((levels == 0) | (levels == most)).all():
        return levels >= half_level(levels)
    return levels > 0


def _pick(picture: Image.Image, values: tuple[int | str, ...], *, needed: bool) -> np.ndarray:
    """Return where a mask has one of the given values: numbers (see :func:`_numbers`) or colours."""
    levels = _numbers(picture)
    if picture.format == "JPEG" or len(np.unique(levels)) > MOST_VALUES:
        raise ValueError("has soft edges or losses; masks.values needs exact ones: save it as PNG, without smoothing")
    mask: np.ndarray = np.isin(levels, [value for value in values if isinstance(value, int)])
    found = name_levels(levels)
    codes = [int(value[1:], 16) for value in values if isinstance(value, str)]
    if codes and not is_deep(picture):
        colours = np.asarray(over_black(picture).convert("RGB"))
        mask |= np.isin(pack_colours(colours), codes)
        found = name_colours(colours)
    if needed and not mask.any():
        raise ValueError(f"has none of masks.values; found {found}")
    return mask


def _numbers(picture: Image.Image) -> np.ndarray:
    """Return the index of each pixel in a palette that has colours; of any other picture its strongest channel."""
    if is_deep(picture):
        return np.asarray(picture)
    colours = np.asarray(over_black(picture).convert("RGB"))
    if picture.mode == "P" and (colours != colours[..., :1]).any():
        return np.asarray(picture)
    levels: np.ndarray = colours.max(axis=2)
    return levels
