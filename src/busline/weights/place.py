"""Pretrained weights are data: fetched once, checked, and pinned by their checksum."""

from __future__ import annotations

from pathlib import Path

from busline.base.artifacts import atomic_folder, save_json
from busline.base.errors import DataError, DownloadError, ParameterError, near_matches
from busline.base.progress import ReportProgress, silent
from busline.base.settings.images import Cnn
from busline.base.settings.section import Section
from busline.base.settings.segmentation import Segmentation
from busline.base.settings.weights import Weights, WeightsFile
from busline.fetch.download import fetch, sha256_of
from busline.fetch.files import copy_files
from busline.fetch.mirror import VARIABLE
from busline.fetch.names import safe_path


class WeightsSettings(Section):
    """The parameters of initial weights: the files, and the models that start from them."""

    weights: Weights
    cnn: Cnn
    seg: Segmentation


def weights_name(settings: WeightsSettings, model: str) -> str | None:
    """Return the name of the weights a model starts from, None for random ones.

    Args:
        settings: the parameters.
        model: a name in cnn.models, or ``seg``.

    Raises:
        ParameterError: if there is no such model.
    """
    if model == "seg":
        return settings.seg.weights
    if model not in settings.cnn.models:
        mend = near_matches(model, [*settings.cnn.models, "seg"])
        raise ParameterError("weights", f"unknown model {model!r}", mend=mend)
    return settings.cnn.models[model].weights


def save_weights(
    target: Path,
    name: str | None,
    files: dict[str, WeightsFile],
    *,
    mirror: Path | None,
    downloads: Path,
    report_progress: ReportProgress = silent,
) -> None:
    """Write ``source.json`` (name and SHA-256, null for random weights) and, if there is a name, the weights.

    Args:
        target: folder to write; it appears whole or not at all.
        name: a key of ``files``, or None.
        files: addresses and checksums by name.
        mirror: folder whose ``weights/<name>.safetensors`` is looked for first, or None.
        downloads: folder that keeps finished and unfinished downloads.
        report_progress: called with the bytes that have arrived.

    Raises:
        DownloadError: if the file is nowhere, or has another checksum.
        DataError: if it is no safetensors file.
    """
    with atomic_folder(target) as part:
        checksum = None
        if name is not None:
            path = _locate(name, files[name], mirror, downloads, report_progress)
            copy_files([path.name], path.parent, part)
            (part / path.name).rename(part / "weights.safetensors")
            checksum = sha256_of(part / "weights.safetensors")
        save_json({"name": name, "sha256": checksum}, part / "source.json")


def _locate(
    name: str, file: WeightsFile, mirror: Path | None, downloads: Path, report_progress: ReportProgress
) -> Path:
    """Return the local file, downloaded if need be."""
    try:
        file_name = str(safe_path(f"{name}.safetensors", subfolders=False))
    except ValueError as error:
        raise ParameterError(f"weights.files.{name}", str(error)) from error
    wanted = (mirror or Path(f"${VARIABLE}")) / "weights" / file_name
    if mirror is not None and wanted.is_file():
        found = sha256_of(wanted)
        if file.sha256 not in (None, found):
            mend = f"put the right file there, or correct weights.files.{name}.sha256"
            raise DownloadError(str(wanted), f"has SHA-256 {found}", expected=f"SHA-256 {file.sha256}", mend=mend)
        _require_safetensors(wanted)
        return wanted
    setting = "" if mirror else f" with {VARIABLE} set to a folder of yours"
    mend = f"put the file at {wanted}{setting}, or go online; or choose a model with random weights"
    fetch(file.url, downloads / file_name, file.sha256, report_progress, mend=mend)
    try:
        _require_safetensors(downloads / file_name)
    except DataError:  # a page that says "not found", for example: the next call must not take it for the file
        (downloads / file_name).unlink()
        raise
    return downloads / file_name


def _require_safetensors(path: Path) -> None:
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, framework="numpy") as file:
            names = list(file.keys())
    except (SafetensorError, OSError, ValueError) as error:
        raise DataError(
            str(path), f"is no safetensors file ({error})", mend="get it again, or convert the weights to safetensors"
        ) from error
    if not names:
        raise DataError(str(path), "holds no tensors", mend="get the file again")
