"""Find images that two cohorts share: the same pixels, or the same scan saved again."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd

from busline.cohort.duplicates.fingerprints import Fingerprints, join_fingerprints
from busline.cohort.duplicates.pairs import find_duplicates

COLUMNS = {
    "cohort_a": "str",
    "case_a": "str",
    "cohort_b": "str",
    "case_b": "str",
    "kind": "str",
    "distance": "int64",
    "correlation": "float64",
}


def find_overlap(
    cohorts: Mapping[str, Fingerprints], max_bits: int, least_correlation: float, *, workers: int = 1
) -> pd.DataFrame:
    """Return pairs of cases of two cohorts whose images are the same or nearly so.

    All cohorts are searched as if they were one, and the pairs within a cohort left out. As many are found as, with
    those within the cohorts, join every scan's copies in one group (see
    :func:`busline.cohort.duplicates.pairs.find_duplicates`): a scan that two cohorts share is in one pair at least.

    Args:
        cohorts: what is kept of each cohort's images, by the cohort's name.
        max_bits: largest number of differing bits, of 64.
        least_correlation: least correlation of the aligned images, in [-1, 1].
        workers: threads; the pairs are the same whatever their number.

    Returns:
        :data:`COLUMNS`, sorted; ``cohort_a`` before ``cohort_b`` in the given order; kind, distance and
        correlation as there. Of one
        cohort alone, no row.
    """
    rows: list[tuple[Any, ...]] = []
    if len(cohorts) > 1:
        owners = [(name, case) for name, prints in cohorts.items() for case in prints.case_ids]
        numbers = [str(place) for place in range(len(owners))]  # two cohorts may use one id
        prints = join_fingerprints(numbers, cohorts.values())
        pairs = find_duplicates(prints, max_bits, least_correlation, workers=workers)
        for first, second, *facts in pairs.itertuples(index=False, name=None):
            one, other = owners[int(first)], owners[int(second)]
            if one[0] != other[0]:
                rows.append((*one, *other, *facts))
    return pd.DataFrame(sorted(rows), columns=list(COLUMNS)).astype(COLUMNS)
