"""The tabular network of Chowdhary & Dennis 2026 (Table 1)."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import torch
from torch import nn

from busline.models.classes import ClassLogits
from busline.models.dropout import GivenDropout


class Mlp(nn.Module):
    """Batch norm, then two dense layers with ReLU and dropout, the second half as wide, then the logits.

    Args:
        features: columns of the encoded table.
        hidden: units of the first layer.
        dropout: rate behind both dense layers.
        classes: of the study, see :mod:`busline.models.classes`.
    """

    def __init__(self, features: int, hidden: int, dropout: float, classes: int = 2) -> None:
        super().__init__()
        half = max(hidden // 2, 1)
        self.width = half
        self.body = nn.Sequential(
            nn.BatchNorm1d(features, eps=1e-3),
            nn.Linear(features, hidden),
            nn.ReLU(),
            GivenDropout(dropout, hidden),
            nn.Linear(hidden, half),
            nn.ReLU(),
            GivenDropout(dropout, half),
        )
        self.head = ClassLogits(half, classes)

    def features(self, table: torch.Tensor) -> torch.Tensor:
        """Return the last hidden layer, (n, hidden // 2)."""
        hidden: torch.Tensor = self.body(table)
        return hidden

    def forward(self, table: torch.Tensor) -> torch.Tensor:
        """Return the logits, (n,) of two classes, (n, K) of more."""
        logits: torch.Tensor = self.head(self.features(table))
        return logits


def pad_features(network: Mlp, features: int) -> Mlp:
    """Return the same network for a table with further columns, of zeros: networks of one stack need one shape.

    The weights of those columns are zero and stay so: a column of zeros gives them no gradient, and they pass none on.
    """
    norm, first = network.body[0], network.body[1]
    assert isinstance(norm, nn.BatchNorm1d)
    assert isinstance(first, nn.Linear)
    extra = (0, features - first.in_features)
    norm.weight = nn.Parameter(nn.functional.pad(norm.weight.detach(), extra, value=1.0))
    norm.bias = nn.Parameter(nn.functional.pad(norm.bias.detach(), extra))
    first.weight = nn.Parameter(nn.functional.pad(first.weight.detach(), extra))
    for name, value in (("running_mean", 0.0), ("running_var", 1.0)):
        setattr(norm, name, nn.functional.pad(norm.get_buffer(name), extra, value=value))
    norm.num_features = first.in_features = features
    return network


def cut_features(state: Mapping[str, np.ndarray], features: int, *, within: str = "") -> dict[str, np.ndarray]:
    """Return the tensors of a network of :func:`pad_features` without the padding; ``within`` begins their names."""
    names = ("body.0.weight", "body.0.bias", "body.0.running_mean", "body.0.running_var", "body.1.weight")
    padded = [f"{within}{name}" for name in names]
    return {name: value[..., :features].copy() if name in padded else value for name, value in state.items()}
