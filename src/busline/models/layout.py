"""The memory layout of a network's tensors: channels last, which is fastest, where the library can be trusted."""

from __future__ import annotations

import torch
from torch import nn

FEW_CHANNELS = range(2, 8)


class PictureNetwork(nn.Module):
    """A network of pictures that keeps to one memory layout.

    Attributes:
        plain: the network keeps the channels first; set by :func:`lay_out`.
    """

    plain = False

    def arrange(self, images: torch.Tensor) -> torch.Tensor:
        """Return images (n, c, s, s) as the network wants them in memory; channels last come so from the task."""
        return images.contiguous() if self.plain else images


def lay_out(network: PictureNetwork) -> None:
    """Put the channels last in memory, unless training would then write where it must not.

    The gradient of a strided 1 x 1 convolution of two to seven channels writes past its memory on a CPU with its
    channels last (torch 2.15 on AVX2): the process dies of a signal, or goes on with damaged numbers. The first layer
    of MobileOne is one. Others did not: of one channel or of eight and more, of a larger kernel, in bf16.
    """
    network.plain = any(_writes_astray(module) for module in network.modules())
    if not network.plain:
        network.to(memory_format=torch.channels_last)


def _writes_astray(module: nn.Module) -> bool:
    if not isinstance(module, nn.Conv2d) or max(module.kernel_size) > 1 or max(module.stride) == 1:
        return False
    return module.in_channels in FEW_CHANNELS
