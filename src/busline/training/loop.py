"""The training loop, the only one: a network, a task, a plan and a seed in; the best weights and curves out."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import numpy as np
import torch
from torch import nn

from busline.base.errors import TrainingError
from busline.base.seeding import derive_seed
from busline.training.plan import Phase, Plan
from busline.training.tasks import Task

EVALUATION_BATCH = 64
Report = Callable[[int, int, float], None]
"""Called once an epoch with (epochs done, most epochs, stop loss)."""


@dataclass
class Curve:
    """Learning curve: one row an epoch."""

    rows: list[dict[str, float | int | str]] = field(default_factory=list)


@contextmanager
def seeded(seed: int) -> Iterator[None]:
    """Seed torch's global generators inside the block (initial weights, dropout) and restore them after it."""
    with torch.random.fork_rng():
        torch.manual_seed(seed % 2**63)
        yield


def fit(
    network: nn.Module,
    task: Task,
    plan: Plan,
    fit_index: np.ndarray,
    stop_index: np.ndarray,
    *,
    seed: int,
    report: Report | None = None,
) -> Curve:
    """Train ``network`` in place and leave it in evaluation mode with the weights of its best epoch.

    Args:
        network: takes the task's inputs and returns logits.
        task: makes batches from the arrays and computes the loss.
        plan: phases and rules.
        fit_index: positions of the cases to learn from, (n,).
        stop_index: positions of the cases whose loss steers the plateau and early stopping, (m,).
        seed: seed of shuffling, dropout and augmentation.
        report: told after each epoch.

    Returns:
        The learning curve with ``phase, epoch, train_loss, stop_loss, learning_rate`` a row.

    Raises:
        TrainingError: if a loss is not a finite number; names phase and epoch.
    """
    curve = Curve()
    done = 0
    for number, phase in enumerate(plan.phases):
        with seeded(derive_seed(seed, "phase", number)):
            run = _PhaseRun(network, task, plan, phase, derive_seed(seed, "batches", number))
            for epoch in range(phase.epochs):
                train_loss = run.train_epoch(fit_index)
                stop_loss = mean_loss(network, task, stop_index, plan)
                if not (np.isfinite(train_loss) and np.isfinite(stop_loss)):
                    raise TrainingError(
                        f"phase {phase.name}, epoch {epoch + 1}",
                        "the loss is not a finite number",
                        mend="lower the learning rate or use train.precision: fp32",
                    )
                curve.rows.append(
                    {
                        "phase": phase.name,
                        "epoch": len(curve.rows) + 1,
                        "train_loss": train_loss,
                        "stop_loss": stop_loss,
                        "learning_rate": run.learning_rate,
                    }
                )
                if report:
                    report(done + epoch + 1, plan.epochs, stop_loss)
                if run.is_over(stop_loss):
                    break
            run.restore_best()
        done += phase.epochs
    network.eval()
    return curve


class _PhaseRun:
    """State of one phase: optimiser, plateau, early stopping and the best weights so far."""

    def __init__(self, network: nn.Module, task: Task, plan: Plan, phase: Phase, seed: int) -> None:
        self.network, self.task, self.plan, self.phase = network, task, plan, phase
        set_trainable(network, phase.trainable)
        learning = [p for p in network.parameters() if p.requires_grad]
        self.optimizer = torch.optim.Adam(learning, lr=phase.learning_rate, foreach=True)
        floor = min(plan.min_learning_rate, phase.learning_rate)
        self.plateau = torch.optim.lr_scheduler.ReduceLROnPlateau(
            self.optimizer, factor=plan.plateau_factor, patience=plan.plateau_patience, threshold=0.0, min_lr=floor
        )
        self.generator = torch.Generator().manual_seed(seed)
        self.best_loss = float("inf")
        self.best: dict[str, torch.Tensor] = {}
        self.waited = 0

    @property
    def learning_rate(self) -> float:
        return float(self.optimizer.param_groups[0]["lr"])

    def train_epoch(self, index: np.ndarray) -> float:
        """Learn from every case once, in a fresh order; return the mean loss a case."""
        _training_mode(self.network)
        order = torch.from_numpy(index)[torch.randperm(len(index), generator=self.generator)]
        total = 0.0
        for part in split_batches(order, self.plan.batch_size):
            inputs, target = self.task.batch(part, self.generator)
            with _autocast(self.plan, part.device.type):
                logits = self.network(*inputs)
            loss = self.task.loss(logits.float(), target)
            self.optimizer.zero_grad(set_to_none=True)
            loss.backward()
            self.optimizer.step()
            total += float(loss.detach()) * len(part)
        return total / len(index)

    def is_over(self, stop_loss: float) -> bool:
        """Note the stop loss; say whether the phase ends here."""
        if stop_loss < self.best_loss:
            self.best_loss, self.waited = stop_loss, 0
            self.best = {name: value.clone() for name, value in self.network.state_dict().items()}
        elif self.learning_rate < self.phase.learning_rate:
            self.waited += 1
        self.plateau.step(stop_loss)
        return self.waited >= self.plan.stop_patience

    def restore_best(self) -> None:
        if self.best:
            self.network.load_state_dict(self.best)


def mean_loss(network: nn.Module, task: Task, index: np.ndarray, plan: Plan) -> float:
    """Return the mean loss over cases in evaluation mode, without augmentation."""
    network.eval()
    total = 0.0
    with torch.inference_mode():
        for part in torch.from_numpy(index).split(EVALUATION_BATCH):
            inputs, target = task.batch(part, None)
            with _autocast(plan, part.device.type):
                logits = network(*inputs)
            total += float(task.loss(logits.float(), target)) * len(part)
    return total / max(len(index), 1)


def predict(network: nn.Module, task: Task, index: np.ndarray, plan: Plan) -> np.ndarray:
    """Return the network's probabilities for the cases at ``index``: float32, first axis len(index)."""
    network.eval()
    parts = []
    with torch.inference_mode():
        for part in torch.from_numpy(index).split(EVALUATION_BATCH):
            inputs, _ = task.batch(part, None)
            with _autocast(plan, part.device.type):
                logits = network(*inputs)
            parts.append(torch.sigmoid(logits.float()).cpu().numpy())
    return np.concatenate(parts)


def set_trainable(network: nn.Module, modules: tuple[str, ...] | None) -> None:
    """Let only the named modules learn, or all for None.

    Raises:
        TrainingError: if the network has no such module.
    """
    known = dict(network.named_modules())
    for parameter in network.parameters():
        parameter.requires_grad_(modules is None)
    for name in modules or ():
        if name not in known:
            raise TrainingError(f"layer {name!r}", "the network has no such module", mend="name one of its modules")
        known[name].requires_grad_(True)


def split_batches(order: torch.Tensor, size: int) -> list[torch.Tensor]:
    """Cut an order into batches; a last batch of one case, which batch norm cannot take, joins the one before."""
    batches = list(order.split(size))
    if len(batches) > 1 and len(batches[-1]) == 1:
        batches[-2:] = [torch.cat(batches[-2:])]
    return batches


def _training_mode(network: nn.Module) -> None:
    """Set training mode, but leave a frozen batch norm in evaluation mode (its statistics stay as they are)."""
    network.train()
    for module in network.modules():
        if isinstance(module, nn.modules.batchnorm._BatchNorm):
            frozen = not any(parameter.requires_grad for parameter in module.parameters())
            module.train(not frozen)


def _autocast(plan: Plan, device_type: str) -> torch.autocast:
    return torch.autocast(device_type, dtype=torch.bfloat16, enabled=plan.precision == "bf16")
