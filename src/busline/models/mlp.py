"""The tabular network of the primary study (Table 1)."""

from __future__ import annotations

import torch
from torch import nn


class Mlp(nn.Module):
    """Batch norm, then two dense layers with ReLU and dropout, the second half as wide, then one logit.

    Args:
        features: columns of the encoded table.
        hidden: units of the first layer.
        dropout: rate behind both dense layers.
    """

    def __init__(self, features: int, hidden: int, dropout: float) -> None:
        super().__init__()
        half = max(hidden // 2, 1)
        self.width = half
        self.body = nn.Sequential(
            nn.BatchNorm1d(features, eps=1e-3),
            nn.Linear(features, hidden),
            nn.ReLU(),
            nn.Dropout(dropout),
            nn.Linear(hidden, half),
            nn.ReLU(),
            nn.Dropout(dropout),
        )
        self.head = nn.Linear(half, 1)

    def features(self, table: torch.Tensor) -> torch.Tensor:
        """Return the last hidden layer, (n, hidden // 2)."""
        hidden: torch.Tensor = self.body(table)
        return hidden

    def forward(self, table: torch.Tensor) -> torch.Tensor:
        """Return the logits, (n,)."""
        logits: torch.Tensor = self.head(self.features(table))
        return logits.squeeze(1)
