"""What a radiologist noted of a lesion, as thirteen yes-or-no targets of training.

Like a mask, a finding is known of training cases only: a network learns to say it, and it is never an input. This is
the one place where columns of provenance ``radiologist`` are read besides the pruning, which keeps them out of
data/features. Learning such further answers from few cases is *learning using privileged information* (Vapnik &
Vashist 2009, doi:10.1016/j.neunet.2009.06.042). A source without these columns simply has no such targets.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from busline.cohort.schema import Column

FINDINGS = (
    "irregular", "not_circumscribed", "indistinct", "jagged", "shadowing", "enhancement", "halo", "heterogeneous",
    "anechoic", "birads_4a", "birads_4b", "birads_4c", "birads_5",
)  # fmt: skip
"""The targets, each yes or no; the last four are "at least" that BI-RADS category."""
BIRADS_FINDINGS = slice(9, 13)

CATEGORIES = ("2", "3", "4a", "4b", "4c", "5")
"""BI-RADS categories of a lesion in their order."""

_WORDS: tuple[tuple[str, str], ...] = (
    ("Shape", r"^irregular$"),
    ("Margin", r"^not circumscribed"),
    ("Margin", r"indistinct"),
    ("Margin", r"spiculated|angular|microlobulated"),
    ("Posterior_features", r"^(?:shadowing|combined)$"),
    ("Posterior_features", r"^(?:enhancement|combined)$"),
    ("Halo", r"^yes$"),
    ("Echogenicity", r"^heterogeneous$"),
    ("Echogenicity", r"^anechoic$"),
    *(("BIRADS", f"^(?:{'|'.join(CATEGORIES[least:])})$") for least in (2, 3, 4, 5)),
)
"""Column, and what its cell holds where the finding is there, in the words of the BrEaST release."""


def radiologist_findings(cases: pd.DataFrame, columns: Sequence[Column]) -> np.ndarray:
    """Return the findings noted in a cohort's table.

    Args:
        cases: n rows with the source's columns.
        columns: all of these; one is read only if it is declared to be of a radiologist.

    Returns:
        float32 (n, len(FINDINGS)): 0, 1, or NaN where the column or its value is missing.
    """
    declared = {column.name for column in columns if column.provenance == "radiologist"}
    found = np.full((len(cases), len(FINDINGS)), np.nan, np.float32)
    for place, (name, pattern) in enumerate(_WORDS):
        if name in declared:
            cells = cases[name].astype("string")
            said = cells.str.contains(pattern, regex=True).to_numpy(dtype=np.float32, na_value=np.nan)
            found[:, place] = said
    return found
