"""U-Nets that enlarge by transposed convolutions, as those of Keras do: two papers', on any encoder."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from torch import nn

MAPS = 5
"""How many maps of an encoder are used: those of strides 2, 4, 8, 16 and 32."""
STRIDE = 2**MAPS
EXPANSIONS = (2, 4, 7, 14, 17)
"""Blocks of MobileNetV2 whose expansions are used: Keras's 1, 3, 6, 13 and 16, which begin their count at nought."""


@dataclass(frozen=True)
class Decoder:
    """What a U-Net is beside its encoder.

    Attributes:
        widths: channels of the maps that are enlarged to strides 16, 8, 4 and 2.
        aligned: a 1 x 1 convolution brings a skip to the width of the map it is joined to; otherwise it comes as it is.
        last_width: channels of the map of the picture's own size, which a 1 x 1 convolution makes the logits of; with
            None the last transposed convolution makes them.
    """

    widths: tuple[int, int, int, int]
    aligned: bool
    last_width: int | None


DECODERS = {
    "transposed_unet": Decoder((512, 256, 128, 64), aligned=False, last_width=None),
    "aligned_unet": Decoder((512, 256, 128, 64), aligned=True, last_width=32),
}
"""Those of Chowdhary & Dennis 2026, Table 3, and of Dajam & Qahmash 2025, section III B.

The latter say of the widths the last alone; the others are the former's here. Their encoder is MobileNet, of which
``tu-mobilenetv1_100`` gives conv_pw_1, 3, 5, 11 and 13; they take conv1_relu for the first.
"""


class Expansions(nn.Module):
    """MobileNetV2 that gives the maps of five expansions (Chowdhary & Dennis 2026, Table 3) and ends with the last.

    Its tensors have the names they have in segmentation-models-pytorch and torchvision.

    Attributes:
        out_channels: of the five maps.
    """

    def __init__(self, features: nn.Sequential) -> None:
        """Take the ``features`` of a MobileNetV2 of torchvision; what stands behind the last map is cut off."""
        super().__init__()
        blocks: Any = features[: EXPANSIONS[-1] + 1]
        blocks[-1].conv = blocks[-1].conv[:1]
        self.features: Any = blocks
        self.out_channels: list[int] = [blocks[place].conv[0][0].out_channels for place in EXPANSIONS]

    def forward(self, images: torch.Tensor) -> list[torch.Tensor]:
        """Return the maps of strides 2, 4, 8, 16 and 32 for images (n, 3, h, w)."""
        maps, value = [], images
        for place, block in enumerate(self.features):
            if place in EXPANSIONS:  # these change the channels, so nothing is added to what they make
                maps.append(block.conv[0](value))
                value = block.conv[1:](maps[-1])
            else:
                value = block(value)
        return maps


class Join(nn.Module):
    """A map enlarged to twice its side and joined to the encoder's map of that size, the skip.

    Attributes:
        channels: of what it returns.
    """

    def __init__(self, inputs: int, skip: int, width: int, *, aligned: bool) -> None:
        super().__init__()
        self.enlarge = _enlarging(inputs, width)
        aligned = aligned and skip > 0
        self.align: nn.Module = nn.Conv2d(skip, width, 1) if aligned else nn.Identity()
        self.channels: int = width + (width if aligned else skip)

    def forward(self, value: torch.Tensor, skip: torch.Tensor) -> torch.Tensor:
        """Return (n, channels, 2s, 2s) for ``value`` (n, inputs, s, s) and ``skip`` (n, skip, 2s, 2s)."""
        return torch.cat([self.enlarge(value), self.align(skip)], dim=1)


class TransposedUnet(nn.Module):
    """A U-Net of four joins and a last enlargement."""

    def __init__(self, encoder: nn.Module, decoder: Decoder, outputs: int) -> None:
        """Take an encoder in the form of segmentation-models-pytorch; ``outputs`` is the number of maps of logits."""
        super().__init__()
        self.encoder = encoder
        made: Any = encoder
        *skips, channels = made.out_channels[-MAPS:]
        joins = []
        for skip, width in zip(reversed(skips), decoder.widths, strict=True):
            joins.append(Join(channels, skip, width, aligned=decoder.aligned))
            channels = joins[-1].channels
        self.decoder = nn.ModuleList(joins)
        self.segmentation_head = _head(channels, decoder.last_width, outputs)
        _initialise(self.decoder)
        _initialise(self.segmentation_head)

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        """Return the logits, (n, outputs, h, w); ``images`` (n, 3, h, w).

        Raises:
            ValueError: if a side is no multiple of 32.
        """
        height, width = images.shape[-2:]
        if height % STRIDE or width % STRIDE:
            raise ValueError(f"sides must be multiples of {STRIDE}, the images are {height} x {width}")
        *skips, value = self.encoder(images)[-MAPS:]
        for join, skip in zip(self.decoder, reversed(skips), strict=True):
            value = join(value, skip)
        logits: torch.Tensor = self.segmentation_head(value)
        return logits


def build_transposed_unet(architecture: str, encoder: str, outputs: int, **options: Any) -> TransposedUnet:
    """Build a U-Net of :data:`DECODERS` with random weights from torch's current seed.

    The encoder ``mobilenet_v2`` gives its expansions, as in Chowdhary & Dennis 2026; every other one gives the maps
    that segmentation-models-pytorch takes of it.

    Args:
        architecture: key of :data:`DECODERS`.
        encoder: name of segmentation-models-pytorch.
        outputs: number of maps of logits: one everywhere in this package; the network of Table 3 has three.
        options: what the encoder is told beside its name.
    """
    import segmentation_models_pytorch as smp

    made = smp.encoders.get_encoder(encoder, in_channels=3, depth=MAPS, weights=None, **options)
    if encoder == "mobilenet_v2":
        made = Expansions(made.features)
    return TransposedUnet(made, DECODERS[architecture], outputs)


def _doubling(inputs: int, outputs: int, *, bias: bool) -> nn.ConvTranspose2d:
    """Return the transposed convolution that doubles the sides.

    Of the odd pixel it leaves out the first where Keras leaves out the last, as the strided convolutions of torch and
    Keras do: the network is Keras's, seen in a mirror.
    """
    return nn.ConvTranspose2d(inputs, outputs, 3, stride=2, padding=1, output_padding=1, bias=bias)


def _enlarging(inputs: int, outputs: int) -> nn.Sequential:
    return nn.Sequential(_doubling(inputs, outputs, bias=False), nn.BatchNorm2d(outputs), nn.ReLU())


def _head(inputs: int, width: int | None, outputs: int) -> nn.Module:
    """Return the last enlargement, which says the logits; see :class:`Decoder` for ``width``."""
    if width is None:
        return _doubling(inputs, outputs, bias=True)
    return nn.Sequential(_enlarging(inputs, width), nn.Conv2d(width, outputs, 1))


def _initialise(part: nn.Module) -> None:
    """Draw the weights as Keras does where it is told nothing (Glorot & Bengio 2010).

    torch's own bounds are those of a convolution: of a transposed one they count the outputs for the inputs.
    """
    for module in part.modules():
        if isinstance(module, nn.Conv2d | nn.ConvTranspose2d):
            nn.init.xavier_uniform_(module.weight)
            if module.bias is not None:
                nn.init.zeros_(module.bias)
