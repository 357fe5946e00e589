"""The picture of a phantom: layered tissue with a lesion in it, as a linear-array scanner would show it.

Lengths are in millimetres and echo levels in decibels against plain fibroglandular tissue, unless said otherwise.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.special import expit, ndtri

from busline.cohort.phantom.lesion import FAT_SHARE, Echogenicity, Findings, Lesion
from busline.cohort.phantom.outline import Outline, draw_outline, place_cyst
from busline.cohort.phantom.physics import Field, amplitude, log_compress, speckle, texture

Mask = npt.NDArray[np.bool_]

FAT = -6.5
MUSCLE = -4.0
CYST = -18.0
CONTRAST: dict[Echogenicity, tuple[float, float]] = {
    "anechoic": (-20.0, 2.0),
    "complex cystic/solid": (-4.0, 1.5),
    "heterogeneous": (-7.5, 2.0),
    "hyperechoic": (2.5, 1.0),
    "hypoechoic": (-9.5, 1.5),
    "isoechoic": (-3.5, 1.0),
}
"""Mean and standard deviation of a lesion's level against the tissue around it."""


@dataclass(frozen=True, slots=True)
class Picture:
    """One rendered scan.

    Attributes:
        gray: the image, uint8, (height, width).
        visible: which pixels the scanner fills; all but the upper corners of a trapezoid scan, (height, width).
        tumor: the outline of the main lesion, filled, (height, width); None for a normal case.
        others: the same for further lesions.
        pixel_mm: size of a pixel.
    """

    gray: npt.NDArray[np.uint8]
    visible: Mask
    tumor: Mask | None
    others: tuple[Mask, ...]
    pixel_mm: float


@dataclass(frozen=True, slots=True)
class _Grid:
    """Positions of the pixels, ``x`` across from the middle and ``z`` in depth, (height, width), and their size."""

    x: Field
    z: Field
    pixel: float

    @property
    def shape(self) -> tuple[int, int]:
        return self.z.shape[0], self.z.shape[1]

    @property
    def depth(self) -> float:
        return self.shape[0] * self.pixel

    @property
    def width(self) -> float:
        return self.shape[1] * self.pixel

    def texture(self, axial: float, lateral: float, generator: np.random.Generator, tilt: float = 0.0) -> Field:
        return texture(self.shape, axial / self.pixel, lateral / self.pixel, generator, tilt=tilt)


def render(findings: Findings, width: int, height: int, generator: np.random.Generator) -> Picture:
    """Render one scan.

    Args:
        findings: what it shows.
        width: width in pixels.
        height: height in pixels.
        generator: source of randomness.

    Returns:
        The picture; it shows a depth of 21 to 34 mm.
    """
    grid = _grid(width, height, generator)
    visible = _visible(grid, generator)
    levels = _tissue(findings, grid, generator) + _background_loss(grid, generator)
    if findings.lesion is None:
        return Picture(_scan(levels, grid, generator), visible, None, (), grid.pixel)
    outline = draw_outline(findings.lesion, grid.width, grid.depth, generator)
    tumor = outline.inside(grid.x, grid.z) & visible
    others = []
    for _ in range(findings.others):
        cyst = place_cyst(outline, grid.width, grid.depth, generator)
        levels = levels + expit(cyst.distance(grid.x, grid.z) / 0.15) * (CYST - levels)
        others.append(cyst.inside(grid.x, grid.z) & visible & ~tumor)
    distance = outline.distance(grid.x, grid.z)
    base = FAT * FAT_SHARE[findings.composition]
    levels = _paint_lesion(levels, base, findings.lesion, distance, grid, generator)
    levels = levels + _lesion_loss(findings.lesion, outline, distance, grid, generator)
    drawn = tuple(other for other in others if other.any())
    return Picture(_scan(levels, grid, generator), visible, tumor, drawn, grid.pixel)


def _grid(width: int, height: int, generator: np.random.Generator) -> _Grid:
    pixel = float(np.clip(generator.normal(27.0, 2.5), 21.0, 34.0)) / height
    x = (np.arange(width, dtype=np.float32) - (width - 1) / 2.0) * np.float32(pixel)
    z = (np.arange(height, dtype=np.float32) + 0.5) * np.float32(pixel)
    across, down = np.meshgrid(x, z)
    return _Grid(across, down, pixel)


