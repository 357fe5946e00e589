"""What a source is told when its files are wanted."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from busline.base.progress import ReportProgress, silent
from busline.base.settings.data import Cohort


@dataclass(frozen=True)
class Order:
    """What a source may use to get its raw files.

    Attributes:
        cohort: which source it is, and its parameters.
        seed: root of every random draw.
        mirror: folder with local copies, or None.
        downloads: folder that keeps finished and unfinished downloads.
        own: copy of the user's folder, where the cohort has one.
        report_progress: called with the progress.
    """

    cohort: Cohort
    seed: int
    mirror: Path | None
    downloads: Path
    own: Path
    report_progress: ReportProgress = silent
