"""What networks learn: how the batches of a stack are made from the arrays of all cases, the losses and the score.

Everything here has a leading axis k, the networks of a stack; a network alone is a stack of one.
"""

from __future__ import annotations

from dataclasses import Field, dataclass, replace
from typing import Any, ClassVar, Protocol, Self

import numpy as np
import torch
import torch.nn.functional as F

from busline.base.settings.training import AugmentationLevel
from busline.models.classes import class_probabilities, log_odds
from busline.models.gray import signed, unit
from busline.training.augment import DRAWS, change_geometry, change_intensity


@dataclass(frozen=True)
class Arrays:
    """All cases' data, put on the device once; each task has a type of its own."""

    def to(self, device: torch.device) -> Self:
        """Return the same arrays on ``device``."""
        return replace(self, **{name: value.to(device) for name, value in vars(self).items() if value is not None})

    def of(self, networks: slice) -> Self:
        """Return the arrays of some of the networks: the same ones, but for those that each network has of its own."""
        return self


@dataclass(frozen=True)
class ClassifyArrays(Arrays):
    """What is classified: images, table rows or both.

    Attributes:
        labels: int64 (n,), the class of each case; the positive one is the last.
        weights: float32 (k, n), each network's loss weight of each case.
        images: uint8 (n, s, s), or None.
        table: float32 (k, n, features), encoded for each network inside its fold, or None.
    """

    labels: torch.Tensor
    weights: torch.Tensor
    images: torch.Tensor | None = None
    table: torch.Tensor | None = None

    def of(self, networks: slice) -> Self:
        """Return the arrays of some of the networks."""
        table = None if self.table is None else self.table[networks]
        return replace(self, table=table, weights=self.weights[networks])


@dataclass(frozen=True)
class SegmentArrays(Arrays):
    """What is segmented.

    Attributes:
        images: uint8 (n, s, s).
        masks: uint8 (n, s, s), 0 or 255.
    """

    images: torch.Tensor
    masks: torch.Tensor


@dataclass(frozen=True)
class Seen:
    """What one network sees of n cases, as it is stored: nothing is scaled yet.

    Attributes:
        images: gray values from 0 to 255, (n, s, s), or None.
        table: encoded rows, float32 (n, features), or None.
    """

    images: torch.Tensor | None = None
    table: torch.Tensor | None = None

    def __len__(self) -> int:
        given = self.table if self.images is None else self.images
        return 0 if given is None else len(given)

    def inputs(self, index: torch.Tensor, device: torch.device) -> tuple[torch.Tensor, ...]:
        """Return the inputs of a network alone, (1, b, ...) each, for the cases at ``index`` (b,)."""
        inputs: list[torch.Tensor] = []
        if self.images is not None:
            images = self.images[index.to(self.images.device)].to(device)
            inputs.append(for_network(signed(unit(images)), (1, len(index))))
        if self.table is not None:
            inputs.append(self.table[index.to(self.table.device)].to(device).unsqueeze(0))
        return tuple(inputs)


@dataclass(frozen=True)
class Batch:
    """What the networks of a stack see and should say.

    Attributes:
        inputs: of the networks, (k, b, ...) each.
        target: (k, b) or (k, b, 1, s, s).
        weight: (k, b), loss weight of each case.
        more: further targets of a task of several, (k, b, ...) each.
    """

    inputs: tuple[torch.Tensor, ...]
    target: torch.Tensor
    weight: torch.Tensor
    more: tuple[torch.Tensor, ...] = ()


