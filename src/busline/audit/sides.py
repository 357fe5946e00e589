"""Patients and near-duplicate images on two sides of a split, looked for anew, apart from what made the splits."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from busline.cohort.duplicates.frames import leave_frame_out
from busline.cohort.duplicates.pairs import find_duplicates, take_fingerprints
from busline.splits import RESAMPLE, by_resample

SHOWN = 3


def find_pairs(
    case_ids: Sequence[str], images: Sequence[np.ndarray], max_bits: int, least_correlation: float
) -> pd.DataFrame:
    """Return the (near-)duplicates among the packed images themselves; see :func:`find_duplicates`."""
    prints, _ = leave_frame_out(take_fingerprints(case_ids, images), lambda row: images[row])
    return find_duplicates(prints, max_bits, least_correlation)


def crossing_pairs(splits: pd.DataFrame, pairs: pd.DataFrame) -> pd.DataFrame:
    """Return each pair of cases that stands on two sides of a resample.

    Args:
        splits: ``case_id, scheme, repeat, fold, role``.
        pairs: ``case_a, case_b, why``; pairs with a case that is not split are left out.

    Returns:
        ``scheme, repeat, fold, case_a, case_b, role_a, role_b, why``.
    """
    roles = splits[["case_id", *RESAMPLE, "role"]]
    sides = pairs.merge(roles.rename(columns={"case_id": "case_a", "role": "role_a"}), on="case_a")
    sides = sides.merge(roles.rename(columns={"case_id": "case_b", "role": "role_b"}), on=["case_b", *RESAMPLE])
    crossing = sides[sides["role_a"] != sides["role_b"]]
    order = [*RESAMPLE, "case_a", "case_b"]
    return crossing.sort_values(order)[[*order, "role_a", "role_b", "why"]].reset_index(drop=True)


def patient_pairs(case_ids: Sequence[str], patient_ids: Sequence[str]) -> pd.DataFrame:
    """Return ``case_a, case_b, why`` for cases of one patient: each with the first.

    If two cases of a patient stand on two sides, one of them stands on another side than the first.
    """
    rows = []
    table = pd.DataFrame({"case": list(case_ids), "patient": list(patient_ids)})
    for patient, cases in table.groupby("patient", sort=False)["case"]:
        first = cases.iloc[0]
        rows += [(first, other, f"cases of patient {patient}") for other in cases.iloc[1:]]
    return pd.DataFrame(rows, columns=["case_a", "case_b", "why"])


def complaints(crossing: pd.DataFrame) -> list[str]:
    """Return one line a pair that crosses, with the first resamples in which it does."""
    lines = []
    for (a, b), rows in crossing.groupby(["case_a", "case_b"], sort=True):
        first = [
            f"{resample} ({side['role_a'].iloc[0]} and {side['role_b'].iloc[0]})"
            for resample, side in by_resample(rows.head(SHOWN))
        ]
        more = f" and {len(rows) - SHOWN} more resamples" if len(rows) > SHOWN else ""
        lines.append(f"cases {a} and {b}, {rows['why'].iloc[0]}, stand on two sides: {', '.join(first)}{more}")
    return lines
