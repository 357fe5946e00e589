"""Copy the files a table names."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path

from busline.base.errors import list_problems
from busline.base.progress import ReportProgress, silent


def copy_files(names: Sequence[str], source: Path, target: Path, report_progress: ReportProgress = silent) -> None:
    """Copy files by their relative names; links are followed, times and permissions are not kept.

    Raises:
        DataError: listing every file that is missing, before anything is copied.
    """
    missing = [f"{name}: is missing" for name in names if not (source / name).is_file()]
    if missing:
        raise list_problems(str(source), missing, expected="every file that the table names")
    for done, name in enumerate(names, start=1):
        (target / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source / name, target / name)
        report_progress("files", done, len(names))
