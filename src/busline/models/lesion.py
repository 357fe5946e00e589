"""The lesion network: a small U-Net that outlines a lesion and says what a reader would say of it.

One network, two tasks (hard parameter sharing). What it says comes from features pooled over the outline that it draws
itself, so with few cases it need not learn where to look.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import nn

from busline.base.settings.lesion import LesionBody
from busline.cohort.findings import FINDINGS
from busline.models.dropout import GivenDropout
from busline.models.layout import PictureNetwork, lay_out
from busline.models.lesion_encoders import LesionEncoder, build_encoder, convolve

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


class LesionNetwork(PictureNetwork):
    """Encoder of strides 2 to 32, decoder up to stride 2, and the heads.

    The mask is drawn at half the resolution and enlarged: the last decoder stage would take a third of the time for
    edges that the image's own speckle blurs.

    Args:
        encoder: gives maps of strides 2, 4, 8, 16, 32.
        decoder: channels at strides 16, 8, 4, 2.
        dropout: rate before the last layer of label and findings.
    """

    def __init__(self, encoder: LesionEncoder, decoder: tuple[int, ...] = DECODER, dropout: float = 0.3) -> None:
        super().__init__()
        self.encoder, widths = encoder, encoder.widths
        inputs = (widths[-1], *decoder[:-1])
        self.ups = nn.ModuleList(
            nn.Sequential(*convolve(given + skip, out), *convolve(out, out))
            for given, skip, out in zip(inputs, widths[-2::-1], decoder, strict=True)
        )
        self.mask = nn.Conv2d(decoder[-1], 1, 3, padding=1)
        self.width = 2 * widths[4] + widths[3] + widths[2] + decoder[1]
        self.dropout = GivenDropout(dropout, self.width)
        self.head = nn.Linear(self.width, 1 + len(FINDINGS))

    def forward(self, images: torch.Tensor) -> LesionLogits:
        """Return the logits; ``images`` (n, 1, s, s) on the scale of :func:`to_lesion_scale`, s a multiple of 32."""
        maps = self.encoder(self.arrange(images))
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


def _pool(features: torch.Tensor, where: torch.Tensor) -> torch.Tensor:
    """Return the mean of features (n, c, h, w) weighted by the lesion's probability, grown by one place, (n, c)."""
    chance = F.avg_pool2d(where, where.shape[-1] // features.shape[-1])
    weight = F.max_pool2d(chance, 3, stride=1, padding=1) + FLOOR
    mean: torch.Tensor = (features.float() * weight).sum(dim=(2, 3)) / weight.sum(dim=(2, 3))
    return mean


def build_lesion_network(body: LesionBody) -> LesionNetwork:
    """Return the lesion network on the encoder of the settings, with random weights from torch's current seed."""
    network = LesionNetwork(build_encoder(body))
    lay_out(network)
    return network
