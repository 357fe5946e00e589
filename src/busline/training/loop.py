"""The training loop, the only one: a stack of networks, a task, a plan and members in; best weights and curves out."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import pairwise

import numpy as np
import torch

from busline.base.progress import ReportShare
from busline.base.seeding import derive_seed
from busline.training.batches import Draws, Member, draw_epoch
from busline.training.inference import autocast, evaluate
from busline.training.plan import Phase, Plan, Schedule
from busline.training.stack import Rewind, Stack, StackAdam, clip_gradients, each_tensor
from busline.training.tasks import Task

SHRINK_BELOW = 0.75
"""A stack goes on with its learning networks alone once they are no larger a share of it than this."""
Row = dict[str, float | int | str]


@dataclass
class Outcome:
    """How one network's training went.

    Attributes:
        curve: one row an epoch with ``phase, epoch, train_loss, val_loss, val_score, learning_rate``.
        failure: where its loss stopped being a number, or None.
    """

    curve: list[Row] = field(default_factory=list)
    failure: str | None = None


@contextmanager
def seeded(seed: int) -> Iterator[None]:
    """Seed torch's global generators inside the block (initial weights) and restore them after it."""
    with torch.random.fork_rng():
        torch.manual_seed(seed % 2**63)
        yield


def fit(
    stack: Stack, task: Task, plan: Plan, members: Sequence[Member], *, report_progress: ReportShare | None = None
) -> list[Outcome]:
    """Train the networks of ``stack`` in place and leave them with the weights of their best epochs.

    A network whose loss is no longer a finite number vals, and its outcome says where; the others go on.

    Args:
        stack: the networks.
        task: makes batches from the arrays and computes the losses.
        plan: phases and rules.
        members: cases and seed of each network, in the stack's order.
        report_progress: called after each epoch with the share of the plan that is done, in [0, 1], and a note.

    Returns:
        One outcome a network.

    Raises:
        ValueError: if the plan needs validation cases and a network has none.
    """
    if plan.schedule == "plateau" and not all(len(member.val) for member in members):
        raise ValueError("the plateau schedule needs validation cases")
    outcomes = [Outcome() for _ in members]
    done = 0
    for number, phase in enumerate(plan.phases):
        with seeded(derive_seed(members[0].seed, "phase", number)):
            run = _PhaseRun(stack, task, plan, number, members, outcomes)
            for epoch in range(phase.epochs):
                if not stack.learning:
                    break
                run.epoch(epoch)
                if report_progress:
                    report_progress((done + epoch + 1) / plan.epochs, run.describe(done + epoch + 1))
        done += phase.epochs
    stack.finish()
    return outcomes


