"""Pictures written as NIfTI-1, with any header."""

from __future__ import annotations

import gzip
import struct
from pathlib import Path
from typing import Any

import numpy as np

CODES = {"u1": 2, "i2": 4, "i4": 8, "f4": 16, "f8": 64, "i1": 256, "u2": 512, "u4": 768, "i8": 1024, "u8": 1280}
RAS = np.eye(3)
"""Axes that run to the right, to the front, and up."""


def header(
    shape: tuple[int, ...],
    code: int,
    *,
    order: str = "<",
    bits: int = 8,
    start: float = 352.0,
    slope: float = np.nan,
    intercept: float = np.nan,
    units: int = 0,
    sizes: tuple[float, float] = (1.0, 1.0),
    matrix: np.ndarray | None = None,
    quaternion: tuple[float, float, float] | None = None,
    handed: float = 1.0,
    magic: bytes = b"n+1\x00",
    length: int = 348,
) -> bytes:
    """Return a header and the four bytes that say that nothing stands between it and the pixels."""
    content = bytearray(352)
    dimensions = [len(shape), *shape, *[1] * (7 - len(shape))]
    struct.pack_into(order + "i", content, 0, length)
    struct.pack_into(order + "8h", content, 40, *dimensions)
    struct.pack_into(order + "2h", content, 70, code, bits)
    struct.pack_into(order + "8f", content, 76, handed, *sizes, 1.0, *[0.0] * 4)
    struct.pack_into(order + "3f", content, 108, start, slope, intercept)
    content[123] = units
    if quaternion is not None:
        struct.pack_into(order + "h", content, 252, 1)
        struct.pack_into(order + "3f", content, 256, *quaternion)
    if matrix is not None:
        struct.pack_into(order + "h", content, 254, 2)
        struct.pack_into(order + "12f", content, 280, *np.column_stack([matrix, np.zeros(3)]).ravel())
    content[344:348] = magic
    return bytes(content)


def write_nifti(path: Path, picture: np.ndarray, *, order: str = "<", **changes: Any) -> Path:
    """Write a picture (height, width), or one in colour (height, width, 3), x first, packed if the name ends on gz."""
    height, width = picture.shape[:2]
    code = 128 if picture.ndim == 3 else CODES[picture.dtype.str[1:]]
    shape, code = changes.pop("shape", (width, height)), changes.pop("code", code)
    content = header(shape, code, order=order, **changes) + picture.astype(picture.dtype.newbyteorder(order)).tobytes()
    path.write_bytes(gzip.compress(content, mtime=0) if path.name.lower().endswith(".gz") else content)
    return path
