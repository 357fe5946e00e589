"""The fold cache: finished units of training, kept outside DVC's outputs under a hash of all that decides them.

A unit is a fold, or a group of folds that train as one stack. An entry appears whole or not at all, and the folder may
be deleted at any time: what is missing is trained again.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import fields, is_dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import numpy as np
from pydantic import BaseModel

from busline.base.artifacts import atomic_file
from busline.base.code import code_digest
from busline.base.processor import kernel_class
from busline.base.settings.training import Kernels
from busline.training.results import FoldResult

SUFFIX = ".safetensors"
LIBRARIES = ("torch", "timm", "segmentation-models-pytorch", "numpy")


class FoldCache:
    """Results of units by key, within a limit of size.

    Args:
        folder: where the entries are.
        limit: bytes that they may take; the least recently used go first.
    """

    def __init__(self, folder: Path, limit: int) -> None:
        self.folder, self.limit = folder / "folds", limit

    def get(self, key: str) -> list[FoldResult] | None:
        """Return the results of a unit, or None if they are not here; a broken entry is removed."""
        from safetensors import SafetensorError, safe_open

        path = self.folder / f"{key}{SUFFIX}"
        try:
            with safe_open(path, framework="numpy") as file:
                contents = json.loads(file.metadata()["results"])
                results = [_read(file, k, content) for k, content in enumerate(contents)]
            os.utime(path)
        except FileNotFoundError:
            return None
        except (SafetensorError, OSError, KeyError, TypeError, ValueError):
            path.unlink(missing_ok=True)
            return None
        return results

    def put(self, key: str, results: Sequence[FoldResult]) -> None:
        """Keep the results of a unit, then remove the entries that were not used for longest if there are too many.

        A cache that cannot be written (a full disk, a folder that is read-only) never stops a run.
        """
        from safetensors.numpy import save_file

        tensors = {}
        for k, result in enumerate(results):
            for kind, arrays in (("probability", result.probabilities), ("state", result.state)):
                tensors.update({f"{k}/{kind}/{name}": np.asarray(a, order="C") for name, a in arrays.items()})
        contents = [
            {"curve": list(result.curve), "probability": list(result.probabilities), "state": list(result.state)}
            for result in results
        ]
        try:
            with atomic_file(self.folder / f"{key}{SUFFIX}") as part:
                save_file(tensors, part, metadata={"results": json.dumps(contents)})
            self._evict()
        except OSError as error:
            print(f"note: the fold cache {self.folder} cannot be written ({error.strerror})")

    def _evict(self) -> None:
        entries = []
        for path in self.folder.glob(f"*{SUFFIX}"):
            try:
                entries.append((path.stat().st_mtime_ns, path.stat().st_size, path))
            except FileNotFoundError:  # another process evicts as well
                continue
        total = sum(size for _, size, _ in entries)
        for _, size, path in sorted(entries):
            if total <= self.limit:
                break
            path.unlink(missing_ok=True)
            total -= size


def unit_keys(
    function: Callable[..., Any],
    context: object,
    units: Sequence[Sequence[object]],
    device: str,
    kernels: Kernels,
) -> list[str]:
    """Return each unit's key: a hash of the code, the libraries, the kernels, the context and the unit's jobs."""
    shared = hashlib.sha256()
    _feed(shared, [function.__module__, function.__qualname__, code_digest(function.__module__)])
    _feed(shared, [device, _processor(device, kernels), *(_version(name) for name in LIBRARIES)])
    _feed(shared, context)
    keys = []
    for unit in units:
        total = shared.copy()
        _feed(total, unit)
        keys.append(total.hexdigest())
    return keys


def _feed(total: Any, value: object) -> None:
    """Add a value to a hash, with its type and shape, so that different values never look alike."""
    if isinstance(value, np.ndarray):
        total.update(f"array {value.dtype.str} {value.shape} ".encode())
        total.update(np.ascontiguousarray(value).tobytes())
    elif isinstance(value, BaseModel):
        total.update(f"model {type(value).__name__} {value.model_dump_json()} ".encode())
    elif is_dataclass(value):
        total.update(f"data {type(value).__name__} ".encode())
        for field in fields(value):
            _feed(total, [field.name, getattr(value, field.name)])
    elif isinstance(value, Mapping):
        total.update(f"mapping {len(value)} ".encode())
        for key in sorted(value, key=str):
            _feed(total, [key, value[key]])
    elif isinstance(value, (list, tuple)):
        total.update(f"list {len(value)} ".encode())
        for item in value:
            _feed(total, item)
    elif value is None or isinstance(value, (str, int, float, bool)):
        total.update(f"{type(value).__name__} {value!r} ".encode())
    else:
        raise TypeError(f"a {type(value).__name__} cannot be part of a cache key")


def _processor(device: str, kernels: Kernels) -> str:
    """Return what decides the last bits: the class of kernels."""
    if device == "cuda":
        import torch

        return str(torch.cuda.get_device_capability())
    return kernel_class(kernels)


def _version(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None


def _read(file: Any, number: int, content: Mapping[str, Any]) -> FoldResult:
    probabilities, state = (
        {name: file.get_tensor(f"{number}/{kind}/{name}") for name in content[kind]}
        for kind in ("probability", "state")
    )
    return FoldResult(probabilities, content["curve"], state)
