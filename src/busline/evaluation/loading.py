"""Prediction tables and learning curves from their folders, family by family as the table of families says."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from string import Formatter

import pandas as pd

from busline.base.artifacts import keep_only, load_table
from busline.base.skipped import skip_reason
from busline.families import Family, active_files


@dataclass(frozen=True)
class Loaded:
    """What there is of a family.

    Attributes:
        tables: predictions, or outlines, by model.
        skipped: why there is nothing of a model (:mod:`busline.base.skipped`), by its name.
    """

    tables: Mapping[str, pd.DataFrame]
    skipped: Mapping[str, str]


def load_predictions(data: Path, family: Family, params: object) -> Loaded:
    """Read the predictions, or outlines, of a family's active models.

    Files of models that are not active are removed first.

    Args:
        data: folder that holds predictions/.
        family: any family.
        params: all parameters.

    Raises:
        DataError: if the file of an active model is missing.
    """
    loaded = _load_files(data / "predictions" / family.key, active_files(family, params))
    skipped = {name: reason for name, table in loaded.items() if (reason := skip_reason(table))}
    tables = {name: table for name, table in loaded.items() if name not in skipped}
    if not family.point:
        return Loaded(tables, skipped)
    divided: dict[str, pd.DataFrame] = {}
    for table in tables.values():
        columns = grid_columns(family)
        for values, rows in table.groupby(columns):
            divided[family.point.format(**dict(zip(columns, values, strict=True)))] = rows
    return Loaded(divided, skipped)


def load_curves(data: Path, family: Family, params: object) -> dict[tuple[str, str], pd.DataFrame]:
    """Return a family's learning curves by (family, model), after removing files of models that are not active.

    Models without epochs have an empty file and no curve.

    Args:
        data: folder that holds curves/.
        family: any family; one without curves has none.
        params: all parameters.

    Raises:
        DataError: if the file of an active model is missing.
    """
    if not family.curves:
        return {}
    names = active_files(family, params) if family.curves == "each" else [family.key]
    tables = _load_files(data / "curves" / family.key, names)
    tables = {name: table for name, table in tables.items() if not table.empty}
    if family.point:
        return {(family.key, str(model)): rows for table in tables.values() for model, rows in table.groupby("model")}
    return {(family.key, name): table for name, table in tables.items()}


def grid_columns(family: Family) -> list[str]:
    """Return the columns that tell the models of a grid apart; none if the family is no grid."""
    return [name for _, name, _, _ in Formatter().parse(family.point) if name]


def _load_files(folder: Path, names: Sequence[str]) -> dict[str, pd.DataFrame]:
    keep_only(folder, names, ".parquet")
    return {name: load_table(folder / f"{name}.parquet") for name in names}