class Task(Protocol):
    """What the training loop asks of a task: a frozen dataclass with the arrays of all cases."""

    __dataclass_fields__: ClassVar[dict[str, Field[Any]]]

    @property
    def arrays(self) -> Arrays:
        """Data of all cases."""

    @property
    def draws(self) -> int:
        """Random numbers that a case's augmentation takes; 0 for none."""

    @property
    def views(self) -> int:
        """Images that the network sees of each case of a batch."""

    def batch(self, networks: torch.Tensor, index: torch.Tensor, draws: torch.Tensor | None) -> Batch:
        """Return the batch of the ``networks`` (k,) at positions ``index`` (k, b); augmented where draws are given."""

    def seen(self, network: int, cases: np.ndarray) -> Seen:
        """Return what a trained network is shown of the ``cases`` (m,) that it is to judge."""

    def losses(self, logits: Any, batch: Batch) -> torch.Tensor:
        """Return each case's loss, (k, b); ``logits`` as the networks say them, float32."""

    def score(self, logits: Any, target: torch.Tensor, valid: torch.Tensor) -> torch.Tensor:
        """Return each network's score over its valid cases, (k,), for the learning curve."""

    def probabilities(self, logits: torch.Tensor) -> torch.Tensor:
        """Return what logits (k, b, ...) say of each case, as it is saved, (k, b, ...)."""


class _OneView:
    """What tasks share that see each case once and augment it at a level."""

    augmentation: AugmentationLevel | None

    @property
    def draws(self) -> int:
        return DRAWS if self.augmentation else 0

    @property
    def views(self) -> int:
        return 1


@dataclass(frozen=True)
class ClassifyTask(_OneView):
    """Classification of images, table rows or both, by weighted cross-entropy.

    The score is the ROC AUC of the positive class against the rest.
    """

    arrays: ClassifyArrays
    augmentation: AugmentationLevel | None = None

    def batch(self, networks: torch.Tensor, index: torch.Tensor, draws: torch.Tensor | None) -> Batch:
        """Return the batch of the ``networks`` (k,) at positions ``index`` (k, b); augmented where draws are given."""
        inputs: list[torch.Tensor] = []
        if self.arrays.images is not None:
            images = _augmented(unit(self.arrays.images[index.flatten()]), self.augmentation, draws)
            inputs.append(for_network(signed(images), index.shape))
        if self.arrays.table is not None:
            inputs.append(self.arrays.table[networks[:, None], index])
        return Batch(tuple(inputs), self.arrays.labels[index], self.arrays.weights[networks[:, None], index])

    def seen(self, network: int, cases: np.ndarray) -> Seen:
        """Return the images and the network's own rows of the ``cases`` (m,)."""
        images, table = self.arrays.images, self.arrays.table
        return Seen(None if images is None else images[cases], None if table is None else table[network][cases])

    def losses(self, logits: torch.Tensor, batch: Batch) -> torch.Tensor:
        """Return each case's weighted cross-entropy, (k, b); ``logits`` float32 (k, b), or (k, b, K) with K > 2."""
        if logits.dim() == 2:
            entropy = F.binary_cross_entropy_with_logits(logits, batch.target.float(), reduction="none")
        else:
            entropy = F.cross_entropy(logits.movedim(2, 1), batch.target, reduction="none")
        return entropy * batch.weight

    def score(self, logits: torch.Tensor, target: torch.Tensor, valid: torch.Tensor) -> torch.Tensor:
        """Return each network's ROC AUC over its valid cases, (k,); NaN with one class."""
        true = target == (1 if logits.dim() == 2 else logits.shape[2] - 1)
        pairs = (true & valid)[:, :, None] & (~true & valid)[:, None, :]
        odds = log_odds(logits)
        ahead = odds[:, :, None] - odds[:, None, :]
        wins = (ahead > 0).float() + 0.5 * (ahead == 0).float()
        return (wins * pairs).sum(dim=(1, 2)) / pairs.sum(dim=(1, 2))

    def probabilities(self, logits: torch.Tensor) -> torch.Tensor:
        """Return the probability of each class, (k, b, K)."""
        return class_probabilities(logits)


