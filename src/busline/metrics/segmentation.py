"""Agreement of a predicted lesion mask with the true one, case by case: pure functions of arrays, and their table.

Every function takes ``predicted`` and then ``truth``, in the order of the loss functions: bool or 0/1 (any other number
than 0 counts as lesion), shape (n, height, width); and returns a float64 array (n,). A score without a denominator is
NaN. So Dice and IoU are NaN where both masks are empty, and 0 where only the true one is.

A distance is NaN, undefined, where either mask is empty, whichever it is: there is no surface to measure to. Metrics
Reloaded (Maier-Hein et al. 2024, doi:10.1038/s41592-023-02151-z) calls this so, and its code returns NaN for it; MONAI
gives infinity where one mask is empty and NaN where both are, DeepMind's surface-distance likewise. No number is put in
its place, as a distance has no natural worst one: an undefined case is left out of the mean, and whoever averages says
how many were. A network that outlines nothing is seen in Dice and sensitivity, and in that count.

To add a metric: one function, and one row in :data:`MEASURES`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
import numpy.typing as npt
from scipy.ndimage import binary_erosion, distance_transform_edt, find_objects

PERCENTILE = 95.0


def dice(predicted: npt.ArrayLike, truth: npt.ArrayLike) -> np.ndarray:
    """Return 2 TP / (2 TP + FP + FN); NaN where both masks are empty."""
    hit, alarm, miss, _ = _counts(predicted, truth)
    return _ratio(2 * hit, 2 * hit + alarm + miss)


def iou(predicted: npt.ArrayLike, truth: npt.ArrayLike) -> np.ndarray:
    """Return TP / (TP + FP + FN), the Jaccard index; NaN where both masks are empty."""
    hit, alarm, miss, _ = _counts(predicted, truth)
    return _ratio(hit, hit + alarm + miss)


def sensitivity(predicted: npt.ArrayLike, truth: npt.ArrayLike) -> np.ndarray:
    """Return the share of lesion pixels that are found; NaN where the true mask is empty."""
    hit, _, miss, _ = _counts(predicted, truth)
    return _ratio(hit, hit + miss)


def specificity(predicted: npt.ArrayLike, truth: npt.ArrayLike) -> np.ndarray:
    """Return the share of background pixels that are left alone; NaN where the true mask is full."""
    _, alarm, _, quiet = _counts(predicted, truth)
    return _ratio(quiet, quiet + alarm)


def hd95(predicted: npt.ArrayLike, truth: npt.ArrayLike, spacing: npt.ArrayLike) -> np.ndarray:
    """Return the 95 % Hausdorff distance: of each surface the 95th percentile of distances to the other, the larger.

    As Metrics Reloaded and MONAI define it; libraries that take the percentile of both surfaces' distances pooled
    (MedPy) give a little less. Percentiles are interpolated linearly.

    Args:
        predicted: (n, height, width).
        truth: likewise.
        spacing: height and width of a pixel, (2,) or (n, 2), above 0; NaN where unknown.

    Returns:
        (n,), in the unit of ``spacing``; NaN where either mask is empty or the spacing is unknown.
    """
    return _of_distances(predicted, truth, spacing, lambda one, other: max(_percentile(one), _percentile(other)))


def assd(predicted: npt.ArrayLike, truth: npt.ArrayLike, spacing: npt.ArrayLike) -> np.ndarray:
    """Return the average symmetric surface distance: the mean distance of all pixels of both surfaces to the other one.

    As Metrics Reloaded and MONAI define it: every pixel counts once, so that the longer surface weighs more.

    Args:
        predicted: (n, height, width).
        truth: likewise.
        spacing: height and width of a pixel, (2,) or (n, 2), above 0; NaN where unknown.

    Returns:
        (n,), in the unit of ``spacing``; NaN where either mask is empty or the spacing is unknown.
    """
    return _of_distances(predicted, truth, spacing, lambda one, other: float(np.concatenate([one, other]).mean()))


@dataclass(frozen=True)
class Measure:
    """A row of the table of metrics.

    Attributes:
        function: takes predicted and true masks and, if there is a unit, the spacing; returns a value a case.
        unit: of the values; "" for a share, which lies in [0, 1].
        better: which values are.
        title: what the report calls it.
    """

    function: Callable[..., np.ndarray]
    unit: Literal["", "mm", "px"]
    better: Literal["higher", "lower"]
    title: str

    @property
    def heading(self) -> str:
        """The title with the unit."""
        return f"{self.title} ({self.unit})" if self.unit else self.title

    @property
    def most(self) -> float:
        """The greatest possible value; the least is 0."""
        return float("inf") if self.unit else 1.0


MEASURES: dict[str, Measure] = {
    "dice": Measure(dice, "", "higher", "Dice"),
    "iou": Measure(iou, "", "higher", "IoU"),
    "sensitivity": Measure(sensitivity, "", "higher", "Sensitivity"),
    "specificity": Measure(specificity, "", "higher", "Specificity"),
    "hd95": Measure(hd95, "mm", "lower", "HD95"),
    "assd": Measure(assd, "mm", "lower", "ASSD"),
}
"""Every metric of segmentation, by its name in tables and in the metrics file, in the report's order."""

