"""What is done to a scan that is saved again: pure functions of pixels and a generator."""

from __future__ import annotations

import io
import math
from collections.abc import Callable
from typing import Literal

import numpy as np
from PIL import Image

from busline.cohort.resize import resize_image

Change = Callable[[np.ndarray, np.random.Generator], np.ndarray]
Frame = Literal["same", "larger", "cut"]


def relight(image: np.ndarray, generator: np.random.Generator) -> np.ndarray:
    """Change gamma, contrast and brightness."""
    value = (image / 255.0) ** generator.uniform(0.7, 1.4)
    value = (value - 0.5) * generator.uniform(0.7, 1.3) + 0.5 + generator.uniform(-0.1, 0.1)
    return np.clip(value * 255.0, 0, 255).astype(np.uint8)


def compress(image: np.ndarray, generator: np.random.Generator) -> np.ndarray:
    """Save as JPEG of quality 40."""
    buffer = io.BytesIO()
    Image.fromarray(np.ascontiguousarray(image)).save(buffer, "JPEG", quality=40)
    return np.asarray(Image.open(buffer))


def annotate(image: np.ndarray, generator: np.random.Generator) -> np.ndarray:
    """Draw two to four calipers and a block of lettering."""
    image = image.copy()
    height, width = image.shape
    arm = max(height // 40, 1)
    for _ in range(int(generator.integers(2, 5))):
        row, column = (int(generator.integers(2 * arm, side - 2 * arm)) for side in (height, width))
        image[row - arm : row + arm + 1, column] = 255
        image[row, column - arm : column + arm + 1] = 255
    block = image[2 * arm : 4 * arm, 2 * arm : 2 * arm + width // 4]
    block[generator.random(block.shape) < 0.5] = 230
    return image


def mirror(image: np.ndarray, generator: np.random.Generator) -> np.ndarray:
    """Turn left and right."""
    return image[:, ::-1]


def resize(image: np.ndarray, generator: np.random.Generator) -> np.ndarray:
    """Enlarge or reduce to 0.6 to 1.2 of the size."""
    factor = generator.uniform(0.6, 1.2)
    height, width = image.shape
    return resize_image(np.ascontiguousarray(image), max(round(width * factor), 8), max(round(height * factor), 8))


def crop(most: float) -> Change:
    """Return a change that cuts off up to ``most`` of the side, at each side another share."""

    def cut(image: np.ndarray, generator: np.random.Generator) -> np.ndarray:
        height, width = image.shape
        left, right, top, low = generator.uniform(0, most, 4)
        rows = slice(round(top * height), height - round(low * height))
        return image[rows, round(left * width) : width - round(right * width)]

    return cut


def upside_down(image: np.ndarray, generator: np.random.Generator) -> np.ndarray:
    """Turn top and bottom."""
    return image[::-1]


def half_turn(image: np.ndarray, generator: np.random.Generator) -> np.ndarray:
    """Turn by 180°."""
    return image[::-1, ::-1]


def quarter_turn(image: np.ndarray, generator: np.random.Generator) -> np.ndarray:
    """Turn by 90°, one way or the other."""
    return np.rot90(image, generator.choice([1, 3]))


def rotate(degrees: float, frame: Frame = "same") -> Change:
    """Return a change that rotates by so many degrees, one way or the other, about the middle.

    Args:
        degrees: of the rotation.
        frame: ``same`` keeps the size and fills the corners with black, ``larger`` keeps all of the scan, ``cut`` cuts
            to the largest window of the same aspect that shows the scan everywhere.
    """

    def turn(image: np.ndarray, generator: np.random.Generator) -> np.ndarray:
        picture = Image.fromarray(np.ascontiguousarray(image))
        sign = 1 if generator.random() < 0.5 else -1
        turned = picture.rotate(sign * degrees, Image.Resampling.BILINEAR, expand=frame == "larger")
        if frame == "cut":
            (width, height), angle = picture.size, math.radians(degrees)
            share = 1 / (math.cos(angle) + max(width / height, height / width) * math.sin(angle))
            left, top = (round(side * (1 - share) / 2) for side in (width, height))
            turned = turned.crop((left, top, width - left, height - top))
        return np.asarray(turned)

    return turn


def cut_sides(share: float) -> Change:
    """Return a change that cuts off this share of the side at each side."""

    def cut(image: np.ndarray, generator: np.random.Generator) -> np.ndarray:
        rows, columns = (round(side * share) for side in image.shape)
        return image[rows : image.shape[0] - rows, columns : image.shape[1] - columns]

    return cut


def everything(image: np.ndarray, generator: np.random.Generator) -> np.ndarray:
    """Crop by up to 15 %, mirror every other image, relight, annotate, resize, compress."""
    image = crop(0.15)(image, generator)
    image = mirror(image, generator) if generator.random() < 0.5 else image
    for change in (relight, annotate, resize, compress):
        image = change(image, generator)
    return image


CHANGES: dict[str, Change] = {
    "brightness, contrast, gamma": relight,
    "JPEG of quality 40": compress,
    "calipers and lettering": annotate,
    "mirrored": mirror,
    "resized": resize,
    "cropped by up to 10 % a side": crop(0.10),
    "cropped by up to 15 % a side": crop(0.15),
    "all of these at once": everything,
    "upside down": upside_down,
    "turned by 180°": half_turn,
    "turned by 90°": quarter_turn,
    "rotated by 5°": rotate(5),
    "rotated by 10°": rotate(10),
    "cropped by 20 % at each side": cut_sides(0.20),
}
"""What is done to a scan, by the name the report gives it."""

FURTHER: dict[str, Change] = {
    "rotated by 5°, the frame enlarged": rotate(5, "larger"),
    "rotated by 10°, the frame enlarged": rotate(10, "larger"),
    "rotated by 5° and cut": rotate(5, "cut"),
    "rotated by 10° and cut": rotate(10, "cut"),
    "rotated by 15°": rotate(15),
    "cropped by 20 % in all": cut_sides(0.10),
    "cropped by 25 % at each side": cut_sides(0.25),
}
"""What the benchmark does to it besides, and the audit does not."""