def _visible(grid: _Grid, generator: np.random.Generator) -> Mask:
    """Return the field of view: now and then that of a trapezoid scan, which widens with depth."""
    if generator.random() >= 0.1:
        return np.ones(grid.shape, np.bool_)
    corner = generator.uniform(0.08, 0.18) * grid.width * (1.0 - grid.z / grid.depth)
    return np.asarray(grid.width / 2.0 - np.abs(grid.x) >= corner)


def _boundary(grid: _Grid, mean: float, swing: float, generator: np.random.Generator) -> Field:
    """Return the depth of a wavy boundary at every column, (1, width)."""
    across = grid.x[:1]
    waves = generator.uniform(12.0, 50.0, 3)
    phases = generator.uniform(0.0, 2.0 * np.pi, 3)
    heights = generator.normal(0.0, swing / 2.0, 3)
    terms = (h * np.sin(2.0 * np.pi * across / w + p) for h, w, p in zip(heights, waves, phases, strict=True))
    return np.asarray(mean + sum(terms), np.float32)


def _threads(field: Field, width: float) -> Field:
    """Return thin curved threads, 0 to 1: the lines on which a smooth field is zero."""
    return np.asarray(np.exp(-np.square(field / np.float32(width))), np.float32)


def _tissue(findings: Findings, grid: _Grid, generator: np.random.Generator) -> Field:
    """Return the echo level of skin, subcutaneous fat, mammary layer and pectoral muscle."""
    skin = generator.uniform(2.6, 3.6) if findings.skin_thickening else generator.uniform(1.0, 1.8)
    fat_end = _boundary(grid, skin + generator.uniform(1.5, 6.0), 1.0, generator)
    muscle_start = _boundary(grid, grid.depth * generator.uniform(0.62, 0.9), 1.0, generator)
    lean = float(generator.normal(0.0, 0.1))
    grain = grid.texture(0.3, 1.0, generator, lean)
    broad = grid.texture(1.2, 4.5, generator, lean)
    ligaments = _threads(broad, 0.09) * expit(1.5 * grain + 0.5)
    fat = FAT + 1.5 * grain + 13.0 * ligaments
    gland = _mammary(FAT_SHARE[findings.composition], fat, broad, grid, lean, generator)
    fibres = np.maximum(grid.texture(0.22, 6.0, generator, lean), -0.5)
    soft = fat + expit((grid.z - fat_end) / 0.25) * (gland - fat)
    levels = soft + expit((grid.z - muscle_start) / 0.15) * (MUSCLE + 5.0 * fibres - soft)
    fascia = np.exp(-np.square((grid.z - muscle_start) / 0.25)) + 0.7 * np.exp(-np.square((grid.z - fat_end) / 0.2))
    levels = levels + generator.uniform(3.0, 12.0) * fascia * expit(1.5 * broad + 1.0)
    dermis = 4.0 + 9.0 * np.exp(-np.square(grid.z / 0.3)) + 6.0 * np.exp(-np.square((grid.z - skin) / 0.2))
    return np.asarray(levels + expit((skin - grid.z) / 0.08) * (dermis - levels), np.float32)


def _mammary(share: float, fat: Field, broad: Field, grid: _Grid, lean: float, generator: np.random.Generator) -> Field:
    """Return the level of fibroglandular tissue, streaked along its layers, with a share of fat lobules in it."""
    streaks = grid.texture(0.25, 1.8, generator, lean)
    gland = 1.5 * broad + 2.0 * streaks + 3.5 * np.maximum(streaks - 0.6, 0.0)
    lobules = expit(4.0 * (grid.texture(1.1, 2.8, generator, lean) - np.float32(ndtri(1.0 - share))))
    return np.asarray(gland + lobules * (fat + 0.5 * streaks - gland), np.float32)


def _background_loss(grid: _Grid, generator: np.random.Generator) -> Field:
    """Return the change of level by a gain set a little wrong, by poor contact and by ligaments that cast shadows."""
    middle = grid.depth / 2.0
    slope, bend = generator.normal(0.0, 0.12), generator.normal(0.0, 1.0)
    loss = slope * (grid.z - middle) - bend * ((grid.z / middle - 1.0) ** 2)
    for _ in range(int(generator.poisson(1.0))):
        where, width = generator.uniform(-0.5, 0.5) * grid.width, generator.uniform(0.5, 2.0)
        start, drop = generator.uniform(0.1, 0.6) * grid.depth, generator.uniform(2.0, 7.0)
        strip = np.exp(-(((grid.x - where) / width) ** 2))
        loss = loss - drop * strip * expit((grid.z - start) / (0.1 * grid.depth))
    return np.asarray(loss, np.float32)


