"""Augmentation in two halves: numbers drawn from a generator, then a deterministic function of image and numbers.

A draw can be replayed from its generator's seed, on any device. Image and mask of a case get the same geometry.
"""

from __future__ import annotations

import math
from functools import cache

import numpy as np
import torch
import torch.nn.functional as F

from busline.base.seeding import numpy_generator
from busline.base.settings.training import AugmentationLevel

DRAWS = 11
"""Numbers a case: flip, rotation, shear, zoom, two shifts, brightness, gamma, speckle and its two offsets."""
NOISE_SIDE = 512


def change_geometry(
    images: torch.Tensor, level: AugmentationLevel, draws: torch.Tensor, *, mode: str = "bilinear"
) -> torch.Tensor:
    """Flip, rotate, shear, zoom and shift by one affine map a case; pixels from outside repeat the border.

    Args:
        images: float (n, c, h, w).
        level: ranges of the transforms (Chowdhary & Dennis 2026, Table 6).
        draws: float32 (n, DRAWS).
        mode: ``bilinear`` for images, ``nearest`` for masks.
    """
    if not (level.flip or level.rotation or level.translation or level.shear or level.zoom):
        return images
    grid = F.affine_grid(_affine(level, draws), list(images.shape), align_corners=False)
    return F.grid_sample(images, grid.to(images.dtype), mode=mode, padding_mode="border", align_corners=False)


def change_intensity(images: torch.Tensor, level: AugmentationLevel, draws: torch.Tensor) -> torch.Tensor:
    """Change gamma and brightness and multiply by speckle noise.

    Args:
        images: float (n, 1, h, w) in [0, 1].
        level: ranges; a range of 0 leaves that property as it is.
        draws: float32 (n, DRAWS).

    Returns:
        Images in [0, 1].
    """
    if not (level.brightness or level.gamma or level.speckle):
        return images
    bright, gamma = (2.0 * draws[:, 6:8] - 1.0).T[:, :, None, None, None]
    if level.gamma:
        images = images.clamp_min(1e-3) ** torch.exp(gamma * math.log1p(level.gamma))
    images = images * (1.0 + bright * level.brightness)
    if level.speckle:
        strength = level.speckle * draws[:, 8, None, None, None]
        images = images * (1.0 + strength * noise_windows(_grain(), images.shape[-2:], draws[:, 9:11]))
    return images.clamp(0.0, 1.0)


def _affine(level: AugmentationLevel, draws: torch.Tensor) -> torch.Tensor:
    """Return affine maps, float32 (n, 2, 3), output to input coordinates in [-1, 1]."""
    angle, shear, zoom, shift_x, shift_y = 2.0 * draws[:, 1:6].T - 1.0
    angle, scale = angle * (math.pi / 180.0 * level.rotation), 1.0 + zoom * level.zoom
    flip = mirrored(draws[:, 0]) if level.flip else torch.ones_like(scale)
    shift = (shift_x * 2.0 * level.translation, shift_y * 2.0 * level.translation)
    return affine_maps(flip, (scale, scale), angle, shear * level.shear, shift)


def mirrored(draws: torch.Tensor) -> torch.Tensor:
    """Return -1 for one half of the draws, (n,) in [0, 1), and 1 for the other."""
    return 1.0 - 2.0 * (draws < 0.5).float()


def affine_maps(
    flip: torch.Tensor,
    scale: tuple[torch.Tensor, torch.Tensor],
    angle: torch.Tensor,
    shear: torch.Tensor,
    shift: tuple[torch.Tensor, torch.Tensor],
) -> torch.Tensor:
    """Return the maps that mirror, shear, rotate, scale and shift, in this order: float32 (n, 2, 3).

    Args:
        flip: -1 or 1, (n,).
        scale: across and down, (n,) each.
        angle: in radians, (n,).
        shear: tangent, (n,).
        shift: across and down, (n,) each.
    """
    cos, sin = torch.cos(angle), torch.sin(angle)
    top = torch.stack([flip * scale[0] * cos, scale[0] * (shear * cos - sin), shift[0]], dim=1)
    bottom = torch.stack([flip * scale[1] * sin, scale[1] * (shear * sin + cos), shift[1]], dim=1)
    return torch.stack([top, bottom], dim=1)


def noise_windows(field: torch.Tensor, size: torch.Size, offsets: torch.Tensor) -> torch.Tensor:
    """Return a window of a field of noise for each case, (n, 1, h, w), at offsets (n, 2) in [0, 1), wrapping round.

    Args:
        field: (NOISE_SIDE, NOISE_SIDE).
        size: height and width of the windows.
        offsets: as shares of the field's side.
    """
    field = field.to(offsets.device)
    start = (offsets * NOISE_SIDE).long()
    rows = (start[:, :1] + torch.arange(size[0], device=offsets.device)) % NOISE_SIDE
    columns = (start[:, 1:] + torch.arange(size[1], device=offsets.device)) % NOISE_SIDE
    return field[rows[:, :, None], columns[:, None, :]].unsqueeze(1)


@cache
def _grain() -> torch.Tensor:
    """Return one field of noise, correlated over about two pixels as speckle is, of mean 0 and deviation 1."""
    white = numpy_generator(0, "speckle").standard_normal((NOISE_SIDE, NOISE_SIDE))
    smooth = sum(np.roll(white, shift, (0, 1)) for shift in [(0, 0), (0, 1), (1, 0), (1, 1)])
    return torch.from_numpy(((smooth - np.mean(smooth)) / np.std(smooth)).astype(np.float32))
