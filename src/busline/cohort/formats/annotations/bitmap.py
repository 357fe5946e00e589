"""Pictures of parts of an image that stand as text in the files of annotation tools."""

from __future__ import annotations

import base64
import binascii
import io
import struct
import zlib

import numpy as np
from PIL import Image

LONGEST_PICTURE = 20_000_000
"""Bytes of a PNG."""
MOST_PIXELS = 40_000_000


def decode_bitmap(text: str, *, packed: bool) -> np.ndarray:
    """Return the mask in a PNG: where it is opaque if it has an alpha channel, else where it is not black.

    Args:
        text: the PNG in base 64.
        packed: whether it was packed by zlib besides.

    Returns:
        bool (height, width).

    Raises:
        ValueError: if it is no such picture, or a large one.
    """
    try:
        content = base64.b64decode(text, validate=True)
        content = _unpack(content) if packed else content
        with Image.open(io.BytesIO(content), formats=("PNG",)) as picture:
            if picture.width * picture.height > MOST_PIXELS:
                raise ValueError(f"has a bitmap of {picture.width} × {picture.height} pixels")
            picture.load()
            alpha = picture.mode in ("RGBA", "LA") or "transparency" in picture.info
            levels = np.asarray(picture.convert("RGBA").getchannel("A") if alpha else picture)
    except (
        binascii.Error,
        zlib.error,
        OSError,
        SyntaxError,
        EOFError,
        struct.error,
        Image.DecompressionBombError,
    ) as error:
        raise ValueError("has a bitmap that is damaged, or no PNG") from error
    mask: np.ndarray = levels.reshape(*levels.shape[:2], -1).max(axis=2) > 0
    return mask


def _unpack(content: bytes) -> bytes:
    unpacker = zlib.decompressobj()
    picture = unpacker.decompress(content, LONGEST_PICTURE)
    if not unpacker.eof:
        raise ValueError("has a bitmap that was cut, or is very large")
    return picture
