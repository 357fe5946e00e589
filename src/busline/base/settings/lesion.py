"""Section `lesion`."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from busline.base.settings.section import BatchSize, Epochs, Rate, Section, Side
from busline.base.settings.weights import Start

OWN = "own"
"""The encoder that this package has of its own."""


class LesionPretrain(Section):
    """Initial weights of the lesion network, learnt from phantoms."""

    phantoms: Annotated[int, Field(ge=0, le=1_000_000)]
    """Phantoms drawn for it, none of them in the cohort; with 0 it learns from none."""
    batch_size: BatchSize
    """Cases a batch; the network sees two views of each."""
    epochs: Epochs
    learning_rate: Rate
    """Highest of the one-cycle schedule."""


class Lesion(Section):
    """The lesion network: outline and diagnosis from two views, for every pair of left-out folds."""

    networks: Annotated[int, Field(ge=0, le=1000)]
    """Networks trained for each pair, whose outputs are averaged; with 0 there is no lesion network."""
    encoder: str
    """`own`, or the name of a network of timm."""
    weights: str
    """Of the encoder: `none` for random initial weights, `imagenet` for the file of weights.files that fits it, or a
    name. They are there before it learns from phantoms."""
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


class LesionBody(Section):
    """What the lesion network stands on."""

    encoder: str
    """See :class:`Lesion`."""
    start: Start | None
    """What the encoder starts from; null for random initial weights."""
