"""The packed cohort: one table of cases, one flat array of all images, one of all masks."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import numpy as np
import pandas as pd

from busline.base.artifacts import load_array, load_json, load_table, save_json, save_table
from busline.base.errors import DataError
from busline.cohort.resize import resize_image, resize_mask
from busline.cohort.schema import RESERVED, Column

DUPLICATE_COLUMNS = {
    "case_a": "str",
    "case_b": "str",
    "label_a": "str",
    "label_b": "str",
    "kind": "str",
    "distance": "int64",
    "correlation": "float64",
    "dropped": "bool",
}
"""Of duplicates.parquet: both cases of a pair, and whether they left the cohort for having two labels."""

BUFFER = 1 << 20
"""Bytes of images that wait in memory to be written."""


@dataclass(frozen=True)
class Cohort:
    """A cohort on disk; images and masks are read when asked for.

    Attributes:
        cases: one row a case, sorted by case_id: the columns :data:`RESERVED`, then the source's own.
        columns: every column of the source's table.
        duplicates: pairs, :data:`DUPLICATE_COLUMNS`.
    """

    cases: pd.DataFrame
    columns: list[Column]
    duplicates: pd.DataFrame
    _images: np.ndarray
    _masks: np.ndarray

    def image(self, index: int) -> np.ndarray:
        """Return the image of the case in row ``index``: uint8 (height, width), read-only."""
        return self._cut(self._images, index)

    def mask(self, index: int) -> np.ndarray:
        """Return the mask of the case in row ``index``: uint8 (height, width), 0 or 255, all zeros if it has none."""
        return self._cut(self._masks, index)

    def _cut(self, flat: np.ndarray, index: int) -> np.ndarray:
        return cut_pixels(flat, self.cases, index)


def save_pixels(folder: Path, frames: Iterable[tuple[np.ndarray, np.ndarray]]) -> pd.DataFrame:
    """Append images and masks to images.npy and masks.npy one by one, so that memory does not grow with the cohort.

    Args:
        folder: existing folder.
        frames: image uint8 (height, width) and mask bool (height, width) of each case, in the order of the cases.

    Returns:
        ``width``, ``height``, ``offset`` and ``has_mask`` of each case.
    """
    rows = []
    offset = 0
    with (folder / "images.npy").open("wb", BUFFER) as images, (folder / "masks.npy").open("wb", BUFFER) as masks:
        _write_header(images, 0)
        _write_header(masks, 0)
        for image, mask in frames:
            height, width = image.shape
            images.write(image.tobytes())
            masks.write((mask.astype(np.uint8) * 255).tobytes())
            rows.append({"width": width, "height": height, "offset": offset, "has_mask": bool(mask.any())})
            offset += width * height
        for file in (images, masks):
            file.seek(0)
            _write_header(file, offset)
    return pd.DataFrame(rows, columns=["width", "height", "offset", "has_mask"])


def cut_pixels(flat: np.ndarray, places: pd.DataFrame, index: int) -> np.ndarray:
    """Return the picture of a row of ``places`` (``offset, height, width``) out of all pixels: (height, width)."""
    start, height, width = (int(places[name].to_numpy()[index]) for name in ("offset", "height", "width"))
    return flat[start : start + height * width].reshape(height, width)


def keep_pixels(folder: Path, places: pd.DataFrame, rows: Sequence[int]) -> pd.DataFrame:
    """Keep the pixels of some cases only, of those that :func:`save_pixels` wrote; return where they are then."""
    images, masks = (load_array(folder / name, mmap=True) for name in ("images.npy", "masks.npy"))
    part = folder / "kept"
    part.mkdir()
    kept = save_pixels(part, ((cut_pixels(images, places, row), cut_pixels(masks, places, row) > 0) for row in rows))
    for name in ("images.npy", "masks.npy"):
        (part / name).replace(folder / name)
    part.rmdir()
    return kept


def save_cohort(
    folder: Path, cases: pd.DataFrame, columns: Sequence[Column], duplicates: pd.DataFrame, card: dict[str, Any]
) -> None:
    """Write the tables of a cohort beside the pixels that :func:`save_pixels` wrote.

    Args:
        folder: existing folder.
        cases: the columns :data:`RESERVED` and the source's own, in the order of the pixels, sorted by case_id.
        columns: every column of the source's table.
        duplicates: pairs of cases, :data:`DUPLICATE_COLUMNS`.
        card: the data card.
    """
    own = [name for name in cases.columns if name not in RESERVED]
    save_table(cases[[*RESERVED, *own]], folder / "cases.parquet")
    save_json([column.describe() for column in columns], folder / "columns.json")
    save_table(duplicates[list(DUPLICATE_COLUMNS)].astype(DUPLICATE_COLUMNS), folder / "duplicates.parquet")
    save_json(card, folder / "card.json")


def load_cohort(folder: Path) -> Cohort:
    """Open a cohort.

    Raises:
        DataError: if a file is missing, or the pixels are not those of the table.
    """
    cases = load_table(folder / "cases.parquet")
    images = load_array(folder / "images.npy", mmap=True)
    masks = load_array(folder / "masks.npy", mmap=True)
    expected = int((cases["width"].astype("int64") * cases["height"]).sum())
    if not len(images) == len(masks) == expected:
        raise DataError(str(folder), "the images are not those of the table", mend="run `dvc repro` again")
    columns = [Column(**entry) for entry in load_json(folder / "columns.json")]
    return Cohort(cases, columns, load_table(folder / "duplicates.parquet"), images, masks)


def resize_stack(cohort: Cohort, indices: Sequence[int], side: int) -> tuple[np.ndarray, np.ndarray]:
    """Return images and masks of some cases as squares; the aspect ratio is not kept.

    Args:
        cohort: the cases.
        indices: rows of ``cohort.cases``, n of them.
        side: side of the squares in pixels.

    Returns:
        images uint8 (n, side, side), and masks uint8 (n, side, side), 0 or 255.
    """
    images = np.empty((len(indices), side, side), dtype=np.uint8)
    masks = np.empty((len(indices), side, side), dtype=np.uint8)
    for place, index in enumerate(indices):
        images[place] = resize_image(cohort.image(index), side, side)
        masks[place] = resize_mask(cohort.mask(index) > 0, side, side) * np.uint8(255)
    return images, masks


def stored_masks(cohort: Cohort, case_ids: Sequence[str]) -> list[np.ndarray]:
    """Return the cases' true masks as the cohort stores them, bool (height, width) each."""
    place = {case: row for row, case in enumerate(cohort.cases["case_id"])}
    return [cohort.mask(place[case]) > 0 for case in case_ids]


def _write_header(file: IO[bytes], length: int) -> None:
    """Write the NPY header of a uint8 array; NumPy pads it, so that its size does not depend on the length."""
    np.lib.format.write_array_header_1_0(file, {"descr": "|u1", "fortran_order": False, "shape": (length,)})
