"""Tensors of one library's network under the names that another library has for the same network."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

import torch

from busline.base.errors import DataError

Tensors = Mapping[str, torch.Tensor]
WHOLE = {"_conv_stem": "conv_stem", "_bn0": "bn1", "_conv_head": "conv_head", "_bn1": "bn2", "_fc": "classifier"}
SEPARABLE = {"_depthwise_conv": "conv_dw", "_bn1": "bn1", "_project_conv": "conv_pw", "_bn2": "bn2"}
INVERTED = {
    "_expand_conv": "conv_pw",
    "_bn0": "bn1",
    "_depthwise_conv": "conv_dw",
    "_bn1": "bn2",
    "_project_conv": "conv_pwl",
    "_bn2": "bn3",
}
"""Layers of efficientnet_pytorch and of timm: of the whole network, and of its two kinds of block."""


def from_efficientnet_pytorch(tensors: Tensors, network: str, where: str) -> dict[str, torch.Tensor]:
    """Return tensors of efficientnet_pytorch's EfficientNet under timm's names.

    Both libraries have the same blocks in the same order; timm numbers them within their stage, and calls the layers of
    a block without expansion otherwise than those of one with it.

    Args:
        tensors: of the file.
        network: timm's name of the network.
        where: the file, for the error.

    Raises:
        DataError: if a tensor is none of that network's, or it is no EfficientNet of timm.
    """
    stages = _stages(network, where)
    places = [f"blocks.{stage}.{number}" for stage, blocks in enumerate(stages) for number in range(len(blocks))]
    expanded = {int(match[1]) for name in tensors if (match := re.match(r"_blocks\.(\d{1,4})\._expand_conv\.", name))}
    renamed = {}
    for name, tensor in tensors.items():
        inside = re.fullmatch(r"_blocks\.(\d{1,4})\.(_\w+)\.(\w+)", name)
        of_whole = re.fullmatch(r"(_\w+)\.(\w+)", name)
        if inside and int(inside[1]) < len(places):
            layers = INVERTED if int(inside[1]) in expanded else SEPARABLE
            place, layer, last = f"{places[int(inside[1])]}.", layers.get(inside[2]), inside[3]
        elif of_whole:
            place, layer, last = "", WHOLE.get(of_whole[1]), of_whole[2]
        else:
            place, layer, last = "", None, ""
        if layer is None:
            raise DataError(where, f"has a tensor {name!r}, which {network} of efficientnet_pytorch has not")
        renamed[f"{place}{layer}.{last}"] = tensor
    return renamed


def _stages(network: str, where: str) -> Any:
    """Return the stages of an EfficientNet; a name that is not of timm's list would be looked up elsewhere."""
    import timm
    from timm.models import EfficientNet

    made = timm.create_model(network, pretrained=False) if network in timm.list_models() else None
    if not isinstance(made, EfficientNet):
        mend = "name it first in networks, or set names to own"
        raise DataError(where, f"{network!r} is no EfficientNet of timm, whose names its tensors could take", mend=mend)
    return made.blocks


RENAMED: Mapping[str, Callable[[Tensors, str, str], dict[str, torch.Tensor]]] = {
    "efficientnet_pytorch": from_efficientnet_pytorch
}
"""By what ``names`` of weights.files says."""
