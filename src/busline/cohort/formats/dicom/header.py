"""What a DICOM file says of its pixels; no name, date or identifier in it is even parsed."""

from __future__ import annotations

import io
import logging
import struct
import zlib
from dataclasses import dataclass
from typing import Any

import pydicom
from pydicom.uid import UID, DeflatedExplicitVRLittleEndian, ExplicitVRBigEndian, ExplicitVRLittleEndian

from busline.cohort.formats.pixels import HEADER_BYTES, describe_size

logging.getLogger("pydicom").propagate = False  # its lines quote values of the header

_TAGS = [
    "SOPClassUID",
    "Manufacturer",
    "ManufacturerModelName",
    "BurnedInAnnotation",
    "SequenceOfUltrasoundRegions",
    "PixelSpacing",
    "Rows",
    "Columns",
    "NumberOfFrames",
    "SamplesPerPixel",
    "PhotometricInterpretation",
    "PlanarConfiguration",
    "BitsAllocated",
    "BitsStored",
    "HighBit",
    "PixelRepresentation",
    "RescaleSlope",
    "RescaleIntercept",
    "WindowCenter",
    "WindowWidth",
    "VOILUTFunction",
    "ModalityLUTSequence",
    "VOILUTSequence",
    *(
        f"{part}{colour}PaletteColorLookupTableData"
        for colour in ("Red", "Green", "Blue")
        for part in ("", "Segmented")
    ),
    *(f"{colour}PaletteColorLookupTableDescriptor" for colour in ("Red", "Green", "Blue")),
    "ExtendedOffsetTable",
    "ExtendedOffsetTableLengths",
    "PixelData",
    "FloatPixelData",
    "DoubleFloatPixelData",
]
"""All that is read of a file; the rest is skipped."""
GRAYS = ("MONOCHROME1", "MONOCHROME2")
PALETTE = "PALETTE COLOR"
CHANNELS = dict.fromkeys((*GRAYS, PALETTE), 1) | dict.fromkeys(
    ("RGB", "YBR_FULL", "YBR_FULL_422", "YBR_ICT", "YBR_RCT"), 3
)
"""Values a pixel has, by the photometric interpretations that are read (PS3.3, C.7.6.3.1.2)."""
_ORDINARY = range(1, 65536)
_MOST_FRAMES = 1_000_000


class DicomError(ValueError):
    """What is wrong with a file, in words of ours: pydicom's own may quote the header."""


@dataclass(frozen=True)
class Header:
    """The header of an image, checked.

    Attributes:
        data: the parsed elements.
        rows: height in pixels.
        columns: width in pixels.
        frames: number of frames.
        samples: 1 or 3 values a pixel.
        colours: the photometric interpretation.
        allocated: bits that a value takes in the file: 1, 8 or 16.
        stored: bits of these that are in use.
        signed: whether values may be negative.
        syntax: how the pixels are stored.
    """

    data: Any
    rows: int
    columns: int
    frames: int
    samples: int
    colours: str
    allocated: int
    stored: int
    signed: bool
    syntax: UID


def read_header(content: bytes, max_pixels: int) -> Header:
    """Parse a file and check all that its pixels need before one of them is unpacked.

    Raises:
        DicomError: if the file holds no image, or one that cannot be.
    """
    _require_small(content, max_pixels)
    data = pydicom.dcmread(io.BytesIO(content), force=True, specific_tags=_TAGS)
    _require_image(data)
    colours = str(data.get("PhotometricInterpretation", ""))
    data.NumberOfFrames = integer(data, "NumberOfFrames", 1, range(1, _MOST_FRAMES))
    data.SamplesPerPixel = integer(data, "SamplesPerPixel", CHANNELS.get(colours))
    data.BitsStored = integer(data, "BitsStored", integer(data, "BitsAllocated"))
    data.PixelRepresentation = integer(data, "PixelRepresentation", 0, range(2))
    header = Header(
        data=data,
        rows=integer(data, "Rows"),
        columns=integer(data, "Columns"),
        frames=data.NumberOfFrames,
        samples=data.SamplesPerPixel,
        colours=colours,
        allocated=integer(data, "BitsAllocated"),
        stored=data.BitsStored,
        signed=data.PixelRepresentation == 1,
        syntax=_syntax(data),
    )
    size = describe_size(header.columns, header.rows, max_pixels)
    if size:
        raise DicomError(size)
    _require_depth(header)
    return header


