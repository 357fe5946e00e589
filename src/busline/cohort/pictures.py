"""What a cohort holds of one case's image and masks, or everything that is wrong with them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from busline.base.settings.data import Ingest
from busline.cohort.duplicates.pairs import digest, thumbnail
from busline.cohort.formats import pixels
from busline.cohort.formats.masks import read_mask
from busline.cohort.resize import fit_size, resize_image, resize_mask
from busline.cohort.schema import RawCase


@dataclass(frozen=True)
class Pictures:
    """A case's image and masks at the working size, and what is kept of the released ones.

    Of a case without an image all are empty, and its digest and thumbnail None.

    Attributes:
        image: uint8 (h, w).
        mask: union of the main lesion's masks, bool (h, w).
        width: width of the released image in pixels.
        height: its height.
        lesion_share: share of its pixels in the main lesion, NaN without one.
        digest: :func:`busline.cohort.duplicates.pairs.digest` of the image.
        thumbnail: :func:`busline.cohort.duplicates.pairs.thumbnail` of the image.
    """

    image: np.ndarray
    mask: np.ndarray
    width: int
    height: int
    lesion_share: float
    digest: bytes | None
    thumbnail: np.ndarray | None


NONE = Pictures(np.zeros((0, 0), np.uint8), np.zeros((0, 0), np.bool_), 0, 0, np.nan, None, None)
"""Of a case without an image."""


def read_pictures(case: RawCase, settings: Ingest, *, masks_required: bool) -> Pictures | list[str]:
    """Read a case's image and masks and reduce them to the working size.

    Only its own files are looked at, so that cases can be read in any order and side by side.

    Args:
        case: the case.
        settings: working size and limits.
        masks_required: whether a lesion must have a mask.

    Returns:
        The pictures, or a line for each thing that is wrong with them.
    """
    if case.image is None:
        return NONE
    try:
        image = pixels.read_gray(case.image, settings.max_pixels)
    except ValueError as error:
        return [f"{_place(case)}: image {case.image.name} {error}"]
    mask, problems = _read_union(case, image.shape, settings.max_pixels)
    if not problems:
        problems = _contradictions(case, masks_required, mask)
    if problems:
        return [f"{_place(case)}: {line}" for line in problems]
    height, width = image.shape
    size = fit_size(width, height, settings.max_side)
    small = resize_image(image, *size)
    covered = np.count_nonzero(mask)
    return Pictures(
        image=small,
        mask=resize_mask(mask, *size),
        width=width,
        height=height,
        lesion_share=covered / mask.size if covered else np.nan,
        digest=digest(small),
        thumbnail=thumbnail(small),
    )


def _place(case: RawCase) -> str:
    return f"row {case.row} (case {case.case_id})"


def _read_union(case: RawCase, shape: tuple[int, ...], max_pixels: int) -> tuple[np.ndarray, list[str]]:
    """Return the union of a case's main masks, bool of the image's shape, and what is wrong with any of its masks."""
    union = None
    problems = []
    for path in (*case.masks, *case.other_masks):
        try:
            mask = _read_mask(path, shape, max_pixels)
        except ValueError as error:
            problems.append(f"mask {path.name} {error}")
            continue
        if path in case.masks:
            union = mask if union is None else union | mask
    return np.zeros(shape, dtype=bool) if union is None else union, problems


def _read_mask(path: Path, shape: tuple[int, ...], max_pixels: int) -> np.ndarray:
    mask = read_mask(path, max_pixels)
    if mask.shape != shape:
        sizes = f"{mask.shape[1]} × {mask.shape[0]} pixels, its image {shape[1]} × {shape[0]}"
        raise ValueError(f"has {sizes}; expected the same size")
    return mask


def _contradictions(case: RawCase, masks_required: bool, union: np.ndarray) -> list[str]:
    """Return what a case's label and its masks have against each other."""
    if case.label == "normal":
        return [f"is normal, but mask {case.masks[0].name} marks a lesion"] if union.any() else []
    if case.masks and not union.any():
        return [f"mask {case.masks[0].name} is all black; expected the {case.label} lesion in white"]
    if masks_required and not case.masks:
        return [f"names no mask; expected one, because the case is {case.label}"]
    return []
