"""What a cohort holds of one case's image and masks, or everything that is wrong with them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from busline.base.settings.data import Ingest
from busline.cohort.duplicates.pairs import digest, thumbnail
from busline.cohort.formats import pixels
from busline.cohort.formats.annotations.draw import draw_outline
from busline.cohort.formats.crops import Edges, cut_mask, edges_of
from busline.cohort.formats.masks import as_area, fit_mask, read_mask
from busline.cohort.formats.nifti import require_same_axes
from busline.cohort.formats.scans import Scan, read_scan, same_size
from busline.cohort.plausible import doubt_image, doubt_mask
from busline.cohort.resize import fit_size, resize_image, resize_mask
from busline.cohort.schema import LARGEST_REGION, WHITE_AREAS, Crop, DicomForm, MaskForm, RawCase
from busline.cohort.shapes import Outline


@dataclass(frozen=True)
class Reading:
    """How the pictures of a cohort are read.

    Attributes:
        settings: working size and limits.
        masks_required: whether a lesion must have a mask.
        masks: what the masks are.
        bits: how many bits of 16-bit images are in use; None for as many as each needs by itself.
        dicom: which picture of a DICOM file is the image.
        dicom_bits: how many bits of 16-bit DICOM images are in use; None for as many as the file says.
        crop: where the scan is in every image; None for all of it.
    """

    settings: Ingest
    masks_required: bool = True
    masks: MaskForm = WHITE_AREAS
    bits: int | None = None
    dicom: DicomForm = LARGEST_REGION
    dicom_bits: int | None = None
    crop: Crop | None = None


@dataclass(frozen=True)
class Pictures:
    """A case's image and masks at the working size, and what is kept of the released ones.

    Of a case without an image all are empty, and its digest and thumbnail None.

    Attributes:
        image: uint8 (h, w).
        mask: union of the main lesion's masks, bool (h, w).
        width: width of the released image in pixels, inside the crop.
        height: its height.
        lesion_share: share of its pixels in the main lesion, NaN without one.
        digest: :func:`busline.cohort.duplicates.pairs.digest` of the image.
        thumbnail: :func:`busline.cohort.duplicates.pairs.thumbnail` of the image.
        released: width and height of the released image, outside the crop too.
        brightest: the highest pixel of a 16-bit image, 0 of any other.
        notes: keys of :data:`busline.cohort.plausible.NOTES`.
        pixel_mm: millimetres per pixel of the released image by the table or its file, None if unknown.
        device: manufacturer and model by its file, None if unknown.
    """

    image: np.ndarray
    mask: np.ndarray
    width: int
    height: int
    lesion_share: float
    digest: bytes | None
    thumbnail: np.ndarray | None
    released: tuple[int, int] = (0, 0)
    brightest: int = 0
    notes: tuple[str, ...] = ()
    pixel_mm: float | None = None
    device: str | None = None


NONE = Pictures(np.zeros((0, 0), np.uint8), np.zeros((0, 0), np.bool_), 0, 0, np.nan, None, None)
"""Of a case without an image."""


def read_pictures(case: RawCase, reading: Reading) -> Pictures | list[str]:
    """Read a case's image and masks and reduce them to the working size.

    Only its own files are looked at, so that cases can be read in any order and side by side.

    Returns:
        The pictures, or a line for each thing that is wrong with them.
    """
    if case.image is None:
        return replace(NONE, pixel_mm=case.pixel_mm)
    settings = reading.settings
    try:
        scan = read_scan(case.image, settings.max_pixels, reading.dicom, reading.dicom_bits)
        edges = edges_of(scan.picture.size, reading.crop)
        picture = scan.picture.crop(edges) if reading.crop else scan.picture
        image = pixels.to_gray(picture, reading.bits)
        doubts = [*doubt_image(image, settings), *scan.notes]
        if (case.masks or case.outline) and pixels.TURNED in picture.info:
            doubts.append("turned_image")
    except ValueError as error:
        return [f"{_place(case)}: image {case.image.name} {error}"]
    mask, notes, problems = _read_union(case, edges, reading, scan)
    if not problems:
        problems = _contradictions(case, reading, mask)
    problems += _other_size(case, scan)
    if problems:
        return [f"{_place(case)}: {line}" for line in problems]
    if _ignores(case, reading) and (mask.any() or notes):
        mask, notes = np.zeros_like(mask), ["ignored_mask"]
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
        released=scan.picture.size,
        brightest=pixels.brightest(picture),
        notes=(*doubts, *notes),
        pixel_mm=case.pixel_mm or scan.pixel_mm,
        device=scan.device,
    )


def _place(case: RawCase) -> str:
    return f"row {case.row} (case {case.case_id})"


def _other_size(case: RawCase, scan: Scan) -> list[str]:
    """Return whether the table has another pixel size than the image's file."""
    if case.pixel_mm is None or scan.pixel_mm is None or same_size(case.pixel_mm, scan.pixel_mm):
        return []
    return [f"pixel size is {case.pixel_mm:.4g} mm; its image's file says {scan.pixel_mm:.4g} mm"]