@dataclass(frozen=True)
class SegmentTask(_OneView):
    """Lesion segmentation by Dice plus cross-entropy (Chowdhary & Dennis 2026); the score is the mean Dice."""

    arrays: SegmentArrays
    augmentation: AugmentationLevel | None = None

    def batch(self, networks: torch.Tensor, index: torch.Tensor, draws: torch.Tensor | None) -> Batch:
        """Return images in [-1, 1] and masks in {0, 1}, (k, b, 1, s, s) each, both with the same geometry."""
        images = _augmented(unit(self.arrays.images[index.flatten()]), self.augmentation, draws)
        masks = (self.arrays.masks[index.flatten()] > 127).float().unsqueeze(1)
        if self.augmentation and draws is not None:
            masks = change_geometry(masks, self.augmentation, draws, mode="nearest")
        weight = torch.ones(index.shape, device=index.device)
        return Batch((for_network(signed(images), index.shape),), masks.unflatten(0, index.shape), weight)

    def seen(self, network: int, cases: np.ndarray) -> Seen:
        """Return the images of the ``cases`` (m,)."""
        return Seen(self.arrays.images[cases])

    def losses(self, logits: torch.Tensor, batch: Batch) -> torch.Tensor:
        """Return each case's 1 - soft Dice plus the mean cross-entropy of its pixels, (k, b)."""
        return dice_cross_entropy(logits, batch.target)

    def score(self, logits: torch.Tensor, target: torch.Tensor, valid: torch.Tensor) -> torch.Tensor:
        """Return each network's mean Dice at probability one half over its valid cases, (k,)."""
        found, true = logits > 0, target > 0
        both = (found & true).sum(dim=(2, 3, 4))
        dice = 2.0 * both / (found.sum(dim=(2, 3, 4)) + true.sum(dim=(2, 3, 4)))
        mean: torch.Tensor = torch.where(valid, dice, torch.nan).nanmean(dim=1)
        return mean

    def probabilities(self, logits: torch.Tensor) -> torch.Tensor:
        """Return the probability that a pixel is of the lesion, (k, b, 1, s, s)."""
        return torch.sigmoid(logits)


def dice_cross_entropy(logits: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
    """Return 1 - soft Dice plus the mean cross-entropy of the pixels of each outline, (k, b).

    Args:
        logits: float32 (k, b, 1, s, s).
        target: 0 or 1, likewise.
    """
    pixels = (2, 3, 4)
    probability = torch.sigmoid(logits)
    overlap = (probability * target).sum(dim=pixels)
    size = probability.sum(dim=pixels) + target.sum(dim=pixels)
    entropy = F.binary_cross_entropy_with_logits(logits, target, reduction="none").mean(dim=pixels)
    losses: torch.Tensor = 1.0 - (2.0 * overlap + 1.0) / (size + 1.0) + entropy
    return losses


def class_weights(labels: np.ndarray, fit: np.ndarray) -> np.ndarray:
    """Return each case's loss weight, n_total / (n_classes * n_c), of training cases (Chowdhary & Dennis 2026, eq. 1).

    Args:
        labels: class of each case from 0 to K - 1, (n,).
        fit: positions of the cases that are learnt from; at least one of each class.

    Returns:
        float32 (n,).
    """
    share = np.bincount(labels[fit]) / len(fit)
    share[0] = 1.0 - share[1:].sum()
    weight: np.ndarray = (1.0 / len(share) / share)[labels]
    return weight.astype(np.float32)


def _augmented(images: torch.Tensor, level: AugmentationLevel | None, draws: torch.Tensor | None) -> torch.Tensor:
    if level is None or draws is None:
        return images
    return change_intensity(change_geometry(images, level, draws), level, draws)


def for_network(images: torch.Tensor, shape: tuple[int, ...]) -> torch.Tensor:
    """Turn images (k * b, 1, s, s) into (k, b, 1, s, s) for ``shape`` (k, b), in the memory format that is fastest."""
    if shape[0] == 1:  # under vmap, convolutions are grouped and want the plain format
        images = images.contiguous(memory_format=torch.channels_last)
    found: torch.Tensor = images.unflatten(0, shape)
    return found
