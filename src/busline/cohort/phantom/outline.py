"""The outline of a lesion: a closed curve around a centre, given by its radius at every angle."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from busline.cohort.phantom.lesion import Lesion
from busline.cohort.phantom.physics import Field

ANGLES = 360
_THETA = np.linspace(-np.pi, np.pi, ANGLES, endpoint=False)


@dataclass(frozen=True, slots=True)
class Outline:
    """A closed curve; lengths are in millimetres.

    Attributes:
        x: centre across, from the middle of the image.
        z: depth of the centre.
        radius: distance of the curve from the centre at :data:`ANGLES` angles from -π.
    """

    x: float
    z: float
    radius: npt.NDArray[np.float64]

    @property
    def width(self) -> float:
        """Extent across."""
        return float(np.ptp(self.radius * np.cos(_THETA)))

    @property
    def height(self) -> float:
        """Extent in depth."""
        return float(np.ptp(self.radius * np.sin(_THETA)))

    def distance(self, x: Field, z: Field) -> Field:
        """Return how far inside the curve points lie, measured along the ray from the centre; negative outside."""
        return self._distance(self.radius, x, z)

    def inside(self, x: Field, z: Field) -> npt.NDArray[np.bool_]:
        """Return which points a reader would draw around: the curve without its finest teeth."""
        drawn = ndimage.gaussian_filter1d(self.radius, 0.03 * ANGLES / (2.0 * np.pi), mode="wrap")
        return self._distance(drawn, x, z) > 0.0

    def _distance(self, radius: npt.NDArray[np.float64], x: Field, z: Field) -> Field:
        across, down = x - self.x, z - self.z
        angle = np.arctan2(down, across)
        at = np.interp(angle.ravel(), _THETA, radius, period=2.0 * np.pi).reshape(angle.shape)
        return np.asarray(at - np.hypot(across, down), np.float32)


def draw_outline(lesion: Lesion, width: float, depth: float, generator: np.random.Generator) -> Outline:
    """Draw the outline of a lesion so that it has the lesion's area and aspect and lies within the image.

    Args:
        lesion: what is drawn.
        width: width of the image in mm.
        depth: depth of the image in mm.
        generator: source of randomness.
    """
    radius = _ellipse(lesion.aspect, float(generator.normal(0.0, 0.14)))
    if lesion.shape == "irregular":
        for order in (2, 3, 4, 5):
            phase = generator.uniform(0.0, 2.0 * np.pi)
            radius = radius * (1.0 + generator.uniform(0.08, 0.3) / np.sqrt(order) * np.cos(order * _THETA + phase))
    else:
        radius = radius * (1.0 + 0.03 * np.cos(3.0 * _THETA + generator.uniform(0.0, 2.0 * np.pi)))
    radius = _roughen(radius, lesion, generator)
    radius = radius * np.sqrt(lesion.area * width * depth / _area(radius))
    outline = Outline(0.0, 0.0, radius)
    shrink = min(1.0, 0.86 * width / outline.width, 0.66 * depth / outline.height)
    return _place(Outline(0.0, 0.0, radius * shrink), width, depth, generator)


def place_cyst(main: Outline, width: float, depth: float, generator: np.random.Generator) -> Outline:
    """Return a small oval beside the main lesion, overlapping it as little as a few tries allow."""
    best, best_gap = main, -np.inf
    for _ in range(8):
        size = generator.uniform(0.04, 0.08) * width
        x, z = generator.uniform(-0.42, 0.42) * width, generator.uniform(0.2, 0.75) * depth
        gap = float(np.hypot(x - main.x, z - main.z) - size - main.radius.max())
        if gap > best_gap:
            best, best_gap = Outline(x, z, size * _ellipse(0.75, 0.0)), gap
    return best


def _ellipse(aspect: float, tilt: float) -> npt.NDArray[np.float64]:
    """Return the radius of an ellipse of unit area over π, ``aspect`` times as high as wide, then tilted."""
    angle = _THETA - tilt
    return 1.0 / np.sqrt(aspect * np.cos(angle) ** 2 + np.sin(angle) ** 2 / aspect)


def _roughen(
    radius: npt.NDArray[np.float64], lesion: Lesion, generator: np.random.Generator
) -> npt.NDArray[np.float64]:
    """Return the curve with the teeth of its margin: lobules end in cusps inward, angles in cusps outward."""
    phase = generator.uniform(0.0, 2.0 * np.pi, 2)
    if "microlobulated" in lesion.margin:
        lobes = np.abs(np.sin(0.5 * int(generator.integers(9, 15)) * _THETA + phase[0]))
        radius = radius * (0.9 + 0.16 * lobes)
    if "angular" in lesion.margin:
        corners = np.abs(np.sin(0.5 * int(generator.integers(5, 8)) * _THETA + phase[1]))
        radius = radius * (1.1 - 0.2 * corners)
    if "spiculated" in lesion.margin:
        for where in generator.uniform(-np.pi, np.pi, int(generator.integers(7, 13))):
            away = np.angle(np.exp(1j * (_THETA - where)))
            spike = generator.uniform(0.3, 0.7) * np.exp(-np.abs(away) / generator.uniform(0.06, 0.12))
            radius = radius * (1.0 + spike)
    return radius


def _area(radius: npt.NDArray[np.float64]) -> float:
    return float(0.5 * np.mean(radius**2) * 2.0 * np.pi)


def _place(outline: Outline, width: float, depth: float, generator: np.random.Generator) -> Outline:
    """Return the outline near the middle, below the skin and above the lower edge."""
    across, down = outline.radius * np.cos(_THETA), outline.radius * np.sin(_THETA)
    x = float(np.clip(generator.normal(0.0, 0.07) * width, -0.48 * width - across.min(), 0.48 * width - across.max()))
    highest, lowest = 0.09 * depth - down.min(), 0.84 * depth - down.max()
    z = float(np.clip(generator.normal(0.42, 0.08) * depth, highest, max(highest, lowest)))
    return Outline(x, z, outline.radius)