def _paint_lesion(
    levels: Field, base: float, lesion: Lesion, distance: Field, grid: _Grid, generator: np.random.Generator
) -> Field:
    """Return ``levels`` with the lesion in it; ``base`` is the mean level of the tissue around it."""
    blur = 0.12
    if "indistinct" in lesion.margin:
        blur = generator.uniform(0.4, 0.9)
        distance = distance + 0.5 * blur * grid.texture(0.4, 0.6, generator)
    inside = expit(distance / blur)
    contrast = generator.normal(*CONTRAST[lesion.echogenicity])
    grain = {"heterogeneous": 3.2, "anechoic": 0.3}.get(lesion.echogenicity, 1.3)
    inner = base + contrast + grain * grid.texture(0.5, 0.9, generator)
    if lesion.echogenicity == "complex cystic/solid":
        cavity = expit(6.0 * (grid.texture(1.5, 2.0, generator) - 0.1))
        inner = inner + cavity * (base - 19.0 - inner)
    if lesion.calcified:
        specks = grid.texture(0.1, 0.1, generator) > 2.6
        inner = inner + 20.0 * specks
    if lesion.halo:
        rim, offset = generator.uniform(0.8, 1.4), generator.uniform(0.8, 1.4)
        levels = levels + generator.uniform(5.0, 9.0) * np.exp(-(((distance + offset) / rim) ** 2))
    elif not lesion.margin:
        levels = levels + 6.0 * np.exp(-(((distance + 0.3) / 0.3) ** 2))
    return np.asarray(levels + inside * (inner - levels), np.float32)


def _lesion_loss(
    lesion: Lesion, outline: Outline, distance: Field, grid: _Grid, generator: np.random.Generator
) -> Field:
    """Return the change of level by the lesion's own attenuation, summed along the beam, and by its edges."""
    shadow, bright = generator.uniform(10.0, 18.0), generator.uniform(5.0, 10.0)
    slight = generator.normal(0.0, 1.5)
    gain = {"no": slight, "shadowing": -shadow, "enhancement": bright, "combined": 0.0}[lesion.posterior]
    path = np.cumsum(expit(distance / 0.4), axis=0) * grid.pixel
    passed = path / outline.height
    if lesion.posterior == "combined":
        side = expit((grid.x - outline.x) * generator.choice([-1.0, 1.0]) / 0.8)
        return np.asarray(passed * (bright * side - shadow * (1.0 - side)), np.float32)
    loss = passed * gain
    if not lesion.margin and lesion.shape != "irregular":
        below = expit((grid.z - outline.z) / 1.0)
        for side in (-1.0, 1.0):
            edge = outline.x + side * 0.49 * outline.width
            loss = loss - generator.uniform(2.0, 7.0) * below * np.exp(-(((grid.x - edge) / 0.6) ** 2))
    return np.asarray(loss, np.float32)


def _scan(levels: Field, grid: _Grid, generator: np.random.Generator) -> npt.NDArray[np.uint8]:
    """Return the gray image that a scanner with its own settings makes of a map of levels."""
    # A probe of 10 to 12 MHz: the pulse is about 0.2 mm long, the beam about 0.4 mm wide at its focus (both at half
    # height), electronic noise lies some 30 dB below the tissue and rises with depth, as the depth gain lifts it too.
    focus = grid.depth * generator.uniform(0.3, 0.6)
    beam = generator.uniform(0.14, 0.2) * np.sqrt(1.0 + ((grid.z[:, 0] - focus) / 16.0) ** 2)
    pulse = generator.uniform(0.07, 0.11)
    looks = int(generator.choice([1, 2, 3], p=[0.1, 0.3, 0.6]))
    envelope = speckle(amplitude(levels), pulse / grid.pixel, beam / grid.pixel, generator, looks=looks)
    floor = amplitude(np.float32(generator.normal(-34.0, 2.0)) + np.float32(0.35) * grid.z)
    noise = floor * np.abs(generator.standard_normal(grid.shape, dtype=np.float32))
    return log_compress(np.hypot(envelope, noise), generator.uniform(55.0, 60.0), generator.uniform(0.22, 0.28))
