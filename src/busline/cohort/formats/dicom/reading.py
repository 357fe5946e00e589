"""Read one picture of a DICOM file."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager

from PIL import Image

from busline.cohort.formats.dicom.colours import show_colours, show_palette
from busline.cohort.formats.dicom.frames import unpack_frame
from busline.cohort.formats.dicom.grays import show_gray
from busline.cohort.formats.dicom.header import PALETTE, DicomError, Header, read_header
from busline.cohort.formats.dicom.regions import Region, read_regions, shared_size, spacing
from busline.cohort.formats.pixels import BITS, LEAST_BITS, LEAST_SIDE, bits_in_use
from busline.cohort.formats.scans import Scan
from busline.cohort.formats.text import tidy
from busline.cohort.schema import DicomForm

PARSED = "is truncated or damaged DICOM"
UNPACKED = "is damaged DICOM, or its pixels are compressed in a way that is not read; save it uncompressed"
_LONGEST = 64
"""Characters of a text of this kind in DICOM (LO)."""
_UNUSED = 2
"""Bits of the stored ones that may be unused without a word: then a picture has 64 gray levels or more."""


def read_dicom(content: bytes, max_pixels: int, form: DicomForm, bits: int | None = None) -> Scan:
    """Read a frame, or a region of it, as gray or RGB.

    Args:
        content: of the file.
        max_pixels: a picture with more pixels is refused before it is unpacked.
        form: which frame and which region.
        bits: how many bits of a 16-bit picture are in use; None for all that the file says are stored.

    Raises:
        ValueError: with the reason, if the file holds no such picture or is damaged.
    """
    with _in_words_of_ours():
        header = read_header(content, max_pixels)
        if header.stored < LEAST_BITS:
            raise DicomError(f"is DICOM of {header.stored} bits a pixel, as a mask has, and no scan")
        index = _frame(header, form)
    with _in_words_of_ours(UNPACKED):
        picture, notes = _show(header, index, bits)
        return _cut(picture, header, form, notes)


def read_dicom_mask(content: bytes, max_pixels: int) -> Image.Image:
    """Read a mask: the one frame of a file, whole.

    Raises:
        ValueError: with the reason, if the file holds no such picture or is damaged.
    """
    with _in_words_of_ours():
        header = read_header(content, max_pixels)
        if header.frames > 1:
            raise DicomError(f"has {header.frames} frames; expected a mask of one: save it as PNG")
    with _in_words_of_ours(UNPACKED):
        return _show(header, 0, None)[0]


@contextmanager
def _in_words_of_ours(words: str = PARSED) -> Iterator[None]:
    """Keep what pydicom says of a damaged file from the user: it may raise anything, and quotes the header."""
    try:
        yield
    except DicomError:
        raise
    except Exception as error:
        raise DicomError(words) from error


def _show(header: Header, index: int, bits: int | None) -> tuple[Image.Image, list[str]]:
    """Return a frame as gray or RGB, and the notes on its values."""
    values, colours = unpack_frame(header, index)
    if header.samples == 3:
        picture, contradicts = show_colours(values, colours)
        return picture, ["other_colours"] if contradicts else []
    if header.colours == PALETTE:
        return show_palette(values, header), []
    picture = show_gray(values, header, bits)
    unused = picture.info.get(BITS, 0) - bits_in_use(int(values.max()))
    return picture, ["unused_bits"] if bits is None and unused > _UNUSED else []


def _frame(header: Header, form: DicomForm) -> int:
    """Return the index of the frame that is asked for, from 0."""
    if form.frame is None and header.frames > 1:
        raise DicomError(
            f"has {header.frames} frames; say in dataset.yaml which one it is: `dicom: {{frame: first}}`, middle, or "
            "its number from 1"
        )
    if form.frame == "middle":
        return (header.frames - 1) // 2
    number = form.frame if isinstance(form.frame, int) else 1
    if number > header.frames:
        raise DicomError(f"has {header.frames} frames; dicom.frame: {number} is none of them")
    return number - 1


def _cut(picture: Image.Image, header: Header, form: DicomForm, notes: list[str]) -> Scan:
    """Cut out the region that is asked for, and say what is known of it."""
    regions, unusable = read_regions(header)
    region = _choose(regions, form, notes)
    if region is None:
        notes += ["unusable_region"] if unusable else []
        notes.append(_text_inside(header))
    if region is not None:
        size, odd = region.pixel_mm, region.odd_size
    elif regions:
        size = shared_size(regions)
        odd = size is None and any(one.pixel_mm or one.odd_size for one in regions)
    else:
        size, odd = (None, False) if unusable else spacing(header)
    notes += ["odd_pixel_size"] if odd else []
    return Scan(
        picture=picture.crop(region.box) if region else picture,
        whole=(header.rows, header.columns),
        box=region.box if region else (0, 0, header.columns, header.rows),
        pixel_mm=size,
        device=_device(header),
        notes=tuple(notes),
    )


def _choose(regions: list[Region], form: DicomForm, notes: list[str]) -> Region | None:
    """Return the region that is asked for, None for the whole picture."""
    if form.region == "whole":
        return None
    if isinstance(form.region, int):
        if form.region > len(regions):
            raise DicomError(
                f"has {len(regions)} 2-D regions of tissue; dicom.region: {form.region} is none of them (largest and "
                "whole take what is there)"
            )
        chosen = regions[form.region - 1]
    elif regions:
        chosen = max(regions, key=lambda region: region.area)
        notes += ["several_regions"] if len(regions) > 1 else []
    else:
        return None
    left, top, right, bottom = chosen.box
    if min(right - left, bottom - top) < LEAST_SIDE:
        raise DicomError(f"has a region of {right - left} × {bottom - top} pixels; say dicom.region: whole")
    return chosen


def _text_inside(header: Header) -> str:
    """Return the note on a whole picture, by what the file says of burnt-in text (BurnedInAnnotation)."""
    said = str(header.data.get("BurnedInAnnotation") or "").strip().upper()
    return {"YES": "text_inside", "NO": "text_denied"}.get(said, "text_unknown")


def _device(header: Header) -> str | None:
    """Return manufacturer and model, None where the file names neither."""
    words = []
    for keyword in ("Manufacturer", "ManufacturerModelName"):
        value = header.data.get(keyword) or ""
        text = value if isinstance(value, str) else " ".join(str(part) for part in value)
        words.append(tidy(re.sub(r"[\x00-\x1f\x7f\s]+", " ", text)[:_LONGEST]))
    return " ".join(word for word in words if word) or None
