"""Masks as they are published, drawn on black."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image, ImageFilter

from busline.cohort.formats.masks import read_mask
from busline.cohort.schema import MaskForm
from helpers_cohort import SETTINGS

SIDE = (200, 160)
"""Width and height."""


def disc(x: float = 80, y: float = 70, radius: float = 40, size: tuple[int, int] = SIDE) -> np.ndarray:
    """Return a disc, bool (height, width)."""
    rows, columns = np.mgrid[: size[1], : size[0]]
    inside: np.ndarray = np.hypot(rows - y, columns - x) < radius
    return inside


def ring(x: float = 80, y: float = 70, radius: float = 40, thickness: float = 3) -> np.ndarray:
    """Return a circle as a line."""
    return disc(x, y, radius) & ~disc(x, y, radius - thickness)


def soften(mask: np.ndarray, sigma: float, value: int = 255) -> Image.Image:
    """Return a mask with soft edges, gray."""
    return Image.fromarray(mask.astype(np.uint8) * np.uint8(value)).filter(ImageFilter.GaussianBlur(sigma))


def paint(*areas: tuple[np.ndarray, tuple[int, ...]]) -> Image.Image:
    """Return areas in colours (RGB or RGBA) on black; the later ones above."""
    pixels = np.zeros((*areas[0][0].shape, len(areas[0][1])), dtype=np.uint8)
    for area, colour in areas:
        pixels[area] = colour
    return Image.fromarray(pixels)


def label_map(*areas: tuple[np.ndarray, int], kind: type = np.uint8) -> Image.Image:
    """Return areas with gray values on black."""
    pixels = np.zeros(areas[0][0].shape, dtype=kind)
    for area, value in areas:
        pixels[area] = value
    return Image.fromarray(pixels)


def read(folder: Path, picture: Image.Image, suffix: str = "png", **form: object) -> np.ndarray:
    """Write a mask and read it, with quality 90 if it is a JPEG."""
    options = {"quality": 90} if suffix == "jpg" else {}
    path = folder / f"m.{suffix}"
    picture.save(path, **options)
    return read_mask(path, SETTINGS, MaskForm.model_validate(form))


def dice(one: np.ndarray, other: np.ndarray) -> float:
    """Return the Dice coefficient."""
    return float(2 * (one & other).sum() / (one.sum() + other.sum()))
