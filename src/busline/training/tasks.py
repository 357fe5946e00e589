"""What networks learn: how a batch is made from the arrays of all cases, and the loss."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import torch
import torch.nn.functional as F

from busline.base.sections import AugmentationLevel
from busline.training.augment import apply_geometry, draw_geometry


@dataclass(frozen=True)
class Arrays:
    """All cases' data, put on the device once; what a task does not use is None.

    Attributes:
        images: uint8 (n, s, s).
        masks: uint8 (n, s, s), 0 or 255.
        table: float32 (n, features), encoded inside the fold.
        labels: float32 (n,), 1 for the positive class.
        weights: float32 (n,), loss weight of each case.
    """

    images: torch.Tensor | None = None
    masks: torch.Tensor | None = None
    table: torch.Tensor | None = None
    labels: torch.Tensor | None = None
    weights: torch.Tensor | None = None

    def to(self, device: torch.device) -> Arrays:
        """Return the same arrays on ``device``."""
        moved = {k: v.to(device) for k, v in vars(self).items() if v is not None}
        return replace(self, **moved)


Inputs = tuple[torch.Tensor, ...]


@dataclass(frozen=True)
class ClassifyTask:
    """Binary classification of images, table rows or both, by weighted cross-entropy."""

    arrays: Arrays
    augmentation: AugmentationLevel | None = None

    def batch(self, indices: torch.Tensor, generator: torch.Generator | None) -> tuple[Inputs, torch.Tensor]:
        """Return the network's inputs and the indices as target; augmented where a generator is given."""
        inputs: list[torch.Tensor] = []
        if self.arrays.images is not None:
            images = scale_images(self.arrays.images[indices])
            if self.augmentation and generator:
                images = apply_geometry(images, draw_geometry(self.augmentation, len(indices), generator))
            inputs.append(images.contiguous(memory_format=torch.channels_last))
        if self.arrays.table is not None:
            inputs.append(self.arrays.table[indices])
        return tuple(inputs), indices

    def loss(self, logits: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
        """Return the mean weighted cross-entropy; ``logits`` (n,) float32."""
        assert self.arrays.labels is not None
        assert self.arrays.weights is not None
        losses = F.binary_cross_entropy_with_logits(logits, self.arrays.labels[target], reduction="none")
        return (losses * self.arrays.weights[target]).mean()


@dataclass(frozen=True)
class SegmentTask:
    """Lesion segmentation by Dice plus cross-entropy (primary study, section "Image-to-Mask")."""

    arrays: Arrays
    augmentation: AugmentationLevel | None = None

    def batch(self, indices: torch.Tensor, generator: torch.Generator | None) -> tuple[Inputs, torch.Tensor]:
        """Return images (n, 1, s, s) in [-1, 1] and masks (n, 1, s, s) in {0, 1}, both with the same geometry."""
        assert self.arrays.images is not None
        assert self.arrays.masks is not None
        images = scale_images(self.arrays.images[indices])
        masks = (self.arrays.masks[indices] > 127).float().unsqueeze(1)
        if self.augmentation and generator:
            geometry = draw_geometry(self.augmentation, len(indices), generator)
            images = apply_geometry(images, geometry)
            masks = apply_geometry(masks, geometry, mode="nearest")
        return (images.contiguous(memory_format=torch.channels_last),), masks

    def loss(self, logits: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
        """Return 1 - soft Dice (a case, then the mean) plus the pixels' mean cross-entropy."""
        probability = torch.sigmoid(logits)
        overlap = (probability * target).sum(dim=(1, 2, 3))
        size = probability.sum(dim=(1, 2, 3)) + target.sum(dim=(1, 2, 3))
        dice = (2.0 * overlap + 1.0) / (size + 1.0)
        return (1.0 - dice).mean() + F.binary_cross_entropy_with_logits(logits, target)


Task = ClassifyTask | SegmentTask


def scale_images(images: torch.Tensor) -> torch.Tensor:
    """Turn uint8 (n, s, s) into float32 (n, 1, s, s) in [-1, 1]."""
    return images.unsqueeze(1).float() / 127.5 - 1.0


def class_weights(labels: np.ndarray, fit: np.ndarray) -> np.ndarray:
    """Return each case's loss weight, n_total / (n_classes * n_c), counted on the fit cases (primary study, eq. 1).

    Args:
        labels: 0 or 1, (n,).
        fit: positions of the cases that are learnt from.

    Returns:
        float32 (n,).
    """
    positive = float(labels[fit].mean())
    return np.where(labels > 0, 0.5 / positive, 0.5 / (1.0 - positive)).astype(np.float32)
