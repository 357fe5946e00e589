"""A weights file as named tensors: safetensors, or a file of torch whose checksum agreed."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch

from busline.base.errors import DataError
from busline.base.settings.weights import UNVERIFIED, WeightsFile
from busline.weights.rename import RENAMED

SAFE = ".safetensors"


def read_weights(path: Path, file: WeightsFile) -> dict[str, torch.Tensor]:
    """Return the tensors under the network's own names; floating ones as float32.

    A file of torch is a pickle, the one that this project reads: only after its checksum agreed, and with torch's
    reader that makes tensors and nothing else (``weights_only``).

    Args:
        path: of a file whose checksum was compared with ``file.sha256``.
        file: its entry in weights.files.

    Raises:
        DataError: if it is no such file, holds no tensors or others than plain finite ones, or was to be read without a
            checksum.
    """
    tensors = _plain(_read_safe(path) if path.suffix == SAFE else _read_torch(path, file), str(path))
    if not tensors:
        raise DataError(str(path), "holds no tensors", mend="get the file again")
    return tensors if file.names == "own" else RENAMED[file.names](tensors, file.networks[0], str(path))


def _read_safe(path: Path) -> dict[str, torch.Tensor]:
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    try:
        return load_file(path)
    except (SafetensorError, OSError, ValueError) as error:
        raise DataError(
            str(path), f"is no safetensors file ({error})", mend="get it again, or convert the weights to safetensors"
        ) from error


def _read_torch(path: Path, file: WeightsFile) -> dict[str, torch.Tensor]:
    if file.sha256 == UNVERIFIED:
        mend = "give its sha256 in weights.files, or convert it to safetensors"
        raise DataError(str(path), "is no safetensors file, and is not read without a checksum", mend=mend)
    try:
        content = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # of a damaged file torch's reader raises whatever its parts raise
        reason = "it is empty" if isinstance(error, EOFError) else "it holds something else, or is damaged"
        raise DataError(str(path), f"is no file of tensors alone ({reason})", mend="get it again") from error
    if not isinstance(content, dict) or not all(isinstance(one, torch.Tensor) for one in content.values()):
        raise DataError(
            str(path), "holds something else than named tensors", mend="save the network's state_dict alone"
        )
    return content


def _plain(tensors: Mapping[Any, torch.Tensor], where: str) -> dict[str, torch.Tensor]:
    """Return copies that share nothing: one tensor of a file may have two names."""
    found = {}
    for name, tensor in tensors.items():
        if not isinstance(name, str) or not name.isprintable():
            raise DataError(where, f"has a tensor of the name {name!r}", mend="save the network's state_dict alone")
        if tensor.layout != torch.strided or tensor.is_quantized or tensor.is_meta or tensor.is_complex():
            raise DataError(where, f"tensor {name!r} is no plain one of real numbers", mend="convert it to one")
        found[name] = (tensor.detach().float() if tensor.is_floating_point() else tensor).clone().contiguous()
        if not torch.isfinite(found[name]).all():
            raise DataError(where, f"tensor {name!r} has values that are no finite numbers", mend="get the file again")
    return found
