"""Pretrained weights put into a network, or refused with the reason."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import nn

from busline.base.errors import ParameterError


def load_into(module: nn.Module, tensors: Mapping[str, torch.Tensor], where: str) -> None:
    """Fill ``module`` from a weights file; tensors of the file that it does not have are left out.

    Networks of timm that give maps have their layers one level higher than the file, under names that are joined by
    underscores: ``stages_0.blocks`` for ``stages.0.blocks``.

    Args:
        module: the network to fill.
        tensors: names and values of the weights file.
        where: the file or parameter, for the error.

    Raises:
        ParameterError: if a tensor is missing, has another shape, or is whole-numbered where fractions belong.
    """
    wanted = module.state_dict()
    joined = {name.replace(".", "_", 1): value for name, value in tensors.items()}
    given = {name: value for name, value in {**joined, **tensors}.items() if name in wanted}
    missing = [name for name in wanted if name not in given and not name.endswith("num_batches_tracked")]
    wrong = [name for name, value in given.items() if not _alike(value, wanted[name])]
    if missing or wrong:
        raise ParameterError(
            where,
            f"does not fit the network: {len(missing)} tensors are missing, {len(wrong)} have another shape or type "
            f"(first: {[*missing, *wrong][0]})",
            mend="choose weights made for this network",
        )
    nn.Module.load_state_dict(module, given, strict=False)


def _alike(value: torch.Tensor, wanted: torch.Tensor) -> bool:
    return value.shape == wanted.shape and value.is_floating_point() == wanted.is_floating_point()
