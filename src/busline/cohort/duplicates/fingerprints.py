"""What is kept of a cohort's images so that others can be compared with them: a hash and a thumbnail each."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from busline.base.artifacts import load_array, load_table, save_array, save_table


@dataclass(frozen=True)
class Fingerprints:
    """Of the n cases of a cohort that have an image.

    Attributes:
        case_ids: their ids.
        digests: :func:`busline.cohort.duplicates.pairs.digest` of each stored image.
        thumbnails: :func:`busline.cohort.duplicates.pairs.thumbnail` of each, uint8 (n, 64, 64).
        aspects: width over height of what each thumbnail shows, float64 (n,).
    """

    case_ids: Sequence[str]
    digests: Sequence[bytes]
    thumbnails: np.ndarray
    aspects: np.ndarray


def save_fingerprints(folder: Path, prints: Fingerprints) -> None:
    """Write ``hashes.parquet`` (``case_id, sha256`` in hexadecimal digits, ``aspect``) and ``thumbnails.npy``."""
    digits = [digest.hex() for digest in prints.digests]
    table = pd.DataFrame({"case_id": list(prints.case_ids), "sha256": digits}, dtype="str")
    save_table(table.assign(aspect=prints.aspects), folder / "hashes.parquet")
    save_array(prints.thumbnails, folder / "thumbnails.npy")


def load_fingerprints(folder: Path) -> Fingerprints:
    """Read what :func:`save_fingerprints` wrote into a cohort's folder.

    Raises:
        DataError: if a file is missing.
    """
    table = load_table(folder / "hashes.parquet")
    digests = [bytes.fromhex(digits) for digits in table["sha256"]]
    aspects = table["aspect"].to_numpy(dtype=np.float64)
    return Fingerprints(table["case_id"].tolist(), digests, load_array(folder / "thumbnails.npy"), aspects)


def join_fingerprints(case_ids: Sequence[str], parts: Iterable[Fingerprints]) -> Fingerprints:
    """Return several cohorts' as one, under other ids."""
    parts = list(parts)
    return Fingerprints(
        case_ids,
        [digest for part in parts for digest in part.digests],
        np.concatenate([part.thumbnails for part in parts]),
        np.concatenate([part.aspects for part in parts]),
    )


def select_fingerprints(prints: Fingerprints, rows: Sequence[int]) -> Fingerprints:
    """Return those of some cases."""
    case_ids, digests = [prints.case_ids[row] for row in rows], [prints.digests[row] for row in rows]
    return Fingerprints(case_ids, digests, prints.thumbnails[list(rows)], prints.aspects[list(rows)])