def integer(data: Any, keyword: str, default: int | None = None, allowed: range = _ORDINARY) -> int:
    """Return an element's whole number.

    Raises:
        DicomError: if it is none, or not an allowed one.
    """
    value = data.get(keyword)
    if value is None or value == "":
        value = default
    if not isinstance(value, int) or value not in allowed:
        raise DicomError(f"is DICOM whose {keyword} is missing or no number that it can be")
    return int(value)


def _require_small(content: bytes, max_pixels: int) -> None:
    """Refuse a deflated file whose data are out of proportion; pydicom inflates without a limit."""
    if DeflatedExplicitVRLittleEndian.encode() not in content[:4096]:
        return
    try:
        group, element, kind, _, length = struct.unpack_from("<HH2sHI", content, 132)
    except struct.error as error:
        raise DicomError("is truncated or damaged DICOM") from error
    if (group, element, kind) != (2, 0, b"UL"):
        raise DicomError("is deflated DICOM that does not say where its data begin; save it with another syntax")
    inflater = zlib.decompressobj(-zlib.MAX_WBITS)
    inflater.decompress(content[144 + length :], 8 * max_pixels + HEADER_BYTES)
    if not inflater.eof:
        raise DicomError("is truncated or far too large DICOM (its deflated data do not end)")


def _require_image(data: Any) -> None:
    known = UID(str(data.get("SOPClassUID") or data.file_meta.get("MediaStorageSOPClassUID", "")))
    name = known.name if known.name != str(known) else ""
    if "FloatPixelData" in data or "DoubleFloatPixelData" in data:
        raise DicomError("is DICOM with floating-point pixels; expected 8 or 16 bits a pixel")
    if "PixelData" in data and not data["PixelData"].is_empty:
        return
    if "Image" in name or "Capture" in name:
        raise DicomError(f"is DICOM ({name}) without pixels: truncated, or without them from the start")
    raise DicomError(f"is no image but DICOM without pixels{f' ({name})' if name else ''}")


def _syntax(data: Any) -> UID:
    """Return the transfer syntax, or the one that a file without it was parsed by."""
    named = data.file_meta.get("TransferSyntaxUID")
    packed = data["PixelData"].is_undefined_length
    if named:
        syntax = UID(str(named))
        if syntax.name == str(syntax):
            raise DicomError("is DICOM stored in an unknown way (TransferSyntaxUID); save it uncompressed")
        if packed != syntax.is_encapsulated:
            raise DicomError("is DICOM that says of its pixels what they are not: compressed, or uncompressed")
        return syntax
    if packed:
        raise DicomError("is DICOM that does not say how its pixels are compressed (no TransferSyntaxUID)")
    return ExplicitVRLittleEndian if data.original_encoding[1] else ExplicitVRBigEndian


def _require_depth(header: Header) -> None:
    """Refuse pixels that no gray or colour picture of ours can hold."""
    if CHANNELS.get(header.colours) != header.samples:
        raise DicomError(
            f"is DICOM with colours of {header.samples} channels that are not read; save it as RGB or gray"
        )
    if header.allocated not in (1, 8, 16) or not 1 <= header.stored <= header.allocated:
        raise DicomError(f"is DICOM of {header.allocated} bits a value; expected 8 or 16")
    if integer(header.data, "HighBit", header.stored - 1, range(64)) != header.stored - 1:
        raise DicomError("is DICOM whose bits are not the lowest of a value (HighBit); save it anew")
    if header.samples == 3 and header.stored != 8:
        raise DicomError(f"is DICOM of {header.stored} bits a channel in colour; expected 8")
