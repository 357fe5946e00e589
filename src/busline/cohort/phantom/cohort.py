"""The phantom source: a synthetic breast-ultrasound cohort in the layout of the BrEaST release.

Nothing in it is of a patient. It serves to run and test the whole pipeline without any download: lesions can be found
and classes told apart, but not without error. Layout, columns and words are those of the release (Pawłowska et al.
2024, doi:10.1038/s41597-024-02984-z; data doi:10.7937/9WKK-Q141).
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image

from busline.base.progress import ReportProgress, silent
from busline.base.seeding import numpy_generator
from busline.cohort.phantom.image import Picture, render
from busline.cohort.phantom.lesion import Label, draw_findings, place_case
from busline.cohort.phantom.table import draw_row, write_table

IMAGE_FOLDER = "BrEaST-Lesions_USG-images_and_masks"
TABLE = "BrEaST-Lesions-USG-clinical-data-Dec-15-2023.xlsx"
SIZE_SPREAD = 0.08
"""Largest relative difference of an image's width or height from the mean."""

TINTS = ((1.0, 1.0, 1.0), (0.93, 0.99, 1.12), (1.02, 1.0, 0.93))
"""Factors of red, green and blue: gray, bluish or yellowish, as scanners show and export their pictures."""

_TINT_SHARES = (0.56, 0.34, 0.10)


def make_phantom_cohort(
    folder: Path,
    *,
    cases: int,
    normal: int,
    width: int,
    height: int,
    seed: int,
    report_progress: ReportProgress = silent,
) -> None:
    """Write a synthetic cohort into a folder.

    The same arguments give the same bytes, and every case draws from generators of its own: with more ``cases`` the
    images and clinical columns of the earlier lesions stay what they were.

    Args:
        folder: an existing, empty folder.
        cases: number of cases with a lesion, about 39 in 100 of them malignant.
        normal: number of further cases without a lesion.
        width: mean width of an image in pixels; each differs by up to 8 %.
        height: mean height of an image in pixels, likewise.
        seed: root of all randomness.
        report_progress: called with the number of cases written so far, after each case.
    """
    images = folder / IMAGE_FOLDER
    images.mkdir()
    digits = max(3, len(str(cases + normal)))
    rows = []
    for index in range(cases + normal):
        kind, number = ("lesion", index) if index < cases else ("normal", index - cases)
        label, quantile = place_case(index, seed) if kind == "lesion" else ("normal", 0.5)
        case = _Case(f"case{index + 1:0{digits}d}", label, quantile, ("phantom", kind, number), seed)
        rows.append({"CaseID": index + 1} | case.write(images, width, height))
        report_progress("phantoms", index + 1, cases + normal)
    write_table(rows, folder / TABLE)


@dataclass(frozen=True, slots=True)
class _Case:
    """One case to write: its name, its label, its suspicion's quantile, and its generators' key and seed."""

    name: str
    label: Label
    quantile: float
    key: tuple[str, str, int]
    seed: int

    def _generator(self, purpose: str) -> np.random.Generator:
        return numpy_generator(self.seed, *self.key, purpose)

    def write(self, folder: Path, width: int, height: int) -> dict[str, Any]:
        """Write the case's image and masks and return its row of the table."""
        findings = draw_findings(self.label, self.quantile, self._generator("findings"))
        display = self._generator("display")
        size = [round(side * display.uniform(1.0 - SIZE_SPREAD, 1.0 + SIZE_SPREAD)) for side in (width, height)]
        picture = render(findings, size[0], size[1], self._generator("image"))
        _save(_show(picture, display), folder / f"{self.name}.png")
        tumor = None
        if picture.tumor is not None:
            tumor = f"{self.name}_tumor.png"
            _save(_mask(picture.tumor), folder / tumor)
        others = []
        for number, other in enumerate(picture.others, start=1):
            others.append(f"{self.name}_other{number}.png")
            _save(_mask(other), folder / others[-1])
        return {
            "Image_filename": f"{self.name}.png",
            "Mask_tumor_filename": tumor,
            "Mask_other_filename": "&".join(others) or None,
            "Pixel_size": round(picture.pixel_mm / 10.0, 9),
            **draw_row(findings, self._generator("table")),
        }


def _show(picture: Picture, generator: np.random.Generator) -> npt.NDArray[np.uint8]:
    """Return the RGBA picture as a scanner exports it: tinted or not, with or without a coloured mark."""
    tint = np.array(TINTS[generator.choice(len(TINTS), p=_TINT_SHARES)])
    shown = np.full((*picture.gray.shape, 4), 255, np.uint8)
    shown[..., :3] = np.clip(np.rint(picture.gray[..., None] * tint), 0, 255)
    if generator.random() < 0.35:
        _mark(shown, generator)
    shown[~picture.visible] = 0
    return shown


def _mark(shown: npt.NDArray[np.uint8], generator: np.random.Generator) -> None:
    """Draw a small coloured cross, as of an electronic caliper, near a side of the picture."""
    height, width = shown.shape[:2]
    row = int(generator.integers(4, height - 4))
    column = int(generator.integers(4, 12)) if generator.random() < 0.5 else width - int(generator.integers(5, 13))
    colour = (230, 210, 60) if generator.random() < 0.5 else (90, 210, 230)
    shown[row - 2 : row + 3, column, :3] = colour
    shown[row, column - 2 : column + 3, :3] = colour


def _mask(inside: npt.NDArray[np.bool_]) -> npt.NDArray[np.uint8]:
    return np.repeat(inside[..., None], 4, axis=2).astype(np.uint8) * np.uint8(255)


def _save(pixels: npt.NDArray[np.uint8], path: Path) -> None:
    Image.fromarray(pixels).save(path, format="PNG", compress_level=3)
