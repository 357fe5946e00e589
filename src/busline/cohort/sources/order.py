"""What a source is told when its files are wanted."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from busline.base.progress import ReportProgress, silent
from busline.base.settings.data import Data


@dataclass(frozen=True)
class Order:
    """What a source may use to get its raw files.

    Attributes:
        data: the parameters of the sources.
        seed: root of every random draw.
        mirror: folder with local copies, or None.
        downloads: folder that keeps finished and unfinished downloads.
        report_progress: called with the progress.
    """

    data: Data
    seed: int
    mirror: Path | None
    downloads: Path
    report_progress: ReportProgress = silent
