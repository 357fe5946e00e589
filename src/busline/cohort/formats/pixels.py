"""Read picture files as gray 8-bit arrays."""

from __future__ import annotations

import struct
import warnings
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

FORMATS = ("PNG", "JPEG", "BMP")
LEAST_SIDE = 16


@contextmanager
def without_warnings() -> Iterator[None]:
    """Silence Pillow's warnings, of large images and of odd metadata, while files are read inside the block.

    It stands around the reading of all files, not in :func:`read_gray`, because the filters of warnings belong to the
    whole process: threads that set and reset them would get into each other's way.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


def read_gray(path: Path, max_pixels: int) -> np.ndarray:
    """Read an image of any mode as luminance, composed over black where it is transparent.

    The transparent parts of a scan are where its publisher blanked something out (in 31 BrEaST images, some of it with
    text left in the invisible colours), so they are black, as a viewer shows them.

    Args:
        path: a PNG, JPEG or BMP file.
        max_pixels: an image with more pixels is refused before it is unpacked.

    Returns:
        uint8 (height, width).

    Raises:
        ValueError: with the reason, if the file is missing, is no image, is truncated, or has a refused size.
    """
    try:
        with Image.open(path, formats=FORMATS) as picture:
            width, height = picture.size
            if width * height > max_pixels:
                raise ValueError(f"has {width} × {height} pixels; expected at most {max_pixels:,} in all")
            if min(width, height) < LEAST_SIDE:
                raise ValueError(f"has {width} × {height} pixels; expected {LEAST_SIDE} × {LEAST_SIDE} or more")
            ImageOps.exif_transpose(picture, in_place=True)
            return _to_gray(picture)
    except FileNotFoundError as error:
        raise ValueError("is missing") from error
    except (UnidentifiedImageError, IsADirectoryError) as error:
        raise ValueError(f"is no image; expected {', '.join(FORMATS)}") from error
    except Image.DecompressionBombError as error:
        raise ValueError(f"has far too many pixels; expected at most {max_pixels:,} in all") from error
    except (OSError, SyntaxError, EOFError, struct.error, zlib.error) as error:
        raise ValueError(f"is truncated or damaged ({error})") from error


def _to_gray(picture: Image.Image) -> np.ndarray:
    if picture.mode.startswith("I;16"):
        return (np.asarray(picture) >> 8).astype(np.uint8)
    if picture.mode in ("I", "F"):
        raise ValueError(f"has pixels of mode {picture.mode}; expected 8 or 16 bits a channel")
    if picture.has_transparency_data and not _is_opaque(picture):
        clear = picture.convert("RGBA")
        picture = Image.alpha_composite(Image.new("RGBA", clear.size, (0, 0, 0, 255)), clear)
    return np.asarray(picture.convert("L"))


def _is_opaque(picture: Image.Image) -> bool:
    """Say whether an image with an alpha channel, as every file of BrEaST has one, makes no use of it."""
    return picture.mode in ("RGBA", "LA") and bool(np.asarray(picture.getchannel("A")).min() == 255)
