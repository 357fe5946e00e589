"""What training does, as plain values: phases, learning-rate schedule, early stopping, precision."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

from busline.base.settings.training import Precision, Train

WARM_UP = 0.15
"""Share of a one-cycle phase in which the learning rate rises, from a tenth of its highest."""
START, END = 10.0, 1e4
"""What the highest learning rate is divided by at the beginning and at the end of a one-cycle phase."""


@dataclass(frozen=True)
class Phase:
    """One stretch of training with its own optimiser.

    Attributes:
        name: shown in the learning curves.
        epochs: most epochs it lasts.
        learning_rate: Adam's initial learning rate; its highest under the one-cycle schedule.
        trainable: dotted names of the modules that learn; None for the whole network.
    """

    name: str
    epochs: int
    learning_rate: float
    trainable: tuple[str, ...] | None = None


@dataclass(frozen=True)
class Plan:
    """All that the training loop needs to know besides networks, data and seeds.

    Under the ``plateau`` schedule the learning rate is multiplied by ``plateau_factor`` once the validation cases' loss
    has not improved for ``plateau_patience`` epochs. A phase ends early once it has not improved for ``stop_patience``
    epochs, counted only after the learning rate was lowered (Chowdhary & Dennis 2026, section "Tabular-Only
    Classification Algorithm"), and the network ends with the weights of the epoch with the lowest validation loss.

    Under ``one_cycle`` the learning rate rises and falls once (Smith 2018, arXiv:1803.09820), every epoch is run, and
    the network ends with the last weights: the validation cases then steer nothing, and there may be none.

    ``clip_norm``, if given, is the largest norm that a network's gradient may have; a larger one is scaled down to it.
    """

    phases: tuple[Phase, ...]
    batch_size: int
    plateau_factor: float
    plateau_patience: int
    min_learning_rate: float
    stop_patience: int
    precision: Precision = "fp32"
    schedule: Literal["plateau", "one_cycle"] = "plateau"
    weight_decay: float = 0.0
    clip_norm: float | None = None

    @property
    def epochs(self) -> int:
        """Most epochs of all phases together."""
        return sum(phase.epochs for phase in self.phases)


def make_plan(phases: tuple[Phase, ...], batch_size: int, train: Train, *, precision: Precision) -> Plan:
    """Return the plan for some phases under the settings all networks share."""
    return Plan(
        phases=phases,
        batch_size=batch_size,
        plateau_factor=train.plateau_factor,
        plateau_patience=train.plateau_patience,
        min_learning_rate=train.min_learning_rate,
        stop_patience=train.stop_patience,
        precision=precision,
    )


class Schedule:
    """Learning rate and end of one network's phase, from its validation losses."""

    def __init__(self, plan: Plan, phase: Phase) -> None:
        self.plan, self.phase = plan, phase
        self.learning_rate = phase.learning_rate
        self.best_loss = math.inf
        self.stalled = 0
        self.waited = 0
        self.over = False

    def rate(self, share: float) -> float:
        """Return the learning rate of a step; ``share`` in [0, 1] is how much of the phase is done."""
        if self.plan.schedule == "one_cycle":
            rising = share < WARM_UP
            across = share / WARM_UP if rising else (share - WARM_UP) / (1.0 - WARM_UP)
            low = self.phase.learning_rate / (START if rising else END)
            up = (1.0 - math.cos(math.pi * across)) / 2.0
            self.learning_rate = low + (self.phase.learning_rate - low) * (up if rising else 1.0 - up)
        return self.learning_rate

    def note(self, val_loss: float) -> bool:
        """Take an epoch's validation loss in; return whether its weights are the ones to keep so far."""
        if self.plan.schedule == "one_cycle":
            return True
        better = val_loss < self.best_loss
        if better:
            self.best_loss, self.stalled, self.waited = val_loss, 0, 0
            return True
        if self.learning_rate < self.phase.learning_rate:
            self.waited += 1
        self.stalled += 1
        if self.stalled > self.plan.plateau_patience:
            floor = min(self.plan.min_learning_rate, self.phase.learning_rate)
            self.learning_rate = max(self.learning_rate * self.plan.plateau_factor, floor)
            self.stalled = 0
        self.over = self.waited >= self.plan.stop_patience
        return False
