"""Weights files of every origin, made for the tests: a small network's tensors in both formats."""

from __future__ import annotations

import hashlib
import io
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors.numpy import save

from busline.base.settings.weights import InitialWeights, WeightsFile
from busline.weights.place import save_weights

NOWHERE = "http://127.0.0.1:1/model.safetensors"
SAFE = save({"conv.weight": np.arange(6, dtype=np.float32)})


def torch_file(content: Any, *, old: bool = False) -> bytes:
    """Return what torch.save writes of it, or wrote of it before 1.6."""
    target = io.BytesIO()
    torch.save(content, target, _use_new_zipfile_serialization=not old)
    return target.getvalue()


PICKLED = torch_file({"conv.weight": torch.arange(6, dtype=torch.float32)})


def sha256(content: bytes) -> str:
    """Return the checksum in hex."""
    return hashlib.sha256(content).hexdigest()


def entry(origin: dict[str, str], checksum: str, **changes: Any) -> WeightsFile:
    """Return an entry of weights.files."""
    content = {
        "networks": ["net"],
        "origin": origin,
        "sha256": checksum,
        "names": "own",
        "mean": [0.5, 0.5, 0.5],
        "std": [0.5, 0.5, 0.5],
        "trained_on": "imagenet",
        "licence": "MIT",
    }
    return WeightsFile.model_validate({**content, **changes})


def put(tmp_path: Path, file: WeightsFile | None, *, mirror: Path | None = None, name: str = "net.a1") -> Path:
    """Store the weights in a folder ``out`` and return it."""
    initial = InitialWeights(name=name if file else "none", file=file)
    save_weights(tmp_path / "out", initial, mirror=mirror, downloads=tmp_path / "downloads")
    return tmp_path / "out"


def install(folder: Path, distribution: str, files: dict[str, bytes]) -> None:
    """Make a distribution of these files in a folder of ``sys.path``, as pip leaves it."""
    info = folder / f"{distribution.replace('-', '_')}-1.0.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {distribution}\nVersion: 1.0\n")
    (info / "RECORD").write_text("".join(f"{name},,\n" for name in files))
    for name, content in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)
