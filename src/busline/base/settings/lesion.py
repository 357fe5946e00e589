"""Section `lesion`."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from busline.base.settings.section import BatchSize, Epochs, Rate, Section, Side


class LesionPretrain(Section):
    """Initial weights of the lesion network, learnt from phantoms."""

    phantoms: Annotated[int, Field(ge=0, le=1_000_000)]
    """Phantoms drawn for it, none of them in the cohort; with 0 the weights are random."""
    batch_size: BatchSize
    """Cases a batch; the network sees two views of each."""
    epochs: Epochs
    learning_rate: Rate
    """Highest of the one-cycle schedule."""


class Lesion(Section):
    """The lesion network: outline and diagnosis from two views, for every pair of left-out folds."""

    networks: Annotated[int, Field(ge=0, le=1000)]
    """Networks trained for each pair, whose outputs are averaged; with 0 there is no lesion network."""
    image_size: Annotated[Side, Field(multiple_of=32)]
    """Side of a view in pixels."""
    findings_weight: Annotated[float, Field(ge=0.0)]
    """Weight of the radiologist's findings in the loss; they are targets of training, never inputs."""
    batch_size: BatchSize
    """Cases a batch; the network sees two views of each."""
    epochs: Epochs
    learning_rate: Rate
    """Highest of the one-cycle schedule."""
    pretrain: LesionPretrain
