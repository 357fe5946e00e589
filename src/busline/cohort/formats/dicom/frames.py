"""Unpack one frame of a DICOM file."""

from __future__ import annotations

import io
from typing import Any

import numpy as np
from PIL import Image
from pydicom import uid
from pydicom.encaps import generate_fragments, get_frame, parse_basic_offsets
from pydicom.pixels.decoders.base import get_decoder

from busline.cohort.formats.dicom.codestream import Markers, read_markers
from busline.cohort.formats.dicom.header import DicomError, Header
from busline.cohort.formats.pixels import jpeg_ends

NATIVE = (
    uid.ImplicitVRLittleEndian,
    uid.ExplicitVRLittleEndian,
    uid.ExplicitVRBigEndian,
    uid.DeflatedExplicitVRLittleEndian,
)
JPEG = (uid.JPEGBaseline8Bit, uid.JPEGExtended12Bit)
JPEG_2000 = (uid.JPEG2000, uid.JPEG2000Lossless)
LOSSLESS = (uid.JPEGLossless, uid.JPEGLosslessSV1, uid.JPEGLSLossless, uid.JPEGLSNearLossless)
EXTRA = "needs software under the GPL: pip install 'busline[jpeg-lossless]' (pylibjpeg, pylibjpeg-libjpeg), or save it "
"""How what Pillow cannot decode is read."""


def unpack_frame(header: Header, index: int) -> tuple[np.ndarray, str]:
    """Unpack a frame.

    Args:
        header: of the file.
        index: of the frame, from 0.

    Returns:
        Integers (rows, columns) or (rows, columns, 3), and what they are: a photometric interpretation, in which YBR
        is not reduced and RGB is RGB.

    Raises:
        DicomError: if the frame is cut off, is not of the size that the header says, or cannot be unpacked here.
    """
    if header.syntax in NATIVE:
        return _unpack_native(header, index)
    if header.syntax == uid.RLELossless:
        frame = _packed(header, index)
        whole = header.rows * header.columns * header.samples * header.allocated // 8
        if len(frame) > 2 * whole + 1024:
            raise DicomError("is DICOM whose frame holds more than its pixels")
        return _decode(header, index, "pydicom")
    if header.syntax in JPEG_2000:
        _require_size(header, *Image.open(io.BytesIO(_packed(header, index)), formats=("JPEG2000",)).size)
        return _decode(header, index, "pillow")
    if header.syntax in (*JPEG, *LOSSLESS):
        return _unpack_jpeg(header, index)
    if header.syntax.name.startswith(("MPEG", "HEVC", "SMPTE")):
        raise DicomError(f"is a film ({header.syntax.name}); save its frames as PNG")
    raise DicomError(f"is DICOM stored as {header.syntax.name}, which is not read; save it uncompressed")


def _packed(header: Header, index: int) -> bytes:
    """Return a frame's bytes as they are stored.

    Raises:
        DicomError: if there are more or fewer frames than the header says.
    """
    tables = [header.data.get(name) for name in ("ExtendedOffsetTable", "ExtendedOffsetTableLengths")]
    content: bytes = header.data.PixelData
    found = _frame_count(content, header)
    if found != header.frames:
        raise DicomError(f"is DICOM of {header.frames} frames that holds {found}")
    return get_frame(
        content,
        index,
        number_of_frames=header.frames,
        extended_offsets=(tables[0], tables[1]) if all(tables) else None,
    )


def _frame_count(content: bytes, header: Header) -> int:
    """Return how many frames there are, by the table of their offsets or else by what pieces begin with."""
    pieces = io.BytesIO(content)
    offsets = parse_basic_offsets(pieces)
    if offsets:
        return len(offsets)
    starts = [piece[:2] for piece in generate_fragments(pieces)]
    return len(starts) if header.syntax == uid.RLELossless else starts.count(starts[0])


def _unpack_native(header: Header, index: int) -> tuple[np.ndarray, str]:
    values = 2 if header.colours == "YBR_FULL_422" else header.samples
    row = header.columns * values * header.allocated / 8
    wanted, found = row * header.rows * header.frames, len(header.data.PixelData)
    if not 0 <= found - wanted < 2:
        raise DicomError(
            f"is DICOM with {found:,} bytes of pixels; its {header.columns} × {header.rows} pixels, frames and colours "
            f"({header.colours}) make {wanted:,.0f}"
        )
    return _decode(header, index, "")


def _unpack_jpeg(header: Header, index: int) -> tuple[np.ndarray, str]:
    frame = _packed(header, index)
    markers = read_markers(frame)
    _require_size(header, markers.columns, markers.rows)
    if len(markers.names) != header.samples:
        raise DicomError(f"is DICOM of {header.samples} channels; its JPEG has {len(markers.names)}")
    if header.syntax in JPEG and markers.precision == 8:
        if header.stored != 8:
            raise DicomError(f"is DICOM of {header.stored} bits a value whose JPEG has 8")
        if not jpeg_ends(frame):
            raise DicomError("is truncated or damaged DICOM (its JPEG has no end)")
        return _decode_jpeg(frame, markers, header.colours)
    if "pylibjpeg" not in get_decoder(header.syntax).available_plugins:
        raise DicomError(f"is DICOM stored as {header.syntax.name}, which {EXTRA}uncompressed")
    return _decode(header, index, "pylibjpeg")


def _decode_jpeg(frame: bytes, markers: Markers, declared: str) -> tuple[np.ndarray, str]:
    """Decode a JPEG; its markers know its colours better than the header, which is asked where there are none."""
    picture: Any = Image.open(io.BytesIO(frame), formats=("JPEG",))
    if len(markers.names) == 1:
        return np.asarray(picture), declared
    silent = not markers.jfif and markers.adobe is None and markers.names not in ((82, 71, 66), (114, 103, 98))
    if silent and declared == "RGB" and not markers.reduced:
        picture.draft("YCbCr", picture.size)  # the decoder would take RGB for YBR; told that YBR is wanted, it does not
        return np.asarray(picture), "RGB"
    return np.asarray(picture.convert("RGB")), "RGB"


def _decode(header: Header, index: int, plugin: str) -> tuple[np.ndarray, str]:
    values, found = get_decoder(header.syntax).as_array(header.data, index=index, raw=True, decoding_plugin=plugin)
    colours = str(found["photometric_interpretation"])
    return values, "YBR_FULL" if colours == "YBR_FULL_422" else colours


def _require_size(header: Header, columns: int, rows: int) -> None:
    if (columns, rows) != (header.columns, header.rows):
        raise DicomError(
            f"is DICOM of {header.columns} × {header.rows} pixels whose compressed picture has {columns} × {rows}"
        )
