"""Synthetic scans, made rather than fetched; see :mod:`busline.cohort.phantom.cohort`.

Format, classes and columns are those of BrEaST, so that :mod:`busline.cohort.sources.breast` reads them.
"""

from __future__ import annotations

from pathlib import Path

from busline.cohort.phantom.cohort import make_phantom_cohort
from busline.cohort.sources.order import Order


def acquire_phantom(folder: Path, order: Order) -> None:
    """Write the phantoms of ``order.cohort.phantom`` into an existing empty folder."""
    phantom = order.cohort.phantom
    assert phantom is not None
    make_phantom_cohort(
        folder,
        cases=phantom.cases,
        normal=phantom.normal,
        width=phantom.width,
        height=phantom.height,
        seed=order.seed,
        report_progress=order.report_progress,
    )
