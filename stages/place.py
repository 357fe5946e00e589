"""Make the place where a copy of a user's folder would be."""

from pathlib import Path
from typing import Annotated

import typer

from busline.base.cli import run_stage


def main(
    cohort: Annotated[str, typer.Argument(help="Key of data.cohorts.")],
    root: Annotated[Path, typer.Option(help="Folder that holds data/ and reports/.")] = Path(),
) -> None:
    """Write data/folders/<cohort>/place, which holds the cohort's name: so the folder is there for every cohort."""
    from busline.base.artifacts import save_text

    save_text(f"{cohort}\n", root / "data/folders" / cohort / "place")


if __name__ == "__main__":
    run_stage(main)
