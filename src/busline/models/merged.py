"""A network of image and table (Chowdhary & Dennis 2026, Table 8, "Merged")."""

from __future__ import annotations

import torch
from torch import nn

from busline.base.settings.merged import MergedSettings
from busline.models.classes import ClassLogits
from busline.models.dropout import GivenDropout
from busline.models.images import ImageClassifier, build_image_model
from busline.models.mlp import Mlp


class MergedNetwork(nn.Module):
    """Both networks cut before their last layer, concatenated, then dense, ReLU, dropout and the logits.

    Args:
        image: a trained image classifier.
        table: a trained tabular network of the same repeat and fold.
        hidden: units of the dense layer.
        dropout: rate behind it.
        classes: of the study, see :mod:`busline.models.classes`.
    """

    def __init__(self, image: ImageClassifier, table: Mlp, hidden: int, dropout: float, classes: int) -> None:
        super().__init__()
        self.image, self.table = image, table
        self.joined = nn.Sequential(
            nn.Linear(image.width + table.width, hidden),
            nn.ReLU(),
            GivenDropout(dropout, hidden),
            ClassLogits(hidden, classes),
        )

    def forward(self, images: torch.Tensor, table: torch.Tensor) -> torch.Tensor:
        """Return the logits, (n,) of two classes, (n, K) of more."""
        features = torch.cat([self.image.features(images), self.table.features(table)], dim=1)
        logits: torch.Tensor = self.joined(features)
        return logits


def build_merged(settings: MergedSettings, features: int, classes: int = 2) -> MergedNetwork:
    """Build the joint network of a table of so many features, with random weights from torch's current seed."""
    image = build_image_model(settings.image.model, settings.image.image_size, classes, settings.image.start)
    table = Mlp(features, settings.dnn.hidden, settings.dnn.dropout, classes)
    return MergedNetwork(image, table, settings.merged.hidden, settings.merged.dropout, classes)
