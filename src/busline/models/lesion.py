"""The lesion network: a small residual U-Net that outlines a lesion and says what a reader would say of it.

One network, two tasks (hard parameter sharing). What it says comes from features pooled over the outline that it draws
itself, so with few cases it need not learn where to look.
"""

from __future__ import annotations

from itertools import pairwise
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import nn

from busline.cohort.findings import FINDINGS
from busline.models.dropout import GivenDropout

ENCODER = (24, 32, 64, 128, 256)
DECODER = (96, 64, 32, 24)
FLOOR = 1e-3
"""Least weight of a place in pooling: where no lesion is found, all places tune the same."""


class LesionLogits(NamedTuple):
    """What the network says of n images of side s.

    Attributes:
        mask: float32 (n, 1, s, s).
        label: of the positive class, float32 (n,).
        findings: float32 (n, len(FINDINGS)).
    """

    mask: torch.Tensor
    label: torch.Tensor
    findings: torch.Tensor


class LesionNetwork(nn.Module):
    """Encoder of strides 2 to 32, decoder up to stride 2, and the heads.

    The mask is drawn at half the resolution and enlarged: the last decoder stage would take a third of the time for
    edges that the image's own speckle blurs.

    Args:
        encoder: channels at strides 2, 4, 8, 16, 32.
        decoder: channels at strides 16, 8, 4, 2.
        dropout: rate before the last layer of label and findings.
    """

    def __init__(
        self, encoder: tuple[int, ...] = ENCODER, decoder: tuple[int, ...] = DECODER, dropout: float = 0.3
    ) -> None:
        super().__init__()
        self.stem = nn.Sequential(*_conv(1, encoder[0], stride=2), *_conv(encoder[0], encoder[0]))
        self.stages = nn.ModuleList(nn.Sequential(_Residual(a, b, 2), _Residual(b, b)) for a, b in pairwise(encoder))
        inputs = (encoder[-1], *decoder[:-1])
        self.ups = nn.ModuleList(
            nn.Sequential(*_conv(given + skip, out), *_conv(out, out))
            for given, skip, out in zip(inputs, encoder[-2::-1], decoder, strict=True)
        )
        self.mask = nn.Conv2d(decoder[-1], 1, 3, padding=1)
        self.width = 2 * encoder[4] + encoder[3] + encoder[2] + decoder[1]
        self.dropout = GivenDropout(dropout, self.width)
        self.head = nn.Linear(self.width, 1 + len(FINDINGS))

    def forward(self, images: torch.Tensor) -> LesionLogits:
        """Return the logits; ``images`` (n, 1, s, s) in [-1, 1], s a multiple of 32."""
        maps = [self.stem(images)]
        for stage in self.stages:
            maps.append(stage(maps[-1]))
        up, ups = maps[-1], []
        for block, skip in zip(self.ups, maps[-2::-1], strict=True):
            up = block(torch.cat([F.interpolate(up, scale_factor=2.0), skip], dim=1))
            ups.append(up)
        mask = self.mask(up).float()
        where = torch.sigmoid(mask.detach())
        places = (maps[4], maps[3], maps[2], ups[1])
        pooled = [maps[4].float().mean(dim=(2, 3)), *(_pool(place, where) for place in places)]
        outputs: torch.Tensor = self.head(self.dropout(torch.cat(pooled, dim=1))).float()
        large = F.interpolate(mask, scale_factor=2.0, mode="bilinear", align_corners=False)
        return LesionLogits(large, outputs[:, 0], outputs[:, 1:])


class _Residual(nn.Module):
    """Two 3 x 3 convolutions and a shortcut; it shrinks by averaging first (He et al. 2019, arXiv:1812.01187)."""

    def __init__(self, inputs: int, outputs: int, stride: int = 1) -> None:
        super().__init__()
        norm = nn.BatchNorm2d(outputs)
        self.body = nn.Sequential(
            *_conv(inputs, outputs, stride), nn.Conv2d(outputs, outputs, 3, padding=1, bias=False), norm
        )
        pool = [nn.AvgPool2d(stride)] if stride > 1 else []
        change = [nn.Conv2d(inputs, outputs, 1, bias=False), nn.BatchNorm2d(outputs)] if inputs != outputs else []
        self.shortcut = nn.Sequential(*pool, *change)

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        """Return (n, outputs, h / stride, w / stride)."""
        return F.relu(self.body(images) + self.shortcut(images))


def _conv(inputs: int, outputs: int, stride: int = 1) -> list[nn.Module]:
    return [nn.Conv2d(inputs, outputs, 3, stride, 1, bias=False), nn.BatchNorm2d(outputs), nn.ReLU()]


def _pool(features: torch.Tensor, where: torch.Tensor) -> torch.Tensor:
    """Return the mean of features (n, c, h, w) weighted by the lesion's probability, grown by one place, (n, c)."""
    chance = F.avg_pool2d(where, where.shape[-1] // features.shape[-1])
    weight = F.max_pool2d(chance, 3, stride=1, padding=1) + FLOOR
    mean: torch.Tensor = (features.float() * weight).sum(dim=(2, 3)) / weight.sum(dim=(2, 3))
    return mean