def _read_union(case: RawCase, edges: Edges, reading: Reading, scan: Scan) -> tuple[np.ndarray, list[str], list[str]]:
    """Return the union of a case's main masks inside the crop, bool, its notes, and what is wrong."""
    shape = scan.picture.size[::-1]
    union = np.zeros(shape, dtype=bool)
    notes: list[str] = []
    problems = []
    drawings: list[Path | Outline] = [*case.masks, *case.other_masks]
    for drawing in [*drawings, case.outline] if case.outline else drawings:
        try:
            mask, found = _read_one(drawing, case, shape, reading, scan)
        except ValueError as error:
            if _ignores(case, reading):
                notes.append("ignored_mask")
            else:
                problems.append(f"{_name(drawing)} {error}")
            continue
        notes += [note for note in found if note not in notes]
        if drawing not in case.other_masks:
            union |= mask
    whole, union = union, cut_mask(union, edges)
    if whole.any() and not union.any() and not _ignores(case, reading):
        problems.append(f"{_main(case)} marks nothing inside images.crop of its {shape[1]} × {shape[0]} pixels")
    elif np.count_nonzero(whole) > np.count_nonzero(union):
        notes.append("cropped_mask")
    if union.any() and not _ignores(case, reading):
        try:
            notes += doubt_mask(union, reading.settings)
        except ValueError as error:
            problems.append(f"{_main(case)} {error}")
    return union, notes, problems


def _read_one(
    drawing: Path | Outline, case: RawCase, shape: tuple[int, ...], reading: Reading, scan: Scan
) -> tuple[np.ndarray, list[str]]:
    """Return one of a case's masks, or its outline, at its image's size, and the notes on it.

    Raises:
        ValueError: if it cannot be read or is not of this image.
    """
    main = drawing not in case.other_masks
    whole, notes = _read_drawing(drawing, case, reading, scan)
    mask = scan.cut_mask(whole)
    marked, inside = np.count_nonzero(whole), np.count_nonzero(mask)
    if main and 2 * inside < marked:
        raise ValueError(
            f"marks {marked - inside} pixels outside of the region that is read and {inside} inside it; say which "
            "region it is: `dicom: {region: 2}`, or whole"
        )
    if main and inside < marked:
        notes.append("mask_outside")
    if mask.shape != shape:
        notes.append("resized_mask")
    return fit_mask(mask, shape, resize=reading.masks.resize), notes


def _read_drawing(drawing: Path | Outline, case: RawCase, reading: Reading, scan: Scan) -> tuple[np.ndarray, list[str]]:
    """Return one of a case's masks, or its outline, as an area at its own size, and the notes on it."""
    settings, form = reading.settings, reading.masks
    if isinstance(drawing, Outline):
        mask, notes = draw_outline(drawing, scan.whole, settings.max_pixels)
        return as_area(mask, settings, form), notes
    if case.image:
        require_same_axes(case.image, drawing)
    needed = case.label != "normal" and drawing in case.masks
    return read_mask(drawing, settings, form, needed=needed), []


def _name(drawing: Path | Outline) -> str:
    return f"outline in {drawing.file}" if isinstance(drawing, Outline) else f"mask {drawing.name}"


def _main(case: RawCase) -> str:
    """Return what a message calls a case's mask or outline."""
    return _name(case.outline or case.masks[0])


def _ignores(case: RawCase, reading: Reading) -> bool:
    """Say whether a case's masks do not matter."""
    return case.label == "normal" and reading.masks.of_normal == "ignore"


def _contradictions(case: RawCase, reading: Reading, union: np.ndarray) -> list[str]:
    """Return what a case's label and its masks have against each other."""
    if case.label == "normal":
        refused = union.any() and not _ignores(case, reading)
        return [f"is normal, but {_main(case)} marks a lesion"] if refused else []
    if case.masks and not union.any():
        return [f"mask {case.masks[0].name} is all black; expected the {case.label} lesion in white"]
    if reading.masks_required and not case.masks and case.outline is None:
        return [f"names no mask; expected one, because the case is {case.label}"]
    return []
