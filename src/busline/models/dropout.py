"""Dropout whose noise is given, so that networks that train as one stack draw each from a generator of its own."""

from __future__ import annotations

import torch
from torch import nn


class GivenDropout(nn.Module):
    """Dropout of rows (n, width) by the uniform noise in its buffer; nothing outside training mode.

    Rate and noise are buffers, so that a stack may hold networks of different rates. Neither is saved.

    Args:
        rate: share of the units that are set to zero, in [0, 1).
        width: units of a row.
    """

    rate: torch.Tensor
    noise: torch.Tensor

    def __init__(self, rate: float, width: int) -> None:
        super().__init__()
        self.width = width
        self.register_buffer("rate", torch.tensor(rate), persistent=False)
        self.register_buffer("noise", torch.ones(1, width), persistent=False)

    def forward(self, rows: torch.Tensor) -> torch.Tensor:
        """Return the rows, thinned and scaled up; ``noise`` (n, width) in [0, 1) is set by the training loop."""
        if not self.training:
            return rows
        kept = (self.noise >= self.rate).to(rows.dtype)
        return rows * kept / (1.0 - self.rate).to(rows.dtype)