class _PhaseRun:
    """One phase of a stack: its optimiser, and the learning rate and end of each network."""

    def __init__(
        self, stack: Stack, task: Task, plan: Plan, number: int, members: Sequence[Member], outcomes: Sequence[Outcome]
    ) -> None:
        self.stack, self.task, self.plan, self.number = stack, task, plan, number
        self.phase: Phase = plan.phases[number]
        self.members, self.outcomes = members, outcomes
        stack.begin(self.phase.trainable)
        self.adam = StackAdam(stack.parameters, plan.weight_decay)
        self.schedules = [Schedule(plan, self.phase) for _ in members]
        self.parts = 1
        self._let_go()

    def epoch(self, epoch: int) -> None:
        """Learn from every case once, score the validation cases, and let go of the networks that are over."""
        self.stack.train_mode()
        losses = self._learn(epoch)
        val_losses, scores = self._score()
        better = []
        for place, k in enumerate(self.stack.learning):
            if not self._goes_on(k):
                continue
            schedule, outcome = self.schedules[k], self.outcomes[k]
            outcome.failure = self._failure(k, epoch, losses[place], val_losses[place])
            if outcome.failure:
                continue
            outcome.curve.append(
                {
                    "phase": self.phase.name,
                    "epoch": len(outcome.curve) + 1,
                    "train_loss": float(losses[place].mean()),
                    "val_loss": val_losses[place],
                    "val_score": scores[place],
                    "learning_rate": schedule.learning_rate,
                }
            )
            if schedule.note(val_losses[place]):
                better.append(place)
        if better:
            self.stack.keep(better)
        self._let_go()

    def _score(self) -> tuple[list[float], list[float]]:
        """Return the validation cases' mean loss and score of every learning network; NaN where there are none."""
        vals = [self.members[k].val for k in self.stack.learning]
        if not any(len(val) for val in vals):
            return [float("nan")] * len(vals), [float("nan")] * len(vals)
        outputs = evaluate(self.stack, self.task, self.plan, vals)
        scores: list[float] = self.task.score(outputs.logits, outputs.target, outputs.valid).tolist()
        return outputs.mean_losses().tolist(), scores

    def describe(self, epoch: int) -> str:
        """Return what the progress shows: the epoch, and the networks' median validation loss and score."""
        last = [outcome.curve[-1] for outcome in self.outcomes if outcome.curve]
        learnt, loss, score = (
            _median([float(row[key]) for row in last]) for key in ("train_loss", "val_loss", "val_score")
        )
        reached = f"loss {learnt:.3f}" if np.isnan(loss) else f"loss {loss:.3f}, score {score:.3f}"
        return f"epoch {epoch}/{self.plan.epochs}, {reached}"

    def _learn(self, epoch: int) -> list[np.ndarray]:
        """Return the mean loss of every batch of each learning network."""
        stack = self.stack
        draws = draw_epoch(
            [self.members[k] for k in stack.learning],
            self.number,
            epoch,
            self.plan.batch_size,
            draws=self.task.draws,
            widths=stack.dropouts,
            views=self.task.views,
        )
        found = []
        for step in range(draws.steps):
            idle = draws.idle(step)
            rewind = Rewind(stack, self.adam) if idle.any() else None
            found.append(self._gradients(draws, step))
            if self.plan.clip_norm is not None:
                clip_gradients(stack.parameters, self.plan.clip_norm)
            share = (epoch + step / draws.steps) / self.phase.epochs
            self.adam.step(stack.parameters, [self.schedules[k].rate(share) for k in stack.learning])
            if rewind:
                rewind.apply(idle)
        losses = torch.stack(found, dim=1).cpu().numpy()
        return [losses[place, :count] for place, count in enumerate(draws.counts)]

    def _gradients(self, draws: Draws, step: int) -> torch.Tensor:
        """Set the gradients of one batch and return its mean losses, (k,); halves the batch if memory runs out."""
        while True:
            try:
                return self._summed_gradients(draws, step)
            except torch.OutOfMemoryError:
                if self.parts * 2 > self.plan.batch_size // 2:
                    raise
                self.parts *= 2
                print(f"out of memory: going on with batches in {self.parts} parts", file=sys.stderr, flush=True)

    def _summed_gradients(self, draws: Draws, step: int) -> torch.Tensor:
        stack, size = self.stack, self.plan.batch_size
        for parameter in stack.parameters.values():
            parameter.grad = None
        networks = torch.tensor(stack.learning, device=stack.device)
        total = torch.zeros(len(stack.learning), device=stack.device)
        edges = [size * part // self.parts for part in range(self.parts + 1)]
        for start, end in pairwise(edges):
            index, augmentation, noise = draws.part(step, slice(start, end), stack.device)
            batch = self.task.batch(networks, index, augmentation)
            with autocast(self.plan.precision, stack.device):
                outputs = stack.forward(batch.inputs, noise)
            losses = self.task.losses(each_tensor(torch.Tensor.float, outputs), batch).sum(dim=1) / size
            losses.sum().backward()
            total += losses.detach()
        return total

    def _failure(self, k: int, epoch: int, losses: np.ndarray, val_loss: float) -> str | None:
        wrong = np.flatnonzero(~np.isfinite(losses))
        if len(wrong) == 0 and (np.isfinite(val_loss) or not len(self.members[k].val)):
            return None
        where = f"batch {wrong[0] + 1}" if len(wrong) else "the validation cases"
        return f"phase {self.phase.name}, epoch {epoch + 1}, {where}: the loss is not a finite number"

    def _goes_on(self, k: int) -> bool:
        return not self.schedules[k].over and self.outcomes[k].failure is None

    def _let_go(self) -> None:
        """Go on without the networks that are over, once these are a good part of the stack."""
        places = [place for place, k in enumerate(self.stack.learning) if self._goes_on(k)]
        if len(places) <= SHRINK_BELOW * len(self.stack.learning):
            self.stack.shrink(places)
            self.adam.shrink(places)


def _median(values: Sequence[float]) -> float:
    known = [value for value in values if np.isfinite(value)]
    return float(np.median(known)) if known else float("nan")
