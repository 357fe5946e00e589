"""What the lesion network learns from: pictures of their own shape on a square canvas, with all that is known of them.

Masks and a radiologist's findings are targets of training. They are taken from the cohort here and nowhere else, and no
function of this project gives them to a network as an input.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import torch

from busline.cohort.findings import FINDINGS, radiologist_findings
from busline.cohort.phantom.stream import HEIGHTS, WIDTHS, draw_scan
from busline.cohort.store import Cohort, load_cohort
from busline.training.lesion_task import LesionArrays
from busline.training.two_views import lay_on_canvas, mask_box


@dataclass(frozen=True)
class LesionCases:
    """N cases.

    Attributes:
        images: uint8 (n, C, C), black outside the pictures.
        masks: uint8 (n, C, C), 0 or 255; all 0 where no outline is known.
        sizes: int64 (n, 2), width and height of the pictures, which lie in the upper left corners.
        boxes: float32 (n, 4), edges of the outlines, or of the picture without one.
        pixel_mm: float64 (n,), NaN where unknown.
        labels: float32 (n,), 1 for the positive class.
        findings: float32 (n, len(FINDINGS)), 0, 1, or NaN where unknown.
    """

    images: np.ndarray
    masks: np.ndarray
    sizes: np.ndarray
    boxes: np.ndarray
    pixel_mm: np.ndarray
    labels: np.ndarray
    findings: np.ndarray

    def arrays(self) -> LesionArrays:
        """Return what a task learns from."""
        names = ("images", "masks", "sizes", "boxes", "labels", "findings")
        return LesionArrays(**{name: torch.from_numpy(getattr(self, name)) for name in names})


def load_lesion_cases(folder: Path, case_ids: Sequence[str], positive: str) -> LesionCases:
    """Load cases of the cohort.

    Args:
        folder: the cohort.
        case_ids: the cases, in the order of the result.
        positive: label of the positive class.
    """
    cohort = load_cohort(folder)
    table = cohort.cases.reset_index(drop=True)
    rows = pd.Series(table.index, index=table["case_id"]).loc[list(case_ids)].to_numpy()
    cases = table.loc[rows].reset_index(drop=True)
    frames = [_frame(cohort, int(row)) for row in rows]
    return make_cases(
        frames,
        canvas=int(cases[["width", "height"]].to_numpy().max()),
        pixel_mm=cases["pixel_mm"].astype("float64").to_numpy(),
        labels=(cases["label"] == positive).to_numpy(),
        findings=radiologist_findings(cases, cohort.columns),
    )


def draw_lesion_cases(count: int, seed: int) -> LesionCases:
    """Draw phantoms of a stream; see :func:`busline.cohort.phantom.stream.draw_scan`."""
    scans = [draw_scan(index, seed) for index in range(count)]
    return make_cases(
        [(scan.image, scan.mask) for scan in scans],
        canvas=max(*WIDTHS, *HEIGHTS),
        pixel_mm=np.full(count, np.nan),
        labels=np.array([scan.malignant for scan in scans]),
        findings=np.stack([scan.findings for scan in scans]),
    )


def make_cases(
    frames: Sequence[tuple[np.ndarray, np.ndarray]],
    *,
    canvas: int,
    pixel_mm: np.ndarray,
    labels: np.ndarray,
    findings: np.ndarray | None = None,
) -> LesionCases:
    """Lay pictures on canvases.

    Args:
        frames: image uint8 (height, width) and mask (height, width) of each of n cases.
        canvas: side of the canvases, no less than any side of a picture.
        pixel_mm: (n,), NaN where unknown.
        labels: bool (n,), true for the positive class.
        findings: float32 (n, len(FINDINGS)), NaN where unknown; None if none are known.
    """
    images, sizes = lay_on_canvas([image for image, _ in frames], canvas)
    masks, _ = lay_on_canvas([(mask > 0) * np.uint8(255) for _, mask in frames], canvas)
    unknown = np.full((len(frames), len(FINDINGS)), np.nan, np.float32)
    return LesionCases(
        images,
        masks,
        sizes,
        np.stack([mask_box(mask > 0) for _, mask in frames]),
        np.asarray(pixel_mm, np.float64),
        labels.astype(np.float32),
        unknown if findings is None else findings,
    )


def _frame(cohort: Cohort, row: int) -> tuple[np.ndarray, np.ndarray]:
    return cohort.image(row), cohort.mask(row)
