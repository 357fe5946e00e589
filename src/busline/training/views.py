"""Views of a lesion image: the whole picture and a window around the lesion, plain or changed at random.

As in :mod:`busline.training.augment`: numbers drawn from a generator, then deterministic functions. A view is one
affine map from its own coordinates to those of a square canvas on which the picture lies in the upper left corner, so
image, mask and the way back (probabilities onto the picture) use one matrix, and nothing is sampled twice.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cache

import numpy as np
import torch
import torch.nn.functional as F

from busline.base.seeding import numpy_generator
from busline.training.augment import NOISE_SIDE, affine_maps, mirrored, noise_windows

DRAWS = 25
"""Numbers a view: flip, rotation, zoom, aspect, shear, two shifts, window; 15 of the echo; two offsets of its noise."""
_GEOMETRY, _ECHO = 8, 23


@dataclass(frozen=True)
class Ranges:
    """How far a view is changed at random.

    Attributes:
        rotation: degrees either way.
        zoom: logarithm of the scale either way, of the whole picture.
        aspect: logarithm of half the change of height over width either way.
        shift: share of the side either way, of the whole picture; a window shifts by 0.6 of it.
        shear: tangent either way.
        window: least and most side of a window over the longer side of the lesion's box.
        gamma: logarithm of the exponent either way.
        depth_gain: share by which the lower edge gains and the upper one loses, or the reverse.
        contrast: least and most factor.
        brightness: gray (0 to 1) either way.
        speckle: largest standard deviation of multiplicative noise; half of the views have none.
        blur: share of views that are blurred.
        erase: share of views with a rectangle of one random gray.
    """

    rotation: float = 20.0
    zoom: float = 0.2
    aspect: float = 0.1
    shift: float = 0.1
    shear: float = 0.1
    window: tuple[float, float] = (1.3, 2.0)
    gamma: float = 0.4
    depth_gain: float = 0.2
    contrast: tuple[float, float] = (0.75, 1.3)
    brightness: float = 0.08
    speckle: float = 0.15
    blur: float = 0.35
    erase: float = 0.25


LEAST_WINDOW = 40.0
"""Least side of a window in pixels of the canvas: below it there is nothing left to enlarge."""
ERASED = (8, 32)


def whole(
    sizes: torch.Tensor, canvas: int, ranges: Ranges | None = None, draws: torch.Tensor | None = None
) -> torch.Tensor:
    """Return the maps of whole pictures, squashed to squares.

    Args:
        sizes: width and height of each picture in pixels, (n, 2).
        canvas: side of the canvas in pixels.
        ranges: how far to change the views, with ``draws`` float32 (n, DRAWS); None for plain views.
        draws: see ``ranges``.

    Returns:
        float32 (n, 2, 3), view to canvas, both in [-1, 1].
    """
    half = sizes.float() / 2.0
    return _place(_change(len(sizes), ranges, draws, windowed=False), half, half, canvas)


def window(
    boxes: torch.Tensor, canvas: int, scale: float, ranges: Ranges | None = None, draws: torch.Tensor | None = None
) -> torch.Tensor:
    """Return the maps of square windows around lesions, of equal scale in both directions.

    Args:
        boxes: left, upper, right and lower edge of each lesion in pixels, float (n, 4).
        canvas: side of the canvas in pixels.
        scale: side of a plain window over the longer side of its box.
        ranges: as in :func:`whole`; its ``window`` takes the place of ``scale``.
        draws: as in :func:`whole`.

    Returns:
        float32 (n, 2, 3), as :func:`whole`.
    """
    side = (boxes[:, 2:] - boxes[:, :2]).max(dim=1).values
    if ranges is None or draws is None:
        side = side * scale
    else:
        least, most = ranges.window
        side = side * (least + (most - least) * draws[:, 7])
    half = (side.clamp_min(LEAST_WINDOW) / 2.0)[:, None].expand(-1, 2)
    centre = (boxes[:, :2] + boxes[:, 2:]) / 2.0
    return _place(_change(len(boxes), ranges, draws, windowed=True), centre, half, canvas)


def look(canvases: torch.Tensor, maps: torch.Tensor, side: int) -> torch.Tensor:
    """Return the views (n, c, side, side) of canvases float (n, c, C, C); black outside the canvas."""
    grid = F.affine_grid(maps, [len(maps), 1, side, side], align_corners=False)
    return F.grid_sample(canvases, grid, padding_mode="zeros", align_corners=False)


def lay_back(views: torch.Tensor, maps: torch.Tensor, canvas: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Return views (n, c, s, s) laid back on canvases (n, c, C, C), and where they lie: bool (n, 1, C, C)."""
    linear = torch.linalg.inv(maps[:, :, :2])
    back = torch.cat([linear, -linear @ maps[:, :, 2:]], dim=2)
    grid = F.affine_grid(back, [len(maps), 1, canvas, canvas], align_corners=False)
    inside = (grid.abs() <= 1.0).all(dim=3).unsqueeze(1)
    return F.grid_sample(views, grid, padding_mode="border", align_corners=False) * inside, inside


