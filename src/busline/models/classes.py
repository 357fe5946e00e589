"""The classes of a study in a network: its last layer, and what its logits say of each class.

A network of two classes has one logit, the log odds of the positive class, (b,) for a batch; one of K > 2 classes has
(b, K). The positive class is the last (:attr:`busline.base.settings.protocol.Split.ordered`). Behind
:func:`class_probabilities` everything sees (n, K), for two classes as for more.
"""

from __future__ import annotations

import torch
from torch import nn


class ClassLogits(nn.Linear):
    """The last layer of a classifier.

    Args:
        width: features of a case.
        classes: number of classes, 2 or more.
    """

    def __init__(self, width: int, classes: int) -> None:
        super().__init__(width, 1 if classes == 2 else classes)

    def forward(self, features: torch.Tensor) -> torch.Tensor:
        """Return the logits of ``features`` (b, width): (b,) of two classes, (b, K) of more."""
        logits = super().forward(features)
        return logits.squeeze(1) if self.out_features == 1 else logits


def class_probabilities(logits: torch.Tensor) -> torch.Tensor:
    """Return the probability of each class, (k, b, K); ``logits`` of k networks, (k, b) or (k, b, K)."""
    if logits.dim() == 3:
        return torch.softmax(logits, dim=2)
    positive = torch.sigmoid(logits)
    return torch.stack([1.0 - positive, positive], dim=2)


def log_odds(logits: torch.Tensor) -> torch.Tensor:
    """Return the log odds of the positive class against the rest, (k, b); ``logits`` (k, b) or (k, b, K)."""
    if logits.dim() == 2:
        return logits
    return logits[..., -1] - torch.logsumexp(logits[..., :-1], dim=2)
