"""What training does, as plain values: phases, learning-rate plateau, early stopping, precision."""

from __future__ import annotations

from dataclasses import dataclass

from busline.base.sections import Precision, Train


@dataclass(frozen=True)
class Phase:
    """One stretch of training with its own optimiser.

    Attributes:
        name: shown in the learning curves.
        epochs: most epochs it lasts.
        learning_rate: Adam's initial learning rate.
        trainable: dotted names of the modules that learn; None for the whole network.
    """

    name: str
    epochs: int
    learning_rate: float
    trainable: tuple[str, ...] | None = None


@dataclass(frozen=True)
class Plan:
    """All that the training loop needs to know besides network, data and seed.

    The learning rate is multiplied by ``plateau_factor`` once the stop cases' loss has not improved for
    ``plateau_patience`` epochs. A phase ends early once it has not improved for ``stop_patience`` epochs, counted only
    after the learning rate was lowered (primary study, section "Tabular-Only Classification Algorithm"). The network
    ends with the weights of the epoch with the lowest stop loss.
    """

    phases: tuple[Phase, ...]
    batch_size: int
    plateau_factor: float
    plateau_patience: int
    min_learning_rate: float
    stop_patience: int
    precision: Precision = "fp32"

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
