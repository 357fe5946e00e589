"""Copy the files a table names."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path

from busline.base.errors import list_problems
from busline.base.progress import ReportProgress, silent


def copy_files(names: Sequence[str], source: Path, target: Path, report_progress: ReportProgress = silent) -> None:
    """Copy files by their relative names; times and permissions are not kept.

    Raises:
        DataError: listing every file that is missing, or a link to something outside ``source``, before anything is
            copied.
    """
    problems = [f"{name}: {problem}" for name in names if (problem := _problem(source, name))]
    if problems:
        raise list_problems(str(source), problems, expected="every file that the table names, inside this folder")
    for done, name in enumerate(names, start=1):
        (target / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source / name, target / name)
        report_progress("files", done, len(names))


def _problem(source: Path, name: str) -> str:
    """Return what is wrong with a file; a folder that is a link itself is as good as any."""
    path = source / name
    if not path.is_file():
        return "is missing"
    if not path.resolve().is_relative_to(source.resolve()):
        return "is a link out of the folder; put the file itself there"
    return ""
