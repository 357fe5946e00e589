"""What a radiologist noted of a lesion, as thirteen yes-or-no targets of training.

Like a mask, a finding is known of training cases only: a network learns to say it, and it is never an input. This is
the one place where columns of provenance ``radiologist`` are read besides the pruning, which keeps them out of
data/features. Learning such further answers from few cases is *learning using privileged information* (Vapnik &
Vashist 2009, doi:10.1016/j.neunet.2009.06.042). A source without these columns simply has no such targets.

A finding has levels, words of the BI-RADS lexicon, and a level says some targets and may leave others open: of a
category 4 without a letter, that it is at least 4a and below 5, not whether it is 4b. What is not known is a missing
target, never a 0.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from busline.cohort.schema import Column, Finding, FindingName

TARGETS: dict[FindingName, tuple[str, ...]] = {
    "shape": ("irregular",),
    "margin": ("not_circumscribed", "indistinct", "jagged"),
    "posterior_features": ("shadowing", "enhancement"),
    "halo": ("halo",),
    "echogenicity": ("heterogeneous", "anechoic"),
    "birads": ("birads_4a", "birads_4b", "birads_4c", "birads_5"),
}
"""The targets of each finding, each yes or no; those of ``birads`` are "at least" that category."""
FINDINGS = tuple(target for targets in TARGETS.values() for target in targets)
BIRADS_FINDINGS = slice(9, 13)

CATEGORIES = ("2", "3", "4a", "4b", "4c", "5")
"""BI-RADS categories of a lesion in their order."""

OPEN = float("nan")
LEVELS: dict[FindingName, dict[str, tuple[float, ...]]] = {
    "shape": {"oval": (0,), "round": (0,), "irregular": (1,)},
    "margin": {
        "circumscribed": (0, 0, 0),
        "not circumscribed": (1, OPEN, OPEN),
        "indistinct": (1, 1, 0),
        **dict.fromkeys(("angular", "microlobulated", "spiculated"), (1, 0, 1)),
    },
    "posterior_features": {"no": (0, 0), "enhancement": (0, 1), "shadowing": (1, 0), "combined": (1, 1)},
    "halo": {"no": (0,), "yes": (1,)},
    "echogenicity": {
        "anechoic": (0, 1),
        **dict.fromkeys(("hypoechoic", "isoechoic", "hyperechoic", "complex cystic/solid"), (0, 0)),
        "heterogeneous": (1, 0),
    },
    "birads": {
        **dict.fromkeys(("1", "2", "3"), (0, 0, 0, 0)),
        "4": (1, OPEN, OPEN, 0),
        "4a": (1, 0, 0, 0),
        "4b": (1, 1, 0, 0),
        "4c": (1, 1, 1, 0),
        "5": (1, 1, 1, 1),
    },
}
"""What each level says of the finding's targets: 1, 0, or that it is open."""

RELEASED: dict[str, FindingName] = {
    "Shape": "shape",
    "Margin": "margin",
    "Posterior_features": "posterior_features",
    "Halo": "halo",
    "Echogenicity": "echogenicity",
    "BIRADS": "birads",
}
"""The columns of the BrEaST release."""
IN_RELEASED_WORDS = ("breast", "phantom")
"""Sources whose tables have the release's columns and words."""
NO_LESION = "not applicable"
"""What the release says of a case without a lesion, which has none of the findings."""


def radiologist_findings(cases: pd.DataFrame, columns: Sequence[Column]) -> np.ndarray:
    """Return the findings noted in a cohort's table.

    Args:
        cases: n rows with ``source`` and the source's columns.
        columns: all of these; one is read if it says of which finding it is, or if it is the release's and declared to
            be of a radiologist.

    Returns:
        float32 (n, len(FINDINGS)): 0, 1, or NaN where the column or its value is missing, or leaves it open.
    """
    found = np.full((len(cases), len(FINDINGS)), np.nan, np.float32)
    released = len(cases) > 0 and cases["source"].iloc[0] in IN_RELEASED_WORDS
    for column in columns:
        name = column.finding.name if column.finding else RELEASED.get(column.name)
        if name is None or not (column.finding or (released and column.provenance == "radiologist")):
            continue
        said = {cell: _targets(name, cell, column.finding) for cell in cases[column.name].dropna().unique()}
        nothing = _say(name, ())
        first = FINDINGS.index(TARGETS[name][0])
        place = slice(first, first + len(TARGETS[name]))
        found[:, place] = [said.get(cell, nothing) for cell in cases[column.name]]
    return found


def find_levels(finding: Finding, cell: str) -> Sequence[str] | None:
    """Return the levels that a cell means, none where it means that nothing is known; None if it is no known word."""
    if cell in finding.levels:
        return finding.levels[cell]
    return (cell.casefold(),) if cell.casefold() in LEVELS[finding.name] else None


def _targets(name: FindingName, cell: str, finding: Finding | None) -> tuple[float, ...]:
    if finding:
        return _say(name, find_levels(finding, cell) or ())
    if cell == NO_LESION:
        return (0.0,) * len(TARGETS[name])
    words = re.split(" - |&", cell) if name == "margin" else [cell]
    return _say(name, words if set(words) <= set(LEVELS[name]) else ())


def _say(name: FindingName, levels: Sequence[str]) -> tuple[float, ...]:
    """Return what levels say together: yes where one of them does, open where none says anything."""
    table: Mapping[str, tuple[float, ...]] = LEVELS[name]
    rows = [table[level] for level in levels] or [(OPEN,) * len(TARGETS[name])]
    return tuple(float(np.fmax.reduce(column)) for column in zip(*rows, strict=True))
