"""Outlines as a table: each case's predicted and true mask at the size the cohort stores, eight pixels a byte.

With both, any metric of outlines is computed later, without the network: training stages write this table and score
nothing. Truth stands in it too, so that whoever scores needs no image and cannot take another mask than was meant.

Of 224 × 176 pixels, a case has twice 4,928 bytes; zstd leaves some 530 of them on disk (180 phantoms). Parquet's
dictionary holds a truth once for all repeats, so a further repeat adds about half of that.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import pandas as pd

OUTLINE_COLUMNS = ("case_id", "scheme", "repeat", "fold", "split", "height", "width", "outline", "truth")


def pack_mask(mask: np.ndarray) -> bytes:
    """Return a bool mask (height, width) as bits: row by row, the first pixel of eight in a byte's highest bit."""
    return np.packbits(mask.astype(bool), axis=None).tobytes()


def unpack_mask(bits: bytes, height: int, width: int) -> np.ndarray:
    """Return the bool mask (height, width) that :func:`pack_mask` packed.

    Raises:
        ValueError: if the bits are not as many bytes as such a mask has.
    """
    count = height * width
    if len(bits) != packed_bytes(height, width):
        raise ValueError(
            f"a mask of {height} × {width} pixels has {packed_bytes(height, width)} bytes, not {len(bits)}"
        )
    return np.unpackbits(np.frombuffer(bits, np.uint8), count=count).astype(bool).reshape(height, width)


def packed_bytes(height: int, width: int) -> int:
    """Return how many bytes a packed mask has."""
    return -(-height * width // 8)


def outline_rows(
    case_ids: Sequence[str],
    scheme: str,
    repeat: int,
    folds: Sequence[int],
    found: Sequence[np.ndarray],
    truth: Sequence[np.ndarray],
) -> pd.DataFrame:
    """Return the rows of test cases of one repeat.

    Args:
        case_ids: n cases.
        scheme: how the cases were split.
        repeat: the scheme's repeat.
        folds: the fold in which each case was tested.
        found: predicted masks, bool (height, width) each, of the sizes the cohort stores.
        truth: true masks, likewise.

    Returns:
        :data:`OUTLINE_COLUMNS`.

    Raises:
        ValueError: if a case's two masks differ in size.
    """
    differing = [case for case, one, other in zip(case_ids, found, truth, strict=True) if one.shape != other.shape]
    if differing:
        raise ValueError(f"predicted and true masks differ in size: {', '.join(differing)}")
    columns = {
        "case_id": np.asarray(case_ids, dtype=object),
        "scheme": scheme,
        "repeat": repeat,
        "fold": np.asarray(folds, np.int64),
        "split": "test",
        "height": np.array([mask.shape[0] for mask in truth], np.int64),
        "width": np.array([mask.shape[1] for mask in truth], np.int64),
        "outline": [pack_mask(mask) for mask in found],
        "truth": [pack_mask(mask) for mask in truth],
    }
    return pd.DataFrame(columns, columns=list(OUTLINE_COLUMNS))


def unpack_rows(table: pd.DataFrame) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Yield predicted and true mask, bool (height, width), of each row of :data:`OUTLINE_COLUMNS`."""
    columns = (table[name].tolist() for name in ("outline", "truth", "height", "width"))
    for outline, truth, height, width in zip(*columns, strict=True):
        yield unpack_mask(outline, height, width), unpack_mask(truth, height, width)
