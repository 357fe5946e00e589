"""What a trained lesion network says of cases: first of the whole picture, then of the window around what it found."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import nn

from busline.base.settings.training import Precision
from busline.cohort.findings import BIRADS_FINDINGS
from busline.models.gray import to_lesion_scale, unit
from busline.models.lesion import LesionLogits
from busline.models.shape import FEATURES, feature_table, lesion_mask
from busline.training.inference import autocast, fixed_batches
from busline.training.lesion_task import WINDOW
from busline.training.tasks import for_network
from busline.training.views import lay_back, look, whole, window

VIEWS = ("whole", "window")
OUTPUTS = (*(f"malignancy_{view}" for view in VIEWS), *(f"birads_{view}" for view in VIEWS), *FEATURES)
"""What a network says of a case: logits of both views, and features of the outline."""


@dataclass(frozen=True)
class TwoViewOutputs:
    """What the network says of m cases.

    Attributes:
        maps: uint8 (m, C, C), probability of lesion times 255 on the canvas; 0 outside the picture.
        label: logits of the positive class in the whole picture and in the window, float32 (m, 2).
        findings: likewise, float32 (m, 2, findings).
    """

    maps: np.ndarray
    label: np.ndarray
    findings: np.ndarray


def predict_two_views(
    network: nn.Module,
    canvases: np.ndarray,
    sizes: np.ndarray,
    side: int,
    *,
    precision: Precision,
    device: torch.device,
) -> TwoViewOutputs:
    """Outline and judge cases; every view is seen a second time mirrored, and both are averaged.

    The window comes from the network's own outline on the whole picture, so no true mask is needed. Inside it the two
    probabilities of a pixel are averaged.

    Args:
        network: a trained lesion network.
        canvases: uint8 (m, C, C), pictures in the upper left corners.
        sizes: width and height of the pictures, (m, 2).
        side: of a view in pixels.
        precision: arithmetic; bf16 means autocast.
        device: where the network is.
    """
    network = network.to(device).eval()
    parts = []
    for index, count in fixed_batches(len(canvases)):
        found = _look(network, canvases[index], sizes[index], side, precision, device)
        parts.append([array[:count] for array in found])
    maps, label, findings = (np.concatenate(column) for column in zip(*parts, strict=True))
    return TwoViewOutputs(maps, label, findings)


def describe_lesions(
    network: nn.Module,
    canvases: np.ndarray,
    sizes: np.ndarray,
    pixel_mm: np.ndarray,
    side: int,
    *,
    precision: Precision,
    device: torch.device,
) -> tuple[np.ndarray, np.ndarray]:
    """Return a network's maps of m cases, uint8 (m, C, C), and :data:`OUTPUTS`, float64 (m, outputs).

    Args:
        network: as of :func:`predict_two_views`, as are the others.
        canvases: uint8 (m, C, C).
        sizes: (m, 2).
        pixel_mm: side of a pixel of each case in mm, (m,), NaN where unknown.
        side: of a view in pixels.
        precision: arithmetic.
        device: where to run.
    """
    seen = predict_two_views(network, canvases, sizes, side, precision=precision, device=device)
    features = feature_table(
        [chances[:height, :width] / 255.0 for chances, (width, height) in zip(seen.maps, sizes, strict=True)],
        [image[:height, :width] for image, (width, height) in zip(canvases, sizes, strict=True)],
        pixel_mm.tolist(),
    )
    birads = seen.findings[:, :, BIRADS_FINDINGS].mean(axis=2)
    return seen.maps, np.concatenate([seen.label, birads, features], axis=1, dtype=np.float64)


def mean_outputs(of_networks: Sequence[np.ndarray]) -> np.ndarray:
    """Return the mean of several networks' :data:`OUTPUTS` (m, outputs): of those that say anything, or NaN."""
    mean: np.ndarray = np.ma.masked_invalid(np.stack(of_networks)).mean(axis=0).filled(np.nan)
    return mean


