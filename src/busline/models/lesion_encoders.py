"""Encoders of the lesion network: five maps of strides 2 to 32, from a network of our own or one of timm."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise
from typing import Any

import torch
import torch.nn.functional as F
from torch import nn

from busline.base.errors import ParameterError
from busline.base.settings.lesion import OWN, LesionBody
from busline.base.settings.weights import Start
from busline.models.gray import WantedInputs, from_lesion_scale
from busline.models.timm_names import bare, require_timm
from busline.weights.load import load_into

WIDTHS = (24, 32, 64, 128, 256)
STRIDES = [2, 4, 8, 16, 32]
MEND = f"choose a network that has them, such as tf_efficientnet_lite0 or resnet18, or {OWN}"


class LesionEncoder(nn.Module):
    """What the lesion network stands on.

    Attributes:
        widths: channels of the five maps.
    """

    widths: tuple[int, ...]


class OwnEncoder(LesionEncoder):
    """A small residual network.

    Args:
        widths: channels at strides 2, 4, 8, 16, 32.
    """

    def __init__(self, widths: tuple[int, ...] = WIDTHS) -> None:
        super().__init__()
        self.widths = widths
        self.stem = nn.Sequential(*convolve(1, widths[0], stride=2), *convolve(widths[0], widths[0]))
        self.stages = nn.ModuleList(nn.Sequential(_Residual(a, b, 2), _Residual(b, b)) for a, b in pairwise(widths))

    def forward(self, images: torch.Tensor) -> list[torch.Tensor]:
        """Return the five maps of ``images`` (n, 1, s, s)."""
        maps = [self.stem(images)]
        for stage in self.stages:
            maps.append(stage(maps[-1]))
        return maps


class TimmEncoder(LesionEncoder):
    """The maps of a network of timm.

    Args:
        name: timm's.
        start: the weights that will be put in, for the inputs they want; None for random ones.

    Raises:
        ParameterError: if timm has no such network, or none with maps of strides 2, 4, 8, 16 and 32.
    """

    def __init__(self, name: str, start: Start | None) -> None:
        import timm

        super().__init__()
        require_timm("lesion.encoder", name)
        try:
            body: Any = timm.create_model(name, pretrained=False, features_only=True, in_chans=3)
        except (RuntimeError, AttributeError, AssertionError, TypeError, ValueError) as error:
            raise ParameterError("lesion.encoder", f"{name!r} gives no maps ({error})", mend=MEND) from error
        strides = body.feature_info.reduction()
        if strides != STRIDES:
            raise ParameterError(
                "lesion.encoder", f"{name!r} gives maps of strides {strides}", expected=str(STRIDES), mend=MEND
            )
        self.body, self.wanted = body, WantedInputs(start) if start else None
        self.widths = tuple(body.feature_info.channels())

    def forward(self, images: torch.Tensor) -> list[torch.Tensor]:
        """Return the five maps of ``images`` (n, 1, s, s), on the scale of the lesion network."""
        colour = images.expand(-1, 3, -1, -1)
        if self.wanted is not None:
            colour = self.wanted(from_lesion_scale(colour))
        maps: list[torch.Tensor] = self.body(colour)
        return maps


def build_encoder(body: LesionBody) -> LesionEncoder:
    """Return the encoder that the settings name, with random weights from torch's current seed."""
    return OwnEncoder() if body.encoder == OWN else TimmEncoder(body.encoder, body.start)


def load_encoder(encoder: LesionEncoder, tensors: Mapping[str, torch.Tensor], where: str) -> None:
    """Put pre-trained weights into an encoder of timm; see :func:`load_into`."""
    assert isinstance(encoder, TimmEncoder)
    load_into(bare(encoder.body), tensors, where)


class _Residual(nn.Module):
    """Two 3 x 3 convolutions and a shortcut; it shrinks by averaging first (He et al. 2019, arXiv:1812.01187)."""

    def __init__(self, inputs: int, outputs: int, stride: int = 1) -> None:
        super().__init__()
        norm = nn.BatchNorm2d(outputs)
        self.body = nn.Sequential(
            *convolve(inputs, outputs, stride), nn.Conv2d(outputs, outputs, 3, padding=1, bias=False), norm
        )
        pool = [nn.AvgPool2d(stride)] if stride > 1 else []
        change = [nn.Conv2d(inputs, outputs, 1, bias=False), nn.BatchNorm2d(outputs)] if inputs != outputs else []
        self.shortcut = nn.Sequential(*pool, *change)

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        """Return (n, outputs, h / stride, w / stride)."""
        return F.relu(self.body(images) + self.shortcut(images))


def convolve(inputs: int, outputs: int, stride: int = 1) -> list[nn.Module]:
    """Return a 3 x 3 convolution with batch norm and ReLU."""
    return [nn.Conv2d(inputs, outputs, 3, stride, 1, bias=False), nn.BatchNorm2d(outputs), nn.ReLU()]
