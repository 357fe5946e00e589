"""What networks say of cases, in evaluation mode and without augmentation: a stack in training, or one that is trained.

A trained network is always asked alone, in batches of exactly :data:`CASES` cases, the last one filled up. The last
bits of a matrix product depend on its shape: a stack under ``vmap`` differs from its networks alone, and a batch of 27
from one of 64. So what is said of a case depends on the network and the case, not on what stands beside either, and a
network that is read from its file says what it said when it was trained.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import nn

from busline.base.settings.training import Precision
from busline.training.plan import Plan
from busline.training.stack import Stack
from busline.training.tasks import Seen, Task

EVALUATION_BATCH = 64
CASES = 16
"""Cases of every batch that a trained network judges."""


@dataclass(frozen=True)
class Outputs:
    """What k networks say about m cases each; with fewer cases, the rest is filling.

    Attributes:
        logits: float32 (k, m, ...).
        target: (k, m, ...).
        losses: (k, m), weighted.
        valid: bool (k, m), false for filling.
    """

    logits: torch.Tensor
    target: torch.Tensor
    losses: torch.Tensor
    valid: torch.Tensor

    def mean_losses(self) -> torch.Tensor:
        """Return each network's mean loss over its own cases, (k,)."""
        return torch.where(self.valid, self.losses, 0.0).sum(dim=1) / self.valid.sum(dim=1)


def evaluate(stack: Stack, task: Task, plan: Plan, cases: Sequence[np.ndarray]) -> Outputs:
    """Run each learning network of ``stack``, of one output tensor, on its own ``cases`` (m_k,)."""
    stack.eval_mode()
    most = max(len(part) for part in cases)
    index = torch.zeros(len(cases), most, dtype=torch.int64)
    valid = torch.zeros(len(cases), most, dtype=torch.bool)
    for k, part in enumerate(cases):
        index[k, : len(part)] = torch.from_numpy(part)
        valid[k, : len(part)] = True
    networks = torch.tensor(stack.learning, device=stack.device)
    parts = []
    with torch.no_grad():
        for piece in index.to(stack.device).split(EVALUATION_BATCH, dim=1):
            batch = task.batch(networks, piece, None)
            with autocast(plan.precision, stack.device):
                logits = stack.forward(batch.inputs, {}).float()
            parts.append((logits, batch.target, task.losses(logits, batch)))
    logits, target, losses = (torch.cat(column, dim=1) for column in zip(*parts, strict=True))
    return Outputs(logits, target, losses, valid.to(stack.device))


def ask(
    network: nn.Module,
    seen: Seen,
    function: Callable[[torch.Tensor], torch.Tensor],
    *,
    precision: Precision,
    device: torch.device,
) -> np.ndarray:
    """Return what a trained network of one output tensor says of n cases, alone: float32 (n, ...).

    Args:
        network: a trained one.
        seen: the cases.
        function: of its logits, float32 (1, b, ...), such as :meth:`busline.training.tasks.Task.probabilities`.
        precision: arithmetic; bf16 means autocast.
        device: where it is to run.
    """
    stack = Stack([network], device)
    stack.eval_mode()
    parts = []
    for index, count in fixed_batches(len(seen)):
        with torch.no_grad(), autocast(precision, device):
            logits = stack.forward(seen.inputs(torch.from_numpy(index), device), {}).float()
        parts.append(function(logits)[0, :count].cpu().numpy())
    return np.concatenate(parts)


def fixed_batches(cases: int) -> Iterator[tuple[np.ndarray, int]]:
    """Yield the positions of batches of exactly :data:`CASES` cases, and how many of each are no filling."""
    for start in range(0, cases, CASES):
        index = np.arange(start, min(start + CASES, cases))
        yield np.resize(index, CASES), len(index)


def autocast(precision: Precision, device: torch.device) -> torch.autocast:
    """Return the context in which networks run under a plan's precision."""
    return torch.autocast(device.type, dtype=torch.bfloat16, enabled=precision == "bf16")