IN_PIXELS: dict[str, Measure] = {
    (f"{name}_px" if measure.unit else name): (replace(measure, unit="px") if measure.unit else measure)
    for name, measure in MEASURES.items()
}
"""The same where no pixel has a size: lengths in pixels of the stored image, under names of their own."""

KNOWN: dict[str, Measure] = {**MEASURES, **IN_PIXELS}
"""Every name that a table of scores can have."""


def score_masks(
    predicted: npt.ArrayLike,
    truth: npt.ArrayLike,
    spacing: npt.ArrayLike = (1.0, 1.0),
    measures: Mapping[str, Measure] = IN_PIXELS,
) -> dict[str, np.ndarray]:
    """Return all scores by name.

    Args:
        predicted: (n, height, width).
        truth: likewise.
        spacing: height and width of a pixel in the unit of ``measures``, (2,) or (n, 2); NaN where unknown.
        measures: :data:`MEASURES` for mm, or :data:`IN_PIXELS`.
    """
    return {
        name: measure.function(predicted, truth, spacing) if measure.unit else measure.function(predicted, truth)
        for name, measure in measures.items()
    }


def surface_distances(predicted: np.ndarray, truth: np.ndarray, spacing: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the distance of each surface pixel to the nearest one of the other mask's surface, centre to centre.

    A mask's surface is made of its pixels that have one of their four neighbours outside; at the picture's edge, the
    outside begins (as in MONAI, MedPy and Metrics Reloaded).

    Args:
        predicted: bool (height, width), not empty.
        truth: likewise.
        spacing: height and width of a pixel, (2,).

    Returns:
        Distances from the predicted surface to the true one, and from the true to the predicted, in row-major order.
    """
    box = find_objects((predicted | truth).astype(np.int8))[0]  # nothing outside both masks is nearest to anything
    found, true = (mask[box] & ~binary_erosion(mask[box]) for mask in (predicted, truth))
    to_true, to_found = (distance_transform_edt(~surface, sampling=spacing) for surface in (true, found))
    return np.asarray(to_true)[found], np.asarray(to_found)[true]


def _of_distances(
    predicted: npt.ArrayLike,
    truth: npt.ArrayLike,
    spacing: npt.ArrayLike,
    summary: Callable[[np.ndarray, np.ndarray], float],
) -> np.ndarray:
    """Return a summary of both surfaces' distances of each case, or NaN where there are none."""
    found, true = _masks(predicted, truth)
    sizes = np.broadcast_to(np.asarray(spacing, np.float64), (len(found), 2))
    if not (np.isnan(sizes) | (sizes > 0)).all():
        raise ValueError("the size of a pixel must be above 0, or NaN where it is unknown")
    values = np.full(len(found), np.nan)
    for place in np.flatnonzero(found.any(axis=(1, 2)) & true.any(axis=(1, 2)) & ~np.isnan(sizes).any(axis=1)):
        values[place] = summary(*surface_distances(found[place], true[place], sizes[place]))
    return values


def _percentile(distances: np.ndarray) -> float:
    return float(np.percentile(distances, PERCENTILE))


def _masks(predicted: npt.ArrayLike, truth: npt.ArrayLike) -> tuple[np.ndarray, np.ndarray]:
    found, true = np.asarray(predicted).astype(bool), np.asarray(truth).astype(bool)
    if true.ndim != 3 or true.shape != found.shape:
        raise ValueError(f"masks must have one shape (n, height, width), found {found.shape} and {true.shape}")
    return found, true


def _counts(predicted: npt.ArrayLike, truth: npt.ArrayLike) -> tuple[np.ndarray, ...]:
    """Return true positive, false positive, false negative and true negative pixels of each case."""
    found, true = _masks(predicted, truth)
    pairs = (true & found, ~true & found, true & ~found, ~true & ~found)
    return tuple(pair.sum(axis=(1, 2), dtype=np.int64) for pair in pairs)


def _ratio(part: np.ndarray, whole: np.ndarray) -> np.ndarray:
    ratio = np.full(part.shape, np.nan)
    np.divide(part, whole, out=ratio, where=whole > 0)
    return ratio
