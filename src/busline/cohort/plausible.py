"""What is wrong, or may be, with an image and its mask that could be read."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import groupby
from typing import Any

import numpy as np

from busline.base.settings.data import Ingest
from busline.cohort.schema import RawCase

NOTES = {
    "low_contrast": "the image spans few gray levels",
    "mask_at_all_borders": "the lesion touches all four borders of the image",
    "small_lesion": "the lesion is smaller than ingest.lesion_share_min of the image",
    "large_lesion": "the lesion is larger than ingest.lesion_share_max of the image",
    "lesion_with_holes": "the lesion has holes, as a small outline has",
    "crossing_outline": "the outline crosses or overlaps itself, so what it encloses is a matter of rule",
    "rectangular_outline": "the outline is a rectangle, as a box is",
    "turned_image": "the image was turned by its Exif orientation, and its mask perhaps drawn on the unturned one",
    "cropped_mask": "part of the lesion lies outside images.crop",
    "resized_mask": "the mask had another size than its image",
    "ignored_mask": "the mask of a normal case marks something and was ignored",
    "mask_outside": "the mask marks pixels outside of the DICOM region that is read",
    "text_unknown": "the whole DICOM picture is read, and text may be burnt in",
    "text_inside": "the whole DICOM picture is read, and its file says that text is burnt in",
    "text_denied": "the whole DICOM picture is read; its file says that no text is burnt in",
    "unusable_region": "the DICOM file names a region that is not inside its picture",
    "several_regions": "of several 2-D regions of the DICOM picture the largest was read, the first of equal ones",
    "odd_pixel_size": "the DICOM file gives a pixel size that is not square, not in cm, not plausible, or not one",
    "other_colours": "the DICOM file says RGB and holds YBR, or the reverse, by its gray pixels; read as what it holds",
    "unused_bits": "the DICOM picture uses few of its stored bits and is dark; images.bits says how many it uses",
}
"""What the data card says of single cases: it may be right, so it is no error."""


def doubt_image(image: np.ndarray, settings: Ingest) -> list[str]:
    """Return the notes on an image, uint8 (height, width).

    Raises:
        ValueError: if it is blank.
    """
    least, most = int(image.min()), int(image.max())
    if least == most:
        raise ValueError(f"is blank: every pixel is {least}")
    low, high = np.percentile(image[::4, ::4], (1, 99))
    return ["low_contrast"] if high - low < settings.image_contrast else []


def doubt_mask(mask: np.ndarray, settings: Ingest) -> list[str]:
    """Return the notes on the union of a case's masks, bool (height, width), not empty.

    Raises:
        ValueError: if it is inverted: more than half of the image, and nearly all of its border.
    """
    sides = mask[0], mask[-1], mask[:, 0], mask[:, -1]
    share, border = mask.mean(), np.concatenate(sides).mean()
    if share > 0.5 and border > settings.mask_border:
        raise ValueError(
            f"marks {share:.0%} of the image and {border:.0%} of its border, so it is inverted; expected the lesion "
            "white, or say masks.values: [0] if it is black"
        )
    notes = {
        "mask_at_all_borders": all(side.any() for side in sides),
        "small_lesion": share < settings.lesion_share_min,
        "large_lesion": share > settings.lesion_share_max,
        "lesion_with_holes": _hole_area(mask) > settings.mask_holes * mask.sum(),
    }
    return [name for name, holds in notes.items() if holds]


def _hole_area(mask: np.ndarray) -> int:
    """Return how many pixels a mask, bool (height, width), encloses that are not its own."""
    from scipy import ndimage

    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    outside = ~np.pad(mask[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1], 1)
    pieces, count = ndimage.label(outside)
    return int(np.count_nonzero(pieces > 1)) if count > 1 else 0


def shared_files(cases: Sequence[RawCase]) -> list[str]:
    """Return a line for each mask that is the image of a case, or the mask of a case with another image too."""
    images = {case.image: case.case_id for case in cases if case.image}
    owners: dict[Any, RawCase] = {}
    problems = []
    for case in cases:
        for path in (*case.masks, *case.other_masks):
            place = f"row {case.row} (case {case.case_id}): mask {path.name}"
            owner = owners.setdefault(path, case)
            if path in images:
                problems.append(f"{place} is the image of case {images[path]}")
            elif owner.image != case.image:
                problems.append(f"{place} is a mask of case {owner.case_id} too, whose image is another")
    return problems


def equal_masks(case_ids: Sequence[str], images: Sequence[bytes], masks: Sequence[bytes | None]) -> list[list[str]]:
    """Return the groups of cases with different images and pixel for pixel the same mask.

    Args:
        case_ids: n ids.
        images: the digest of each image.
        masks: the digest of each mask, None without one.
    """
    known = sorted((mask, case, image) for case, image, mask in zip(case_ids, images, masks, strict=True) if mask)
    groups = []
    for _, members in groupby(known, key=lambda item: item[0]):
        group = list(members)
        if len({image for _, _, image in group}) > 1:
            groups.append(sorted(case for _, case, _ in group))
    return sorted(groups)


def describe_doubts(
    notes: Iterable[tuple[str, Sequence[str]]], same_mask: list[list[str]], depth: Mapping[str, Any] | None
) -> dict[str, Any]:
    """Return the part of the data card on what a person should look at, for machines and, as ``lines``, in words.

    Args:
        notes: each case's id and its notes, keys of :data:`NOTES`.
        same_mask: see :func:`equal_masks`.
        depth: how the 16-bit images were scaled, None without one.
    """
    found: dict[str, list[str]] = {}
    for case, names in notes:
        for name in names:
            found.setdefault(name, []).append(case)
    lines = _in_words(found, same_mask, depth)
    return {"cases": found, "same_mask": same_mask, "sixteen_bits": depth, "lines": lines}


def _in_words(
    found: Mapping[str, Sequence[str]], same_mask: list[list[str]], depth: Mapping[str, Any] | None
) -> list[str]:
    lines = [f"{NOTES[name]}: {_some(cases)}" for name, cases in found.items()]
    lines += [f"one mask for several images: {_some(group)}" for group in same_mask]
    if depth:
        why = "declared" if depth["declared"] else f"the brightest pixel of all is {depth['brightest']}"
        lines.append(f"16-bit images scaled by {depth['bits']} bits ({why}): {depth['images']}")
    return lines


def _some(cases: Sequence[str], most: int = 10) -> str:
    more = f" … and {len(cases) - most} more" if len(cases) > most else ""
    return ", ".join(cases[:most]) + more