def change_intensity(views: torch.Tensor, ranges: Ranges, draws: torch.Tensor) -> torch.Tensor:
    """Change gamma, depth gain, contrast and brightness, add speckle, blur and erase: as scanners differ.

    Args:
        views: float (n, 1, s, s) in [0, 1].
        ranges: how far.
        draws: float32 (n, DRAWS).

    Returns:
        Views in [0, 1].
    """
    number = iter(draws[:, _GEOMETRY:_ECHO, None, None, None].unbind(dim=1))
    depth = torch.linspace(-1.0, 1.0, views.shape[-2], device=views.device)[:, None]
    changed = views.clamp(1e-4, 1.0) ** torch.exp(_either(next(number)) * ranges.gamma)
    changed = changed * (1.0 + _either(next(number)) * ranges.depth_gain * depth)
    mean = changed.mean(dim=(1, 2, 3), keepdim=True)
    least, most = ranges.contrast
    changed = (changed - mean) * (least + (most - least) * next(number)) + mean
    changed = changed + _either(next(number)) * ranges.brightness
    smooth, strength, noisy = next(number) < 0.5, next(number) * ranges.speckle, next(number) < 0.5
    noise = noise_windows(_white(), views.shape[-2:], draws[:, _ECHO:])
    grain = torch.where(smooth, 3.0 * _blur(noise), noise)
    changed = changed * (1.0 + grain * strength * noisy)
    share = next(number) * (next(number) < ranges.blur)
    changed = (1.0 - share) * changed + share * _blur(changed)
    return _erase(changed, next(number) < ranges.erase, torch.stack(list(number))).clamp(0.0, 1.0)


@cache
def _white() -> torch.Tensor:
    """Return one field of standard normal noise without correlation."""
    field = numpy_generator(0, "white").standard_normal((NOISE_SIDE, NOISE_SIDE))
    return torch.from_numpy(field.astype(np.float32))


def _change(count: int, ranges: Ranges | None, draws: torch.Tensor | None, *, windowed: bool) -> torch.Tensor:
    """Return the random maps of view coordinates, float32 (n, 2, 3); the identity without ranges or draws."""
    if ranges is None or draws is None:
        return torch.eye(2, 3).repeat(count, 1, 1)
    angle, zoom, aspect, shear, across, down = _either(draws[:, 1:7]).T
    angle, shear = angle * math.radians(ranges.rotation), shear * ranges.shear
    scale = torch.exp(zoom * (0.0 if windowed else ranges.zoom))
    wide, high = scale * torch.exp(aspect * ranges.aspect), scale * torch.exp(-aspect * ranges.aspect)
    reach = 2.0 * ranges.shift * (0.6 if windowed else 1.0)
    return affine_maps(mirrored(draws[:, 0]), (wide, high), angle, shear, (across * reach, down * reach))


def _place(change: torch.Tensor, centre: torch.Tensor, half: torch.Tensor, canvas: int) -> torch.Tensor:
    """Return ``change`` followed by the map of the unit square onto a rectangle of the canvas (pixels)."""
    unit = canvas / 2.0
    placed = change * (half / unit)[:, :, None]
    placed[:, :, 2] += centre / unit - 1.0
    return placed


def _either(draws: torch.Tensor) -> torch.Tensor:
    return 2.0 * draws - 1.0


def _blur(views: torch.Tensor) -> torch.Tensor:
    """Return views smoothed by a Gaussian of 1.3 pixels."""
    steps = torch.arange(-3, 4, device=views.device, dtype=views.dtype)
    kernel = torch.exp(-(steps**2) / (2.0 * 1.3**2))
    kernel = kernel / kernel.sum()
    across = F.conv2d(F.pad(views, (3, 3, 0, 0), mode="replicate"), kernel.view(1, 1, 1, 7))
    return F.conv2d(F.pad(across, (0, 0, 3, 3), mode="replicate"), kernel.view(1, 1, 7, 1))


def _erase(views: torch.Tensor, erased: torch.Tensor, draws: torch.Tensor) -> torch.Tensor:
    """Return views with one rectangle of one gray each where ``erased``; draws (5, n, 1, 1, 1): size, place, gray."""
    side = views.shape[-1]
    least, most = ERASED
    height, width = (least + (most - least) * draws[:2]).floor()
    top, left = ((side - height) * draws[2]).floor(), ((side - width) * draws[3]).floor()
    steps = torch.arange(side, device=views.device)
    rows, columns = steps[:, None], steps[None, :]
    inside = (rows >= top) & (rows < top + height) & (columns >= left) & (columns < left + width)
    return torch.where(inside & erased, draws[4], views)
