"""The data card: what a cohort holds, in numbers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from busline.cohort.schema import RESERVED, Column, RawCohort


def make_card(
    cases: pd.DataFrame,
    columns: Sequence[Column],
    duplicates: Mapping[str, Any],
    raw: pd.DataFrame,
    doubts: Mapping[str, Any],
) -> dict[str, Any]:
    """Describe a cohort.

    Args:
        cases: the table of cases, n rows.
        columns: every column of the source's table.
        duplicates: what was found, see :class:`busline.cohort.duplicates.conflicts.Copies`.
        raw: ``width``, ``height`` (pixels) and ``pixel_mm`` of the images as released, ``lesion_share`` (share of the
            image's pixels in the main lesion, NaN without a mask) and ``other_masks`` (their number), n rows.
        doubts: what a person should look at, see :func:`busline.cohort.plausible.describe_doubts`.

    Returns:
        Counts a label; for each numeric column that comes from the patient, its distribution a label; sizes; pixel
        sizes; lesion shares a label; missingness a column; duplicates; the doubts.
    """
    labels = cases["label"]
    stored = {column.name: column for column in columns if column.name in cases.columns}
    patient = [c.name for c in stored.values() if c.provenance == "patient" and c.kind == "numeric"]
    own = [name for name in cases.columns if name not in RESERVED]
    return {
        "source": str(cases["source"].iloc[0]),
        "cases": len(cases),
        "patients": int(cases["patient_id"].nunique()),
        "labels": {str(label): int(n) for label, n in labels.value_counts().items()},
        "numeric": {name: _by_label(cases[name], labels) for name in patient},
        "images": {
            "width": describe(raw["width"]),
            "height": describe(raw["height"]),
            "stored_width": describe(_positive(cases["width"])),
            "stored_height": describe(_positive(cases["height"])),
            "pixel_mm": describe(raw["pixel_mm"]),
        },
        "masks": {
            "with_main_lesion": int(cases["has_mask"].sum()),
            "with_other_lesions": int((raw["other_masks"] > 0).sum()),
            "other_lesions": int(raw["other_masks"].sum()),
        },
        "lesion_share": _by_label(raw["lesion_share"], labels),
        "missing": {name: float(cases[name].isna().mean()) for name in own},
        "undeclared": [column.name for column in columns if column.provenance is None],
        "duplicates": dict(duplicates),
        "doubts": dict(doubts),
    }


def describe_reading(raw: RawCohort) -> dict[str, Any]:
    """Return what was decided in reading the table; nothing where nothing had to be."""
    result: dict[str, Any] = {}
    if raw.notes:
        result["notes"] = list(raw.notes)
    if raw.left_out:
        result["left_out"] = dict(raw.left_out)
    if raw.excluded:
        result["excluded"] = dict(raw.excluded)
    if raw.images.crop:
        result["crop"] = dict(zip(("left", "top", "right", "bottom"), raw.images.crop, strict=True))
    return result


def describe(values: pd.Series) -> dict[str, Any]:
    """Return count, missing count, mean, standard deviation (of the sample) and quartiles; null where undefined."""
    known = values.dropna().to_numpy(dtype=np.float64)
    result: dict[str, Any] = {"n": len(known), "missing": int(values.isna().sum())}
    names = ("min", "q1", "median", "q3", "max")
    quantiles = np.quantile(known, [0, 0.25, 0.5, 0.75, 1]) if len(known) else [None] * len(names)
    result["mean"] = float(known.mean()) if len(known) else None
    result["sd"] = float(known.std(ddof=1)) if len(known) > 1 else None
    return result | dict(zip(names, quantiles, strict=True))


def _positive(sizes: pd.Series) -> pd.Series:
    return sizes.where(sizes > 0)


def _by_label(values: pd.Series, labels: pd.Series) -> dict[str, Any]:
    return {str(label): describe(part) for label, part in values.groupby(labels.to_numpy())}
