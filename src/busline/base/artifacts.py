"""Load and save every file that crosses a stage: Parquet, NPY, safetensors and JSON, never pickle.

Every writer is atomic: a reader sees the whole file or none. Bytes depend on the content alone.
"""

from __future__ import annotations

import json
import math
import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from busline.base.errors import DataError

if TYPE_CHECKING:
    import torch

ROUNDED_DIGITS = 6
ACTIVE = "active.json"
"""File of a folder of one file a model that lists the active ones, so that the folder is there when none is."""
KEPT = (ACTIVE, ".gitignore")


@contextmanager
def atomic_file(path: Path) -> Iterator[Path]:
    """Yield a temporary sibling of ``path`` that replaces it only if the block ends without error."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(prefix=f".{path.name}.", suffix=".part", dir=path.parent)
    os.close(handle)
    part = Path(name)
    try:
        yield part
        part.chmod(0o644)
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)


@contextmanager
def atomic_folder(path: Path) -> Iterator[Path]:
    """Yield an empty temporary sibling folder that replaces ``path`` only if the block ends without error."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = Path(tempfile.mkdtemp(prefix=f".{path.name}.", suffix=".part", dir=path.parent))
    try:
        yield part
        part.chmod(0o755)
        if path.exists():
            shutil.rmtree(path)
        part.replace(path)
    finally:
        shutil.rmtree(part, ignore_errors=True)


def save_table(table: pd.DataFrame, path: Path) -> None:
    """Write a table as Parquet (zstd), without its index."""
    with atomic_file(path) as part:
        table.to_parquet(part, engine="pyarrow", compression="zstd", index=False)


def load_table(path: Path) -> pd.DataFrame:
    """Read a Parquet table.

    Raises:
        DataError: if the file is missing or is no Parquet table.
    """
    _require(path)
    try:
        return pd.read_parquet(path, engine="pyarrow")
    except (OSError, ValueError) as error:
        raise DataError(str(path), f"cannot be read as Parquet ({error})", mend="reproduce its stage") from error


def save_csv(table: pd.DataFrame, path: Path) -> None:
    """Write a table as CSV for ``dvc plots`` with floats rounded to six digits."""
    with atomic_file(path) as part:
        table.round(ROUNDED_DIGITS).to_csv(part, index=False, lineterminator="\n")


def save_array(array: np.ndarray, path: Path) -> None:
    """Write one array as NPY."""
    with atomic_file(path) as part, part.open("wb") as file:
        np.save(file, array, allow_pickle=False)


def load_array(path: Path, *, mmap: bool = False) -> np.ndarray:
    """Read one NPY array, memory-mapped read-only if ``mmap``."""
    _require(path)
    array: np.ndarray = np.load(path, mmap_mode="r" if mmap else None, allow_pickle=False)
    return array


def plain(value: Any) -> Any:
    """Return ``value`` as JSON can hold it: floats rounded to six digits, NaN and infinities as null."""
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, np.ndarray):
        return plain(value.tolist())
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [plain(item) for item in value]
    if isinstance(value, (bool, np.bool_)):
        return bool(value)
    if isinstance(value, (int, np.integer)):
        return int(value)
    if isinstance(value, (float, np.floating)):
        return round(float(value), ROUNDED_DIGITS) if math.isfinite(value) else None
    return value


def save_json(content: Any, path: Path) -> None:
    """Write JSON with sorted keys, rounded floats and null for what is undefined."""
    text = json.dumps(plain(content), indent=2, sort_keys=True, ensure_ascii=False, allow_nan=False)
    save_text(text + "\n", path)


def save_exact_json(content: Any, path: Path) -> None:
    """Write JSON with sorted keys and every number as it is, so that what is read is what was written."""
    save_text(json.dumps(content, indent=2, sort_keys=True, ensure_ascii=False, allow_nan=False) + "\n", path)


def load_json(path: Path) -> Any:
    """Read a JSON file."""
    return json.loads(load_text(path))


def save_text(text: str, path: Path) -> None:
    """Write text as UTF-8 with line feeds."""
    with atomic_file(path) as part:
        part.write_text(text, encoding="utf-8", newline="\n")


def load_text(path: Path) -> str:
    """Read text in UTF-8.

    Raises:
        DataError: if the file is missing.
    """
    _require(path)
    return path.read_text(encoding="utf-8")


def save_tensors(tensors: Mapping[str, torch.Tensor], path: Path) -> None:
    """Write named tensors as safetensors."""
    from safetensors.torch import save_file

    with atomic_file(path) as part:
        save_file({name: tensor.detach().cpu().contiguous() for name, tensor in sorted(tensors.items())}, part)


def load_tensors(path: Path) -> dict[str, torch.Tensor]:
    """Read named tensors from a safetensors file.

    Raises:
        DataError: if the file is missing or is no safetensors file.
    """
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    _require(path)
    try:
        return load_file(path)
    except SafetensorError as error:
        raise DataError(
            str(path), f"is no safetensors file ({error})", mend="convert the weights to safetensors"
        ) from error


def keep_only(folder: Path, names: Sequence[str], suffix: str = "") -> None:
    """Remove from ``folder`` every entry that is not ``name + suffix`` of an active model.

    A stage that reads a folder of one file a model calls this first, so that files of models taken off an
    ``active`` list neither take part nor change the folder's hash.
    """
    if not folder.is_dir():
        return
    wanted = {name + suffix for name in names}
    for entry in sorted(folder.iterdir()):
        if entry.name in wanted or entry.name in KEPT:
            continue
        if entry.is_dir():
            shutil.rmtree(entry)
        else:
            entry.unlink()


def _require(path: Path) -> None:
    if not path.exists():
        raise DataError(str(path), "is missing", mend="run `dvc repro` (or `dvc pull`) to make it")
