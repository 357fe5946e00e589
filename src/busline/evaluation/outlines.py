"""Score a table of outlines: every metric of segmentation, case by case, long after the network is gone."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from busline.base.errors import list_problems
from busline.cohort.outlines import OUTLINE_COLUMNS, packed_bytes, unpack_rows
from busline.evaluation.prediction_tables import CASE, MEND
from busline.metrics.segmentation import IN_PIXELS, MEASURES, score_masks

KEYS = [*CASE, "split"]


def score_outlines(table: pd.DataFrame, pixel_mm: Mapping[str, float], where: str) -> pd.DataFrame:
    """Score each case of a table of outlines; 2,520 of 224 × 176 pixels take some 14 seconds on one core.

    Distances are in mm if any case's pixels have a size; cases without are then undefined. If none has, they are in
    pixels of the stored image, under names of their own (:data:`busline.metrics.segmentation.IN_PIXELS`).

    A stored pixel is taken as square: ``pixel_mm`` is the side of the square of its area. It keeps the picture's aspect
    but for the rounding of the stored size: with a shorter side of s pixels, distances are right to 0.25 / s (0.16 % at
    160 pixels), and exact where the picture was not reduced.

    Args:
        table: :data:`busline.cohort.outlines.OUTLINE_COLUMNS`.
        pixel_mm: side of a stored pixel in mm by case; NaN, or no entry, where unknown.
        where: name of the table in messages.

    Returns:
        ``case_id, scheme, repeat, fold, split`` and a column a metric, null where undefined; rows in the table's order.

    Raises:
        DataError: listing what is wrong with the table.
    """
    check_outlines(table, where)
    sides = table["case_id"].map(pixel_mm).astype("float64").to_numpy()
    sized = bool(np.isfinite(sides).any())
    measures = MEASURES if sized else IN_PIXELS
    values: dict[str, list[float]] = {name: [] for name in measures}
    for (found, truth), side in zip(unpack_rows(table), sides if sized else np.ones(len(table)), strict=True):
        for name, score in score_masks(found[None], truth[None], (side, side), measures).items():
            values[name].append(float(score[0]))
    scores = pd.DataFrame({name: np.array(column, np.float64) for name, column in values.items()})
    return pd.concat([table[KEYS].reset_index(drop=True), scores], axis=1)


def score_families(
    tables: Mapping[str, Mapping[str, pd.DataFrame]], pixel_mm: Mapping[str, float]
) -> dict[str, dict[str, pd.DataFrame]]:
    """Score the tables of outlines by family and model; see :func:`score_outlines`."""
    return {
        family: {
            name: score_outlines(table, pixel_mm, f"outlines of {family}/{name}") for name, table in models.items()
        }
        for family, models in tables.items()
    }


def check_outlines(table: pd.DataFrame, where: str) -> None:
    """Refuse a table of outlines that does not hold what it must.

    Raises:
        DataError: listing every missing column, and how many rows have a mask of another size or repeat another row.
    """
    problems = [f"column {name!r} is missing" for name in OUTLINE_COLUMNS if name not in table]
    if not problems:
        sizes = [packed_bytes(*size) for size in zip(table["height"], table["width"], strict=True)]
        for name in ("outline", "truth"):
            held = [len(bits) if isinstance(bits, bytes) else -1 for bits in table[name]]
            wrong = sum(one != other for one, other in zip(held, sizes, strict=True))
            problems += [f"column {name!r}: masks that are not of their row's height and width: {wrong}"] * bool(wrong)
        repeated = int(table.duplicated(KEYS).sum())
        problems += [f"rows that repeat another one's {', '.join(KEYS)}: {repeated}"] * bool(repeated)
    if problems:
        raise list_problems(where, problems, mend=MEND)
