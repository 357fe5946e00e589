"""Say what a file is that should have been a picture and is none, and what to do about it."""

from __future__ import annotations

SUFFIXES = {
    ".gif": "is a GIF; save it as PNG",
    ".tif": "is a TIFF; save it as PNG, which keeps 8 and 16 bits",
    ".tiff": "is a TIFF; save it as PNG, which keeps 8 and 16 bits",
    ".webp": "is a WebP; save it as PNG",
    ".jp2": "is a JPEG 2000; save it as PNG",
}
"""Pictures that are refused. Pillow reads TIFF wrong without a word (16-bit files whose zero is white come out
inverted, one page is taken of many), and GIF and WebP have frames."""

_BY_START: tuple[tuple[int, bytes, str], ...] = (
    (0, b"version https://git-lfs", "is a Git LFS pointer, not the picture itself; run `git lfs pull`"),
    (0, b"/annex/objects/", "is a git-annex pointer, not the picture itself; run `git annex get`"),
    (0, b"GIF8", SUFFIXES[".gif"]),
    (0, b"II*\x00", SUFFIXES[".tif"]),
    (0, b"MM\x00*", SUFFIXES[".tif"]),
    (0, b"II+\x00", SUFFIXES[".tif"]),
    (0, b"MM\x00+", SUFFIXES[".tif"]),
    (8, b"WEBP", SUFFIXES[".webp"]),
    (4, b"jP  ", SUFFIXES[".jp2"]),
    (4, b"ftyp", "is a HEIC, AVIF or film; save it as PNG"),
    (128, b"DICM", "is DICOM, not PNG, JPEG or BMP"),
    (0, b"%PDF", "is a PDF; save the picture as PNG"),
    (0, b"PK\x03\x04", "is a zip archive; unpack it"),
    (0, b"\x1f\x8b", "is a gzip archive; unpack it"),
)


def describe_foreign(content: bytes) -> str | None:
    """Return what a file is and what to do, by its first bytes; None if nothing is known of it."""
    if not content:
        return "is no image: it is empty"
    if not content.strip(b"\x00"):
        return "is no image: it holds zeros only; copy or download it again"
    for offset, start, words in _BY_START:
        if content[offset : offset + len(start)] == start:
            return words
    if content.lstrip()[:15].lower().startswith((b"<!doctype html", b"<html")):
        return "is a web page, not a picture: a download that failed; download it again"
    return None
