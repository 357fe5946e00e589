"""Shape and echo of a lesion, measured on a predicted outline: the criteria a reader applies, as numbers.

Pure functions of one case's probability map, gray image and pixel size. Pixels are square: a map that a network made of
a squashed picture is brought back to the picture's own height and width first. A feature that cannot be measured is NaN
(a lesion at the lower edge has nothing behind it); whoever learns from it fills it in.

Criteria: Stavros et al. 1995 (doi:10.1148/radiology.196.1.7784555) and BI-RADS for ultrasound; their measurement on
outlines: Byra et al. 2017 (arXiv:1706.01855), which also compares their worth.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields

import numpy as np
import numpy.typing as npt
from scipy import ndimage

Field = npt.NDArray[np.float64]
Mask = npt.NDArray[np.bool_]

WHITE = 255.0
LEAST_PIXELS = 12
"""An outline of fewer pixels has no shape worth measuring: all but its area is NaN."""


@dataclass(frozen=True, slots=True)
class LesionFeatures:
    """What is measured on one lesion.

    Attributes:
        depth_width: logarithm of height over width; above 0 the lesion is taller than wide.
        solidity: area over the area of the convex hull, in (0, 1]; low for lobes and spicules.
        circularity: 4π area over perimeter squared, about 1 for a disc, lower for a rough or long outline.
        ellipse_misfit: 1 - IoU with the ellipse of the same second moments, in [0, 1); irregular shape.
        sharpness: mean slope of the echo across the outline, outward, in gray levels (0 to 1) a pixel.
        posterior: mean gray (0 to 1) behind the lesion minus beside that; negative for a shadow.
        contrast: mean gray (0 to 1) around the lesion minus in it; positive for a hypoechoic one.
        heterogeneity: standard deviation of the smoothed gray (0 to 1) in the lesion.
        uncertainty: width of the band in which the network is unsure, over the lesion's radius.
        log_area: logarithm of the area in mm²; NaN without a pixel size.
    """

    depth_width: float
    solidity: float
    circularity: float
    ellipse_misfit: float
    sharpness: float
    posterior: float
    contrast: float
    heterogeneity: float
    uncertainty: float
    log_area: float


SCALE = "log_area"
"""The one feature that needs to know how large a pixel is, which the picture does not say."""
FEATURES: tuple[str, ...] = tuple(field.name for field in fields(LesionFeatures))
SHAPE: tuple[str, ...] = tuple(name for name in FEATURES if name != SCALE)
"""Those of the picture alone."""


def lesion_mask(probability: npt.ArrayLike, *, threshold: float = 0.5) -> Mask:
    """Return the outline of the one main lesion of a probability map, filled.

    It is the 4-connected component above the threshold that holds the largest sum of probability. Every image of the
    study shows a lesion, so where nothing exceeds the threshold, half of the largest probability takes its place.

    Args:
        probability: (height, width), in [0, 1].
        threshold: in (0, 1).

    Returns:
        bool (height, width); empty only if the map is zero everywhere.
    """
    chances = np.asarray(probability, np.float64)
    labels, count = ndimage.label(chances > min(threshold, 0.5 * float(chances.max())))
    if count == 0:
        return np.zeros(chances.shape, np.bool_)
    weights = ndimage.sum_labels(chances, labels, np.arange(1, count + 1))
    return np.asarray(ndimage.binary_fill_holes(labels == 1 + int(np.argmax(weights))), np.bool_)


def measure_lesion(
    probability: npt.ArrayLike, image: npt.ArrayLike, pixel_mm: float | None, *, threshold: float = 0.5
) -> LesionFeatures:
    """Measure the main lesion of one case.

    Args:
        probability: of lesion, (height, width), in [0, 1].
        image: gray, (height, width), 0 to 255.
        pixel_mm: side of a pixel in mm, or None.
        threshold: where the outline is drawn.

    Returns:
        The features; NaN where one cannot be measured.

    Raises:
        ValueError: if the two shapes differ.
    """
    chances, gray = np.asarray(probability, np.float64), np.asarray(image, np.float64) / WHITE
    if chances.shape != gray.shape:
        raise ValueError(f"probability and image must have one shape, found {chances.shape} and {gray.shape}")
    mask = lesion_mask(chances, threshold=threshold)
    area = int(mask.sum())
    log_area = float(np.log(area * pixel_mm**2)) if area and pixel_mm else np.nan
    if area < LEAST_PIXELS:
        return LesionFeatures(**dict.fromkeys(FEATURES[:-1], np.nan), log_area=log_area)
    radius = float(np.sqrt(area / np.pi))
    perimeter = _perimeter(mask)
    depth = _signed_distance(mask)
    return LesionFeatures(
        depth_width=_depth_width(mask),
        solidity=_solidity(mask),
        circularity=4.0 * np.pi * area / perimeter**2,
        ellipse_misfit=_ellipse_misfit(mask),
        sharpness=_sharpness(gray, depth),
        posterior=_posterior(gray, mask),
        contrast=_mean(gray, (depth < 0.0) & (depth >= -0.5 * radius)) - _mean(gray, mask),
        heterogeneity=float(np.std(ndimage.gaussian_filter(gray, 1.5)[mask])),
        uncertainty=float(4.0 * _unsure(chances, depth, radius) / (perimeter * radius)),
        log_area=log_area,
    )


def feature_table(
    probabilities: Sequence[npt.ArrayLike],
    images: Sequence[npt.ArrayLike],
    pixel_mm: Sequence[float],
    *,
    threshold: float = 0.5,
) -> Field:
    """Measure n cases: float64 (n, len(FEATURES)), columns in the order of :data:`FEATURES`.

    Args:
        probabilities: n maps (height, width), each of its own shape.
        images: their images.
        pixel_mm: n sizes; NaN where unknown.
        threshold: where outlines are drawn.
    """
    rows = []
    for chances, gray, pixel in zip(probabilities, images, pixel_mm, strict=True):
        found = measure_lesion(chances, gray, None if np.isnan(pixel) else float(pixel), threshold=threshold)
        rows.append(list(asdict(found).values()))
    return np.array(rows, np.float64).reshape(-1, len(FEATURES))


def _signed_distance(mask: Mask) -> Field:
    """Return the distance to the outline in pixels: positive inside, negative outside, ±0.5 at it."""
    framed = np.pad(mask, 1)
    inside = ndimage.distance_transform_edt(framed)[1:-1, 1:-1]
    outside = ndimage.distance_transform_edt(~mask)
    return np.asarray(np.where(mask, inside - 0.5, 0.5 - outside), np.float64)


def _perimeter(mask: Mask) -> float:
    """Return the outline's length in pixels: by the coarea formula, the total variation of the smoothed mask."""
    soft = ndimage.gaussian_filter(np.pad(mask, 4).astype(np.float64), 1.0)
    down, across = np.gradient(soft)
    return float(np.hypot(down, across).sum())


