"""What a picture file's name ends with, where that is more than what follows the last dot."""

from __future__ import annotations

from pathlib import PurePosixPath

NIFTI = (".nii", ".nii.gz")
PICTURES = (".png", ".jpg", ".jpeg", ".bmp", ".dcm", ".dicom", *NIFTI)
_DOUBLE = (".nii.gz",)


def suffix_of(name: str) -> str:
    """Return the end of a file's name in small letters: ``.png``, or ``.nii.gz`` as a whole."""
    low = name.lower()
    return next((double for double in _DOUBLE if low.endswith(double)), PurePosixPath(low).suffix)


def stem_of(name: str) -> str:
    """Return a file's name without folders and :func:`suffix_of`."""
    last = PurePosixPath(name).name
    return last[: len(last) - len(suffix_of(last))]


def is_nifti(name: str) -> bool:
    """Say whether a file is a NIfTI by its name."""
    return suffix_of(name) in NIFTI
