"""Look for (near-)duplicate images across the active cohorts."""

from pathlib import Path
from typing import Annotated

import typer

from busline.base.cli import run_stage
from busline.base.settings.data import Data, Ingest
from busline.base.settings.reading import load_settings
from busline.base.settings.section import Section


class Settings(Section):
    """The sections that this stage reads."""

    data: Data
    ingest: Ingest


def main(
    params_file: Annotated[Path, typer.Option("--params", help="Parameter file.")] = Path("params.yaml"),
    root: Annotated[Path, typer.Option(help="Folder that holds data/ and reports/.")] = Path(),
) -> None:
    """Write data/overlap/pairs.parquet: cases of two active cohorts that show the same or nearly the same image.

    Reads the thumbnails and hashes that ingest keeps, after removing cohorts that are not active.
    """
    settings = load_settings(Settings, params_file)
    from busline.base.artifacts import keep_only, save_table
    from busline.base.runtime import load_runtime
    from busline.cohort.duplicates.fingerprints import load_fingerprints
    from busline.cohort.duplicates.overlap import find_overlap

    active, limits = settings.data.active, settings.ingest
    cohorts = root / "data/cohort"
    keep_only(cohorts, active)
    pairs = find_overlap(
        {name: load_fingerprints(cohorts / name) for name in active},
        limits.duplicate_bits,
        limits.duplicate_correlation,
        workers=load_runtime().workers,
    )
    save_table(pairs, root / "data/overlap/pairs.parquet")


if __name__ == "__main__":
    run_stage(main)