def mean_map(total: np.ndarray, networks: int) -> np.ndarray:
    """Return the mean of some networks' maps, uint8, from their sum."""
    return np.rint(total / max(networks, 1)).astype(np.uint8)


def outline_of(chances: np.ndarray) -> np.ndarray:
    """Return the outline of the main lesion in a map of bytes, bool (height, width)."""
    return lesion_mask(chances / 255.0)


def lay_on_canvas(pictures: Sequence[np.ndarray], canvas: int) -> tuple[np.ndarray, np.ndarray]:
    """Return pictures uint8 (height, width) in the upper left corners of canvases, and their widths and heights.

    Args:
        pictures: m of them.
        canvas: side of the canvases, no less than any side of a picture.

    Returns:
        uint8 (m, canvas, canvas) and int64 (m, 2).
    """
    canvases = np.zeros((len(pictures), canvas, canvas), np.uint8)
    for place, picture in enumerate(pictures):
        canvases[place, : picture.shape[0], : picture.shape[1]] = picture
    return canvases, np.array([picture.shape[::-1] for picture in pictures], np.int64)


def outline_boxes(probability: np.ndarray, sizes: np.ndarray) -> np.ndarray:
    """Return the boxes of the main lesions outlined in whole views, in pixels of the pictures.

    Args:
        probability: (m, s, s), of the pictures squashed to squares.
        sizes: width and height of the pictures, (m, 2).

    Returns:
        float32 (m, 4): left, upper, right and lower edge.
    """
    squares: np.ndarray = np.stack([mask_box(lesion_mask(chances)) for chances in probability])
    return np.asarray(squares * np.tile(sizes, 2) / probability.shape[-1], np.float32)


def mask_box(mask: np.ndarray) -> np.ndarray:
    """Return left, upper, right and lower edge of a mask (height, width); of an empty one, those of the picture."""
    if not mask.any():
        return np.array([0, 0, mask.shape[1], mask.shape[0]], np.float32)
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    return np.array([columns[0], rows[0], columns[-1] + 1, rows[-1] + 1], np.float32)


def _look(
    network: nn.Module, canvases: np.ndarray, sizes: np.ndarray, side: int, precision: Precision, device: torch.device
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    canvas = canvases.shape[-1]
    pictures = unit(torch.from_numpy(canvases).to(device))
    maps = whole(torch.from_numpy(sizes).to(device), canvas)
    first = _mirrored(network, look(pictures, maps, side), precision)
    boxes = outline_boxes(first.mask[:, 0].cpu().numpy(), sizes)
    close = window(torch.from_numpy(boxes).to(device), canvas, WINDOW)
    second = _mirrored(network, look(pictures, close, side), precision)
    far, inside_far = lay_back(first.mask, maps, canvas)
    near, inside = lay_back(second.mask, close, canvas)
    merged = torch.where(inside, (far + near) / 2.0, far) * inside_far
    label = torch.stack([first.label, second.label], dim=1)
    findings = torch.stack([first.findings, second.findings], dim=1)
    quantised = torch.round(merged[:, 0] * 255.0).to(torch.uint8)
    return quantised.cpu().numpy(), label.cpu().numpy(), findings.cpu().numpy()


def _mirrored(network: nn.Module, seen: torch.Tensor, precision: Precision) -> LesionLogits:
    """Return probabilities of the mask, and logits of the rest, averaged over the views and their mirror images."""
    outputs = []
    for view in (seen, seen.flip(3)):
        images = for_network(to_lesion_scale(view), (1, len(view))).squeeze(0)
        with torch.no_grad(), autocast(precision, seen.device):
            outputs.append(network(images))
    one, other = outputs
    mask = (torch.sigmoid(one.mask.float()) + torch.sigmoid(other.mask.float().flip(3))) / 2.0
    label, findings = ((a.float() + b.float()) / 2.0 for a, b in zip(one[1:], other[1:], strict=True))
    return LesionLogits(mask, label, findings)