def _depth_width(mask: Mask) -> float:
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    return float(np.log((rows[-1] - rows[0] + 1) / (columns[-1] - columns[0] + 1)))


def _solidity(mask: Mask) -> float:
    from scipy.spatial import ConvexHull

    rows, columns = np.nonzero(mask & ~ndimage.binary_erosion(mask))
    corners = [(rows + down, columns + across) for down in (0, 1) for across in (0, 1)]
    points = np.concatenate([np.stack(corner, axis=1) for corner in corners])
    return float(mask.sum() / ConvexHull(points).volume)


def _ellipse_misfit(mask: Mask) -> float:
    """Return 1 - IoU with the ellipse of the same centre and second moments (x² / 4 on average in each axis)."""
    points = np.argwhere(mask).astype(np.float64)
    centre = points.mean(axis=0)
    spread = np.cov(points.T, bias=True) + np.eye(2) / 12.0
    offset = np.moveaxis(np.indices(mask.shape, np.float64), 0, -1) - centre
    ellipse = np.einsum("hwi,ij,hwj->hw", offset, np.linalg.inv(spread), offset) <= 4.0
    return float(1.0 - (mask & ellipse).sum() / (mask | ellipse).sum())


def _sharpness(gray: Field, depth: Field) -> float:
    """Return the mean slope of gray along the outward normal, within two pixels of the outline."""
    soft = ndimage.gaussian_filter(gray, 1.0)
    down, across = np.gradient(soft)
    inward_down, inward_across = np.gradient(ndimage.gaussian_filter(depth, 1.0))
    length = np.maximum(np.hypot(inward_down, inward_across), 1e-9)
    slope = -(down * inward_down + across * inward_across) / length
    return _mean(slope, np.abs(depth) <= 2.0)


def _posterior(gray: Field, mask: Mask) -> float:
    """Return mean gray behind the lesion minus beside that, at the same depth.

    Behind: below the outline in the middle 60 % of its columns, as deep as the lesion is high. Beside: the same rows,
    half a width wide on each side, leaving out a tenth of the width where edges throw shadows. At least four rows and
    one side must be within the image.
    """
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    height, width = rows[-1] - rows[0] + 1, columns[-1] - columns[0] + 1
    top, bottom = rows[-1] + 1, min(rows[-1] + 1 + height, mask.shape[0])
    if bottom - top < 4:
        return np.nan
    inner, gap, reach = round(0.2 * width), round(0.1 * width), max(round(0.5 * width), 1)
    behind = gray[top:bottom, columns[0] + inner : columns[-1] + 1 - inner]
    left = gray[top:bottom, max(columns[0] - gap - reach, 0) : max(columns[0] - gap, 0)]
    right = gray[top:bottom, columns[-1] + 1 + gap : columns[-1] + 1 + gap + reach]
    beside = np.concatenate([left, right], axis=1)
    return float(behind.mean() - beside.mean()) if beside.size and behind.size else np.nan


def _unsure(chances: Field, depth: Field, radius: float) -> float:
    """Return the sum of p (1 - p) within one radius of the outline: a doubt elsewhere is about another place."""
    return float((chances * (1.0 - chances))[np.abs(depth) <= radius].sum())


def _mean(values: Field, where: Mask) -> float:
    return float(values[where].mean()) if where.any() else np.nan
