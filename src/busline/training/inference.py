"""A stack's outputs on given cases, in evaluation mode and without augmentation."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch

from busline.base.settings.training import Precision
from busline.training.plan import Plan
from busline.training.stack import Stack
from busline.training.tasks import Task

EVALUATION_BATCH = 64


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
    stack.skeleton.eval()
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


def predict(stack: Stack, task: Task, plan: Plan, cases: Sequence[np.ndarray]) -> list[np.ndarray]:
    """Return each network's probabilities for its own cases: float32 (m_k, ...)."""
    outputs = evaluate(stack, task, plan, cases)
    probability = torch.sigmoid(outputs.logits).cpu().numpy()
    return [probability[k, : len(part)] for k, part in enumerate(cases)]


def autocast(precision: Precision, device: torch.device) -> torch.autocast:
    """Return the context in which networks run under a plan's precision."""
    return torch.autocast(device.type, dtype=torch.bfloat16, enabled=precision == "bf16")
