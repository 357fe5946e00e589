"""Pretrained weights put into a network, or refused with the reason."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import nn

from busline.base.errors import ParameterError


def load_into(module: nn.Module, tensors: Mapping[str, torch.Tensor], where: str) -> None:
    """Fill ``module`` from a weights file; tensors of the file that it does not have are left out.

    Args:
        module: the network to fill.
        tensors: names and values of the weights file.
        where: the file or parameter, for the error.

    Raises:
        ParameterError: if a tensor is missing or has another shape.
    """
    wanted = module.state_dict()
    given = {name: value for name, value in tensors.items() if name in wanted}
    missing = [name for name in wanted if name not in given and not name.endswith("num_batches_tracked")]
    wrong = [name for name, value in given.items() if value.shape != wanted[name].shape]
    if missing or wrong:
        raise ParameterError(
            where,
            f"does not fit the network: {len(missing)} tensors are missing, {len(wrong)} have another shape "
            f"(first: {[*missing, *wrong][0]})",
            mend="choose weights made for this network",
        )
    nn.Module.load_state_dict(module, given, strict=False)
