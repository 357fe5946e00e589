"""What a JPEG's own markers say, before anything is decoded."""

from __future__ import annotations

from dataclasses import dataclass

from busline.cohort.formats.dicom.header import DicomError

_ALONE = frozenset((0x01, *range(0xD0, 0xD9)))
"""Markers without a length."""
_FRAMES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC} | {0xF7}
"""Start of a frame, of JPEG and of JPEG-LS."""


@dataclass(frozen=True)
class Markers:
    """What stands before a JPEG's data (ITU-T T.81, B.2.2).

    Attributes:
        rows: height in pixels.
        columns: width in pixels.
        precision: bits of a value.
        names: id of each component.
        reduced: whether components differ in resolution, as those of RGB never do.
        jfif: whether it is a JFIF file, whose colours are YBR.
        adobe: the colour transform that Adobe's marker names, None without one.
    """

    rows: int
    columns: int
    precision: int
    names: tuple[int, ...]
    reduced: bool
    jfif: bool
    adobe: int | None


def read_markers(frame: bytes) -> Markers:
    """Read a JPEG's markers.

    Raises:
        DicomError: if it has none.
    """
    jfif, adobe, place = False, None, 2
    while frame[:2] == b"\xff\xd8" and place + 4 <= len(frame) and frame[place] == 0xFF:
        marker = frame[place + 1]
        if marker == 0xFF or marker in _ALONE:
            place += 1 if marker == 0xFF else 2
            continue
        length = int.from_bytes(frame[place + 2 : place + 4], "big")
        body = frame[place + 4 : place + 2 + length]
        jfif = jfif or (marker == 0xE0 and body.startswith(b"JFIF"))
        if marker == 0xEE and body.startswith(b"Adobe") and len(body) >= 12:
            adobe = body[11]
        if marker in _FRAMES and len(body) >= 6 + 3 * body[5]:
            sampling = {body[7 + 3 * number] for number in range(body[5])}
            return Markers(
                rows=int.from_bytes(body[1:3], "big"),
                columns=int.from_bytes(body[3:5], "big"),
                precision=body[0],
                names=tuple(body[6 + 3 * number] for number in range(body[5])),
                reduced=len(sampling) > 1,
                jfif=jfif,
                adobe=adobe,
            )
        place += 2 + max(length, 2)
    raise DicomError("is DICOM whose JPEG is truncated or damaged")
