"""What networks see of gray images: the one place where their scale is changed, and changed back."""

from __future__ import annotations

import torch
from torch import nn

from busline.base.settings.weights import Start


class WantedInputs(nn.Module):
    """Brings gray images of three channels, in [0, 1], to what pre-trained weights want."""

    shift: torch.Tensor
    scale: torch.Tensor

    def __init__(self, start: Start) -> None:
        super().__init__()
        for name, values in (("shift", start.mean), ("scale", start.std)):
            self.register_buffer(name, torch.tensor(values).view(1, -1, 1, 1), persistent=False)

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        """Return images (n, 3, h, w) with the weights' own mean and deviation."""
        return (images - self.shift) / self.scale


def unit(images: torch.Tensor) -> torch.Tensor:
    """Return images (n, h, w) of gray values from 0 to 255 as float32 (n, 1, h, w) in [0, 1]."""
    return images.unsqueeze(1).float() / 255.0


def signed(images: torch.Tensor) -> torch.Tensor:
    """Return images in [0, 1] as networks take them, in [-1, 1]."""
    return images * 2.0 - 1.0


def to_lesion_scale(images: torch.Tensor) -> torch.Tensor:
    """Return images in [0, 1] as the lesion network takes them: 4 x - 1, which sets a scan's mean near zero."""
    return 4.0 * images - 1.0


def from_lesion_scale(images: torch.Tensor) -> torch.Tensor:
    """Return images of the lesion network's scale in [0, 1], for a body that has a scale of its own."""
    return (images + 1.0) / 4.0


def unsigned(images: torch.Tensor) -> torch.Tensor:
    """Return images in [-1, 1] in [0, 1], for a body that has a scale of its own."""
    return (images + 1.0) / 2.0
