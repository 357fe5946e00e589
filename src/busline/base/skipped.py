"""What a stage writes that cannot run with a cohort, or has nothing to do: empty tables that carry the reason.

Which families there are stands in the parameters; what a cohort lacks is known only once it was read.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from busline.base.artifacts import atomic_folder, save_json, save_table

NO_LABELS = "the cohort has no labels"
NO_IMAGES = "the cohort has no images"
NO_MASKS = "the cohort has no masks"
NO_COLUMNS = "the cohort has no column that a model may see"
NOT_BINARY = "it is for two classes, and the study has more"
REASON = "skipped"


def skip(reason: str, *, tables: Sequence[Path], folders: Sequence[Path] = ()) -> None:
    """Write what a stage owes, empty: tables without rows or columns, and folders that hold the reason alone."""
    print(f"note: skipped, {reason}")
    for path in tables:
        save_table(empty_table(reason), path)
    for path in folders:
        with atomic_folder(path) as folder:
            save_json({REASON: reason}, folder / "skipped.json")


def empty_table(reason: str) -> pd.DataFrame:
    """Return a table without rows or columns that carries ``reason`` through Parquet."""
    table = pd.DataFrame()
    table.attrs[REASON] = reason
    return table


def skip_reason(table: pd.DataFrame) -> str | None:
    """Return why a table was not made, or None if it was."""
    reason = table.attrs.get(REASON)
    return None if reason is None else str(reason)
