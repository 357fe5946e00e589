"""Which cases an epoch's batches hold and what random numbers they come with: all drawn before the epoch starts."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch

from busline.base.seeding import numpy_generator


@dataclass(frozen=True)
class Member:
    """What one network of a stack learns from.

    Attributes:
        fit: positions of the cases to learn from, (n,).
        val: positions of the cases whose loss steers the learning rate and early stopping, (m,); under a schedule
            that asks for none, it may be empty.
        seed: seed of its shuffling, dropout and augmentation.
    """

    fit: np.ndarray
    val: np.ndarray
    seed: int


@dataclass(frozen=True)
class Draws:
    """One epoch of a stack of k networks.

    Every batch is full: the last one is filled up from the epoch's first cases, so that batch norm never sees a
    handful of cases and networks with a case more or less take the same steps.

    Attributes:
        counts: batches of each network.
        index: int64 (k, steps, b), positions of the cases.
        augmentation: float32 (k, steps, b, draws), uniform in [0, 1), or None without augmentation.
        noise: float32 (k, steps, b, views * width) of each dropout.
        views: images that the network sees of each case.
    """

    counts: Sequence[int]
    index: torch.Tensor
    augmentation: torch.Tensor | None
    noise: Mapping[str, torch.Tensor]
    views: int = 1

    @property
    def steps(self) -> int:
        """Batches of the network with the most."""
        return max(self.counts)

    def idle(self, step: int) -> torch.Tensor:
        """Return which networks have no batch left at this step, bool (k,)."""
        return torch.tensor([step >= count for count in self.counts])

    def part(
        self, step: int, cases: slice, device: torch.device
    ) -> tuple[torch.Tensor, torch.Tensor | None, dict[str, torch.Tensor]]:
        """Return some cases of one batch: index (k, c), augmentation (k * c, draws) and noise (k, c * views, width)."""
        augmentation = None
        if self.augmentation is not None:
            augmentation = self.augmentation[:, step, cases].flatten(0, 1).to(device)
        noise = {
            name: value[:, step, cases].unflatten(2, (self.views, -1)).flatten(1, 2).to(device)
            for name, value in self.noise.items()
        }
        return self.index[:, step, cases].to(device), augmentation, noise


def draw_epoch(
    members: Sequence[Member],
    phase: int,
    epoch: int,
    batch: int,
    *,
    draws: int,
    widths: Mapping[str, int],
    views: int = 1,
) -> Draws:
    """Draw an epoch, for each network from a generator of its own: a function of its seed, phase and epoch alone.

    Args:
        members: the networks.
        phase: number of the phase.
        epoch: number of the epoch within it.
        batch: cases a batch.
        draws: numbers drawn for the augmentation of a case; 0 for none.
        widths: units of each dropout.
        views: images that the network sees of each case; each has its own dropout.
    """
    counts = [math.ceil(len(member.fit) / batch) for member in members]
    shape = (len(members), max(counts), batch)
    index = np.zeros(shape, dtype=np.int64)
    augmentation = np.zeros((*shape, draws), dtype=np.float32) if draws else None
    noise = {name: np.zeros((*shape, views * width), dtype=np.float32) for name, width in widths.items()}
    for k, (member, count) in enumerate(zip(members, counts, strict=True)):
        generator = numpy_generator(member.seed, "epoch", phase, epoch)
        cases = count * batch
        index[k, :count] = np.resize(generator.permutation(member.fit), cases).reshape(count, batch)
        if augmentation is not None:
            generator.random(dtype=np.float32, out=augmentation[k, :count])
        for values in noise.values():
            generator.random(dtype=np.float32, out=values[k, :count])
    return Draws(
        counts,
        torch.from_numpy(index),
        None if augmentation is None else torch.from_numpy(augmentation),
        {name: torch.from_numpy(values) for name, values in noise.items()},
        views,
    )
