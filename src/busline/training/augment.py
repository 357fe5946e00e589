"""Augmentation in two halves: draw parameters from a generator, then apply them deterministically.

Image and mask of a case get the same geometry. A draw can be replayed from its generator's seed.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
import torch.nn.functional as F

from busline.base.sections import AugmentationLevel


@dataclass(frozen=True)
class Geometry:
    """Affine maps of a batch.

    Attributes:
        theta: float32 (n, 2, 3), output to input coordinates in [-1, 1], as ``affine_grid`` takes them.
    """

    theta: torch.Tensor


def draw_geometry(level: AugmentationLevel, count: int, generator: torch.Generator) -> Geometry | None:
    """Draw one random affine map a case, or None where the level changes nothing.

    Flip, rotation, shear, zoom and translation are drawn uniformly from the level's ranges (primary study, Table 6).
    All five are always drawn, so that a level's draws do not depend on which ranges are zero.
    """
    draws = torch.rand(6, count, generator=generator)
    if not (level.flip or level.rotation or level.translation or level.shear or level.zoom):
        return None
    angle, shear, zoom, shift_x, shift_y = 2.0 * draws[1:] - 1.0
    angle = angle * (math.pi / 180.0 * level.rotation)
    scale = 1.0 + zoom * level.zoom
    flip = torch.where((draws[0] < 0.5) & torch.tensor(level.flip), -1.0, 1.0)
    cos, sin, slope = torch.cos(angle), torch.sin(angle), shear * level.shear
    shift_x, shift_y = shift_x * 2.0 * level.translation, shift_y * 2.0 * level.translation
    top = torch.stack([flip * scale * cos, scale * (slope * cos - sin), shift_x], dim=1)
    bottom = torch.stack([flip * scale * sin, scale * (slope * sin + cos), shift_y], dim=1)
    return Geometry(torch.stack([top, bottom], dim=1))


def apply_geometry(images: torch.Tensor, geometry: Geometry | None, *, mode: str = "bilinear") -> torch.Tensor:
    """Resample images by their affine maps; pixels from outside repeat the border.

    Args:
        images: float (n, c, h, w).
        geometry: the maps, or None for no change.
        mode: ``bilinear`` for images, ``nearest`` for masks.
    """
    if geometry is None:
        return images
    grid = F.affine_grid(geometry.theta.to(images.device), list(images.shape), align_corners=False)
    return F.grid_sample(images, grid, mode=mode, padding_mode="border", align_corners=False)
