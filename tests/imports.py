"""Which modules of the package a stage needs, as repository paths."""

from __future__ import annotations

from pathlib import Path

from busline.base import code

REPOSITORY = Path(__file__).parent.parent


def needed_files(script: Path) -> set[str]:
    """Every file of the package that ``script`` imports, directly or through others, as repository paths."""
    found = code.needed_files(script)
    return {path.relative_to(REPOSITORY).as_posix() for path in found if path.name != "__init__.py"}
