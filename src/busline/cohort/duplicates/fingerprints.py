"""What is kept of a cohort's images so that others can be compared with them: a hash and a thumbnail each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from busline.base.artifacts import load_array, load_table, save_array, save_table
from busline.cohort.duplicates.hashes import SIDE


@dataclass(frozen=True)
class Fingerprints:
    """Of the n cases of a cohort that have an image.

    Attributes:
        case_ids: their ids.
        digests: :func:`busline.cohort.duplicates.pairs.digest` of each stored image.
        thumbnails: :func:`busline.cohort.duplicates.pairs.thumbnail` of each, uint8 (n, 64, 64).
    """

    case_ids: Sequence[str]
    digests: Sequence[bytes]
    thumbnails: np.ndarray


def save_fingerprints(
    folder: Path, case_ids: Sequence[str], digests: Sequence[bytes], thumbnails: Sequence[np.ndarray]
) -> None:
    """Write ``hashes.parquet`` (``case_id, sha256`` in hexadecimal digits) and ``thumbnails.npy``, in one order."""
    table = pd.DataFrame({"case_id": list(case_ids), "sha256": [digest.hex() for digest in digests]}, dtype="str")
    save_table(table, folder / "hashes.parquet")
    stack = np.stack(thumbnails) if len(thumbnails) else np.empty((0, SIDE, SIDE), dtype=np.uint8)
    save_array(stack, folder / "thumbnails.npy")


def load_fingerprints(folder: Path) -> Fingerprints:
    """Read what :func:`save_fingerprints` wrote into a cohort's folder.

    Raises:
        DataError: if a file is missing.
    """
    table = load_table(folder / "hashes.parquet")
    digests = [bytes.fromhex(digits) for digits in table["sha256"]]
    return Fingerprints(table["case_id"].tolist(), digests, load_array(folder / "thumbnails.npy"))
